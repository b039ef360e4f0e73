//! Which session of a subscriber is meant.

use std::{fmt, num::ParseIntError, str::FromStr};

use crate::values::serde_as_text;

/// A digest of a session, written as 16 hexadecimal digits: another one has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionVersion(pub u64);

impl FromStr for SessionVersion {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl fmt::Display for SessionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

serde_as_text!(SessionVersion);
