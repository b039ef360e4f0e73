//! IPv6.

use etherparse::{Ipv6Header, TcpHeader, UdpHeader};

use super::{DropReason, Outcome, Query, Runner, dropped};
use crate::{
    six::{Address, address, alice, bob, extended, from_alice, from_bob, goes_out, remote, tcp, udp},
    world::{ACCESS_MAC, ALICE_MAC},
};

fn known() -> Address {
    address("2606:4700:4700::1111")
}

/// What goes back to Alice, its header right and turned round.
fn back(outcome: Outcome, sent: &[u8]) -> Vec<u8> {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let tags = [0x88, 0xa8, 0, 100, 0x81, 0, 0, 7, 0x86, 0xdd];
    assert_eq!(frame[..22], [&ALICE_MAC[..], &ACCESS_MAC, &tags].concat());
    let (header, payload) = Ipv6Header::from_slice(&frame[22..]).expect("IPv6");
    assert_eq!((&header.source[..], &header.destination[..]), (&sent[24..40], &sent[8..24]));
    assert_eq!((usize::from(header.payload_length), header.hop_limit), (payload.len(), 64));
    frame[22..].to_vec()
}

fn blocked(r: &mut dyn Runner, query: &Query) {
    let sent = query.udp6(5000, remote());
    let answer = back(r.up(&from_alice(&sent)), &sent);
    let header = Ipv6Header::from_slice(&answer).expect("IPv6").0;
    let (udp, message) = UdpHeader::from_slice(&answer[40..]).expect("UDP");
    assert_eq!((udp.source_port, udp.destination_port), (53, 5000));
    assert_eq!(udp.checksum, udp.calc_checksum_ipv6(&header, message).expect("short"));
    assert_eq!(message, query.refusal());
}

fn reset(r: &mut dyn Runner, sent: &[u8]) {
    let answer = back(r.up(&from_alice(sent)), sent);
    let header = Ipv6Header::from_slice(&answer).expect("IPv6").0;
    let (tcp, rest) = TcpHeader::from_slice(&answer[40..]).expect("TCP");
    assert!(rest.is_empty() && tcp.rst && tcp.ack);
    assert_eq!(tcp.acknowledgment_number, 2);
    assert_eq!(tcp.checksum, tcp.calc_checksum_ipv6(&header, &[]).expect("short"));
}

pub(super) fn control(r: &mut dyn Runner) {
    blocked(r, &Query::a("www.games.example"));
    blocked(r, &Query::a("adult.example").with_opt());
    for packet in [
        Query::a("free.example").udp6(5000, remote()),
        Query::a("games").udp6(5000, remote()),
        tcp((alice(), 5000), (remote(), 443), 64),
        tcp((alice(), 5000), (remote(), 53), 64),
        udp((alice(), 5000), (known(), 443), 64, b"\x43 short header"),
    ] {
        goes_out(r.up(&from_alice(&packet)), &packet);
    }
    reset(r, &tcp((alice(), 5000), (remote(), 853), 64));
    reset(r, &tcp((alice(), 5000), (known(), 443), 64));
    let quic = udp((alice(), 5000), (known(), 443), 64, b"\xc3 initial");
    dropped(&r.up(&from_alice(&quic)), DropReason::DnsEncrypted);
    let pointer = Query::a("games.example").but(12, &[0xc0, 12]).udp6(5000, remote());
    dropped(&r.up(&from_alice(&pointer)), DropReason::DnsUnreadable);
    // Behind an extension header a query is looked into as well, but not answered.
    let plain = Query::a("games.example").udp6(5000, remote());
    let padded = extended(alice(), remote(), &[(60, &[0, 1, 4, 0, 0, 0, 0])], &plain[40..]);
    dropped(&r.up(&from_alice(&padded)), DropReason::DnsBlocked);
    // Bob has no parental control.
    let bobs = udp((bob(), 5000), (remote(), 53), 64, &Query::a("games.example").bytes);
    goes_out(r.up(&from_bob(&bobs)), &bobs);
}
