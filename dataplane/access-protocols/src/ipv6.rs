//! IPv6 packets (RFC 8200).

use std::net::Ipv6Addr;

use crate::{ETHERTYPE_IPV6, Frame, PacketError, checksum};

pub const PROTOCOL_ICMP6: u8 = 58;

const HEADER_LEN: usize = 40;

/// Extension headers (RFC 8200, section 4), and the authentication header, which has the same place (RFC 4302).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;

/// Each of them once, and destination options twice, is what RFC 8200, section 4.1, recommends; a sender that has
/// use for more is not known.
const EXTENSIONS_MAX: usize = 8;

const MORE_FRAGMENTS: u16 = 1;
const OFFSET: u16 = 0xfff8;

/// A packet taken apart, its extension headers walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6<'a> {
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// What `payload` is: the first next header that is not an extension header's.
    pub protocol: u8,
    pub hop_limit: u8,
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
    /// The packet from its first byte, as far as it is there.
    pub packet: &'a [u8],
    /// What follows the extension headers; in a later fragment, that fragment's part.
    pub payload: &'a [u8],
    /// Less of the packet is there than its header says.
    pub cut_off: bool,
    /// Offset and flags of the fragment header, if there is one.
    fragment: Option<u16>,
}

impl<'a> Ipv6<'a> {
    pub fn parse(frame: &Frame<'a>) -> Result<Self, PacketError> {
        if frame.ethertype != ETHERTYPE_IPV6 {
            return Err(PacketError::NotIpv6);
        }
        let bytes = frame.payload;
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(PacketError::Truncated)?;
        if header[0] >> 4 != 6 {
            return Err(PacketError::BadHeader);
        }
        let address = |at: usize| {
            let octets: [u8; 16] = header[at..at + 16].try_into().expect("16 bytes");
            Ipv6Addr::from(octets)
        };
        let total_len = HEADER_LEN + usize::from(u16::from_be_bytes([header[4], header[5]]));
        // A short frame is padded, so that more can be there than belongs to the packet.
        let packet = &bytes[..total_len.min(bytes.len())];
        let chain = Chain::walk(header[6], &packet[HEADER_LEN..])?;
        Ok(Self {
            traffic_class: header[0] << 4 | header[1] >> 4,
            protocol: chain.protocol,
            hop_limit: header[7],
            source: address(8),
            destination: address(24),
            packet,
            payload: chain.payload,
            cut_off: packet.len() < total_len,
            fragment: chain.fragment,
        })
    }

    /// Whether there is a fragment header, even that of an "atomic" fragment, which is a whole packet (RFC 6946).
    pub fn has_fragment_header(&self) -> bool {
        self.fragment.is_some()
    }

    /// Whether this is part of a fragmented packet, the first part included.
    pub fn is_fragment(&self) -> bool {
        self.fragment.is_some_and(|field| field & (MORE_FRAGMENTS | OFFSET) != 0)
    }

    /// Whether this is a later part of a fragmented packet, one without the transport header.
    pub fn is_later_fragment(&self) -> bool {
        self.fragment.is_some_and(|field| field & OFFSET != 0)
    }
}

/// What the extension headers lead to.
struct Chain<'a> {
    protocol: u8,
    payload: &'a [u8],
    fragment: Option<u16>,
}

impl<'a> Chain<'a> {
    fn walk(protocol: u8, payload: &'a [u8]) -> Result<Self, PacketError> {
        let mut chain = Self { protocol, payload, fragment: None };
        for position in 0..=EXTENSIONS_MAX {
            let is_last = match chain.protocol {
                // It comes right behind the IPv6 header or not at all (RFC 8200, section 4.3).
                HOP_BY_HOP => position != 0,
                ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS => chain.is_later_fragment(),
                _ => true,
            };
            if is_last {
                return Ok(chain);
            }
            chain.step()?;
        }
        Err(PacketError::ExtensionHeaders)
    }

    fn is_later_fragment(&self) -> bool {
        self.fragment.is_some_and(|field| field & OFFSET != 0)
    }

    /// Over one extension header.
    fn step(&mut self) -> Result<(), PacketError> {
        let &[next, len, high, low] = self.payload.first_chunk().ok_or(PacketError::Truncated)?;
        let len = usize::from(len);
        let header_len = match self.protocol {
            FRAGMENT => 8,
            // In words, less two (RFC 4302, section 2.2).
            AUTHENTICATION => (len + 2) * 4,
            _ => (len + 1) * 8,
        };
        if self.protocol == FRAGMENT {
            self.fragment = Some(u16::from_be_bytes([high, low]));
        }
        self.payload = self.payload.get(header_len..).ok_or(PacketError::Truncated)?;
        self.protocol = next;
        Ok(())
    }
}

/// The header of a packet that the office sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Header {
    pub traffic_class: u8,
    pub protocol: u8,
    pub hop_limit: u8,
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
}

impl Ipv6Header {
    /// Default hop limit (RFC 1700, "IP Time to Live").
    pub const HOP_LIMIT: u8 = 64;
    /// Every link takes packets of this size (RFC 8200, section 5).
    pub const MTU_MIN: usize = 1280;
    pub(crate) const LEN: usize = HEADER_LEN;

    /// The packet with this header and payload, which must be shorter than 65536 bytes.
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let payload_len = u16::try_from(payload.len()).expect("the office sends no jumbograms");
        let mut packet = Vec::with_capacity(HEADER_LEN + payload.len());
        packet.extend_from_slice(&[0x60 | self.traffic_class >> 4, self.traffic_class << 4, 0, 0]);
        packet.extend_from_slice(&payload_len.to_be_bytes());
        packet.extend_from_slice(&[self.protocol, self.hop_limit]);
        packet.extend_from_slice(&self.source.octets());
        packet.extend_from_slice(&self.destination.octets());
        packet.extend_from_slice(payload);
        packet
    }

    /// The sum of the pseudo-header that checksums begin with (RFC 8200, section 8.1).
    pub(crate) fn pseudo_sum(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, len: u16) -> u32 {
        let sum = checksum::sum(u32::from(protocol) + u32::from(len), &source.octets());
        checksum::sum(sum, &destination.octets())
    }
}
