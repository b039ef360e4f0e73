use proptest::prelude::*;

use super::*;
use crate::{
    PROTOCOL_UDP,
    tests::line::{FAR, HOST, gateway, header, mac, port_mac, tagged, tags},
};

fn packet(protocol: u8, payload: &[u8]) -> Vec<u8> {
    header(protocol, HOST, FAR).packet(payload)
}

/// The packet with an extension header of 8 bytes before its payload.
fn behind(kind: u8, word: [u8; 2], packet: &[u8]) -> Vec<u8> {
    let extension = [packet[6], 0, word[0], word[1], 0, 0, 0, 0];
    header(kind, HOST, FAR).packet(&[&extension, &packet[40..]].concat())
}

fn patch(mut packet: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet
}

/// The frame and packet of an answer to the host, and its message, whose checksum is right.
fn parts(bytes: &[u8]) -> (Ipv6<'_>, Icmp6<'_>) {
    let frame = Frame::parse(bytes).expect("a frame");
    assert_eq!((frame.destination, frame.source), (mac(0xaa).octets(), port_mac().octets()));
    assert_eq!(frame.tags, tags());
    let ip = Ipv6::parse(&frame).expect("IPv6");
    assert_eq!((ip.source, ip.destination, ip.hop_limit), (gateway(), HOST, 64));
    (ip, Icmp6::parse(&ip).expect("ICMPv6"))
}

#[test]
fn errors_quote_the_packet_and_go_back_where_it_came_from() {
    let unreachable = |why| Problem::Unreachable(why);
    let probe = packet(PROTOCOL_UDP, &[7; 30]);
    for (problem, kind, code, word) in [
        (Problem::TimeExceeded, 3, 0, 0_u32),
        (Problem::PacketTooBig { mtu: 1492 }, 2, 0, 1492),
        (unreachable(Unreachable::NoRoute), 1, 0, 0),
        (unreachable(Unreachable::Prohibited), 1, 1, 0),
        (unreachable(Unreachable::BeyondScope), 1, 2, 0),
        (unreachable(Unreachable::Address), 1, 3, 0),
        (unreachable(Unreachable::Port), 1, 4, 0),
        (unreachable(Unreachable::SourcePolicy), 1, 5, 0),
        (unreachable(Unreachable::RejectRoute), 1, 6, 0),
    ] {
        let reply = error(&tagged(&probe), problem, gateway()).expect("an error is due");
        let (_, icmp) = parts(&reply);
        assert_eq!((icmp.kind, icmp.code), (kind, code), "{problem:?}");
        assert_eq!(icmp.body, [&word.to_be_bytes()[..], &probe].concat(), "{problem:?}");
    }
}

#[test]
fn an_error_is_at_most_1280_bytes_long() {
    let probe = packet(PROTOCOL_UDP, &[7; 1400]);
    for (len, expected) in [(1440, 1280), (1400, 1280), (1000, 1048)] {
        let mut request = tagged(&probe);
        request.truncate(22 + len); // As the fast path cuts off what is too long for it.
        let reply = error(&request, Problem::TimeExceeded, gateway()).expect("an error is due");
        let (ip, icmp) = parts(&reply);
        assert_eq!(ip.packet.len(), expected, "{len} bytes");
        assert_eq!(icmp.body[4..], probe[..expected - 48], "{len} bytes");
    }
}

#[test]
fn silence_where_an_error_could_multiply() {
    let icmp = |kind: u8| packet(PROTOCOL_ICMP6, &[kind, 0, 0, 0, 0, 0, 0, 0]);
    let udp = || packet(PROTOCOL_UDP, &[7; 30]);
    let (fragment, options) = (44, 60);
    let group = [0xff, 0x0e];
    let about = Some(Silence::AboutError);
    let later_part = behind(fragment, [0, 8], &icmp(128));
    let cases: Vec<(&str, Vec<u8>, Option<Silence>)> = vec![
        ("an ordinary packet", udp(), None),
        ("an echo request", icmp(128), None),
        ("an unknown message that is no error", icmp(200), None),
        ("destination unreachable", icmp(1), about),
        ("an unknown error", icmp(127), about),
        ("a redirect", icmp(137), about),
        ("an error behind an extension header", behind(options, [1, 4], &icmp(3)), about),
        ("ICMPv6 without a type", packet(PROTOCOL_ICMP6, &[]), about),
        ("a first fragment of an error", behind(fragment, [0, 1], &icmp(1)), about),
        ("a first fragment of an echo request", behind(fragment, [0, 1], &icmp(128)), None),
        ("a later fragment of ICMPv6", later_part, Some(Silence::Fragment)),
        ("a later fragment of UDP", behind(fragment, [0, 8], &udp()), None),
        ("to a group", patch(udp(), 24, &group), Some(Silence::Group)),
        ("from nobody", patch(udp(), 8, &[0; 16]), Some(Silence::Source)),
        ("from a group", patch(udp(), 8, &group), Some(Silence::Source)),
        ("from the loopback", patch(udp(), 8, &Ipv6Addr::LOCALHOST.octets()), Some(Silence::Source)),
    ];
    let too_big = Problem::PacketTooBig { mtu: 1280 };
    for (what, packet, silence) in cases {
        for problem in [Problem::TimeExceeded, too_big] {
            assert_eq!(error(&tagged(&packet), problem, gateway()).err(), silence, "{what}");
        }
    }
    let mut to_a_group = tagged(&udp());
    to_a_group[0] |= 1;
    assert_eq!(error(&to_a_group, Problem::TimeExceeded, gateway()), Err(Silence::Group));
    let malformed = Silence::Malformed(PacketError::Truncated);
    assert_eq!(error(&tagged(&udp()[..39]), too_big, gateway()), Err(malformed));
}

#[test]
fn the_gateway_answers_echo_requests() {
    let to_us = header(PROTOCOL_ICMP6, HOST, gateway());
    let ping = to_us.packet(&message(&to_us, 128, 0, &[b"\x12\x34\0\x010123456789"]));
    let reply = echo_reply(&tagged(&ping), gateway()).expect("a reply is due");
    let (ip, icmp) = parts(&reply);
    assert_eq!((icmp.kind, icmp.code, ip.traffic_class), (129, 0, 0x2d));
    assert_eq!(icmp.body, b"\x12\x34\0\x010123456789");

    let silent = |packet: &[u8]| echo_reply(&tagged(packet), gateway()).expect_err("silence is due");
    let other = |kind, code, body: &[u8]| to_us.packet(&message(&to_us, kind, code, &[body]));
    assert_eq!(silent(&patch(ping.clone(), 39, &[9])), Silence::NotEcho);
    assert_eq!(silent(&patch(ping.clone(), 6, &[17])), Silence::NotEcho);
    assert_eq!(silent(&other(129, 0, &[0; 4])), Silence::NotEcho);
    assert_eq!(silent(&other(128, 1, &[0; 4])), Silence::NotEcho);
    assert_eq!(silent(&other(128, 0, &[0; 3])), Silence::Malformed(PacketError::Truncated));
    assert_eq!(silent(&patch(ping.clone(), 8, &[0; 16])), Silence::Source);
    assert_eq!(silent(&patch(ping.clone(), 50, &[7])), Silence::Malformed(PacketError::BadChecksum));
    assert_eq!(silent(&ping[..ping.len() - 1]), Silence::Malformed(PacketError::Truncated));
    let fragment = patch(behind(44, [0, 1], &ping), 24, &gateway().octets());
    assert_eq!(silent(&fragment), Silence::Fragment);
    let mut to_a_group = tagged(&ping);
    to_a_group[0] |= 1;
    assert_eq!(echo_reply(&to_a_group, gateway()), Err(Silence::Group));
}

proptest! {
    /// Errors never answer errors: what is sent, sent back, is met with silence.
    #[test]
    fn no_error_begets_another(payload in proptest::collection::vec(any::<u8>(), 0..1400), protocol: u8) {
        let probe = tagged(&packet(protocol, &payload));
        if let Ok(reply) = error(&probe, Problem::PacketTooBig { mtu: 1280 }, gateway()) {
            parts(&reply);
            prop_assert_eq!(error(&reply, Problem::TimeExceeded, FAR), Err(Silence::AboutError));
        }
    }

    #[test]
    fn any_bytes_are_answered_or_not_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        let _answers = (error(&bytes, Problem::TimeExceeded, gateway()), echo_reply(&bytes, gateway()));
    }
}
