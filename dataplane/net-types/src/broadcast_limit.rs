//! Storm limits.

use core::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

/// How many broadcast and multicast frames a subscriber may send in a second, in the long run: 1 to 100,000, and 100 unless
/// said. Twice as many may come at once.
///
/// A home with some tens of devices says a few in a second, and some tens when all of them come up at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct BroadcastLimit(NonZeroU32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit of broadcast frames lies between 1 and 100000 a second, not at {0}")]
pub struct BroadcastLimitError(pub u32);

impl BroadcastLimit {
    pub const MIN: u32 = 1;
    pub const MAX: u32 = 100_000;
    /// Of a port that says nothing.
    pub const DEFAULT: Self = Self(NonZeroU32::MIN.saturating_add(99));

    /// Frames a second.
    pub const fn per_second(self) -> u32 {
        self.0.get()
    }

    pub fn is_default(&self) -> bool {
        *self == Self::DEFAULT
    }
}

impl Default for BroadcastLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<u32> for BroadcastLimit {
    type Error = BroadcastLimitError;

    fn try_from(raw: u32) -> Result<Self, BroadcastLimitError> {
        match NonZeroU32::new(raw) {
            Some(limit) if raw <= Self::MAX => Ok(Self(limit)),
            _ => Err(BroadcastLimitError(raw)),
        }
    }
}

impl From<BroadcastLimit> for u32 {
    fn from(limit: BroadcastLimit) -> u32 {
        limit.per_second()
    }
}

impl fmt::Display for BroadcastLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.per_second().fmt(f)
    }
}
