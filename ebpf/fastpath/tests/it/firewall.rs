//! The firewall of a routed subscriber's IPv4: on the host and in the kernel alike.

use fastpath::{DropReason, Inspector, PuntReason};

use crate::{
    fixtures::{ADDRESSES, fragments, redirected, to_bob},
    frames::{
        ALICE, Address, BOB, EXTERNAL, REMOTE, echo_reply, echo_request, from_alice, from_bob, from_core,
        tcp, udp, unreachable, with_header,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{CORE_MAC, GATEWAY_MAC, World, desired_but},
};

const OTHER: Address = [8, 8, 8, 8];

fn goes_out(r: &mut dyn Runner, sent: &[u8]) {
    let out = redirected(r.up(&from_bob(sent)), GATEWAY_MAC, CORE_MAC);
    assert_eq!(out, with_header(sent, |header| header.time_to_live -= 1));
}

fn comes_in(r: &mut dyn Runner, sent: &[u8]) {
    let came = to_bob(r.down(&from_core(sent)));
    assert_eq!(came, with_header(sent, |header| header.time_to_live -= 1));
}

fn stopped(r: &mut dyn Runner, reason: DropReason, sent: &[u8]) {
    assert_eq!(r.down(&from_core(sent)), Outcome::Drop(reason, None));
}

fn gre(from: Address, to: Address) -> Vec<u8> {
    with_header(&udp((from, 1), (to, 1), 64, b"a"), |header| header.protocol = 47.into())
}

fn script(r: &mut dyn Runner) {
    // Answers come in, and nothing else, whatever the transport.
    for build in [udp as fn(_, _, _, &[u8]) -> _, tcp] {
        let answer = build((REMOTE, 53), (BOB, 5000), 64, b"answer");
        stopped(r, DropReason::Firewall, &answer);
        goes_out(r, &build((BOB, 5000), (REMOTE, 53), 64, b"question"));
        comes_in(r, &answer);
        for other in [
            build((REMOTE, 54), (BOB, 5000), 64, b""),
            build((REMOTE, 53), (BOB, 5001), 64, b""),
            build((OTHER, 53), (BOB, 5000), 64, b""),
            build((REMOTE, 53), ([203, 0, 113, 11], 5000), 64, b""),
        ] {
            stopped(r, DropReason::Firewall, &other);
        }
    }
    // Who traces the way sees the office on it all the same.
    let last = from_core(&udp((REMOTE, 33434), (BOB, 33434), 1, b""));
    assert_eq!(r.down(&last), Outcome::Drop(DropReason::TtlExpired, Some(PuntReason::TtlExpired)));
    stopped(r, DropReason::Firewall, &echo_reply(REMOTE, BOB, 7, 64));
    stopped(r, DropReason::Firewall, &echo_request(REMOTE, BOB, 8, 64));
    goes_out(r, &echo_request(BOB, REMOTE, 7, 64));
    comes_in(r, &echo_reply(REMOTE, BOB, 7, 64));
    stopped(r, DropReason::Firewall, &gre(REMOTE, BOB));
    goes_out(r, &gre(BOB, REMOTE));
    comes_in(r, &gre(REMOTE, BOB));

    // Errors about what went out come in, about anything else they do not.
    let router = [9, 9, 9, 9];
    for known in [udp((BOB, 5000), (REMOTE, 53), 63, b"question"), echo_request(BOB, REMOTE, 7, 63)] {
        comes_in(r, &unreachable(router, BOB, 64, &known));
    }
    let unknown = udp((BOB, 5000), (REMOTE, 99), 63, b"question");
    stopped(r, DropReason::Firewall, &unreachable(router, BOB, 64, &unknown));
    let foreign = udp((ALICE, 5000), (REMOTE, 53), 63, b"question");
    stopped(r, DropReason::IcmpErrorUnknown, &unreachable(router, BOB, 64, &foreign));
    stopped(r, DropReason::IcmpErrorUnknown, &unreachable(router, BOB, 64, &gre(BOB, REMOTE)));
    goes_out(r, &unreachable(BOB, REMOTE, 64, &udp((REMOTE, 53), (BOB, 5000), 63, b"answer")));

    // Later fragments follow the first, if that came in.
    let (first, second) = fragments(&udp((REMOTE, 53), (BOB, 5000), 64, &[7; 64]));
    stopped(r, DropReason::FragmentUnknown, &second);
    let (foreign, _) = fragments(&udp((REMOTE, 53), (BOB, 5001), 64, &[7; 64]));
    stopped(r, DropReason::Firewall, &foreign);
    stopped(r, DropReason::FragmentUnknown, &second);
    comes_in(r, &first);
    comes_in(r, &second);
    let (first, second) = fragments(&udp((BOB, 5002), (REMOTE, 53), 64, &[7; 64]));
    goes_out(r, &first);
    goes_out(r, &second);

    // A packet that ends before its ports do is of no flow.
    for len in 20..28 {
        let short = with_header(&udp((BOB, 6000), (REMOTE, 53), 64, b"")[..len], |_| {});
        assert_eq!(r.up(&from_bob(&short)), Outcome::Drop(DropReason::Truncated, None));
    }

    // From one subscriber to another, through the firewall of the other.
    let unasked = from_alice(&udp((ALICE, 5000), (BOB, 4000), 64, b"hello"));
    assert_eq!(r.up(&unasked), Outcome::Drop(DropReason::Firewall, None));
    let nowhere = from_bob(&udp((BOB, 4000), (EXTERNAL, 1030), 64, b"hello"));
    assert_eq!(r.up(&nowhere), Outcome::Drop(DropReason::NatNoMapping, None));
}

#[test]
fn a_routed_subscribers_firewall_lets_answers_in() {
    let world = World::new();
    let desired = desired_but(|text| {
        text.replace("\"nat\":null,", "\"nat\":null,\"firewall\":{\"flows\":64,\"ipv4\":true},")
    });
    let mut fastpath = world.office(&desired);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
    let views = inspector.sessions();
    let bob = views.iter().find(|view| view.name == "bob-inc").expect("there");
    assert_eq!(bob.down.drops, 17, "what did not come in, all but one by the firewall, is the session's too");
}

/// With all places taken, what is new is refused and what is known goes on.
#[test]
fn more_flows_than_a_firewall_remembers_are_counted() {
    let world = World::new();
    let desired = desired_but(|text| {
        text.replace("\"nat\":null,", "\"nat\":null,\"firewall\":{\"flows\":64,\"ipv4\":true},")
    });
    let _fastpath = world.office(&desired);
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let mut host = Host { world: &world, tables };
    let flow = |n: u16| from_bob(&udp((BOB, 10_000 + n), (REMOTE, 53), 64, b"a"));
    let known: Vec<u16> = (0..200)
        .filter(|n| match host.up(&flow(*n)) {
            Outcome::Redirect(_) => true,
            other => {
                assert_eq!(other, Outcome::Drop(DropReason::FlowsExhausted, None));
                false
            }
        })
        .collect();
    assert!((50..=64).contains(&known.len()), "{}", known.len());
    for n in known {
        comes_in(&mut host, &udp((REMOTE, 53), (BOB, 10_000 + n), 64, b"b"));
    }
}
