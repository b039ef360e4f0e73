//! Ethernet addresses.

use core::{fmt, net::Ipv6Addr, str::FromStr};

/// A unicast Ethernet address, written `02:00:5e:10:00:01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    #[error("not an Ethernet address of the form 02:00:5e:10:00:01")]
    Syntax,
    #[error("an Ethernet group address cannot identify a host")]
    Group,
    #[error("the all-zero Ethernet address cannot identify a host")]
    Zero,
}

impl Mac {
    pub fn new(octets: [u8; 6]) -> Result<Self, MacError> {
        if octets[0] & 1 == 1 {
            return Err(MacError::Group);
        }
        if octets == [0; 6] {
            return Err(MacError::Zero);
        }
        Ok(Self(octets))
    }

    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The link-local IPv6 address whose interface identifier is the modified EUI-64 of this address
    /// (RFC 4291, section 2.5.6 and appendix A).
    pub const fn link_local(self) -> Ipv6Addr {
        /// Says whether an Ethernet address is local, and an interface identifier is not.
        const LOCAL: u8 = 2;
        let mac = self.0;
        let id = [mac[0] ^ LOCAL, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]];
        Ipv6Addr::from_bits(0xfe80 << 112 | u64::from_be_bytes(id) as u128)
    }
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().ok_or(MacError::Syntax)?;
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(MacError::Syntax);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| MacError::Syntax)?;
        }
        if parts.next().is_some() {
            return Err(MacError::Syntax);
        }
        Self::new(octets)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{octet:02x}")?;
        }
        Ok(())
    }
}

crate::serde_as_text!(Mac);
