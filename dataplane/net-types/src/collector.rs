//! Where datagrams of a log go.

use core::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// The address and UDP port of one host, written `192.0.2.9:4739` or `[2001:db8::9]:4739`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Collector(SocketAddr);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectorError {
    #[error("not an address and a port of the form 192.0.2.9:4739 or [2001:db8::9]:4739")]
    Syntax,
    #[error("nothing listens on port 0")]
    Port,
    #[error("not the address of one host")]
    Address,
}

impl Collector {
    pub fn new(address: SocketAddr) -> Result<Self, CollectorError> {
        let is_host = match address.ip() {
            IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
            // A link-local address says nothing of the link.
            IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_unicast_link_local(),
        };
        if !is_host {
            return Err(CollectorError::Address);
        }
        if address.port() == 0 {
            return Err(CollectorError::Port);
        }
        Ok(Self(address))
    }

    pub const fn address(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Collector {
    type Err = CollectorError;

    fn from_str(text: &str) -> Result<Self, CollectorError> {
        Self::new(text.parse().map_err(|_| CollectorError::Syntax)?)
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::serde_as_text!(Collector);
