//! IPv4 packets (RFC 791).

use std::net::Ipv4Addr;

use crate::{ETHERTYPE_IPV4, Frame, PacketError, checksum};

pub const PROTOCOL_ICMP: u8 = 1;
pub const PROTOCOL_UDP: u8 = 17;

const HEADER_LEN: usize = 20;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// A packet taken apart, its header sound and its checksum right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4<'a> {
    /// Type of service (RFC 791), today DSCP and ECN.
    pub tos: u8,
    pub protocol: u8,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    /// The packet from its first byte, as far as it is there.
    pub packet: &'a [u8],
    pub payload: &'a [u8],
    /// Less of the packet is there than its header says.
    pub cut_off: bool,
    flags_and_offset: u16,
}

impl<'a> Ipv4<'a> {
    pub fn parse(frame: &Frame<'a>) -> Result<Self, PacketError> {
        if frame.ethertype != ETHERTYPE_IPV4 {
            return Err(PacketError::NotIpv4);
        }
        Self::parse_packet(frame.payload)
    }

    fn parse_packet(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(PacketError::Truncated)?;
        let header_len = usize::from(header[0] & 0x0f) * 4;
        let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] >> 4 != 4 || header_len < HEADER_LEN || total_len < header_len {
            return Err(PacketError::BadHeader);
        }
        let with_options = bytes.get(..header_len).ok_or(PacketError::Truncated)?;
        if checksum::finish(checksum::sum(0, with_options)) != 0 {
            return Err(PacketError::BadChecksum);
        }
        // A short frame is padded, so that more can be there than belongs to the packet.
        let packet = &bytes[..total_len.min(bytes.len())];
        Ok(Self {
            tos: header[1],
            protocol: header[9],
            source: Ipv4Addr::new(header[12], header[13], header[14], header[15]),
            destination: Ipv4Addr::new(header[16], header[17], header[18], header[19]),
            packet,
            payload: &packet[header_len..],
            cut_off: packet.len() < total_len,
            flags_and_offset: u16::from_be_bytes([header[6], header[7]]),
        })
    }

    /// Whether this is part of a fragmented packet, the first part included.
    pub fn is_fragment(&self) -> bool {
        self.flags_and_offset & (MORE_FRAGMENTS | OFFSET) != 0
    }

    /// Whether this is a later part of a fragmented packet, one without the transport header.
    pub fn is_later_fragment(&self) -> bool {
        self.flags_and_offset & OFFSET != 0
    }
}

/// The header of a packet that the office sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Header {
    pub tos: u8,
    pub protocol: u8,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
}

impl Ipv4Header {
    /// Default time to live (RFC 1700, "IP Time to Live").
    const TTL: u8 = 64;

    /// The packet with this header and payload, which must be shorter than 65516 bytes; an atomic datagram,
    /// whose identification means nothing (RFC 6864).
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let total_len = u16::try_from(HEADER_LEN + payload.len()).expect("the office sends no jumbograms");
        let mut packet = Vec::with_capacity(usize::from(total_len));
        packet.extend_from_slice(&[0x45, self.tos]);
        packet.extend_from_slice(&total_len.to_be_bytes());
        packet.extend_from_slice(&[0, 0]);
        packet.extend_from_slice(&DONT_FRAGMENT.to_be_bytes());
        packet.extend_from_slice(&[Self::TTL, self.protocol, 0, 0]);
        packet.extend_from_slice(&self.source.octets());
        packet.extend_from_slice(&self.destination.octets());
        let sum = checksum::finish(checksum::sum(0, &packet));
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend_from_slice(payload);
        packet
    }

    /// The sum of the pseudo-header that UDP checksums begin with (RFC 768).
    pub(crate) fn pseudo_sum(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, len: u16) -> u32 {
        let sum = checksum::sum(u32::from(protocol) + u32::from(len), &source.octets());
        checksum::sum(sum, &destination.octets())
    }
}
