//! Voice: what is said to and from a platform, at its own rate, has the mark of voice, and nobody else of a home with
//! voice; and what tags say of a frame.

use std::net::IpAddr;

use crate::random::{
    generator::Frame,
    office::{ACCESS, DSCP, Line, PRIORITY, Rates, is_platform},
    view::Framed,
};

/// The type of service that a packet from a line has in the office: where priorities are marks, the outer tag's.
pub(super) fn when_sent(line: &Line, frame: &Frame, class: u8) -> u8 {
    if !ACCESS[line.port].marks_by_priority {
        return class;
    }
    let priority = Framed::read(&frame.bytes).tags.first().map_or(0, |(_, tag)| tag >> 13);
    u8::try_from(priority).expect("three bits") << 5 | class & 3
}

/// What becomes of a packet's type of service on its way through a line, and whether it is voice.
pub(super) fn through(line: &Line, remote: IpAddr, class: u8) -> (u8, bool) {
    let Some(rate) = line.voice else { return (class, false) };
    let congestion = class & 3;
    if rate != Rates::Red && is_platform(remote) {
        (DSCP << 2 | congestion, true)
    } else if class >> 2 == DSCP {
        (congestion, false)
    } else {
        (class, false)
    }
}

/// The tags of a frame to a line: the outer TPID that the port has, the line's identifiers, the priority of voice or of the
/// mark, and that it is to be dropped first if the committed rate is used up.
pub(super) fn assert_tags(line: &Line, framed: &Framed, class: u8, is_voice: bool) {
    let port = &ACCESS[line.port];
    let priority = match (is_voice, port.has_priorities) {
        (true, _) => PRIORITY,
        (false, true) => class >> 5,
        (false, false) => 0,
    };
    let is_yellow = line.rate == Rates::Yellow && !is_voice;
    for (n, (tpid, tag)) in framed.tags.iter().enumerate() {
        let outer_tpid = if line.tags.len() == 2 { port.outer_tpid } else { 0x8100 };
        assert_eq!(*tpid, if n == 0 { outer_tpid } else { 0x8100 }, "{}", line.name);
        let eligible = u16::from(n == 0 && is_yellow) << 12;
        assert_eq!(*tag, u16::from(priority) << 13 | eligible | line.tags[n], "tag {n} of {}", line.name);
    }
}
