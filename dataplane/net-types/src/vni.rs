//! VXLAN network identifiers (RFC 7348, section 5).

use core::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

/// A VXLAN network identifier: 24 bits, and not 0, which many implementations take for "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Vni(NonZeroU32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VXLAN network identifier {0} is not one of 1 to 16777215")]
pub struct VniError(pub u32);

impl Vni {
    pub const MIN: u32 = 1;
    pub const MAX: u32 = (1 << 24) - 1;

    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for Vni {
    type Error = VniError;

    fn try_from(raw: u32) -> Result<Self, VniError> {
        match NonZeroU32::new(raw) {
            Some(vni) if raw <= Self::MAX => Ok(Self(vni)),
            _ => Err(VniError(raw)),
        }
    }
}

impl From<Vni> for u32 {
    fn from(vni: Vni) -> u32 {
        vni.get()
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
