//! How frames and packets are read where they are judged: a reader of its own, which knows nothing of `packet_logic`.

use std::net::IpAddr;

use crate::random::office::{ip4, ip6};

pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMP6: u8 = 58;
pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// The Ethernet header of a frame and its tags, at most two.
pub(super) struct Framed {
    /// Their TPIDs, and what they say, the outermost first.
    pub(super) tags: Vec<(u16, u16)>,
    pub(super) ethertype: u16,
    pub(super) packet_at: usize,
}

impl Framed {
    pub(super) fn read(frame: &[u8]) -> Self {
        let mut tags = Vec::new();
        let mut at = 12;
        while let Some(tpid @ (0x8100 | 0x88a8)) = word(frame, at)
            && tags.len() < 2
            && (tags.is_empty() || tpid == 0x8100)
        {
            tags.push((tpid, word(frame, at + 2).unwrap_or(0)));
            at += 4;
        }
        Self { tags, ethertype: word(frame, at).unwrap_or(0), packet_at: at + 2 }
    }

    /// What tells lines apart: a tag for priority only is as none (IEEE 802.1Q, clause 6.9).
    pub(super) fn vids(&self) -> Vec<u16> {
        let mut vids: Vec<u16> = self.tags.iter().map(|(_, tag)| tag & 0xfff).collect();
        if let [0, _] = vids[..] {
            vids.remove(0);
        }
        if vids == [0] {
            vids.clear();
        }
        vids
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    First,
    Later,
}

/// A packet of either family, without what follows it in its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) source: IpAddr,
    pub(super) to: IpAddr,
    /// The type of service, or traffic class.
    pub(super) class: u8,
    pub(super) ttl: u8,
    pub(super) protocol: u8,
    pub(super) part: Part,
    /// Of fragments.
    pub(super) id: u32,
    /// Where what the packet carries begins.
    pub(super) at: usize,
}

impl<'a> View<'a> {
    /// The packet of a frame; `None`: it carries none that can be read.
    pub(super) fn of(frame: &'a [u8]) -> Option<Self> {
        let framed = Framed::read(frame);
        let packet = frame.get(framed.packet_at..)?;
        match framed.ethertype {
            0x0800 => Self::four(packet, true),
            0x86dd => Self::six(packet),
            _ => None,
        }
    }

    pub(super) fn is_v6(&self) -> bool {
        self.source.is_ipv6()
    }

    /// `is_all`: all of it is to be there, which of a quoted packet is not so.
    fn four(packet: &'a [u8], is_all: bool) -> Option<Self> {
        let header = packet.get(..20)?;
        let (at, total) = (usize::from(header[0] & 15) * 4, usize::from(word(header, 2)?));
        let is_there = !is_all || (at..=packet.len()).contains(&total);
        if header[0] >> 4 != 4 || at < 20 || !is_there {
            return None;
        }
        let fragment = word(header, 6)?;
        let part = match (fragment & 0x1fff, fragment & 0x2000) {
            (0, 0) => Part::Whole,
            (0, _) => Part::First,
            _ => Part::Later,
        };
        let address = |at: usize| ip4([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Some(Self {
            bytes: if is_all { &packet[..total] } else { packet },
            source: address(12),
            to: address(16),
            class: header[1],
            ttl: header[8],
            protocol: header[9],
            part,
            id: word(header, 4)?.into(),
            at,
        })
    }

    fn six(packet: &'a [u8]) -> Option<Self> {
        let header = packet.get(..40)?;
        let total = 40 + usize::from(word(header, 4)?);
        if header[0] >> 4 != 6 || total > packet.len() {
            return None;
        }
        let address = |at: usize| ip6(header[at..at + 16].try_into().expect("sixteen bytes"));
        let (mut at, mut next, mut part, mut id) = (40, header[6], Part::Whole, 0);
        // Extension headers that routers may look behind (RFC 7045), the mobility header among them.
        while part != Part::Later && matches!(next, 0 | 43 | 44 | 60 | 135) {
            let extension = packet.get(at..at + 8)?;
            if next == 44 {
                let fragment = word(extension, 2)?;
                part = match (fragment >> 3, fragment & 1) {
                    (0, 0) => Part::Whole,
                    (0, _) => Part::First,
                    _ => Part::Later,
                };
                id = u32::from_be_bytes(extension[4..8].try_into().expect("four bytes"));
                at += 8;
            } else {
                at += 8 + usize::from(extension[1]) * 8;
            }
            next = extension[0];
        }
        Some(Self {
            bytes: &packet[..total],
            source: address(8),
            to: address(24),
            class: header[0] << 4 | header[1] >> 4,
            ttl: header[7],
            protocol: next,
            part,
            id,
            at,
        })
    }

    /// What the packet carries.
    pub(super) fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The ports of sender and receiver; of an echo its identifier twice; `None`: it has none.
    pub(super) fn ports(&self) -> Option<(u16, u16)> {
        let payload = self.payload();
        match self.protocol {
            _ if self.part == Part::Later => None,
            TCP | UDP => Some((word(payload, 0)?, word(payload, 2)?)),
            ICMP if !self.is_v6() && matches!(payload.first(), Some(0 | 8)) => {
                Some((word(payload, 4)?, word(payload, 4)?))
            }
            ICMP6 if matches!(payload.first(), Some(128 | 129)) => {
                Some((word(payload, 4)?, word(payload, 4)?))
            }
            _ => None,
        }
    }

    /// The type of a message of ICMP, in either family.
    pub(super) fn icmp(&self) -> Option<u8> {
        let is_icmp = self.protocol == if self.is_v6() { ICMP6 } else { ICMP };
        (is_icmp && self.part != Part::Later).then(|| self.payload().first().copied())?
    }

    /// Whether it is an error about another packet.
    pub(super) fn is_error(&self) -> bool {
        match self.icmp() {
            Some(kind) if self.is_v6() => kind <= 4,
            Some(kind) => matches!(kind, 3 | 11 | 12),
            None => false,
        }
    }

    /// The packet that an error is about, of which only the beginning is there.
    pub(super) fn quoted(&self) -> Option<View<'a>> {
        let quoted = self.payload().get(8..)?;
        if !self.is_error() {
            return None;
        }
        if !self.is_v6() {
            return Self::four(quoted, false);
        }
        let header = quoted.get(..40)?;
        let address = |at: usize| ip6(header[at..at + 16].try_into().expect("sixteen bytes"));
        Some(Self {
            bytes: quoted,
            source: address(8),
            to: address(24),
            class: 0,
            ttl: header[7],
            protocol: header[6],
            part: Part::Whole,
            id: 0,
            at: 40,
        })
    }

    /// The flags of a segment.
    pub(super) fn flags(&self) -> Option<u8> {
        if self.protocol != TCP || self.part == Part::Later {
            return None;
        }
        self.payload().get(13).copied()
    }

    /// What a whole datagram or segment carries.
    pub(super) fn data(&self) -> Option<&'a [u8]> {
        let payload = self.payload();
        match self.protocol {
            UDP => payload.get(8..usize::from(word(payload, 4)?)),
            TCP => payload.get(usize::from(payload.get(12)? >> 4) * 4..),
            _ => None,
        }
    }

    /// Whether the checksums are right: of the header, and of what a whole packet carries.
    pub(super) fn has_right_checksums(&self) -> bool {
        self.has_right_header() && self.has_right_payload()
    }

    fn has_right_header(&self) -> bool {
        self.is_v6() || sum(&self.bytes[..self.at], 0) == 0xffff
    }

    fn has_right_payload(&self) -> bool {
        let payload = self.payload();
        let pseudo = || {
            let addresses = match (self.source, self.to) {
                (IpAddr::V4(source), IpAddr::V4(to)) => [source.octets(), to.octets()].concat(),
                (IpAddr::V6(source), IpAddr::V6(to)) => [source.octets(), to.octets()].concat(),
                _ => unreachable!("of one family"),
            };
            u32::from(sum(&addresses, u32::from(self.protocol)))
                + u32::try_from(payload.len()).expect("short")
        };
        match self.protocol {
            _ if self.part != Part::Whole => true,
            UDP if word(payload, 6) == Some(0) && !self.is_v6() => true,
            TCP | UDP | ICMP6 => sum(payload, pseudo()) == 0xffff,
            ICMP => sum(payload, 0) == 0xffff,
            _ => true,
        }
    }
}

/// The sum of the Internet checksum (RFC 1071).
fn sum(bytes: &[u8], from: u32) -> u16 {
    let pairs = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum = pairs.fold(from, |sum, pair| sum + pair);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).expect("folded")
}
