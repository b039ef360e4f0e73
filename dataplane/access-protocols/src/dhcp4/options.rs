//! Options in any layout: any order, padded, overloaded into `file` and `sname`, long ones in parts.

use std::{borrow::Cow, net::Ipv4Addr};

use super::MessageError;

/// Option codes (RFC 2132 unless said otherwise).
pub(super) mod code {
    pub(in crate::dhcp4) const PAD: u8 = 0;
    pub(in crate::dhcp4) const SUBNET_MASK: u8 = 1;
    pub(in crate::dhcp4) const ROUTER: u8 = 3;
    pub(in crate::dhcp4) const DNS_SERVERS: u8 = 6;
    pub(in crate::dhcp4) const REQUESTED_ADDRESS: u8 = 50;
    pub(in crate::dhcp4) const LEASE_TIME: u8 = 51;
    pub(in crate::dhcp4) const OVERLOAD: u8 = 52;
    pub(in crate::dhcp4) const MESSAGE_TYPE: u8 = 53;
    pub(in crate::dhcp4) const SERVER_IDENTIFIER: u8 = 54;
    pub(in crate::dhcp4) const PARAMETER_REQUEST_LIST: u8 = 55;
    pub(in crate::dhcp4) const MESSAGE: u8 = 56;
    pub(in crate::dhcp4) const MESSAGE_SIZE_MAX: u8 = 57;
    pub(in crate::dhcp4) const RENEWAL_TIME: u8 = 58;
    pub(in crate::dhcp4) const REBINDING_TIME: u8 = 59;
    pub(in crate::dhcp4) const CLIENT_IDENTIFIER: u8 = 61;
    /// RFC 3046.
    pub(in crate::dhcp4) const RELAY_AGENT_INFORMATION: u8 = 82;
    pub(in crate::dhcp4) const END: u8 = 255;
}

/// Option 53 (RFC 2132, section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageType {
    Discover,
    Request,
    Decline,
    Release,
    Inform,
    Other(u8),
}

impl MessageType {
    pub(super) const OFFER: u8 = 2;
    pub(super) const ACK: u8 = 5;
    pub(super) const NAK: u8 = 6;

    pub(super) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Discover,
            3 => Self::Request,
            4 => Self::Decline,
            7 => Self::Release,
            8 => Self::Inform,
            other => Self::Other(other),
        }
    }
}

/// The options of a message in the order of RFC 3396, section 5: the options field, `file`, `sname`.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    parts: Vec<(u8, &'a [u8])>,
}

impl<'a> Options<'a> {
    pub(super) fn parse(field: &'a [u8], file: &'a [u8], sname: &'a [u8]) -> Result<Self, MessageError> {
        let mut options = Self::default();
        options.read(field)?;
        // Bit 0: `file` holds options; bit 1: `sname` does (RFC 2132, section 9.3).
        let overload = match options.part(code::OVERLOAD) {
            Some(&[overload @ 1..=3]) => overload,
            None => 0,
            Some(_) => return Err(MessageError::Overload),
        };
        if overload & 1 != 0 {
            options.read(file)?;
        }
        if overload & 2 != 0 {
            options.read(sname)?;
        }
        Ok(options)
    }

    fn read(&mut self, mut field: &'a [u8]) -> Result<(), MessageError> {
        loop {
            match *field {
                // RFC 2131 wants an end option; a field that simply ends is as clear.
                [] | [code::END, ..] => return Ok(()),
                [code::PAD, ref rest @ ..] => field = rest,
                [code, len, ref rest @ ..] => {
                    let (data, rest) =
                        rest.split_at_checked(usize::from(len)).ok_or(MessageError::Option(code))?;
                    self.parts.push((code, data));
                    field = rest;
                }
                [code] => return Err(MessageError::Option(code)),
            }
        }
    }

    /// Every part of an option as it came.
    pub(super) fn parts(&self, code: u8) -> impl Iterator<Item = &'a [u8]> {
        self.parts.iter().filter(move |(other, _)| *other == code).map(|&(_, data)| data)
    }

    fn part(&self, code: u8) -> Option<&'a [u8]> {
        self.parts(code).next()
    }

    /// An option's data, its parts put together (RFC 3396, section 7).
    pub(super) fn data(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let mut parts = self.parts(code);
        let first = parts.next()?;
        match parts.next() {
            None => Some(Cow::Borrowed(first)),
            Some(_) => Some(Cow::Owned(self.parts(code).flatten().copied().collect())),
        }
    }

    /// An option's data, if it is exactly `N` bytes.
    pub(super) fn array<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        self.data(code)?.as_ref().try_into().ok()
    }

    pub(super) fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.array::<4>(code).map(Ipv4Addr::from)
    }
}

/// Writes options into a field of limited size, which always has room for the end option.
pub(super) struct OptionWriter {
    bytes: Vec<u8>,
}

impl OptionWriter {
    const PART_LEN_MAX: usize = 255;

    pub(super) fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Appends an option, in parts if it is long (RFC 3396, section 6); leaves it out, and says so, if the field
    /// would grow beyond `len_max`.
    pub(super) fn put(&mut self, code: u8, data: &[u8], len_max: usize) -> bool {
        let parts = data.len().div_ceil(Self::PART_LEN_MAX).max(1);
        let end = 1;
        if self.bytes.len() + data.len() + 2 * parts + end > len_max {
            return false;
        }
        let mut rest = data;
        for _ in 0..parts {
            let (part, later) = rest.split_at(rest.len().min(Self::PART_LEN_MAX));
            self.bytes.push(code);
            self.bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            self.bytes.extend_from_slice(part);
            rest = later;
        }
        true
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(code::END);
        self.bytes
    }
}
