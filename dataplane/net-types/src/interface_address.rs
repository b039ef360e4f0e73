//! An address on an interface.

use core::{fmt, net::Ipv4Addr, str::FromStr};

use ipnet::Ipv4Net;

/// An IPv4 address on an interface, with the length of its on-link prefix, written `192.0.2.1/30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress4(Ipv4Net);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an interface address of the form 192.0.2.1/30")]
pub struct InterfaceAddressError;

impl InterfaceAddress4 {
    pub fn new(address: Ipv4Addr, prefix_len: u8) -> Result<Self, InterfaceAddressError> {
        Ipv4Net::new(address, prefix_len).map(Self).map_err(|_| InterfaceAddressError)
    }

    pub fn address(self) -> Ipv4Addr {
        self.0.addr()
    }

    pub fn prefix_len(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether `other` is on the same link.
    pub fn is_on_link(self, other: Ipv4Addr) -> bool {
        self.0.contains(&other)
    }
}

impl FromStr for InterfaceAddress4 {
    type Err = InterfaceAddressError;

    fn from_str(text: &str) -> Result<Self, InterfaceAddressError> {
        text.parse().map(Self).map_err(|_| InterfaceAddressError)
    }
}

impl fmt::Display for InterfaceAddress4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::serde_as_text!(InterfaceAddress4);
