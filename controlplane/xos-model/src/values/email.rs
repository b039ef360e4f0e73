//! Mail addresses.

use std::{fmt, str::FromStr};

/// A mail address in the form that people have: a dot-atom, '@', a host name (RFC 5322, section 3.4.1, without
/// quoted strings, comments and address literals).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address of the form name@example.net")]
pub struct EmailError;

impl Email {
    /// RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3, less the brackets of a path.
    pub const LOCAL_LEN_MAX: usize = 64;
    pub const LEN_MAX: usize = 254;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.len() <= Email::LOCAL_LEN_MAX
        && text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(legal))
}

fn is_host(text: &str) -> bool {
    text.split('.').all(|label| {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        match text.rsplit_once('@') {
            Some((local, host)) if text.len() <= Self::LEN_MAX && is_local(local) && is_host(host) => {
                Ok(Self(text.into()))
            }
            _ => Err(EmailError),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::serde_as_text!(Email);
