//! Port forwards: on the host and in the kernel alike, and how they come and go.

use fastpath::{DropReason, Inspector};
use node_state::NodeState;

use crate::{
    fixtures::{ADDRESSES, Build, external_port, fragments, redirected, to_alice},
    frames::{ALICE, Address, EXTERNAL, REMOTE, from_alice, from_core, tcp, udp, unreachable},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{CORE_MAC, GATEWAY_MAC, World, desired_but, settle},
};

const OTHER: Address = [8, 8, 8, 8];

/// Alice's block is 1024 to 1087. Of the outside ports, one is by chance where packets from inside look, others are not.
fn office(forwards: &str) -> NodeState {
    desired_but(|text| {
        let nat = r#""ports":64},"#;
        text.replace(nat, &format!(r#"{nat}"portForwards":[{forwards}],"#))
    })
}

const WEB: &str = r#"{"protocol":"tcp","port":1040,"toPort":80}"#;
const ALL: [(bool, u16, u16); 4] =
    [(true, 1040, 80), (true, 1087, 443), (false, 1036, 53), (false, 1050, 80)];

fn all() -> NodeState {
    let text = ALL.map(|(is_tcp, port, to)| {
        let protocol = if is_tcp { "tcp" } else { "udp" };
        format!(r#"{{"protocol":"{protocol}","port":{port},"toPort":{to}}}"#)
    });
    office(&text.join(","))
}

fn build(is_tcp: bool) -> Build {
    if is_tcp { tcp } else { udp }
}

fn up(r: &mut dyn Runner, packet: &[u8]) -> Vec<u8> {
    redirected(r.up(&from_alice(packet)), GATEWAY_MAC, CORE_MAC)
}

fn script(r: &mut dyn Runner) {
    for (is_tcp, port, to) in ALL {
        let build = build(is_tcp);
        for remote in [REMOTE, OTHER] {
            let came = to_alice(r.down(&from_core(&build((remote, 9999), (EXTERNAL, port), 64, b"hello"))));
            assert_eq!(came, build((remote, 9999), (ALICE, to), 63, b"hello"));
            let out = up(r, &build((ALICE, to), (remote, 9999), 64, b"welcome"));
            assert_eq!(out, build((EXTERNAL, port), (remote, 9999), 63, b"welcome"));
        }
        // What the inside says on its own leaves by that port too, and errors about it come back.
        let sent = up(r, &build((ALICE, to), ([7, 7, 7, 7], 7), 64, b"abcd"));
        assert_eq!(external_port(&sent), port);
        let came = to_alice(r.down(&from_core(&unreachable([9, 9, 9, 9], EXTERNAL, 64, &sent))));
        assert_eq!(came[28..52], build((ALICE, to), ([7, 7, 7, 7], 7), 63, b"abcd")[..24]);
    }
    // The other protocol is not forwarded.
    let other = from_core(&tcp((REMOTE, 9999), (EXTERNAL, 1036), 64, b""));
    assert_eq!(r.down(&other), Outcome::Drop(DropReason::NatNoMapping, None));
    // No port but the forwarded ones leads in, those that the forwards' second entries lie at included.
    for port in (1024..1088).filter(|port| ALL.iter().all(|(_, forwarded, _)| forwarded != port)) {
        for packet in
            [tcp((REMOTE, 1), (EXTERNAL, port), 64, b""), udp((REMOTE, 1), (EXTERNAL, port), 64, b"")]
        {
            assert_eq!(r.down(&from_core(&packet)), Outcome::Drop(DropReason::NatNoMapping, None), "{port}");
        }
    }
    // A connection that ends does not end the forward.
    for flags in [1_u8, 4] {
        let with_flags = |mut packet: Vec<u8>| {
            packet[33] = flags;
            packet[36..38].fill(0);
            let sum = etherparse::checksum::Sum16BitWords::new().add_slice(&packet[12..20]);
            let len = u16::try_from(packet.len() - 20).expect("short");
            let sum = sum.add_2bytes([0, 6]).add_2bytes(len.to_be_bytes()).add_slice(&packet[20..]);
            packet[36..38].copy_from_slice(&sum.ones_complement().to_ne_bytes());
            packet
        };
        up(r, &with_flags(tcp((ALICE, 80), (REMOTE, 9999), 64, b"")));
        to_alice(r.down(&from_core(&with_flags(tcp((REMOTE, 9999), (EXTERNAL, 1040), 64, b"")))));
    }
    // Other flows find ports of their own, as many as there are, and never one of the forwards'.
    for n in 0..200 {
        if let Outcome::Redirect(out) = r.up(&from_alice(&udp((ALICE, 20_000 + n), (REMOTE, 53), 64, b"a"))) {
            let port = external_port(&out[14..]);
            assert!(ALL.iter().all(|(_, forwarded, _)| *forwarded != port), "{port}");
        }
    }
    let came = to_alice(r.down(&from_core(&tcp((REMOTE, 9999), (EXTERNAL, 1040), 64, b"again"))));
    assert_eq!(came, tcp((REMOTE, 9999), (ALICE, 80), 63, b"again"));
    let (first, second) = fragments(&udp((REMOTE, 53), (EXTERNAL, 1036), 64, &[7; 64]));
    let (expected, expected_second) = fragments(&udp((REMOTE, 53), (ALICE, 53), 63, &[7; 64]));
    assert_eq!(to_alice(r.down(&from_core(&first))), expected);
    assert_eq!(to_alice(r.down(&from_core(&second))), expected_second);
}

#[test]
fn port_forwards_lead_both_ways() {
    let world = World::new();
    let mut fastpath = world.office(&all());
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let mut host = Host { world: &world, tables };
    script(&mut host);
    // After a month in which nothing came.
    host.tables.advance_ns(30 * 86_400 * 1_000_000_000);
    let came = to_alice(host.down(&from_core(&tcp((REMOTE, 9999), (EXTERNAL, 1087), 64, b""))));
    assert_eq!(came, tcp((REMOTE, 9999), (ALICE, 443), 63, b""));
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
}

/// Forwards come and go while mappings are in use, which stay; and whoever opens the maps anew finds all of it.
#[test]
fn port_forwards_come_and_go_beside_other_mappings() {
    let world = World::new();
    let mut fastpath = world.office(&office(""));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let hello = from_core(&tcp((REMOTE, 9999), (EXTERNAL, 1040), 64, b"hello"));
    let flow = |n: u16| udp((ALICE, 20_000 + n), (REMOTE, 53), 64, b"a");
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    let ports: Vec<u16> = (0..8).map(|n| external_port(&up(&mut kernel, &flow(n)))).collect();
    for (state, is_there) in [(office(WEB), true), (office(""), false), (all(), true), (office(WEB), true)] {
        settle(kernel.fastpath, &state);
        match kernel.down(&hello) {
            Outcome::Redirect(_) => assert!(is_there),
            other => {
                assert!(!is_there, "{other:?}");
                assert_eq!(other, Outcome::Drop(DropReason::NatNoMapping, None));
            }
        }
        let now = (0..8).filter(|n| external_port(&up(&mut kernel, &flow(*n))) == ports[usize::from(*n)]);
        assert!(now.count() >= 6, "of the others, only those go whose place is needed");
        settle(kernel.fastpath, &state);
        assert_eq!(kernel.fastpath.writes(), 0, "nothing is left to do");
    }
    drop(fastpath);
    let mut again = world.office(&office(WEB));
    let mut kernel = Kernel { world: &world, fastpath: &mut again, inspector: &inspector, punts: &mut punts };
    assert!(matches!(kernel.down(&hello), Outcome::Redirect(_)));
    let refused = office(r#"{"protocol":"tcp","port":1030,"toPort":80}"#);
    let outcomes = kernel.fastpath.reconcile(&refused);
    let error = outcomes.iter().find_map(|(_, done)| done.as_ref().err()).expect("refused");
    let why = "portForwards: 1030 is not one of the ports that can be forwarded, 1036 to 1087";
    assert_eq!(error.to_string(), why);
    assert!(matches!(kernel.down(&hello), Outcome::Redirect(_)), "what was there stays");
}
