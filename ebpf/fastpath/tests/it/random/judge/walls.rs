//! Firewalls: what begins outside comes in only as far as the first rule that is about it, or a port forward, says; and what
//! a rule keeps in leaves only as an answer.

use super::known::{Flow, Known};
use crate::random::{
    office::{Line, Target, is_in, route},
    tally::Tally,
    view::{Part, View},
};

/// What the first rule that is about a flow says: whether it may be.
fn first(line: &Line, is_out: bool, flow: &Flow) -> Option<bool> {
    let (source, destination) = if is_out { (flow.inside, flow.remote) } else { (flow.remote, flow.inside) };
    let is_among = |ports: Option<(u16, u16)>, port| ports.is_none_or(|(a, b)| (a..=b).contains(&port));
    let mut about = line.rules.iter().filter(|rule| {
        rule.is_out == is_out
            && rule.protocol.is_none_or(|protocol| protocol == flow.protocol)
            && rule.source.is_none_or(|prefix| is_in(prefix, source.0))
            && rule.destination.is_none_or(|prefix| is_in(prefix, destination.0))
            && is_among(rule.source_ports, source.1)
            && is_among(rule.destination_ports, destination.1)
    });
    about.next().map(|rule| rule.allows)
}

fn is_forwarded(line: &Line, flow: &Flow) -> bool {
    let is_this = |protocol, port| (protocol, port) == (flow.protocol, flow.inside.1);
    flow.inside.0.is_ipv4() && line.forwards.iter().any(|forward| is_this(forward.protocol, forward.to))
}

/// Whether the rules are asked about what a line sends: not about errors and later fragments.
fn is_asked(line: &Line, packet: &View) -> bool {
    !line.rules.is_empty() && packet.part != Part::Later && !packet.is_error()
}

/// Whether a flow may begin with a packet from inside, or have begun outside before.
pub(super) fn may_be_sent(line: &Line, packet: &View, known: &Known) -> bool {
    let flow = Flow::out(packet);
    if !is_asked(line, packet) || first(line, true, &flow) != Some(false) {
        return true;
    }
    let may_come = first(line, false, &flow) == Some(true) || is_forwarded(line, &flow);
    // Of what subscribers say to each other, the outside ports are not known.
    let is_subscriber = !matches!(route(flow.remote.0), Target::Core(_));
    may_come && (is_subscriber || known.heard_of(flow))
}

pub(super) fn saw_sent(line: &Line, packet: &View, tally: &mut Tally) {
    if !is_asked(line, packet) {
        return;
    }
    let flow = Flow::out(packet);
    match first(line, true, &flow) {
        Some(true) => tally.saw("a rule lets out", packet.is_v6()),
        Some(false) => tally.saw("what a rule let in is answered", packet.is_v6()),
        None if first(line, false, &flow) == Some(true) => {
            tally.saw("what a rule let in is answered", packet.is_v6());
        }
        None => {}
    }
}

/// A packet, as it is delivered, may come in to the line with this index. `is_from_core`: it was seen before.
pub(super) fn assert_may_enter(
    (index, line): (usize, &Line),
    (came, packet): (&View, &View),
    is_from_core: bool,
    known: &mut Known,
    tally: &mut Tally,
) {
    let is_v6 = packet.is_v6();
    if !line.has_wall(is_v6) {
        return;
    }
    if packet.part == Part::Later {
        assert!(
            !is_from_core || known.has_first_of(came),
            "the rest of a packet whose beginning did not come"
        );
        tally.saw("a later fragment comes in", is_v6);
        return;
    }
    let flow = Flow::of_received(packet).expect("it quotes a packet");
    let is_known = known.has_flow(index, flow);
    if packet.is_error() {
        assert!(is_known || known.heard_of(flow), "{} sent nothing like {flow:?}", line.name);
        tally.saw("an error comes back", is_v6);
        return;
    }
    match first(line, false, &flow) {
        Some(false) => assert!(is_known, "a rule of {} is against {flow:?}", line.name),
        Some(true) => tally.saw_if(!is_known, "a rule lets in", is_v6),
        None => assert!(is_known || is_forwarded(line, &flow), "{} did not ask {flow:?}", line.name),
    }
    tally.saw_if(is_known, "an answer passes a firewall", is_v6);
    known.let_in(index, flow);
}

/// A rule was against a packet from the line.
pub(super) fn assert_may_be_kept_in(line: &Line, packet: &View) {
    let kept = first(line, true, &Flow::out(packet)) == Some(false);
    assert!(kept && is_asked(line, packet), "no rule of {} keeps that in", line.name);
}
