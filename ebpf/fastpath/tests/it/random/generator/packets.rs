//! Packets of either family.

use std::net::IpAddr;

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep};

fn ip(from: IpAddr, to: IpAddr, ttl: u8) -> PacketBuilderStep<IpHeaders> {
    let mapped = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), ttl),
        (from, to) => PacketBuilder::ipv6(mapped(from), mapped(to), ttl),
    }
}

pub(super) fn udp(from: (IpAddr, u16), to: (IpAddr, u16), ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    ip(from.0, to.0, ttl).udp(from.1, to.1).write(&mut packet, payload).expect("fits");
    packet
}

/// A segment with these flags, as they lie in a TCP header.
pub(super) fn segment(from: (IpAddr, u16), to: (IpAddr, u16), ttl: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let mut tcp = ip(from.0, to.0, ttl).tcp(from.1, to.1, 1000, 4096);
    if flags & 1 != 0 {
        tcp = tcp.fin();
    }
    if flags & 2 != 0 {
        tcp = tcp.syn();
    }
    if flags & 4 != 0 {
        tcp = tcp.rst();
    }
    if flags & 16 != 0 {
        tcp = tcp.ack(7000);
    }
    tcp.write(&mut packet, payload).expect("fits");
    packet
}
