//! Network interface names as Linux accepts them.

use alloc::string::String;
use core::{fmt, str::FromStr};

/// The name of a network interface: 1 to 15 bytes (`IFNAMSIZ` less the NUL), as `dev_valid_name()` in
/// Linux's net/core/dev.c accepts it, and printable ASCII besides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IfNameError {
    #[error("an interface name has 1 to 15 characters")]
    Length,
    #[error("an interface name is printable ASCII without '/', ':' and spaces, and is not '.' or '..'")]
    Character,
}

impl IfName {
    pub const LEN_MAX: usize = 15;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IfName {
    type Err = IfNameError;

    fn from_str(text: &str) -> Result<Self, IfNameError> {
        if text.is_empty() || text.len() > Self::LEN_MAX {
            return Err(IfNameError::Length);
        }
        let legal = |b: u8| b.is_ascii_graphic() && b != b'/' && b != b':';
        if text == "." || text == ".." || !text.bytes().all(legal) {
            return Err(IfNameError::Character);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::serde_as_text!(IfName);
