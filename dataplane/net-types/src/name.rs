//! Names of objects.

use alloc::string::String;
use core::{fmt, str::FromStr};

/// The name of an object: a DNS label (RFC 1123, section 2.1), so that it can stand in URLs, host names,
/// certificates and file names alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name has 1 to 63 characters")]
    Length,
    #[error("a name has only a-z, 0-9 and '-', and begins and ends with a letter or digit")]
    Character,
}

impl Name {
    pub const LEN_MAX: usize = 63;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > Self::LEN_MAX {
            return Err(NameError::Length);
        }
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.starts_with('-') || text.ends_with('-') || !text.bytes().all(legal) {
            return Err(NameError::Character);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

crate::serde_as_text!(Name);
