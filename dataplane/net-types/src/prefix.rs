//! IPv4 prefixes.

use core::{fmt, net::Ipv4Addr, str::FromStr};

use ipnet::Ipv4Net;

/// An IPv4 prefix in canonical form: no bit set beyond its length, written `198.51.100.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix4(Ipv4Net);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    #[error("not an IPv4 prefix of the form 198.51.100.0/24")]
    Syntax,
    #[error("the prefix has host bits set; write {0}")]
    HostBits(Prefix4),
    #[error("an IPv4 prefix length is 0 to 32, not {0}")]
    Length(u8),
}

impl Prefix4 {
    pub fn new(address: Ipv4Addr, len: u8) -> Result<Self, PrefixError> {
        let net = Ipv4Net::new(address, len).map_err(|_| PrefixError::Length(len))?;
        if net.trunc() != net {
            return Err(PrefixError::HostBits(Self(net.trunc())));
        }
        Ok(Self(net))
    }

    /// The prefix of that one address.
    pub fn host(address: Ipv4Addr) -> Self {
        Self(Ipv4Net::from(address))
    }

    pub fn network(self) -> Ipv4Addr {
        self.0.network()
    }

    #[expect(clippy::len_without_is_empty, reason = "a length in bits; no prefix is empty")]
    pub fn len(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether this is 0.0.0.0/0, the prefix of everything.
    pub fn is_default(self) -> bool {
        self.len() == 0
    }

    pub fn netmask(self) -> Ipv4Addr {
        self.0.netmask()
    }

    /// How many addresses lie in the prefix.
    pub fn size(self) -> u64 {
        1 << (32 - u32::from(self.len()))
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        self.0.contains(&address)
    }

    pub fn contains_prefix(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.contains_prefix(other) || other.contains_prefix(self)
    }

    /// The address at `offset` from the network address, if it lies in the prefix.
    pub fn nth(self, offset: u64) -> Option<Ipv4Addr> {
        let offset = u32::try_from(offset).ok().filter(|&o| u64::from(o) < self.size())?;
        Some(Ipv4Addr::from_bits(self.network().to_bits() + offset))
    }

    /// How far `address` is from the network address, if it lies in the prefix.
    pub fn offset_of(self, address: Ipv4Addr) -> Option<u64> {
        self.contains(address).then(|| u64::from(address.to_bits() - self.network().to_bits()))
    }
}

impl FromStr for Prefix4 {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let net: Ipv4Net = text.parse().map_err(|_| PrefixError::Syntax)?;
        Self::new(net.addr(), net.prefix_len())
    }
}

impl fmt::Display for Prefix4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::serde_as_text!(Prefix4);
