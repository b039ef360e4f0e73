//! Passwords, stored as argon2id in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.

use std::{fmt, str::FromStr};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{NoRandom, random};

mod cost;

pub use cost::{Cost, CostError};

/// RFC 9106 §4: 128 bits of salt and 256 of tag are enough for all uses.
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// A password in the clear.
pub struct Password(Zeroizing<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {} characters", Password::CHARS_MIN)]
    Short,
    #[error("a password has at most {} bytes", Password::BYTES_MAX)]
    Long,
}

impl Password {
    /// NIST SP 800-63B-4 §3.1.1.2, for a password that is the only factor.
    pub const CHARS_MIN: usize = 15;
    /// More than the 64 characters that the same asks for, in any script.
    pub const BYTES_MAX: usize = 1024;

    /// A password that somebody chooses.
    pub fn choose(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        if text.chars().take(Self::CHARS_MIN).count() < Self::CHARS_MIN {
            return Err(PasswordError::Short);
        }
        Self::given(text)
    }

    /// A password that somebody gives, to be compared.
    pub fn given(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        if text.len() > Self::BYTES_MAX {
            return Err(PasswordError::Long);
        }
        Ok(Self(text))
    }

    /// Takes the time and memory that `cost` says.
    pub fn hash(&self, cost: Cost) -> Result<PasswordHash, NoRandom> {
        let salt = *random::bytes::<SALT_BYTES>()?;
        Ok(PasswordHash { cost, salt, tag: self.tag(cost, &salt) })
    }

    fn tag(&self, cost: Cost, salt: &[u8]) -> [u8; TAG_BYTES] {
        let params = Params::new(cost.memory_kib(), cost.passes(), cost.lanes(), Some(TAG_BYTES));
        let params = params.expect("a cost is within argon2's limits");
        let mut memory = vec![Block::default(); params.block_count()];
        let mut tag = [0; TAG_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(self.0.as_bytes(), salt, &mut tag, &mut memory)
            .expect("lengths are within argon2's limits");
        memory.iter_mut().for_each(Zeroize::zeroize);
        tag
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What is stored of a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    tag: [u8; TAG_BYTES],
}

impl PasswordHash {
    /// The form in which it is stored.
    pub fn to_phc(&self) -> String {
        let Self { cost, salt, tag } = self;
        let (m, t, p) = (cost.memory_kib(), cost.passes(), cost.lanes());
        let (salt, tag) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(tag));
        format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${tag}")
    }

    /// Whether it is to be made anew, now that the password is at hand.
    pub fn needs_rehash(&self, cost: Cost) -> bool {
        self.cost != cost
    }

    fn matches(&self, password: &Password) -> bool {
        password.tag(self.cost, &self.salt).ct_eq(&self.tag).into()
    }
}

/// Whether `password` is the one that `stored` was made of. Where nothing is stored the work is done all the same (at
/// `cost`), so that the time tells nobody which users there are. A stored cost has limits, and so has the time.
///
/// This computes for tens of milliseconds: the caller runs it where it holds up nothing, and few at a time.
pub fn verify(stored: Option<&PasswordHash>, password: &Password, cost: Cost) -> bool {
    let nobodys = PasswordHash { cost, salt: [0; SALT_BYTES], tag: [0; TAG_BYTES] };
    let matches = stored.unwrap_or(&nobodys).matches(password);
    stored.is_some() && matches
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    #[error("a password's hash is of the form $argon2id$v=19$m=…,t=…,p=…$SALT$HASH, with 16 and 32 bytes")]
    Form,
    #[error(transparent)]
    Cost(#[from] CostError),
}

impl FromStr for PasswordHash {
    type Err = PasswordHashError;

    fn from_str(text: &str) -> Result<Self, PasswordHashError> {
        let fields: Vec<_> = text.splitn(7, '$').collect();
        let ["", "argon2id", "v=19", cost, salt, tag] = fields[..] else {
            return Err(PasswordHashError::Form);
        };
        Ok(Self { cost: cost.parse()?, salt: decode(salt)?, tag: decode(tag)? })
    }
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], PasswordHashError> {
    // Three bytes are four characters: what is longer is not even decoded.
    let bytes = (text.len() <= 2 * N).then(|| BASE64_NOPAD.decode(text.as_bytes()).ok()).flatten();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(PasswordHashError::Form)
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.to_phc()
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = PasswordHashError;

    fn try_from(text: String) -> Result<Self, PasswordHashError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
