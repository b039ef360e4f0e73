//! NAT: what leaves has the public address and a port of the line's block, the same port for all that one inside port says;
//! what comes for a port goes to the inside port that has it, and to nobody else. Nothing else of a packet changes.

use super::known::Known;
use crate::random::{
    office::{Line, Target, ip4, route},
    tally::Tally,
    view::{ICMP, Part, TCP, UDP, View},
};

/// Ports at the beginning of a block that are given to nobody.
const HEAD: u16 = 12;

/// The outside and the inside port of a packet that leaves, and the protocol that it is a port of.
fn ports_out(sent: &View, out: &View) -> Option<(u8, u16, u16)> {
    if sent.is_error() {
        let (before, after) = (sent.quoted()?, out.quoted()?);
        assert_eq!(before.to, sent.source, "an error is about what came to its sender");
        assert_eq!(after.to, out.source, "and its quote is translated too");
        return Some((before.protocol, after.ports()?.1, before.ports()?.1));
    }
    Some((sent.protocol, out.ports()?.0, sent.ports()?.0))
}

/// The same of a packet that comes in.
fn ports_in(came: &View, packet: &View) -> Option<(u8, u16, u16)> {
    if came.is_error() {
        let (before, after) = (came.quoted()?, packet.quoted()?);
        assert_eq!(before.source, came.to, "an error is about what its receiver sent");
        assert_eq!(after.source, packet.to, "and its quote is translated too");
        return Some((before.protocol, before.ports()?.0, after.ports()?.0));
    }
    Some((came.protocol, came.ports()?.1, packet.ports()?.1))
}

fn assert_is_of(line: &Line, outside: u16) {
    let mut blocks = line.blocks().into_iter();
    let is_of = blocks.any(|(first, ports)| (first + HEAD..first + ports).contains(&outside));
    assert!(is_of, "port {outside} is not of {}", line.name);
}

/// Outside and inside are one, where there are ports.
fn assert_ports_stay(ports: Option<(u8, u16, u16)>) {
    if let Some((_, outside, inside)) = ports {
        assert_eq!(outside, inside, "a port stays");
    }
}

/// A packet left by a line, or on the way to another: `out` has its source.
pub(super) fn assert_out(
    (index, line): (usize, &Line),
    (sent, out): (&View, &View),
    known: &mut Known,
    tally: &mut Tally,
) {
    let public = line.public().filter(|_| !sent.is_v6() && !line.is_exempt_for(sent.to));
    let Some(public) = public else {
        assert_eq!(out.source, sent.source, "without NAT an address stays");
        tally.saw_if(line.is_exempt && !sent.is_v6(), "what is exempt from NAT goes out", false);
        return;
    };
    assert_eq!(out.source, ip4(public), "the public address of {}", line.name);
    if line.nat.is_none() {
        // As in `assert_in`, of what goes to another subscriber.
        let is_to_core = matches!(route(sent.to), Target::Core(_));
        assert_ports_stay(ports_out(sent, out).filter(|(protocol, ..)| is_to_core || *protocol != ICMP));
        tally.saw("one to one NAT goes out", false);
        return;
    }
    assert!(matches!(sent.protocol, TCP | UDP | ICMP) || sent.part == Part::Later, "what NAT can translate");
    if sent.part == Part::Later {
        return;
    }
    let (protocol, outside, inside) = ports_out(sent, out).expect("it has ports");
    assert_is_of(line, outside);
    let forwards = line.forwards.iter().filter(|forward| forward.protocol == protocol);
    for forward in forwards {
        assert_eq!(forward.port == outside, forward.to == inside, "{inside} by {outside}");
        tally.saw_if(forward.port == outside, "a port forward is answered", false);
    }
    if !sent.is_error() {
        known.left(index, protocol, outside, inside);
    }
}

/// A packet was delivered to a line.
pub(super) fn assert_in(
    (index, line): (usize, &Line),
    (came, packet): (&View, &View),
    is_from_core: bool,
    known: &Known,
    tally: &mut Tally,
) {
    let Some(public) = line.public().filter(|_| !packet.is_v6()) else {
        assert_eq!(packet.to, came.to, "without NAT an address stays");
        return;
    };
    assert_eq!(packet.to, ip4(line.network.0), "to the inside address");
    if came.to == packet.to {
        assert!(
            line.is_exempt_for(packet.source),
            "{} reaches {} by its own address",
            came.source,
            line.name
        );
        tally.saw("what is exempt from NAT comes in", false);
        return;
    }
    assert_eq!(came.to, ip4(public), "for the public address of {}", line.name);
    if line.nat.is_none() {
        // An echo's identifier is both ends': the NAT of another subscriber may have changed it.
        assert_ports_stay(ports_in(came, packet).filter(|(protocol, ..)| is_from_core || *protocol != ICMP));
        tally.saw("one to one NAT lets in", false);
        return;
    }
    if came.part == Part::Later {
        assert!(
            !is_from_core || known.has_first_of(came),
            "the rest of a packet whose beginning did not come"
        );
        tally.saw("a later fragment comes in", false);
        return;
    }
    let (protocol, outside, inside) = ports_in(came, packet).expect("it has ports");
    assert_is_of(line, outside);
    let forwards = line.forwards.iter().filter(|forward| forward.protocol == protocol);
    let to = forwards.filter(|forward| forward.port == outside).map(|forward| forward.to).next();
    match to {
        Some(to) => assert_eq!(inside, to, "the port that {outside} is forwarded to"),
        None => assert!(known.leads(index, protocol, outside, inside), "nothing from {inside} by {outside}"),
    }
    let area = if came.is_error() {
        "an error comes back"
    } else if to.is_some() {
        "a port forward leads in"
    } else {
        "an answer comes back through NAT"
    };
    tally.saw(area, false);
}

/// What a router may change is changed, and nothing else; what was right is right.
pub(super) fn assert_forwarded(came: &View, out: &View) {
    assert_eq!(out.bytes.len(), came.bytes.len());
    assert_eq!(Some(out.ttl), came.ttl.checked_sub(1), "one hop");
    assert!(out.ttl > 0, "the last hop");
    let kept = |packet: &View| (packet.protocol, packet.part, packet.id, packet.at, packet.is_v6());
    assert_eq!(kept(out), kept(came));
    if !came.is_error() {
        let ports_len = match came.protocol {
            _ if came.part == Part::Later => 0,
            // No header is shorter, whatever it says.
            TCP => (usize::from(came.payload().get(12).copied().unwrap_or(0) >> 4) * 4).max(20),
            UDP | ICMP => 8,
            _ => 0,
        };
        assert_eq!(
            out.payload().get(ports_len..),
            came.payload().get(ports_len..),
            "what the packet carries"
        );
    }
    assert!(out.has_right_checksums() || !came.has_right_checksums(), "checksums stay right");
}
