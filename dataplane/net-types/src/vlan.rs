//! VLAN identifiers and tag protocol identifiers (IEEE 802.1Q-2022, clause 9).

use core::{fmt, num::NonZeroU16};

use serde::{Deserialize, Serialize};

/// A VLAN identifier that a frame can carry: 1 to 4094.
///
/// 0 marks a priority tag and 4095 is reserved (802.1Q-2022, table 9-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Vid(NonZeroU16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VLAN {0} is not one of 1 to 4094")]
pub struct VidError(pub u16);

impl Vid {
    pub const MIN: u16 = 1;
    pub const MAX: u16 = 4094;

    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u16> for Vid {
    type Error = VidError;

    fn try_from(raw: u16) -> Result<Self, VidError> {
        match NonZeroU16::new(raw) {
            Some(vid) if raw <= Self::MAX => Ok(Self(vid)),
            _ => Err(VidError(raw)),
        }
    }
}

impl From<Vid> for u16 {
    fn from(vid: Vid) -> u16 {
        vid.get()
    }
}

impl fmt::Display for Vid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// The tag protocol identifier of an outer (service) tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tpid {
    /// 0x88a8, a provider bridge's S-TAG.
    #[default]
    Dot1ad,
    /// 0x8100, what many access nodes send as the outer tag all the same.
    Dot1q,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tag protocol identifier is neither \"0x88a8\" nor \"0x8100\"")]
pub struct TpidError;

impl Tpid {
    pub const fn ethertype(self) -> u16 {
        match self {
            Self::Dot1ad => 0x88a8,
            Self::Dot1q => 0x8100,
        }
    }
}

impl core::str::FromStr for Tpid {
    type Err = TpidError;

    fn from_str(text: &str) -> Result<Self, TpidError> {
        match text {
            "0x88a8" => Ok(Self::Dot1ad),
            "0x8100" => Ok(Self::Dot1q),
            _ => Err(TpidError),
        }
    }
}

impl fmt::Display for Tpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.ethertype())
    }
}

crate::serde_as_text!(Tpid);
