//! Options as they are in messages, relays' messages and identity associations alike (RFC 8415, section 21.1).

use std::net::Ipv6Addr;

use super::MessageError;

/// Option codes (RFC 8415, section 21, unless said otherwise).
pub(super) mod code {
    pub(in crate::dhcp6) const CLIENT_ID: u16 = 1;
    pub(in crate::dhcp6) const SERVER_ID: u16 = 2;
    pub(in crate::dhcp6) const IA_NA: u16 = 3;
    pub(in crate::dhcp6) const IA_TA: u16 = 4;
    pub(in crate::dhcp6) const IA_ADDRESS: u16 = 5;
    pub(in crate::dhcp6) const OPTION_REQUEST: u16 = 6;
    pub(in crate::dhcp6) const PREFERENCE: u16 = 7;
    pub(in crate::dhcp6) const RELAY_MESSAGE: u16 = 9;
    pub(in crate::dhcp6) const STATUS: u16 = 13;
    pub(in crate::dhcp6) const RAPID_COMMIT: u16 = 14;
    pub(in crate::dhcp6) const INTERFACE_ID: u16 = 18;
    /// RFC 3646, section 3.
    pub(in crate::dhcp6) const DNS_SERVERS: u16 = 23;
    pub(in crate::dhcp6) const IA_PD: u16 = 25;
    pub(in crate::dhcp6) const IA_PREFIX: u16 = 26;
    /// RFC 4994.
    pub(in crate::dhcp6) const ECHO_REQUEST: u16 = 43;
}

/// Status codes (RFC 8415, section 21.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Success = 0,
    NoAddrsAvail = 2,
    NoBinding = 3,
    NotOnLink = 4,
    NoPrefixAvail = 6,
}

/// Options in their order.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    list: Vec<(u16, &'a [u8])>,
}

impl<'a> Options<'a> {
    pub(super) fn parse(mut field: &'a [u8]) -> Result<Self, MessageError> {
        let mut list = Vec::new();
        while !field.is_empty() {
            let &[a, b, c, d] = field.first_chunk().ok_or(MessageError::Truncated)?;
            let (code, len) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let (data, rest) = field[4..].split_at_checked(len.into()).ok_or(MessageError::Option(code))?;
            list.push((code, data));
            field = rest;
        }
        Ok(Self { list })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        self.list.iter().copied()
    }

    pub(super) fn all(&self, code: u16) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |&(other, _)| other == code).map(|(_, data)| data)
    }

    pub(super) fn first(&self, code: u16) -> Option<&'a [u8]> {
        self.all(code).next()
    }

    /// The codes that an option lists, if it is there.
    pub(super) fn codes(&self, code: u16) -> Option<Vec<u16>> {
        let (codes, _odd_byte) = self.first(code)?.as_chunks::<2>();
        Some(codes.iter().copied().map(u16::from_be_bytes).collect())
    }
}

/// Writes options into a field of limited size.
pub(super) struct OptionWriter {
    bytes: Vec<u8>,
    len_max: usize,
}

impl OptionWriter {
    /// `len_max`: of the field in bytes, at most 65535.
    pub(super) fn new(len_max: usize) -> Self {
        Self { bytes: Vec::new(), len_max }
    }

    /// Appends an option; leaves it out, and says so, if the field would grow too long.
    pub(super) fn put(&mut self, code: u16, data: &[u8]) -> bool {
        let fits = self.bytes.len() + 4 + data.len() <= self.len_max;
        if let Some(len) = u16::try_from(data.len()).ok().filter(|_| fits) {
            self.bytes.extend_from_slice(&code.to_be_bytes());
            self.bytes.extend_from_slice(&len.to_be_bytes());
            self.bytes.extend_from_slice(data);
            return true;
        }
        false
    }

    pub(super) fn put_status(&mut self, status: Status) {
        self.put(code::STATUS, &(status as u16).to_be_bytes());
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// An address at the head of an option's data.
pub(super) fn address(data: &[u8]) -> Option<(Ipv6Addr, &[u8])> {
    let (&octets, rest) = data.split_first_chunk::<16>()?;
    Some((Ipv6Addr::from(octets), rest))
}
