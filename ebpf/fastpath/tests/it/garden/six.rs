//! IPv6: Alice without a firewall, Bob behind one.

use super::{DropReason, Outcome, PuntReason, Runner, dropped};
use crate::six::{
    Address, TO_ALICE, TO_BOB, address, alice, bob, comes_in, fragment, from_alice, from_bob, from_core,
    goes_out, icmp, ping, remote, tcp, udp,
};

fn resolver() -> Address {
    address("2620:fe::fe")
}

fn bobs_resolver() -> Address {
    address("2620:fe::9")
}

fn outside() -> Address {
    address("2001:4860::8888")
}

pub(super) fn garden(r: &mut dyn Runner) {
    for packet in [
        udp((alice(), 5000), (remote(), 7), 64, b"a"),
        tcp((alice(), 5000), (remote(), 80), 64),
        ping(alice(), remote(), 64, false),
        udp((alice(), 5000), (resolver(), 53), 64, b"name"),
        tcp((alice(), 5000), (resolver(), 53), 64),
    ] {
        goes_out(r.up(&from_alice(&packet)), &packet);
    }
    assert_eq!(r.up(&from_alice(&tcp((alice(), 5000), (outside(), 80), 64))), Outcome::Punt(PuntReason::Web));
    let secure = tcp((alice(), 5000), (outside(), 443), 64);
    assert_eq!(r.up(&from_alice(&secure)), Outcome::Punt(PuntReason::SecureWeb));
    for packet in [
        tcp((alice(), 5000), (outside(), 22), 64),
        udp((alice(), 5000), (outside(), 443), 64, b"quic"),
        udp((alice(), 5000), (bobs_resolver(), 53), 64, b"name"),
        udp((alice(), 5000), (resolver(), 853), 64, b"name"),
        ping(alice(), outside(), 64, false),
        ping(alice(), resolver(), 64, false),
        fragment(alice(), resolver(), 2, false, b"\0\x35\0\x35 rest"),
        udp((alice(), 5000), (bob(), 5000), 64, b""),
    ] {
        dropped(&r.up(&from_alice(&packet)), DropReason::Garden);
    }
    let spoofed = from_alice(&udp((bob(), 5000), (remote(), 7), 64, b""));
    dropped(&r.up(&spoofed), DropReason::SourceAddress);

    // Down, from the garden and the resolvers alone; errors about what went there, from anywhere.
    let router = address("2001:db8:0:9::1");
    let question = udp((alice(), 5000), (resolver(), 53), 64, b"name");
    for packet in [
        udp((remote(), 7), (alice(), 5000), 64, b""),
        tcp((remote(), 443), (alice(), 22), 64),
        udp((resolver(), 53), (alice(), 5000), 64, b""),
        fragment(resolver(), alice(), 2, false, b"the rest"),
        icmp(router, alice(), 64, 3, &question),
    ] {
        comes_in(r.down(&from_core(&packet)), TO_ALICE, &packet);
    }
    for packet in [
        udp((outside(), 53), (alice(), 5000), 64, b""),
        udp((resolver(), 54), (alice(), 5000), 64, b""),
        fragment(outside(), alice(), 2, false, b"the rest"),
        icmp(router, alice(), 64, 3, &udp((alice(), 5000), (outside(), 53), 64, b"")),
        ping(outside(), alice(), 64, false),
    ] {
        dropped(&r.down(&from_core(&packet)), DropReason::Garden);
    }
    // The firewall is behind the garden's wall.
    let answer = udp((remote(), 7), (bob(), 5001), 64, b"");
    dropped(&r.down(&from_core(&answer)), DropReason::Firewall);
    let question = udp((bob(), 5001), (remote(), 7), 64, b"");
    goes_out(r.up(&from_bob(&question)), &question);
    comes_in(r.down(&from_core(&answer)), TO_BOB, &answer);
    dropped(&r.up(&from_bob(&udp((bob(), 5001), (outside(), 7), 64, b""))), DropReason::Garden);
}

/// What every line with IPv6 has: neighbour discovery and DHCPv6.
pub(super) fn line(r: &mut dyn Runner) {
    let link_local = address("fe80::a1");
    let solicit = icmp(link_local, address("ff02::2"), 255, 133, &[]);
    assert_eq!(r.up(&from_alice(&solicit)), Outcome::Punt(PuntReason::NeighbourDiscovery));
    let dhcp = udp((link_local, 546), (address("ff02::1:2"), 547), 1, b"\x01abc");
    assert_eq!(r.up(&from_alice(&dhcp)), Outcome::Punt(PuntReason::Dhcp6));
}

pub(super) fn nothing(r: &mut dyn Runner) {
    for packet in [
        udp((alice(), 5000), (remote(), 7), 64, b""),
        udp((alice(), 5000), (resolver(), 53), 64, b""),
        tcp((alice(), 5000), (outside(), 80), 64),
        ping(address("fe80::a1"), address("fe80::ac:ff:fe00:1"), 64, false),
    ] {
        dropped(&r.up(&from_alice(&packet)), DropReason::Suspended);
    }
    for from in [(remote(), 7), (resolver(), 53), (outside(), 80)] {
        dropped(&r.down(&from_core(&udp(from, (alice(), 5000), 64, b""))), DropReason::Suspended);
    }
}
