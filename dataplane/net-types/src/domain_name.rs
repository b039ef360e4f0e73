//! Names of hosts and domains.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

/// A domain name in lower case without its last dot, of at most as many labels as the fast path looks up: letters, digits,
/// `-` and `_` (RFC 1123, section 2.1; RFC 8552 for the last). What has other characters is written as it is asked for in the
/// DNS (`xn--…`, RFC 5890).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    #[error("a domain name has 1 to {} characters", DomainName::LEN_MAX)]
    Length,
    #[error("a label of a domain name has 1 to 63 characters")]
    Label,
    #[error("a domain name here has at most {} labels", DomainName::LABELS_MAX)]
    Labels,
    #[error(
        "a domain name has only letters, digits, '-', '_' and '.'; others are written as xn--… (RFC 5890)"
    )]
    Character,
}

impl DomainName {
    /// RFC 1035, section 2.3.4, without the first length and the root's.
    pub const LEN_MAX: usize = 253;
    pub const LABELS_MAX: usize = 10;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As in messages (RFC 1035, section 3.1), without the root's byte.
    #[expect(clippy::cast_possible_truncation, reason = "a label has at most 63 characters")]
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.0.len() + 1);
        for label in self.0.split('.') {
            wire.push(label.len() as u8);
            wire.extend(label.bytes());
        }
        wire
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() || text.len() > Self::LEN_MAX {
            return Err(DomainNameError::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err(DomainNameError::Character);
        }
        if text.split('.').any(|label| label.is_empty() || label.len() > 63) {
            return Err(DomainNameError::Label);
        }
        if text.split('.').count() > Self::LABELS_MAX {
            return Err(DomainNameError::Labels);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::serde_as_text!(DomainName);
