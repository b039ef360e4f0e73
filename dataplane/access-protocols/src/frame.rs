//! Ethernet frames with up to two VLAN tags.

use net_types::Tpid;

use crate::PacketError;

/// A VLAN tag as it is on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    pub tpid: u16,
    /// Priority, drop eligibility and VLAN identifier.
    pub tci: u16,
}

impl Tag {
    /// The VLAN identifier, 0 for a priority tag.
    pub const fn vid(self) -> u16 {
        self.tci & 0x0fff
    }
}

/// The tags of a frame, outermost first: none, one or two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    tags: [Tag; Self::MAX],
    len: usize,
}

impl Tags {
    pub const MAX: usize = 2;

    pub const fn one(tag: Tag) -> Self {
        Self { tags: [tag, Tag { tpid: 0, tci: 0 }], len: 1 }
    }

    pub const fn two(outer: Tag, inner: Tag) -> Self {
        Self { tags: [outer, inner], len: 2 }
    }

    pub fn as_slice(&self) -> &[Tag] {
        &self.tags[..self.len]
    }

    fn push(&mut self, tag: Tag) {
        self.tags[self.len] = tag;
        self.len += 1;
    }
}

/// A frame taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub destination: [u8; 6],
    pub source: [u8; 6],
    pub tags: Tags,
    /// What follows the tags; a VLAN's own if there are more than two of them.
    pub ethertype: u16,
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    pub const BROADCAST: [u8; 6] = [0xff; 6];

    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let (&destination, bytes) = bytes.split_first_chunk().ok_or(PacketError::Truncated)?;
        let (&source, mut bytes) = bytes.split_first_chunk().ok_or(PacketError::Truncated)?;
        let mut tags = Tags::default();
        loop {
            let (&ethertype, rest) = bytes.split_first_chunk().ok_or(PacketError::Truncated)?;
            let ethertype = u16::from_be_bytes(ethertype);
            if tags.len == Tags::MAX || !is_tag(ethertype) {
                return Ok(Self { destination, source, tags, ethertype, payload: rest });
            }
            let (&tci, rest) = rest.split_first_chunk().ok_or(PacketError::Truncated)?;
            tags.push(Tag { tpid: ethertype, tci: u16::from_be_bytes(tci) });
            bytes = rest;
        }
    }

    /// Whether the frame was sent to one station rather than to a group.
    pub fn is_unicast(&self) -> bool {
        self.destination[0] & 1 == 0
    }

    /// The frame's bytes; short ones are left to the device to pad.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(14 + 4 * Tags::MAX + self.payload.len());
        bytes.extend_from_slice(&self.destination);
        bytes.extend_from_slice(&self.source);
        for tag in self.tags.as_slice() {
            bytes.extend_from_slice(&tag.tpid.to_be_bytes());
            bytes.extend_from_slice(&tag.tci.to_be_bytes());
        }
        bytes.extend_from_slice(&self.ethertype.to_be_bytes());
        bytes.extend_from_slice(self.payload);
        bytes
    }
}

fn is_tag(ethertype: u16) -> bool {
    [Tpid::Dot1ad, Tpid::Dot1q].iter().any(|tpid| tpid.ethertype() == ethertype)
}
