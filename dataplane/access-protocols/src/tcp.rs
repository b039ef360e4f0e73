//! TCP segments (RFC 9293, section 3.1).

use crate::{PacketError, checksum};

pub const PROTOCOL_TCP: u8 = 6;

const HEADER_LEN: usize = 20;
/// Where the checksum is in the header.
const CHECKSUM_AT: usize = 16;

/// Control bits that are looked at or sent here.
pub(crate) mod control {
    pub(crate) const FIN: u8 = 1 << 0;
    pub(crate) const SYN: u8 = 1 << 1;
    pub(crate) const RST: u8 = 1 << 2;
    pub(crate) const PSH: u8 = 1 << 3;
    pub(crate) const ACK: u8 = 1 << 4;
}

/// A segment taken apart, its checksum right, or one to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    pub acknowledgement: u32,
    /// Control bits, without those of the first four.
    pub control: u8,
    pub window: u16,
    pub payload: &'a [u8],
}

impl<'a> Tcp<'a> {
    /// The segment, its checksum seen to: right, or the bare sum of the pseudo-header, which is what a virtual device
    /// leaves for hardware that is not there. `pseudo` sums up the pseudo-header of a segment of so many bytes.
    pub(crate) fn parse(bytes: &'a [u8], pseudo: impl Fn(u16) -> u32) -> Result<Self, PacketError> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(PacketError::Truncated)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u32::from(word(at)) << 16 | u32::from(word(at + 2));
        let header_len = usize::from(header[12] >> 4) * 4;
        if header_len < HEADER_LEN {
            return Err(PacketError::BadHeader);
        }
        let payload = bytes.get(header_len..).ok_or(PacketError::Truncated)?;
        let pseudo = pseudo(u16::try_from(bytes.len()).map_err(|_| PacketError::BadHeader)?);
        let is_left_to_hardware = word(CHECKSUM_AT) == checksum::fold(pseudo);
        if !is_left_to_hardware && checksum::finish(checksum::sum(pseudo, bytes)) != 0 {
            return Err(PacketError::BadChecksum);
        }
        Ok(Self {
            source_port: word(0),
            destination_port: word(2),
            sequence: long(4),
            acknowledgement: long(8),
            control: header[13] & 0x3f,
            window: word(14),
            payload,
        })
    }

    /// The segment as the payload of a packet. `options` are whole words, ten at most; payload and options together are
    /// shorter than 65500 bytes.
    pub(crate) fn to_bytes(self, options: &[[u8; 4]], pseudo: impl Fn(u16) -> u32) -> Vec<u8> {
        let header_len = HEADER_LEN + options.len() * 4;
        let len = u16::try_from(header_len + self.payload.len()).expect("the office sends no jumbograms");
        let mut segment = Vec::with_capacity(usize::from(len));
        segment.extend_from_slice(&self.source_port.to_be_bytes());
        segment.extend_from_slice(&self.destination_port.to_be_bytes());
        segment.extend_from_slice(&self.sequence.to_be_bytes());
        segment.extend_from_slice(&self.acknowledgement.to_be_bytes());
        let words = u8::try_from(header_len / 4).expect("ten words of options");
        segment.extend_from_slice(&[words << 4, self.control]);
        segment.extend_from_slice(&self.window.to_be_bytes());
        segment.extend_from_slice(&[0; 4]);
        segment.extend_from_slice(options.as_flattened());
        segment.extend_from_slice(self.payload);
        let sum = checksum::finish(checksum::sum(pseudo(len), &segment));
        segment[CHECKSUM_AT..CHECKSUM_AT + 2].copy_from_slice(&sum.to_be_bytes());
        segment
    }

    pub(crate) fn has(&self, bits: u8) -> bool {
        self.control & bits == bits
    }

    /// How many sequence numbers the segment takes (RFC 9293, section 3.4).
    pub(crate) fn sequence_len(&self) -> u32 {
        let controls = u32::from(self.has(control::SYN)) + u32::from(self.has(control::FIN));
        u32::try_from(self.payload.len()).unwrap_or(u32::MAX).wrapping_add(controls)
    }
}
