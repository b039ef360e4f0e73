//! Versions of services.

use std::{fmt, str::FromStr};

/// A version as the service's makers write it; versions are told apart and never ordered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version has 1 to {} characters of A-Z, a-z, 0-9, '.', '-', '_', '+' and '~'", Version::LEN_MAX)]
pub struct VersionError;

impl Version {
    pub const LEN_MAX: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b".-_+~".contains(&b);
        if text.is_empty() || text.len() > Self::LEN_MAX || !text.bytes().all(legal) {
            return Err(VersionError);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::serde_as_text!(Version);
