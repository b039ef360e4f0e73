//! IPv4: Alice behind NAT, Bob with a routed subnet.

use super::{
    ALICE, ALICE_MAC, Address, BOBS_RESOLVER, DropReason, EXTERNAL, GATEWAY, OUTSIDE, Outcome, PuntReason,
    REMOTE, RESOLVER, Runner, dropped, external_port, from_alice, from_core, r_arp, redirected, tcp,
    to_alice, udp, up,
};
use crate::{
    fixtures::{fragments, to_bob},
    frames::{BOB, echo_reply, echo_request, from_bob, unreachable, with_header},
    world::{CORE_MAC, GATEWAY_MAC},
};

type Build = fn((Address, u16), (Address, u16), u8, &[u8]) -> Vec<u8>;

pub(super) fn garden(r: &mut dyn Runner) {
    // Up, what is in the garden, and names: with NAT, and without.
    for (build, to) in [(udp as Build, (REMOTE, 7)), (tcp, (REMOTE, 443)), (tcp, (REMOTE, 80))] {
        let (port, packet) = up(r, &from_alice(&build((ALICE, 5000), to, 64, b"abcd")));
        assert_eq!(packet, build((EXTERNAL, port), to, 63, b"abcd"));
        let packet = redirected(r.up(&from_bob(&build((BOB, 5000), to, 64, b"abcd"))), GATEWAY_MAC, CORE_MAC);
        assert_eq!(packet, build((BOB, 5000), to, 63, b"abcd"));
    }
    for build in [udp as Build, tcp] {
        up(r, &from_alice(&build((ALICE, 5000), (RESOLVER, 53), 64, b"name")));
        redirected(
            r.up(&from_bob(&build((BOB, 5000), (BOBS_RESOLVER, 53), 64, b"name"))),
            GATEWAY_MAC,
            CORE_MAC,
        );
        for to in [(RESOLVER, 54), (BOBS_RESOLVER, 53), (OUTSIDE, 53)] {
            dropped(&r.up(&from_alice(&build((ALICE, 5000), to, 64, b"name"))), DropReason::Garden);
        }
    }
    redirected(r.up(&from_alice(&echo_request(ALICE, REMOTE, 77, 64))), GATEWAY_MAC, CORE_MAC);

    // The web of everybody else is answered by the portal, HTTPS refused, and nothing else passes.
    let web = |port| tcp((ALICE, 5000), (OUTSIDE, port), 64, b"");
    assert_eq!(r.up(&from_alice(&web(80))), Outcome::Punt(PuntReason::Web));
    assert_eq!(r.up(&from_alice(&web(443))), Outcome::Punt(PuntReason::SecureWeb));
    let part = with_header(&web(80), |header| {
        header.more_fragments = true;
        header.dont_fragment = false;
    });
    for packet in [
        web(8080),
        part,
        udp((ALICE, 5000), (OUTSIDE, 443), 64, b"quic"),
        udp((ALICE, 5000), (OUTSIDE, 80), 64, b""),
        echo_request(ALICE, OUTSIDE, 77, 64),
        echo_request(ALICE, RESOLVER, 77, 64),
        unreachable(ALICE, OUTSIDE, 64, &udp((OUTSIDE, 1), (ALICE, 2), 64, b"")),
        udp((ALICE, 5000), (BOB, 5000), 64, b""),
    ] {
        dropped(&r.up(&from_alice(&packet)), DropReason::Garden);
    }
    // A flood of these would be within neither the rate nor the source check.
    let spoofed = from_alice(&udp(([100, 64, 0, 3], 5000), (REMOTE, 7), 64, b""));
    dropped(&r.up(&spoofed), DropReason::SourceAddress);

    // Down to Alice, answers, but not by a mapping that is open to everybody.
    let (_, query) = up(r, &from_alice(&udp((ALICE, 5000), (RESOLVER, 53), 64, b"name")));
    let mapped = external_port(&query);
    for (from, to_port) in [(RESOLVER, 53), (REMOTE, 7)] {
        let back = to_alice(r.down(&from_core(&udp((from, to_port), (EXTERNAL, mapped), 64, b"answer"))));
        assert_eq!(back, udp((from, to_port), (ALICE, 5000), 63, b"answer"));
    }
    for from in [(RESOLVER, 54), (BOBS_RESOLVER, 53), (OUTSIDE, 53)] {
        dropped(&r.down(&from_core(&udp(from, (EXTERNAL, mapped), 64, b""))), DropReason::Garden);
    }
    // Errors about what went there come from anywhere.
    let router = [192, 0, 2, 1];
    to_alice(r.down(&from_core(&unreachable(router, EXTERNAL, 64, &query))));
    let strange = udp((EXTERNAL, mapped), (OUTSIDE, 53), 64, b"");
    dropped(&r.down(&from_core(&unreachable(router, EXTERNAL, 64, &strange))), DropReason::Garden);

    // Down to Bob, who has no NAT.
    for packet in [
        udp((REMOTE, 1), (BOB, 22), 64, b""),
        tcp((BOBS_RESOLVER, 53), (BOB, 5000), 64, b""),
        echo_reply(REMOTE, BOB, 1, 64),
        unreachable(router, BOB, 64, &udp((BOB, 5000), (BOBS_RESOLVER, 53), 64, b"")),
    ] {
        to_bob(r.down(&from_core(&packet)));
    }
    let (first, later) =
        fragments(&udp((BOBS_RESOLVER, 53), (BOB, 5000), 64, b"a long answer with many names"));
    to_bob(r.down(&from_core(&first)));
    to_bob(r.down(&from_core(&later)));
    let (_, later) = fragments(&udp((OUTSIDE, 53), (BOB, 5000), 64, b"a long answer with many names"));
    for packet in [
        later,
        udp((OUTSIDE, 53), (BOB, 5000), 64, b""),
        udp((BOBS_RESOLVER, 5353), (BOB, 5000), 64, b""),
        echo_request(OUTSIDE, BOB, 1, 64),
        unreachable(router, BOB, 64, &udp((BOB, 5000), (OUTSIDE, 53), 64, b"")),
    ] {
        dropped(&r.down(&from_core(&packet)), DropReason::Garden);
    }
    let last = udp((ALICE, 5000), (REMOTE, 7), 1, b"");
    assert_eq!(r.up(&from_alice(&last)), Outcome::Drop(DropReason::TtlExpired, Some(PuntReason::TtlExpired)));
    let gateway = from_alice(&echo_request(ALICE, GATEWAY, 1, 64));
    assert_eq!(r.up(&gateway), Outcome::Punt(PuntReason::GatewayEcho));
}

/// What every session has: ARP and DHCP.
pub(super) fn line(r: &mut dyn Runner) {
    assert!(matches!(r.up(&r_arp(ALICE_MAC, ALICE_MAC, ALICE, GATEWAY)), Outcome::Redirect(_)));
    let dhcp = from_alice(&udp(([0; 4], 68), ([255; 4], 67), 64, b"discover"));
    assert_eq!(r.up(&dhcp), Outcome::Punt(PuntReason::Dhcp));
}

pub(super) fn nothing(r: &mut dyn Runner) {
    for packet in [
        udp((ALICE, 5000), (REMOTE, 7), 64, b""),
        udp((ALICE, 5000), (RESOLVER, 53), 64, b""),
        tcp((ALICE, 5000), (OUTSIDE, 80), 64, b""),
        tcp((ALICE, 5000), (OUTSIDE, 443), 64, b""),
        echo_request(ALICE, OUTSIDE, 7, 64),
        echo_request(ALICE, GATEWAY, 7, 64),
    ] {
        dropped(&r.up(&from_alice(&packet)), DropReason::Suspended);
    }
    for from in [(REMOTE, 7), (BOBS_RESOLVER, 53), (OUTSIDE, 80)] {
        dropped(&r.down(&from_core(&udp(from, (BOB, 5000), 64, b""))), DropReason::Suspended);
    }
}
