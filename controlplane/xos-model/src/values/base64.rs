//! Bytes as text.

use std::{fmt, str::FromStr};

use ::base64::{Engine as _, engine::general_purpose::STANDARD};

/// Bytes, written in base 64 with padding (RFC 4648, section 4). They show themselves as a length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Base64(Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base 64 with padding")]
pub struct Base64Error;

impl Base64 {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Base64 {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl FromStr for Base64 {
    type Err = Base64Error;

    fn from_str(text: &str) -> Result<Self, Base64Error> {
        STANDARD.decode(text).map(Self).map_err(|_| Base64Error)
    }
}

impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

super::serde_as_text!(Base64);
