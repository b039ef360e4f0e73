//! UDP datagrams (RFC 768; over IPv6: RFC 8200, section 8.1).

use crate::{Ipv4, Ipv4Header, Ipv6, Ipv6Header, PROTOCOL_UDP, PacketError, checksum};

const HEADER_LEN: usize = 8;

/// A datagram taken apart, its checksum right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    pub payload: &'a [u8],
}

impl<'a> Udp<'a> {
    /// The datagram in `ip`. Accepted besides a right checksum: none (RFC 768), and the bare sum of the
    /// pseudo-header, which is what a virtual device leaves for hardware that is not there.
    pub fn parse(ip: &Ipv4<'a>) -> Result<Self, PacketError> {
        if ip.protocol != PROTOCOL_UDP {
            return Err(PacketError::Protocol);
        }
        if ip.is_fragment() {
            return Err(PacketError::Fragment);
        }
        let pseudo = |len| Ipv4Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_UDP, len);
        let (udp, checksum) = Self::take_apart(ip.payload, pseudo)?;
        if checksum == Checksum::Wrong { Err(PacketError::BadChecksum) } else { Ok(udp) }
    }

    /// The datagram in `ip`. A checksum may not be left out here.
    pub fn parse6(ip: &Ipv6<'a>) -> Result<Self, PacketError> {
        if ip.protocol != PROTOCOL_UDP {
            return Err(PacketError::Protocol);
        }
        if ip.is_fragment() {
            return Err(PacketError::Fragment);
        }
        let pseudo = |len| Ipv6Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_UDP, len);
        let (udp, checksum) = Self::take_apart(ip.payload, pseudo)?;
        if checksum == Checksum::Right { Ok(udp) } else { Err(PacketError::BadChecksum) }
    }

    fn take_apart(bytes: &'a [u8], pseudo: impl Fn(u16) -> u32) -> Result<(Self, Checksum), PacketError> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(PacketError::Truncated)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let len = word(4);
        if usize::from(len) < HEADER_LEN {
            return Err(PacketError::BadHeader);
        }
        let datagram = bytes.get(..usize::from(len)).ok_or(PacketError::Truncated)?;
        let pseudo = pseudo(len);
        let left_to_hardware = word(6) == checksum::fold(pseudo);
        let right = checksum::finish(checksum::sum(pseudo, datagram)) == 0;
        let checksum = match word(6) {
            0 => Checksum::None,
            _ if right || left_to_hardware => Checksum::Right,
            _ => Checksum::Wrong,
        };
        let payload = &datagram[HEADER_LEN..];
        Ok((Self { source_port: word(0), destination_port: word(2), payload }, checksum))
    }

    /// The datagram as the payload of a packet under `ip`. `self.payload` must be shorter than 65508 bytes.
    pub fn to_bytes(&self, ip: &Ipv4Header) -> Vec<u8> {
        self.put_together(|len| Ipv4Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_UDP, len))
    }

    /// The datagram as the payload of a packet under `ip`. `self.payload` must be shorter than 65528 bytes.
    pub fn to_bytes6(&self, ip: &Ipv6Header) -> Vec<u8> {
        self.put_together(|len| Ipv6Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_UDP, len))
    }

    fn put_together(&self, pseudo: impl Fn(u16) -> u32) -> Vec<u8> {
        let len = u16::try_from(HEADER_LEN + self.payload.len()).expect("the office sends no jumbograms");
        let mut datagram = Vec::with_capacity(usize::from(len));
        for word in [self.source_port, self.destination_port, len, 0] {
            datagram.extend_from_slice(&word.to_be_bytes());
        }
        datagram.extend_from_slice(self.payload);
        let sum = match checksum::finish(checksum::sum(pseudo(len), &datagram)) {
            0 => u16::MAX, // 0 would say that there is none.
            sum => sum,
        };
        datagram[6..8].copy_from_slice(&sum.to_be_bytes());
        datagram
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checksum {
    None,
    Right,
    Wrong,
}
