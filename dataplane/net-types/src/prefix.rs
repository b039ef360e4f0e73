//! IP prefixes.

use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{Ipv4Net, Ipv6Net};

/// An IPv4 prefix in canonical form: no bit set beyond its length, written `198.51.100.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix4(Ipv4Net);

/// An IPv6 prefix in canonical form: no bit set beyond its length, written `2001:db8::/32` (RFC 5952).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix6(Ipv6Net);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    #[error("not an IPv4 prefix of the form 198.51.100.0/24")]
    Syntax,
    #[error("the prefix has host bits set; write {0}")]
    HostBits(Prefix4),
    #[error("an IPv4 prefix length is 0 to 32, not {0}")]
    Length(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Prefix6Error {
    #[error("not an IPv6 prefix of the form 2001:db8::/32")]
    Syntax,
    #[error("the prefix has host bits set; write {0}")]
    HostBits(Prefix6),
    #[error("an IPv6 prefix length is 0 to 128, not {0}")]
    Length(u8),
}

/// A prefix of either family, written as prefixes of that family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    V4(Prefix4),
    V6(Prefix6),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnyPrefixError {
    #[error("not a prefix of the form 198.51.100.0/24 or 2001:db8::/32")]
    Syntax,
    #[error(transparent)]
    V4(PrefixError),
    #[error(transparent)]
    V6(Prefix6Error),
}

impl Prefix {
    #[expect(clippy::len_without_is_empty, reason = "a length in bits; no prefix is empty")]
    pub fn len(self) -> u8 {
        match self {
            Self::V4(prefix) => prefix.len(),
            Self::V6(prefix) => prefix.len(),
        }
    }

    /// Whether an address is in both; none is in prefixes of two families.
    pub fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::V4(one), Self::V4(other)) => one.overlaps(other),
            (Self::V6(one), Self::V6(other)) => one.overlaps(other),
            (Self::V4(_), Self::V6(_)) | (Self::V6(_), Self::V4(_)) => false,
        }
    }
}

impl FromStr for Prefix {
    type Err = AnyPrefixError;

    fn from_str(text: &str) -> Result<Self, AnyPrefixError> {
        if text.contains(':') {
            return text.parse().map(Self::V6).map_err(AnyPrefixError::V6);
        }
        text.parse().map(Self::V4).map_err(|error| match error {
            // It may have been meant to be of either family.
            PrefixError::Syntax => AnyPrefixError::Syntax,
            error => AnyPrefixError::V4(error),
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(prefix) => prefix.fmt(f),
            Self::V6(prefix) => prefix.fmt(f),
        }
    }
}

crate::serde_as_text!(Prefix);

/// What prefixes of both families have in common.
macro_rules! prefix {
    ($prefix:ident, $net:ty, $address:ty, $error:ident) => {
        impl $prefix {
            pub fn new(address: $address, len: u8) -> Result<Self, $error> {
                let net = <$net>::new(address, len).map_err(|_| $error::Length(len))?;
                if net.trunc() != net {
                    return Err($error::HostBits(Self(net.trunc())));
                }
                Ok(Self(net))
            }

            /// The prefix of that one address.
            pub fn host(address: $address) -> Self {
                Self(<$net>::from(address))
            }

            pub fn network(self) -> $address {
                self.0.network()
            }

            #[expect(clippy::len_without_is_empty, reason = "a length in bits; no prefix is empty")]
            pub fn len(self) -> u8 {
                self.0.prefix_len()
            }

            /// Whether this is the prefix of everything, of length 0.
            pub fn is_default(self) -> bool {
                self.len() == 0
            }

            pub fn contains(self, address: $address) -> bool {
                self.0.contains(&address)
            }

            pub fn contains_prefix(self, other: Self) -> bool {
                self.0.contains(&other.0)
            }

            pub fn overlaps(self, other: Self) -> bool {
                self.contains_prefix(other) || other.contains_prefix(self)
            }
        }

        impl FromStr for $prefix {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let net: $net = text.parse().map_err(|_| $error::Syntax)?;
                Self::new(net.addr(), net.prefix_len())
            }
        }

        impl fmt::Display for $prefix {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        crate::serde_as_text!($prefix);
    };
}

prefix!(Prefix4, Ipv4Net, Ipv4Addr, PrefixError);
prefix!(Prefix6, Ipv6Net, Ipv6Addr, Prefix6Error);

impl Prefix4 {
    pub fn netmask(self) -> Ipv4Addr {
        self.0.netmask()
    }

    /// How many addresses lie in the prefix.
    pub fn size(self) -> u64 {
        1 << (32 - u32::from(self.len()))
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

impl Prefix6 {
    /// The address at `offset` from the network address, if it lies in the prefix.
    pub fn nth(self, offset: u128) -> Option<Ipv6Addr> {
        let host_bits = u128::MAX.checked_shr(self.len().into()).unwrap_or(0);
        (offset <= host_bits).then(|| Ipv6Addr::from_bits(self.network().to_bits() | offset))
    }

    /// How far `address` is from the network address, if it lies in the prefix.
    pub fn offset_of(self, address: Ipv6Addr) -> Option<u128> {
        self.contains(address).then(|| address.to_bits() - self.network().to_bits())
    }

    /// The subnet of `len` bits that `index` others come before, if it lies in the prefix.
    pub fn nth_subnet(self, len: u8, index: u128) -> Option<Self> {
        let index_bits = len.checked_sub(self.len())?;
        let shift = 128_u32.checked_sub(len.into())?;
        // In a prefix of all addresses the index can have 128 bits, and any other number of them down to none.
        if index.checked_shr(index_bits.into()).is_some_and(|beyond| beyond != 0) {
            return None;
        }
        let offset = index.checked_shl(shift).unwrap_or(0);
        Self::new(Ipv6Addr::from_bits(self.network().to_bits() | offset), len).ok()
    }

    /// How many subnets of its length come before `subnet` in the prefix, if it lies in the prefix.
    pub fn index_of_subnet(self, subnet: Self) -> Option<u128> {
        let offset = subnet.network().to_bits() - self.network().to_bits().min(subnet.network().to_bits());
        let index = offset.checked_shr(128 - u32::from(subnet.len())).unwrap_or(0);
        self.contains_prefix(subnet).then_some(index)
    }
}
