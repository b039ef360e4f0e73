//! What parental control, DHCP and voice count.

use packet_logic::Verdict;

use super::{drops, line_of, marks, sender};
use crate::random::{
    generator::Frame,
    host::{End, Run},
    office::{ACCESS, LINES},
    special::Special,
    view::View,
};

/// Each of a frame once.
pub(in crate::random) fn assert_special_counted(frame: &Frame, run: &Run, grown: &Special) {
    let was_asked = run.path.contains(&Verdict::Dns);
    let is_refused = match run.verdict() {
        Verdict::Drop(reason) => drops::is_parental_control(reason),
        _ => run.is_answer() && was_asked,
    };
    if is_refused || !was_asked {
        assert_eq!(grown.refused_of_lines, u64::from(is_refused), "refused by parental control");
    }
    assert!(grown.blocked + grown.connections_refused <= grown.refused_of_lines);
    assert_eq!(grown.queries, u64::from(run.path.contains(&Verdict::DnsName)), "queries");
    let is_lease = run.is_answer() && run.path.contains(&Verdict::Dhcp);
    assert_eq!(grown.offers + grown.leases, u64::from(is_lease), "answers to DHCP clients");
    let came = View::of(&frame.bytes);
    let out = View::of(&run.fate.bytes);
    let (Some(came), Some(out)) = (came, out) else {
        assert_eq!((grown.voice_up, grown.voice_down), (0, 0), "no voice");
        return;
    };
    if run.fate.end != End::Redirected || run.is_answer() {
        assert!(grown.voice_up <= 1 && grown.voice_down <= 1);
        return;
    }
    let up = sender(frame).map(|line| &LINES[line]);
    let up = up.map(|line| marks::through(line, came.to, marks::when_sent(line, frame, came.class)));
    assert_eq!(grown.voice_up, u64::from(up.is_some_and(|(_, is_voice)| is_voice)), "voice sent");
    let station = run.fate.bytes[..6].try_into().expect("six bytes");
    let by = ACCESS.iter().position(|port| port.mac == run.fate.bytes[6..12]);
    let line = by.and_then(|port| line_of(port, &run.fate.bytes, station));
    let down = line.map(|line| marks::through(&LINES[line], out.source, out.class));
    assert_eq!(grown.voice_down, u64::from(down.is_some_and(|(_, is_voice)| is_voice)), "voice received");
}
