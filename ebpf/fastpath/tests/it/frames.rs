//! Frames, built and judged by an implementation that is not ours.

use etherparse::{Ipv4Header, PacketBuilder, TcpOptionElement, checksum::Sum16BitWords};

pub(crate) type Address = [u8; 4];

pub(crate) const ALICE: Address = [100, 64, 0, 2];
pub(crate) const GATEWAY: Address = [100, 64, 0, 1];
pub(crate) const EXTERNAL: Address = [198, 51, 100, 1];
pub(crate) const BOB: Address = [203, 0, 113, 10];
pub(crate) const REMOTE: Address = [192, 0, 9, 9];

pub(crate) fn udp(from: (Address, u16), to: (Address, u16), ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4(from.0, to.0, ttl).udp(from.1, to.1).write(&mut packet, payload).expect("fits");
    packet
}

pub(crate) fn tcp(from: (Address, u16), to: (Address, u16), ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4(from.0, to.0, ttl)
        .tcp(from.1, to.1, 1000, 4096)
        .syn()
        .write(&mut packet, payload)
        .expect("fits");
    packet
}

/// A SYN that says how large a segment may be.
pub(crate) fn syn(from: (Address, u16), to: (Address, u16), ttl: u8, segment: u16) -> Vec<u8> {
    let mut packet = Vec::new();
    let options = [TcpOptionElement::MaximumSegmentSize(segment), TcpOptionElement::WindowScale(7)];
    PacketBuilder::ipv4(from.0, to.0, ttl)
        .tcp(from.1, to.1, 1000, 4096)
        .syn()
        .options(&options)
        .expect("room for options")
        .write(&mut packet, b"")
        .expect("fits");
    packet
}

pub(crate) fn echo_request(from: Address, to: Address, id: u16, ttl: u8) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4(from, to, ttl).icmpv4_echo_request(id, 1).write(&mut packet, b"ping!").expect("fits");
    packet
}

pub(crate) fn echo_reply(from: Address, to: Address, id: u16, ttl: u8) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4(from, to, ttl).icmpv4_echo_reply(id, 1).write(&mut packet, b"ping!").expect("fits");
    packet
}

/// An ICMP error (port unreachable) that quotes the beginning of a packet.
pub(crate) fn unreachable(from: Address, to: Address, ttl: u8, quoted: &[u8]) -> Vec<u8> {
    let quoted = &quoted[..quoted.len().min(28)];
    let mut packet = Vec::new();
    PacketBuilder::ipv4(from, to, ttl).icmpv4_raw(3, 3, [0; 4]).write(&mut packet, quoted).expect("fits");
    packet
}

/// Changes an IPv4 header and mends its checksum.
pub(crate) fn with_header(packet: &[u8], change: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let (mut header, payload) = Ipv4Header::from_slice(packet).expect("IPv4");
    let payload = payload.to_vec();
    change(&mut header);
    header.set_payload_len(payload.len()).expect("fits");
    header.header_checksum = header.calc_header_checksum();
    let mut packet = Vec::new();
    header.write_raw(&mut packet).expect("writes");
    packet.extend(payload);
    packet
}

pub(crate) fn tagged(
    source: [u8; 6],
    outer: u16,
    tags: (u16, u16),
    ethertype: u16,
    packet: &[u8],
) -> Vec<u8> {
    let mut frame = super::world::ACCESS_MAC.to_vec();
    frame.extend(source);
    for word in [outer, tags.0, 0x8100, tags.1, ethertype] {
        frame.extend(word.to_be_bytes());
    }
    frame.extend(packet);
    frame
}

pub(crate) fn from_alice(packet: &[u8]) -> Vec<u8> {
    tagged(super::world::ALICE_MAC, 0x88a8, (100, 7), 0x0800, packet)
}

pub(crate) fn from_bob(packet: &[u8]) -> Vec<u8> {
    tagged(super::world::BOB_MAC, 0x88a8, (101, 9), 0x0800, packet)
}

pub(crate) fn from_core(packet: &[u8]) -> Vec<u8> {
    let mut frame = super::world::CORE_MAC.to_vec();
    frame.extend(super::world::GATEWAY_MAC);
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

/// Checksums of the IPv4 header, and of an unfragmented payload and the packet that an ICMP error quotes, are right.
pub(crate) fn assert_checksums(packet: &[u8]) {
    let (header, payload) = Ipv4Header::from_slice(packet).expect("IPv4");
    assert_eq!(header.header_checksum, header.calc_header_checksum(), "IPv4 header checksum");
    if header.is_fragmenting_payload() {
        return;
    }
    let pseudo = |mut sum: Sum16BitWords| {
        let len = u16::try_from(payload.len()).expect("fits");
        sum.add_4bytes(header.source)
            .add_4bytes(header.destination)
            .add_2bytes([0, header.protocol.0])
            .add_2bytes(len.to_be_bytes())
    };
    let sum = match header.protocol.0 {
        1 => Sum16BitWords::new(),
        17 if payload[6..8] == [0, 0] => return,
        6 | 17 => pseudo(Sum16BitWords::new()),
        _ => return,
    };
    assert_eq!(sum.add_slice(payload).ones_complement(), 0, "transport checksum");
    if header.protocol.0 == 1 && payload[0] == 3 {
        let quoted = Ipv4Header::from_slice(&payload[8..]).expect("quoted IPv4").0;
        assert_eq!(quoted.header_checksum, quoted.calc_header_checksum(), "checksum in the quote");
    }
}
