//! IPv6 packets.

use proptest::{collection::vec, prelude::*};

use super::{
    super::*,
    line::{FAR, HOST, header, tagged},
};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// Extension headers of 8 bytes, but for authentication's 16, in front of a payload; and the type of the first.
fn chain(kinds: &[u8], offset: u16, last: u8, payload: &[u8]) -> (u8, Vec<u8>) {
    let mut bytes = payload.to_vec();
    let mut next = last;
    for &kind in kinds.iter().rev() {
        let [high, low] = offset.to_be_bytes();
        let head = match kind {
            FRAGMENT => vec![next, 0, high, low, 0, 0, 0, 1],
            AUTHENTICATION => [&[next, 2], &[0; 14][..]].concat(),
            _ => vec![next, 0, 1, 4, 0, 0, 0, 0],
        };
        bytes = [head, bytes].concat();
        next = kind;
    }
    (next, bytes)
}

fn with_chain(kinds: &[u8], offset: u16, payload: &[u8]) -> Vec<u8> {
    let (first, bytes) = chain(kinds, offset, PROTOCOL_UDP, payload);
    tagged(&header(first, HOST, FAR).packet(&bytes))
}

/// Extension headers, offset and flags of a fragment among them; what they lead to, and how much of it.
type Case<'a> = (&'a str, Vec<u8>, u16, Result<(u8, usize), PacketError>);

#[test]
fn extension_headers_are_walked_through() {
    let all = [HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION];
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("none", vec![], 0, Ok((PROTOCOL_UDP, 5))),
        ("all, in the order of RFC 8200", all.to_vec(), 0, Ok((PROTOCOL_UDP, 5))),
        ("a first fragment", all.to_vec(), 1, Ok((PROTOCOL_UDP, 5))),
        ("a later fragment ends them", all.to_vec(), 8, Ok((AUTHENTICATION, 16 + 8 + 5))),
        ("hop-by-hop options in another place", vec![DESTINATION, HOP_BY_HOP], 0, Ok((HOP_BY_HOP, 8 + 5))),
        ("eight", vec![DESTINATION; 8], 0, Ok((PROTOCOL_UDP, 5))),
        ("nine", vec![DESTINATION; 9], 0, Err(PacketError::ExtensionHeaders)),
        ("nine hundred", vec![DESTINATION; 900], 0, Err(PacketError::ExtensionHeaders)),
    ];
    for (what, kinds, offset, expected) in cases {
        let bytes = with_chain(&kinds, offset, b"hello");
        let frame = Frame::parse(&bytes).expect("a frame");
        let ip = Ipv6::parse(&frame);
        assert_eq!(ip.map(|ip| (ip.protocol, ip.payload.len())), expected, "{what}");
        let Ok(ip) = ip else { continue };
        assert_eq!((ip.source, ip.destination), (HOST, FAR), "{what}");
        assert_eq!((ip.traffic_class, ip.hop_limit, ip.cut_off), (0x2d, 9, false), "{what}");
        assert_eq!(ip.has_fragment_header(), kinds.contains(&FRAGMENT), "{what}");
        assert_eq!((ip.is_fragment(), ip.is_later_fragment()), (offset != 0, offset > 7), "{what}");
        // Wherever the packet ends, what is there of it is taken for no more than it is.
        let ends = bytes.len() - ip.payload.len();
        for len in 22..bytes.len() {
            let frame = Frame::parse(&bytes[..len]).expect("a frame");
            let cut = Ipv6::parse(&frame);
            let expected = if len < ends { Err(PacketError::Truncated) } else { Ok(true) };
            assert_eq!(cut.map(|ip| ip.cut_off), expected, "{what}, {len} bytes");
        }
    }
}

#[test]
fn damaged_packets_are_refused() {
    let udp = |source, destination| {
        let ip = header(PROTOCOL_UDP, source, destination);
        ip.packet(&Udp { source_port: 546, destination_port: 547, payload: b"hello" }.to_bytes6(&ip))
    };
    let good = tagged(&udp(HOST, FAR));
    let parse = |bytes: &[u8]| -> Result<(), PacketError> {
        Udp::parse6(&Ipv6::parse(&Frame::parse(bytes)?)?).map(drop)
    };
    assert_eq!(parse(&good), Ok(()));
    let (ip, checksum) = (22, 22 + 40 + 6);
    let cases: [(&str, usize, &[u8], PacketError); 8] = [
        ("IPv4", 20, &[8, 0], PacketError::NotIpv6),
        ("version 4", ip, &[0x45], PacketError::BadHeader),
        ("a payload that ends before its datagram", ip + 5, &[12], PacketError::Truncated),
        ("another protocol", ip + 6, &[6], PacketError::Protocol),
        ("another source, which the checksum covers", ip + 23, &[0xab], PacketError::BadChecksum),
        ("a wrong checksum", checksum, &[0x12, 0x34], PacketError::BadChecksum),
        ("no checksum, which only IPv4 allows", checksum, &[0, 0], PacketError::BadChecksum),
        ("a length below the header's", checksum - 1, &[7], PacketError::BadHeader),
    ];
    for (what, at, bytes, error) in cases {
        let mut frame = good.clone();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(parse(&frame), Err(error), "{what}");
    }
    for len in 0..good.len() {
        assert!(parse(&good[..len]).is_err(), "{len} bytes");
    }
    let mut padded = good.clone();
    padded.extend([0xaa; 20]);
    assert_eq!(parse(&padded), Ok(()), "padding of the link layer does not count");
    let (first, bytes) = chain(&[FRAGMENT], 1, PROTOCOL_UDP, &good[62..]);
    let fragment = tagged(&header(first, HOST, FAR).packet(&bytes));
    assert_eq!(parse(&fragment), Err(PacketError::Fragment));
    let mut left_to_hardware = good;
    let pseudo = Ipv6Header::pseudo_sum(HOST, FAR, PROTOCOL_UDP, 13);
    left_to_hardware[checksum..checksum + 2].copy_from_slice(&checksum::fold(pseudo).to_be_bytes());
    assert_eq!(parse(&left_to_hardware), Ok(()), "a checksum that a virtual device did not finish");
}

proptest! {
    #[test]
    fn any_payload_survives_the_way_out_and_in(payload in vec(any::<u8>(), 0..1600)) {
        let ip = header(PROTOCOL_UDP, HOST, FAR);
        let udp = Udp { source_port: 546, destination_port: 547, payload: &payload };
        let bytes = tagged(&ip.packet(&udp.to_bytes6(&ip)));
        let frame = Frame::parse(&bytes).expect("a frame");
        prop_assert_eq!(Udp::parse6(&Ipv6::parse(&frame).expect("IPv6")), Ok(udp));
    }

    #[test]
    fn any_packet_is_taken_apart_without_a_panic(
        kinds in vec(prop_oneof![Just(0_u8), Just(43), Just(44), Just(51), Just(60), any::<u8>()], 0..12),
        offset: u16, payload in vec(any::<u8>(), 0..64), end in 0usize..200,
    ) {
        let (first, bytes) = chain(&kinds, offset, PROTOCOL_UDP, &payload);
        let packet = tagged(&header(first, HOST, FAR).packet(&bytes));
        let packet = &packet[..packet.len().min(14 + end)];
        if let Ok(frame) = Frame::parse(packet)
            && let Ok(ip) = Ipv6::parse(&frame)
        {
            prop_assert!(ip.packet.ends_with(ip.payload));
            let _udp = Udp::parse6(&ip);
        }
    }
}
