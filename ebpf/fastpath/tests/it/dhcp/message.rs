//! A client's messages, well-formed or not.

use crate::{
    frames::{Address, with_header},
    world::ALICE_MAC,
};

pub(super) const OTHER: Address = [10, 9, 8, 7];
pub(super) const XID: [u8; 4] = [0xde, 0xad, 0xbe, 0xef];

pub(super) mod kind {
    pub(crate) const DISCOVER: u8 = 1;
    pub(crate) const REQUEST: u8 = 3;
    pub(crate) const DECLINE: u8 = 4;
    pub(crate) const RELEASE: u8 = 7;
    pub(crate) const INFORM: u8 = 8;
}

/// What the UDP checksum is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    Right,
    Wrong,
    None,
    /// Of the pseudo-header alone.
    Partial,
}

/// A message and how it is sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) options: Vec<u8>,
    pub(super) fixed: [u8; 240],
    /// After the options, and the end option if there is one.
    pub(super) has_end: bool,
    pub(super) tail: Vec<u8>,
    pub(super) len_min: usize,
    pub(super) len_max: usize,
    pub(super) station: [u8; 6],
    pub(super) to: Address,
    pub(super) check: Check,
}

impl Message {
    pub(super) fn with(options: Vec<u8>) -> Self {
        let mut fixed = [0; 240];
        fixed[..4].copy_from_slice(&[1, 1, 6, 0]);
        fixed[4..8].copy_from_slice(&XID);
        fixed[9] = 3;
        fixed[28..34].copy_from_slice(&ALICE_MAC);
        fixed[236..].copy_from_slice(&[99, 130, 83, 99]);
        Self {
            options,
            fixed,
            has_end: true,
            tail: Vec::new(),
            len_min: 300,
            len_max: 2000,
            station: ALICE_MAC,
            to: [255; 4],
            check: Check::Right,
        }
    }

    pub(super) fn new(kind: u8) -> Self {
        Self::with(vec![53, 1, kind])
    }

    pub(super) fn option(mut self, code: u8, data: &[u8]) -> Self {
        self.options.extend([code, u8::try_from(data.len()).expect("short")]);
        self.options.extend(data);
        self
    }

    pub(super) fn address(self, code: u8, address: Address) -> Self {
        self.option(code, &address)
    }

    /// Names another server than it did.
    pub(super) fn server(mut self, server: Address) -> Self {
        let at = self.options.windows(2).position(|w| w == [54, 4]).expect("a server") + 2;
        self.options[at..at + 4].copy_from_slice(&server);
        self
    }

    pub(super) fn byte(mut self, at: usize, value: u8) -> Self {
        self.fixed[at] = value;
        self
    }

    pub(super) fn flags(mut self, flags: u16) -> Self {
        self.fixed[10..12].copy_from_slice(&flags.to_be_bytes());
        self
    }

    pub(super) fn ciaddr(mut self, address: Address) -> Self {
        self.fixed[12..16].copy_from_slice(&address);
        self
    }

    pub(super) fn giaddr(mut self, address: Address) -> Self {
        self.fixed[24..28].copy_from_slice(&address);
        self
    }

    pub(super) fn chaddr(mut self, mac: [u8; 6]) -> Self {
        self.fixed[28..34].copy_from_slice(&mac);
        self
    }

    pub(super) fn from(mut self, station: [u8; 6]) -> Self {
        self.station = station;
        self
    }

    pub(super) fn to(mut self, to: Address) -> Self {
        self.to = to;
        self
    }

    pub(super) fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    pub(super) fn endless(mut self) -> Self {
        self.has_end = false;
        self
    }

    pub(super) fn tail(mut self, tail: &[u8]) -> Self {
        self.has_end = false;
        self.tail = tail.to_vec();
        self
    }

    /// Not filled up to the length of BOOTP.
    pub(super) fn exact(mut self) -> Self {
        self.len_min = 0;
        self
    }

    pub(super) fn padded(mut self, len: usize) -> Self {
        self.len_min = len;
        self
    }

    pub(super) fn cut(mut self, len: usize) -> Self {
        self.len_max = len;
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let end: &[u8] = if self.has_end { &[255] } else { &[] };
        let mut bytes = [&self.fixed[..], &self.options, end, &self.tail].concat();
        bytes.resize(bytes.len().max(self.len_min), 0);
        bytes.truncate(self.len_max);
        bytes
    }

    /// In the frame of alice's line.
    pub(super) fn frame(&self) -> Vec<u8> {
        let source = [self.fixed[12], self.fixed[13], self.fixed[14], self.fixed[15]];
        let mut packet = crate::frames::udp((source, 68), (self.to, 67), 64, &self.bytes());
        match self.check {
            Check::Right => {}
            Check::Wrong => packet[26] ^= 0x55,
            Check::None => packet[26..28].fill(0),
            Check::Partial => {
                let len = u16::try_from(packet.len() - 20).expect("short");
                let sum = etherparse::checksum::Sum16BitWords::new()
                    .add_slice(&packet[12..20])
                    .add_2bytes([0, 17])
                    .add_2bytes(len.to_be_bytes());
                // `to_ones_complement` inverts; the sum is what is left to be inverted.
                packet[26..28].copy_from_slice(&(!sum.ones_complement()).to_ne_bytes());
            }
        }
        let packet = with_header(&packet, |_| {});
        let mut frame = crate::frames::tagged(self.station, 0x88a8, (100, 0x6007), 0x0800, &packet);
        if self.to == [255; 4] {
            frame[..6].fill(0xff);
        }
        frame
    }
}
