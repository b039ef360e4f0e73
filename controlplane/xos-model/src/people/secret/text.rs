//! One secret value.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use zeroize::Zeroizing;

/// A value that shows itself only to who asks for it, and that is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    pub const BYTES_MAX: usize = 64 << 10;

    /// `None` if it is too long.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() <= Self::BYTES_MAX).then(|| Self(Zeroizing::new(text.into())))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// An error of serde shows what it did not expect; none of these does.
struct Quiet;

const RULE: &str = "a secret's value is a text of at most 64 KiB";

macro_rules! refuse {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: Error>(self, _: $type) -> Result<SecretText, E> {
            Err(E::custom(RULE))
        }
    )*};
}

impl Visitor<'_> for Quiet {
    type Value = SecretText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RULE)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretText, E> {
        SecretText::new(text).ok_or_else(|| E::custom(RULE))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<SecretText, E> {
        let text = Zeroizing::new(text);
        self.visit_str(&text)
    }

    refuse! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) visit_f64(f64)
        visit_bytes(&[u8])
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for a text, serde_json itself says which number it found instead.
        deserializer.deserialize_any(Quiet)
    }
}
