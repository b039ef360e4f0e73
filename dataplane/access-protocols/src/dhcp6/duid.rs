//! DHCP unique identifiers (RFC 8415, section 11).

use std::fmt;

use net_types::Mac;

/// What a client or server is known by, whichever of its interfaces it speaks from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Duid(Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a DUID has 3 to 130 bytes, not {0}")]
pub struct DuidError(pub usize);

impl Duid {
    /// A type code of two bytes, and 1 to 128 more (RFC 8415, section 11.1).
    const LEN: std::ops::RangeInclusive<usize> = 3..=130;

    pub fn new(bytes: &[u8]) -> Result<Self, DuidError> {
        if Self::LEN.contains(&bytes.len()) { Ok(Self(bytes.to_vec())) } else { Err(DuidError(bytes.len())) }
    }

    /// A DUID-LL, of type 3, for hardware type 1, Ethernet (RFC 8415, section 11.4).
    pub fn link_layer(mac: Mac) -> Self {
        Self([&[0, 3, 0, 1], &mac.octets()[..]].concat())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// As most clients print it: `00:03:00:01:02:00:5e:10:00:01`.
impl fmt::Display for Duid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{octet:02x}")?;
        }
        Ok(())
    }
}
