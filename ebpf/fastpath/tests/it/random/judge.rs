//! What must be true of every frame, reckoned apart from the code that is judged.

use map_abi::{Answer, Course};
use packet_logic::Verdict;

use crate::{
    frames::Address,
    random::{
        generator::{Frame, Way},
        host::{Counts, End, Fate},
        office::{LINES, Line, Rates},
    },
    tally::only_one,
    world::{ACCESS_MAC, CORE_MAC, GATEWAY_MAC},
};

/// The line whose tags a frame has, and where the packet begins.
fn line_of(frame: &[u8]) -> (Option<Line>, usize) {
    let word = |at: usize| frame.get(at..at + 2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let mut tags = Vec::new();
    let mut at = 12;
    while let Some(0x8100 | 0x88a8) = word(at)
        && tags.len() < 2
        && (tags.is_empty() || word(at) == Some(0x8100))
    {
        tags.push(word(at + 2).unwrap_or(0) & 0xfff);
        at += 4;
    }
    // An outer tag for priority only is as none (IEEE 802.1Q, 6.9).
    if let [0, _] = tags[..] {
        tags.remove(0);
    }
    if tags == [0] {
        tags.clear();
    }
    (LINES.into_iter().find(|line| line.tags == tags), at + 2)
}

/// A frame goes where it may, changed only as it may be.
pub(super) fn assert_fate(frame: &Frame, fate: &Fate, verdict: Verdict) {
    match fate.end {
        End::Gone => {}
        End::Passed => {
            assert_eq!(frame.way, Way::Down, "nothing of a subscriber's is the kernel's to route");
            assert_eq!(fate.bytes, frame.bytes, "the kernel gets a frame as it came");
            assert!(!is_for_a_line(&frame.bytes), "nothing for a subscriber passes by the fast path");
        }
        End::Redirected => {
            let out = &fate.bytes;
            let to_core = out[..12] == [GATEWAY_MAC, CORE_MAC].concat();
            let (Verdict::Redirect(port)
            | Verdict::AnsweredArp(port)
            | Verdict::AnsweredDhcp(port)
            | Verdict::AnsweredDns(port)) = verdict
            else {
                panic!("{verdict:?}")
            };
            assert_eq!(port, u32::from(to_core), "the port that the header is of");
            if to_core {
                assert_eq!(frame.way, Way::Up, "what came from the core does not go back there");
                assert_leaves(frame, out);
            } else {
                assert_enters(frame, out);
            }
        }
    }
}

/// Whether a frame from the core is sent to the office and has an address of a line's.
fn is_for_a_line(frame: &[u8]) -> bool {
    let is_ours = frame.starts_with(&CORE_MAC);
    let four = frame.get(30..34).and_then(|address| Address::try_from(address).ok());
    let six = frame.get(38..54).and_then(|address| <[u8; 16]>::try_from(address).ok());
    match frame[12..14] {
        [8, 0] => is_ours && four.is_some_and(|to| LINES.iter().any(|line| line.is_reached_by(to))),
        [0x86, 0xdd] => is_ours && six.is_some_and(|to| LINES.iter().any(|line| line.holds6(to))),
        _ => false,
    }
}

/// By the core port: from a line that may send, with an address and a port of its own.
fn assert_leaves(frame: &Frame, out: &[u8]) {
    let (line, packet_at) = line_of(&frame.bytes);
    let line = line.expect("of a line");
    assert!(line.is_active && line.rate != Rates::Red, "{} may not send", line.name);
    assert_eq!(frame.bytes[..12], [ACCESS_MAC, line.mac].concat(), "its Ethernet addresses");
    assert_eq!(out.len() - 14, frame.bytes.len() - packet_at, "the tags are gone, and nothing else");
    if out[12..14] == [0x86, 0xdd] {
        let source = out[22..38].try_into().expect("an address");
        assert!(line.holds6(source), "{} is not of {}", std::net::Ipv6Addr::from(source), line.name);
        assert!(!LINES.iter().any(|line| line.holds6(out[38..54].try_into().expect("an address"))));
        return;
    }
    assert_eq!(out[12..14], [8, 0]);
    let packet = &out[14..];
    let source: Address = packet[12..16].try_into().expect("an address");
    let sent: Address = frame.bytes[packet_at + 12..packet_at + 16].try_into().expect("an address");
    assert!(line.holds(sent), "{sent:?} is not of {}", line.name);
    let Some((public, first, ports)) = line.nat else {
        assert_eq!(source, sent, "without NAT an address stays");
        return;
    };
    assert_eq!(source, public, "the public address of {}", line.name);
    if let Some(port) = source_port(packet) {
        assert!((first..first + ports).contains(&port), "port {port} is not of {}", line.name);
    }
}

/// The port that NAT gave an IPv4 packet that went out, if it has one.
fn source_port(packet: &[u8]) -> Option<u16> {
    if u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff != 0 {
        return None;
    }
    let payload = usize::from(packet[0] & 15) * 4;
    let at = match packet[9] {
        6 | 17 => payload,
        // An echo's identifier, or the destination port of the packet that an error quotes.
        1 if packet[payload] == 8 => payload + 4,
        1 => {
            payload
                + 8
                + usize::from(packet[payload + 8] & 15) * 4
                + if packet[payload + 17] == 1 { 4 } else { 2 }
        }
        _ => return None,
    };
    Some(u16::from_be_bytes([packet[at], packet[at + 1]]))
}

/// By the access port: to a line that may receive, with its tags, its Ethernet address and an address of its own.
fn assert_enters(frame: &Frame, out: &[u8]) {
    assert_eq!(out[6..12], ACCESS_MAC, "the office sends it");
    let (line, packet_at) = line_of(out);
    let line = line.expect("a line");
    let (_, came_at) = line_of(&frame.bytes);
    if out[packet_at - 2..packet_at] == [8, 6] {
        let (asked, _) = line_of(&frame.bytes);
        assert_eq!(asked.map(|line| line.name), Some(line.name), "who asked is answered");
        // A line in any state is told where its router is.
        let address: Address = out[packet_at + 14..packet_at + 18].try_into().expect("an address");
        assert!(address == line.gateway || !line.holds(address), "{address:?} is the line's own");
        assert_eq!(out[..6], frame.bytes[6..12]);
        return;
    }
    assert_eq!(out[..6], line.mac, "{}", line.name);
    assert!(line.is_active && line.has_mac && line.rate != Rates::Red, "{} may not receive", line.name);
    // The outer tag as the port has it, no priority, and the mark where it is due.
    if !line.tags.is_empty() {
        let outer = if line.tags.len() == 2 { [0x88, 0xa8] } else { [0x81, 0] };
        assert_eq!(out[12..14], outer);
        assert_eq!(out[14] & 0xf0, if line.rate == Rates::Yellow { 0x10 } else { 0 });
    }
    if out[packet_at - 2..packet_at] == [0x86, 0xdd] {
        let to = out[packet_at + 24..packet_at + 40].try_into().expect("an address");
        assert!(line.holds6(to), "{} is not of {}", std::net::Ipv6Addr::from(to), line.name);
    } else {
        let to = out[packet_at + 16..packet_at + 20].try_into().expect("an address");
        assert!(line.holds(to), "{to:?} is not of {}", line.name);
    }
    let came_at = if frame.way == Way::Up { came_at } else { 14 };
    assert_eq!(out.len() - packet_at, frame.bytes.len() - came_at, "tags differ, and nothing else");
    if frame.way == Way::Up {
        let (sender, _) = line_of(&frame.bytes);
        let sender = sender.expect("of a line");
        assert!(sender.is_active && sender.rate != Rates::Red, "{} may not send", sender.name);
    }
}

/// A frame is counted once among all, and of its line as passed, as dropped, or not at all where somebody answers it or the
/// kernel deals with it.
pub(super) fn assert_counted(
    frame: &Frame,
    fate: &Fate,
    verdict: Verdict,
    (before, after): (&Counts, &Counts),
) {
    let (up, down) = (after.up - before.up, after.down - before.down);
    let dropped = after.dropped_of_lines - before.dropped_of_lines;
    let turns = up == 1 && verdict != Verdict::Redirect(1);
    let course = match frame.way {
        Way::Down => Course::DOWN,
        Way::Up if turns => Course::TURNED,
        Way::Up => Course::UP,
    };
    let counted = match verdict {
        Verdict::Drop(reason) => Err(reason),
        Verdict::Redirect(_) => Ok(map_abi::End::Forwarded),
        Verdict::AnsweredArp(_) => Ok(map_abi::End::Answered(Answer::Arp)),
        Verdict::AnsweredDhcp(_) => Ok(map_abi::End::Answered(Answer::Dhcp)),
        Verdict::AnsweredDns(_) => Ok(map_abi::End::Answered(Answer::Dns)),
        Verdict::Punted(reason) => Ok(map_abi::End::UserSpace(reason)),
        Verdict::Pass => Ok(map_abi::End::Kernel),
        verdict => panic!("{verdict:?} leads nowhere"),
    };
    assert_eq!(only_one(&before.tally, &after.tally), (course, counted));
    let (came_up, goes_down) = (
        u64::from(frame.way == Way::Up),
        u64::from(fate.end == End::Redirected && verdict == Verdict::Redirect(0)),
    );
    match verdict {
        Verdict::Redirect(_) => assert_eq!((up, down, dropped), (came_up, goes_down, 0), "passed"),
        Verdict::Drop(_) => {
            assert!(down == 0 && dropped <= 1, "dropped");
            // One subscriber's packet to another was counted before the other's side dropped it.
            assert!(up <= came_up);
        }
        _ => assert_eq!((up, down, dropped), (0, 0, 0), "an answer, or the kernel's, or user space's"),
    }
}
