mod ipv6;
pub(crate) mod line;

use std::{net::Ipv4Addr, time::Duration};

use proptest::prelude::*;

use super::*;

/// A frame of the subscriber with tags 100 and 7, from 02:00:00:00:00:aa to the gateway's port.
pub(crate) fn tagged(payload: &[u8]) -> Vec<u8> {
    Frame {
        destination: [2, 0, 0, 0, 0, 1],
        source: [2, 0, 0, 0, 0, 0xaa],
        tags: Tags::two(Tag { tpid: 0x88a8, tci: 0x6064 }, Tag { tpid: 0x8100, tci: 7 }),
        ethertype: ETHERTYPE_IPV4,
        payload,
    }
    .to_bytes()
}

fn udp_packet(payload: &[u8]) -> Vec<u8> {
    let ip = Ipv4Header {
        tos: 0,
        protocol: PROTOCOL_UDP,
        source: Ipv4Addr::new(10, 0, 0, 1),
        destination: Ipv4Addr::new(10, 0, 0, 2),
    };
    ip.packet(&Udp { source_port: 68, destination_port: 67, payload }.to_bytes(&ip))
}

#[test]
fn a_frame_is_what_it_was_built_from() {
    let packet = udp_packet(b"hello");
    let bytes = tagged(&packet);
    assert_eq!(bytes[12..22], [0x88, 0xa8, 0x60, 0x64, 0x81, 0, 0, 7, 8, 0]);
    let frame = Frame::parse(&bytes).expect("a frame");
    assert_eq!(frame.tags.as_slice().iter().map(|tag| tag.vid()).collect::<Vec<_>>(), [100, 7]);
    assert_eq!(frame.to_bytes(), bytes);
    let ip = Ipv4::parse(&frame).expect("IPv4");
    let udp = Udp::parse(&ip).expect("UDP");
    assert_eq!((udp.source_port, udp.destination_port, udp.payload), (68, 67, b"hello".as_slice()));
}

/// A packet with known checksums: "hello" from 10.0.0.1 port 68 to 10.0.0.2 port 67.
#[test]
fn checksums_are_right() {
    let packet = udp_packet(b"hello");
    assert_eq!(packet[..12], [0x45, 0, 0, 0x21, 0, 0, 0x40, 0, 64, 17, 0x26, 0xca]);
    let by_hand = {
        let words = [0x0a00_u32, 1, 0x0a00, 2, 17, 13, 68, 67, 13, 0x6865, 0x6c6c, 0x6f00];
        let sum: u32 = words.iter().sum();
        !u16::try_from((sum & 0xffff) + (sum >> 16)).expect("folded once")
    };
    assert_eq!(packet[26..28], by_hand.to_be_bytes());
}

#[test]
fn damaged_packets_are_refused() {
    let good = tagged(&udp_packet(b"hello"));
    let parse = |bytes: &[u8]| -> Result<(), PacketError> {
        Udp::parse(&Ipv4::parse(&Frame::parse(bytes)?)?).map(drop)
    };
    let (ip, udp) = (22, 42);
    let cases: [(&str, usize, &[u8], PacketError); 8] = [
        ("another protocol family", 20, &[0x86, 0xdd], PacketError::NotIpv4),
        ("a third tag", 20, &[0x81, 0x00], PacketError::NotIpv4),
        ("version 6", ip, &[0x65], PacketError::BadHeader),
        ("a header of four words", ip, &[0x44], PacketError::BadHeader),
        ("a header beyond the packet", ip, &[0x4f], PacketError::BadHeader),
        ("a wrong header checksum", ip + 10, &[0, 0], PacketError::BadChecksum),
        ("a wrong UDP checksum", udp + 6, &[0x12, 0x34], PacketError::BadChecksum),
        ("a UDP length beyond the packet", udp + 4, &[0, 14], PacketError::Truncated),
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
    let mut unsummed = good.clone();
    unsummed[udp + 6..udp + 8].fill(0);
    assert_eq!(parse(&unsummed), Ok(()), "a UDP checksum may be left out");
    let mut left_to_hardware = good;
    let pseudo = 0x0a00_u16 + 1 + 0x0a00 + 2 + 17 + 13;
    left_to_hardware[udp + 6..udp + 8].copy_from_slice(&pseudo.to_be_bytes());
    assert_eq!(parse(&left_to_hardware), Ok(()), "a checksum that a virtual device did not finish");
}

#[test]
fn a_bucket_gives_its_capacity_and_then_one_an_interval() {
    let ms = Duration::from_millis;
    let mut bucket = TokenBucket::new(3, ms(100), ms(0));
    let asked: Vec<bool> = [0, 0, 0, 0, 99, 100, 100, 250, 299, 300].map(|at| bucket.take(ms(at))).to_vec();
    assert_eq!(asked, [true, true, true, false, false, true, false, true, false, true]);
    // Going back gives nothing; a long rest fills it, and no more than fills it.
    assert!(!bucket.take(ms(0)));
    assert_eq!((0..5).filter(|_| bucket.take(ms(1_000_000))).count(), 3);
}

proptest! {
    #[test]
    fn any_payload_survives_the_way_out_and_in(payload in proptest::collection::vec(any::<u8>(), 0..1600)) {
        let bytes = tagged(&udp_packet(&payload));
        let frame = Frame::parse(&bytes).expect("a frame");
        let ip = Ipv4::parse(&frame).expect("IPv4");
        prop_assert_eq!(Udp::parse(&ip).expect("UDP").payload, payload);
    }

    #[test]
    fn any_bytes_are_taken_apart_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        if let Ok(frame) = Frame::parse(&bytes) {
            prop_assert_eq!(frame.to_bytes(), bytes.as_slice());
            let _udp = Ipv4::parse(&frame).and_then(|ip| Udp::parse(&ip));
        }
    }
}
