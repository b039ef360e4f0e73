//! Join tokens: what a node is handed so that it can join an office, once.

use std::{fmt, str::FromStr};

use net_types::Name;

use crate::limits::{SECRET_BYTES_MAX, TOKEN_BYTES_MAX};

/// What a new node is told: who it is, a secret that proves it, and how to know the office.
///
/// Written `wcjoin1.NODE.FINGERPRINT.SECRET`; the fingerprint is the SHA-256 of the office's certificate in hex.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    pub node: Name,
    pub fingerprint: [u8; 32],
    pub secret: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("not a join token of the form wcjoin1.NODE.FINGERPRINT.SECRET")]
    Form,
    #[error("the join token's node is not a name")]
    Node,
    #[error("the join token's fingerprint is not 64 hexadecimal digits")]
    Fingerprint,
    #[error(
        "the join token's secret is empty, longer than {SECRET_BYTES_MAX} bytes, or has characters other than A-Z, a-z, \
         0-9, '-' and '_'"
    )]
    Secret,
}

const SCHEME: &str = "wcjoin1";

impl JoinToken {
    pub fn new(node: Name, fingerprint: [u8; 32], secret: &str) -> Result<Self, TokenError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if secret.is_empty() || secret.len() > SECRET_BYTES_MAX || !secret.bytes().all(legal) {
            return Err(TokenError::Secret);
        }
        Ok(Self { node, fingerprint, secret: secret.into() })
    }
}

impl FromStr for JoinToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Form);
        }
        let parts: Vec<_> = text.split('.').collect();
        let [SCHEME, node, fingerprint, secret] = parts[..] else { return Err(TokenError::Form) };
        let node = node.parse().map_err(|_| TokenError::Node)?;
        Self::new(node, fingerprint_from_hex(fingerprint).ok_or(TokenError::Fingerprint)?, secret)
    }
}

fn fingerprint_from_hex(text: &str) -> Option<[u8; 32]> {
    let mut fingerprint = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (i, octet) in fingerprint.iter_mut().enumerate() {
        *octet = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(fingerprint)
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}.{}.", self.node)?;
        self.fingerprint.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        write!(f, ".{}", self.secret)
    }
}

/// Without the secret, which must not end in a log.
impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("node", &self.node).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
