//! UDP datagrams (RFC 768).

use crate::{Ipv4, Ipv4Header, PROTOCOL_UDP, PacketError, checksum};

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
        let header: &[u8; HEADER_LEN] = ip.payload.first_chunk().ok_or(PacketError::Truncated)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let len = word(4);
        if usize::from(len) < HEADER_LEN {
            return Err(PacketError::BadHeader);
        }
        let datagram = ip.payload.get(..usize::from(len)).ok_or(PacketError::Truncated)?;
        let pseudo = Ipv4Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_UDP, len);
        let left_to_hardware = word(6) == checksum::fold(pseudo);
        let right = checksum::finish(checksum::sum(pseudo, datagram)) == 0;
        if word(6) != 0 && !right && !left_to_hardware {
            return Err(PacketError::BadChecksum);
        }
        Ok(Self { source_port: word(0), destination_port: word(2), payload: &datagram[HEADER_LEN..] })
    }

    /// The datagram as the payload of a packet under `ip`. `self.payload` must be shorter than 65508 bytes.
    pub fn to_bytes(&self, ip: &Ipv4Header) -> Vec<u8> {
        let len = u16::try_from(HEADER_LEN + self.payload.len()).expect("the office sends no jumbograms");
        let mut datagram = Vec::with_capacity(usize::from(len));
        for word in [self.source_port, self.destination_port, len, 0] {
            datagram.extend_from_slice(&word.to_be_bytes());
        }
        datagram.extend_from_slice(self.payload);
        let pseudo = Ipv4Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_UDP, len);
        let sum = match checksum::finish(checksum::sum(pseudo, &datagram)) {
            0 => u16::MAX, // 0 would say that there is none.
            sum => sum,
        };
        datagram[6..8].copy_from_slice(&sum.to_be_bytes());
        datagram
    }
}
