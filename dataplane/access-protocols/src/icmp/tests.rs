use proptest::prelude::*;

use super::*;
use crate::tests::tagged;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);
const HOST: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 2);
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

fn packet(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    Ipv4Header { tos: 0x20, protocol, source, destination }.packet(payload)
}

/// Puts `bytes` at `at` of the packet and makes its header checksum right again.
fn patch(mut packet: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet[10..12].fill(0);
    let sum = checksum::finish(checksum::sum(0, &packet[..20]));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn parts(frame: &[u8]) -> (Frame<'_>, Ipv4<'_>) {
    let frame = Frame::parse(frame).expect("a frame");
    let ip = Ipv4::parse(&frame).expect("IPv4");
    assert_eq!(checksum::finish(checksum::sum(0, ip.payload)), 0, "the ICMP checksum");
    (frame, ip)
}

#[test]
fn errors_quote_the_packet_and_go_back_where_it_came_from() {
    let probe = packet(HOST, FAR, 17, &[7; 30]);
    let request = tagged(&probe);
    for (problem, head) in [
        (Problem::TimeExceeded, [11, 0, 0, 0, 0, 0]),
        (Problem::FragmentationNeeded { mtu: 1492 }, [3, 4, 0, 0, 0x05, 0xd4]),
        (Problem::NetUnreachable, [3, 0, 0, 0, 0, 0]),
    ] {
        let reply = error(&request, problem, GATEWAY).expect("an error is due");
        let (frame, ip) = parts(&reply);
        assert_eq!((frame.destination, frame.source), ([2, 0, 0, 0, 0, 0xaa], [2, 0, 0, 0, 0, 1]));
        assert_eq!(frame.tags, Frame::parse(&request).expect("a frame").tags);
        assert_eq!((ip.source, ip.destination, ip.tos), (GATEWAY, HOST, 0xc0));
        assert_eq!([&ip.payload[..2], &ip.payload[4..8]].concat(), head);
        assert_eq!(&ip.payload[8..], probe);
    }
}

#[test]
fn an_error_is_at_most_576_bytes_long() {
    let probe = packet(HOST, FAR, 17, &[7; 1400]);
    let mut request = tagged(&probe);
    request.truncate(1000); // As the fast path cuts off what is too long for it.
    let reply = error(&request, Problem::TimeExceeded, GATEWAY).expect("an error is due");
    let (_, ip) = parts(&reply);
    assert_eq!(ip.packet.len(), 576);
    assert_eq!(&ip.payload[8..], &probe[..548]);
}

#[test]
fn silence_where_an_error_could_multiply() {
    let icmp = |kind: u8| packet(HOST, FAR, 1, &[kind, 0, 0, 0, 0, 0, 0, 0]);
    let udp = || packet(HOST, FAR, 17, &[7; 30]);
    let cases: Vec<(&str, Vec<u8>, Option<Silence>)> = vec![
        ("an ordinary packet", udp(), None),
        ("an echo request", icmp(8), None),
        ("an echo reply", icmp(0), None),
        ("destination unreachable", icmp(3), Some(Silence::AboutError)),
        ("redirect", icmp(5), Some(Silence::AboutError)),
        ("time exceeded", icmp(11), Some(Silence::AboutError)),
        ("an unknown ICMP type", icmp(42), Some(Silence::AboutError)),
        ("ICMP without a type", packet(HOST, FAR, 1, &[]), Some(Silence::AboutError)),
        ("a first fragment", patch(udp(), 6, &[0x20, 0]), None),
        ("a later fragment", patch(udp(), 6, &[0x20, 1]), Some(Silence::Fragment)),
        ("the last fragment", patch(udp(), 6, &[0, 1]), Some(Silence::Fragment)),
        ("to a multicast group", patch(udp(), 16, &[224, 0, 0, 1]), Some(Silence::Group)),
        ("to everyone", patch(udp(), 16, &[255; 4]), Some(Silence::Group)),
        ("from nobody", patch(udp(), 12, &[0; 4]), Some(Silence::Source)),
        ("from a multicast group", patch(udp(), 12, &[239, 1, 1, 1]), Some(Silence::Source)),
        ("from the loopback", patch(udp(), 12, &[127, 0, 0, 1]), Some(Silence::Source)),
    ];
    for (what, packet, silence) in cases {
        let answered = error(&tagged(&packet), Problem::TimeExceeded, GATEWAY);
        assert_eq!(answered.err(), silence, "{what}");
    }
    let mut to_a_group = tagged(&udp());
    to_a_group[0] |= 1;
    assert_eq!(error(&to_a_group, Problem::TimeExceeded, GATEWAY), Err(Silence::Group));
    let mut damaged = tagged(&udp());
    damaged[22 + 8] ^= 1;
    let silence = Silence::Malformed(PacketError::BadChecksum);
    assert_eq!(error(&damaged, Problem::TimeExceeded, GATEWAY), Err(silence));
}

#[test]
fn the_gateway_answers_echo_requests() {
    let ping = message(8, 0, [0x12, 0x34, 0, 1], b"0123456789");
    let reply = echo_reply(&tagged(&packet(HOST, GATEWAY, 1, &ping)), GATEWAY).expect("a reply is due");
    let (frame, ip) = parts(&reply);
    assert_eq!(frame.destination, [2, 0, 0, 0, 0, 0xaa]);
    assert_eq!((ip.source, ip.destination, ip.tos), (GATEWAY, HOST, 0x20));
    assert_eq!([&ip.payload[..2], &ip.payload[4..]].concat(), b"\0\0\x12\x34\0\x010123456789");

    let silent = |packet: &[u8]| echo_reply(&tagged(packet), GATEWAY).expect_err("silence is due");
    assert_eq!(silent(&packet(HOST, FAR, 1, &ping)), Silence::NotEcho);
    assert_eq!(silent(&packet(HOST, GATEWAY, 17, &ping)), Silence::NotEcho);
    assert_eq!(silent(&packet(HOST, GATEWAY, 1, &message(13, 0, [0; 4], b""))), Silence::NotEcho);
    assert_eq!(silent(&packet(Ipv4Addr::UNSPECIFIED, GATEWAY, 1, &ping)), Silence::Source);
    let fragment = patch(packet(HOST, GATEWAY, 1, &ping), 6, &[0x20, 0]);
    assert_eq!(silent(&fragment), Silence::Fragment);
    let mut damaged = packet(HOST, GATEWAY, 1, &ping);
    damaged[30] ^= 1;
    assert_eq!(silent(&damaged), Silence::Malformed(PacketError::BadChecksum));
    let whole = packet(HOST, GATEWAY, 1, &ping);
    assert_eq!(silent(&whole[..whole.len() - 1]), Silence::Malformed(PacketError::Truncated));
}

proptest! {
    /// Errors never answer errors: what is sent, sent back, is met with silence.
    #[test]
    fn no_error_begets_another(payload in proptest::collection::vec(any::<u8>(), 0..700), protocol: u8) {
        let probe = tagged(&packet(HOST, FAR, protocol, &payload));
        if let Ok(reply) = error(&probe, Problem::FragmentationNeeded { mtu: 1280 }, GATEWAY) {
            prop_assert_eq!(error(&reply, Problem::TimeExceeded, FAR), Err(Silence::AboutError));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let frames = [payload.clone(), tagged(&payload), tagged(&packet(HOST, GATEWAY, 1, &payload))];
        for frame in frames {
            drop(error(&frame, Problem::TimeExceeded, GATEWAY));
            drop(echo_reply(&frame, GATEWAY));
        }
    }
}
