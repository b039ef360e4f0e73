//! From whom a mapping lets packets in (RFC 4787, section 5): on the host and in the kernel alike.

use fastpath::{DropReason, Inspector};
use node_state::NodeState;

use crate::{
    fixtures::{ADDRESSES, Build, external_port, fragments, redirected, to_alice},
    frames::{
        ALICE, Address, EXTERNAL, REMOTE, echo_reply, echo_request, from_alice, from_core, tcp, udp,
        unreachable, with_header,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{CORE_MAC, GATEWAY_MAC, World, desired_but, settle},
};

const OTHER: Address = [8, 8, 8, 8];
const FIREWALL: &str = r#""firewall":{"flows":64,"ipv4":true},"#;
/// A filter, and whether it lets in another port of the same host, and another host.
const FILTERS: [(&str, bool, bool); 3] = [
    ("endpointIndependent", true, true),
    ("addressDependent", true, false),
    ("addressAndPortDependent", false, false),
];

fn office(filter: &str) -> NodeState {
    desired_but(|text| {
        let nat = r#""ports":64},"#;
        let forward = r#""portForwards":[{"protocol":"tcp","port":1040,"toPort":80}],"#;
        let firewall = if filter == "endpointIndependent" { "" } else { FIREWALL };
        text.replace(nat, &format!(r#"{nat}"natFiltering":"{filter}",{firewall}{forward}"#))
    })
}

fn up(r: &mut dyn Runner, packet: &[u8]) -> u16 {
    external_port(&redirected(r.up(&from_alice(packet)), GATEWAY_MAC, CORE_MAC))
}

fn is_let_in(r: &mut dyn Runner, packet: &[u8]) -> bool {
    match r.down(&from_core(packet)) {
        Outcome::Drop(DropReason::Firewall, None) => false,
        outcome => {
            to_alice(outcome);
            true
        }
    }
}

fn script(r: &mut dyn Runner, other_port: bool, other_host: bool) {
    for build in [udp as Build, tcp] {
        let sent = build((ALICE, 5000), (REMOTE, 53), 64, b"abcdefgh");
        let port = up(r, &sent);
        assert_eq!(up(r, &sent), port);
        for (remote, expected) in
            [((REMOTE, 53), true), ((REMOTE, 54), other_port), ((OTHER, 53), other_host)]
        {
            let answer = build(remote, (EXTERNAL, port), 64, b"answer");
            assert_eq!(is_let_in(r, &answer), expected, "{remote:?}");
        }
        // A router on the way, about what was sent.
        let out = build((EXTERNAL, port), (REMOTE, 53), 63, b"abcdefgh");
        assert!(is_let_in(r, &unreachable([9, 9, 9, 9], EXTERNAL, 64, &out)));
        // The mapping is the same for all (endpoint-independent mapping), and so is what it then lets in.
        assert_eq!(up(r, &build((ALICE, 5000), (OTHER, 53), 64, b"")), port);
        assert!(is_let_in(r, &build((OTHER, 53), (EXTERNAL, port), 64, b"")));
        assert_eq!(is_let_in(r, &build((OTHER, 54), (EXTERNAL, port), 64, b"")), other_port);
    }
    let port = up(r, &udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
    for (remote, expected) in [((REMOTE, 53), true), (([7, 7, 7, 7], 53), other_host)] {
        let (first, second) = fragments(&udp(remote, (EXTERNAL, port), 64, &[7; 64]));
        assert_eq!(is_let_in(r, &first), expected);
        if expected {
            assert!(is_let_in(r, &second));
        }
    }
    let ping = redirected(r.up(&from_alice(&echo_request(ALICE, REMOTE, 77, 64))), GATEWAY_MAC, CORE_MAC);
    let id = u16::from_be_bytes([ping[24], ping[25]]);
    assert!(is_let_in(r, &echo_reply(REMOTE, EXTERNAL, id, 64)));
    assert_eq!(is_let_in(r, &echo_reply(OTHER, EXTERNAL, id, 64)), other_host);
    // What is forwarded is, from anybody.
    assert!(is_let_in(r, &tcp((OTHER, 9999), (EXTERNAL, 1040), 64, b"")));
}

#[test]
fn mappings_let_in_whom_their_subscriber_wants() {
    let world = World::new();
    let mut fastpath = world.office(&office("endpointIndependent"));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    // Changed while mappings are in use, there and back.
    for (filter, other_port, other_host) in FILTERS.into_iter().chain(FILTERS.into_iter().rev().skip(1)) {
        settle(&mut fastpath, &office(filter));
        // As a new session: nothing is remembered of the filter before.
        let nobody: NodeState = office(filter)
            .resources()
            .filter(|resource| resource.key().as_str() != "session/alice")
            .collect();
        settle(&mut fastpath, &nobody);
        settle(&mut fastpath, &office(filter));
        let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
        script(&mut Host { world: &world, tables }, other_port, other_host);
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        script(&mut kernel, other_port, other_host);
        settle(&mut fastpath, &office(filter));
        assert_eq!(fastpath.writes(), 0, "{filter}");
    }
}

/// While flows are in use, a filter takes effect with the next packet out, and they keep their ports.
#[test]
fn a_filter_is_changed_live() {
    let world = World::new();
    let mut fastpath = world.office(&office("endpointIndependent"));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let sent = udp((ALICE, 5000), (REMOTE, 53), 64, b"a");
    let mut port = None;
    for (filter, other_port, other_host) in FILTERS.into_iter().chain(FILTERS.into_iter().rev().skip(1)) {
        settle(&mut fastpath, &office(filter));
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        let r = &mut kernel;
        let now = up(r, &sent);
        assert_eq!(*port.get_or_insert(now), now, "{filter}");
        assert!(is_let_in(r, &udp((REMOTE, 53), (EXTERNAL, now), 64, b"")), "{filter}");
        assert_eq!(is_let_in(r, &udp((REMOTE, 54), (EXTERNAL, now), 64, b"")), other_port, "{filter}");
        assert_eq!(is_let_in(r, &udp((OTHER, 53), (EXTERNAL, now), 64, b"")), other_host, "{filter}");
    }
    let refused = desired_but(|text| {
        let nat = r#""ports":64},"#;
        text.replace(nat, &format!(r#"{nat}"natFiltering":"addressDependent","#))
    });
    let outcomes = fastpath.reconcile(&refused);
    let error = outcomes.iter().find_map(|(_, done)| done.as_ref().err()).expect("refused");
    let why = "natFiltering: only with a firewall for IPv4 is there anything but endpointIndependent";
    assert_eq!(error.to_string(), why);
}

/// Where a host is all that counts, one connection's end is not that of another with the same host.
#[test]
fn one_connection_of_two_with_a_host_ends() {
    let world = World::new();
    drop(world.office(&office("addressDependent")));
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let mut host = Host { world: &world, tables };
    let (first, second) = (((ALICE, 5000), (REMOTE, 80)), ((ALICE, 5000), (REMOTE, 81)));
    let port = up(&mut host, &tcp(first.0, first.1, 64, b""));
    assert_eq!(up(&mut host, &tcp(second.0, second.1, 64, b"")), port);
    for remote in [first.1, second.1] {
        assert!(is_let_in(&mut host, &tcp(remote, (EXTERNAL, port), 64, b"")));
    }
    // RFC 5382, REQ-5: what is established may be silent for two hours. (The mapping is one for both, and is not asked.)
    let established = |host: &Host<'_>| host.tables.advance_ns(300 * 1_000_000_000);
    let fin = with_fin(&tcp((REMOTE, 80), (EXTERNAL, port), 64, b""));
    assert!(is_let_in(&mut host, &fin));
    let again = up(&mut host, &tcp(second.0, second.1, 64, b""));
    assert_eq!(again, port);
    established(&host);
    let late = host.down(&from_core(&tcp((REMOTE, 81), (EXTERNAL, port), 64, b"")));
    assert_ne!(late, Outcome::Drop(DropReason::Firewall, None));
}

/// The same segment with FIN.
fn with_fin(packet: &[u8]) -> Vec<u8> {
    let mut packet = with_header(packet, |_| {});
    packet[33] |= 1;
    packet[36..38].fill(0);
    let len = u16::try_from(packet.len() - 20).expect("short");
    let sum = etherparse::checksum::Sum16BitWords::new().add_slice(&packet[12..20]);
    let sum = sum.add_2bytes([0, 6]).add_2bytes(len.to_be_bytes()).add_slice(&packet[20..]);
    packet[36..38].copy_from_slice(&sum.ones_complement().to_ne_bytes());
    packet
}
