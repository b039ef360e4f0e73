//! The walled garden: who is suspended reaches what is in it and his resolvers, nobody else, and is reached by nobody else.

use std::net::IpAddr;

use crate::random::{
    office::{Line, State, is_in_garden, is_resolver},
    tally::Tally,
    view::{Part, TCP, UDP, View},
};

/// Whether a port of somebody's is where he is asked for names, which of a later fragment nobody knows.
fn is_asked(protocol: u8, address: IpAddr, port: Option<u16>) -> bool {
    matches!(protocol, TCP | UDP) && is_resolver(address) && port.is_none_or(|port| port == 53)
}

/// A packet of the line's goes on.
pub(super) fn assert_may_leave(line: &Line, sent: &View, tally: &mut Tally) {
    assert_ne!(line.state, State::Quarantined, "nothing of {} passes", line.name);
    if line.is_active() {
        return;
    }
    let is_query = sent.part != Part::Later
        && is_asked(sent.protocol, sent.to, sent.ports().map(|(_, to)| to))
        && sent.ports().is_some();
    assert!(is_in_garden(sent.to) || is_query, "{} reaches {}", line.name, sent.to);
    let area = if is_query { "a resolver is asked out of the garden" } else { "the garden is reached" };
    tally.saw(area, sent.is_v6());
}

/// A packet is delivered to the line.
pub(super) fn assert_may_enter(line: &Line, packet: &View, tally: &mut Tally) {
    assert_ne!(line.state, State::Quarantined, "nothing passes to {}", line.name);
    if line.is_active() {
        return;
    }
    let is_from_garden = |address: IpAddr, protocol: u8, port: Option<u16>| {
        is_in_garden(address) || is_asked(protocol, address, port)
    };
    if packet.is_error() {
        let quoted = packet.quoted().expect("it quotes a packet");
        let port = Some(quoted.ports().map_or(0, |(_, to)| to));
        assert!(is_from_garden(quoted.to, quoted.protocol, port), "{} sent that", line.name);
        return;
    }
    let port =
        if packet.part == Part::Later { None } else { Some(packet.ports().map_or(0, |(from, _)| from)) };
    assert!(is_from_garden(packet.source, packet.protocol, port), "{} hears {}", line.name, packet.source);
    let area =
        if is_in_garden(packet.source) { "the garden answers" } else { "a resolver answers into the garden" };
    tally.saw(area, packet.is_v6());
}

/// A packet of the line's goes to the portal in its receiver's place.
pub(super) fn assert_is_web(line: &Line, sent: &View, port: u16) {
    assert!(line.is_in_garden(), "{} reaches the web by itself", line.name);
    assert_eq!((sent.protocol, sent.part, sent.ports().map(|(_, to)| to)), (TCP, Part::Whole, Some(port)));
    assert!(!is_in_garden(sent.to), "{} is in the garden", sent.to);
}
