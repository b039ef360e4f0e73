//! What user space is told: only what it has to answer, and whose it is.

use std::net::{IpAddr, Ipv6Addr};

use fastpath::PuntReason;
use packet_logic::Verdict;

use super::{garden, sender};
use crate::random::{
    generator::Frame,
    host::Run,
    office::{ACCESS, LINES, Line, State, ip4, ip6},
    tally::Tally,
    view::{Part, UDP, View},
};

/// The office's address on the links of a port (modified EUI-64: RFC 4291, appendix A).
fn link_local(port: usize) -> IpAddr {
    let [a, b, c, d, e, f] = ACCESS[port].mac;
    ip6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

pub(super) fn assert_due(frame: &Frame, run: &Run, tally: &mut Tally) {
    for (reason, session) in &run.fate.punts {
        let line = run.lines.iter().position(|index| index == session).expect("of a line");
        let is_handed_on = run.path.contains(&Verdict::Core) || run.path.contains(&Verdict::Core6);
        if let Some(from) = sender(frame)
            && !is_handed_on
        {
            assert_eq!(run.lines[line], run.lines[from], "whose it is");
        }
        let packet = View::of(&run.fate.bytes).expect("user space is told of packets");
        assert_is_about(&LINES[line], *reason, &packet, tally);
    }
    assert!(run.fate.punts.len() <= 1, "it is told once");
}

fn assert_is_about(line: &Line, reason: PuntReason, packet: &View, tally: &mut Tally) {
    let (is_v6, ports) = (packet.is_v6(), packet.ports());
    let is_whole = packet.part == Part::Whole;
    let is_first_contact = match reason {
        PuntReason::Dhcp => {
            assert_eq!((packet.protocol, is_v6, ports, is_whole), (UDP, false, Some((68, 67)), true));
            tally.saw("DHCP is handed over", false);
            true
        }
        PuntReason::Dhcp6 => {
            let all = "ff02::1:2".parse::<Ipv6Addr>().expect("an address");
            assert_eq!((packet.protocol, packet.to, is_whole), (UDP, IpAddr::V6(all), true));
            assert!(line.six.is_some() && ports.is_some_and(|(_, to)| to == 547));
            tally.saw("DHCP is handed over", true);
            true
        }
        PuntReason::NeighbourDiscovery => {
            assert!(line.six.is_some() && matches!(packet.icmp(), Some(133 | 135 | 136)) && is_whole);
            assert_eq!((packet.ttl, is_v6), (255, true), "of the same link");
            true
        }
        PuntReason::TtlExpired => {
            assert!(packet.ttl <= 1, "it has hops left");
            false
        }
        PuntReason::TooBig => {
            let least = ACCESS.iter().map(|port| port.mtu).min().expect("there are ports");
            assert!(packet.bytes.len() > usize::from(least), "it fits");
            false
        }
        PuntReason::GatewayEcho => {
            let gateway = if is_v6 { link_local(line.port) } else { ip4(line.gateway) };
            assert_eq!(packet.to, gateway);
            assert_eq!((packet.icmp(), is_whole), (Some(if is_v6 { 128 } else { 8 }), true));
            false
        }
        PuntReason::NoRoute => panic!("a route leads everywhere"),
        PuntReason::Web => {
            garden::assert_is_web(line, packet, 80);
            tally.saw("the web of the garden goes to the portal", is_v6);
            false
        }
        PuntReason::SecureWeb => {
            garden::assert_is_web(line, packet, 443);
            tally.saw("HTTPS of the garden is handed over", is_v6);
            false
        }
    };
    let may_speak = line.state != State::Quarantined || is_first_contact;
    assert!(may_speak, "{reason:?} of {}, which is quarantined", line.name);
}
