//! API tokens: `wct_`, 64 hexadecimal digits that are random, and 8 that check them.
//!
//! The prefix lets scanners find a token that leaked, and the check lets a mistyped one be told from one that was revoked.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{NoRandom, random};

const PREFIX: &str = "wct_";
const SECRET_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;
const HASH_BYTES: usize = 32;

/// A token in the clear.
pub struct Token(Zeroizing<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("a token is \"wct_\" and {} hexadecimal digits in lower case", 2 * (SECRET_BYTES + CHECK_BYTES))]
    Form,
    #[error("the token has a typing error: its last 8 digits do not fit the others")]
    Check,
}

impl Token {
    pub const LEN: usize = PREFIX.len() + 2 * (SECRET_BYTES + CHECK_BYTES);

    pub fn generate() -> Result<Self, NoRandom> {
        let secret = random::bytes::<SECRET_BYTES>()?;
        // At its full length from the beginning: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(Self::LEN));
        text.push_str(PREFIX);
        HEXLOWER.encode_append(&*secret, &mut text);
        let check = check_of(&text);
        HEXLOWER.encode_append(&check, &mut text);
        Ok(Self(text))
    }

    /// The whole token, to be shown to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(sha256(self.0.as_bytes()))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let digits = text.strip_prefix(PREFIX).filter(|_| text.len() == Self::LEN).ok_or(TokenError::Form)?;
        if !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(TokenError::Form);
        }
        let (checked, check) = text.split_at(Self::LEN - 2 * CHECK_BYTES);
        let expected = HEXLOWER.encode(&check_of(checked));
        if !bool::from(check.as_bytes().ct_eq(expected.as_bytes())) {
            return Err(TokenError::Check);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(wct_…)")
    }
}

/// What is stored of a token: SHA-256 of its text. A token is 256 random bits, which no dictionary has: a slow hash
/// would add nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// Takes the same time wherever the difference lies.
    pub fn matches(&self, token: &Token) -> bool {
        self.0.ct_eq(&token.hash().0).into()
    }
}

impl fmt::Display for TokenHash {
    /// 64 hexadecimal digits: the form in which it is stored, and a key by which it is found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for TokenHash {
    /// Its beginning, which is enough to tell tokens apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({}…)", HEXLOWER.encode(&self.0[..4]))
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        hash.to_string()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash of a token is 64 hexadecimal digits in lower case")]
pub struct TokenHashError;

impl TryFrom<String> for TokenHash {
    type Error = TokenHashError;

    fn try_from(text: String) -> Result<Self, TokenHashError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| TokenHashError)?;
        bytes.try_into().map(Self).map_err(|_| TokenHashError)
    }
}

fn check_of(text: &str) -> [u8; CHECK_BYTES] {
    let hash = sha256(text.as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

fn sha256(bytes: &[u8]) -> [u8; HASH_BYTES] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
