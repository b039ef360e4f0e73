//! Public keys of people.

use std::{fmt, str::FromStr};

use ::base64::{Engine as _, engine::general_purpose::STANDARD};

/// A line of an `authorized_keys` file without options: type, base 64, and perhaps a comment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshKey(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshKeyError {
    #[error("a key has at most {} bytes", SshKey::LEN_MAX)]
    Length,
    #[error("one line: a key's type, the key in base 64, and perhaps a comment")]
    Syntax,
    #[error(
        "the key's type is none of ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256/384/521 and their sk- forms"
    )]
    Type,
    #[error("the key's data is not base 64 or is not of the type before it")]
    Data,
}

/// RFC 4253, section 6.6; RFC 5656; RFC 8709; OpenSSH's PROTOCOL.u2f.
const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

impl SshKey {
    /// An RSA key of 16384 bits has 2.8 kB.
    pub const LEN_MAX: usize = 4096;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SshKey {
    type Err = SshKeyError;

    fn from_str(text: &str) -> Result<Self, SshKeyError> {
        if text.len() > Self::LEN_MAX {
            return Err(SshKeyError::Length);
        }
        if text.chars().any(char::is_control) {
            return Err(SshKeyError::Syntax);
        }
        let mut words = text.split(' ');
        let (Some(kind), Some(data)) = (words.next(), words.next()) else {
            return Err(SshKeyError::Syntax);
        };
        if !TYPES.contains(&kind) {
            return Err(SshKeyError::Type);
        }
        // The data begins with the type's name and its length (RFC 4251, section 5, "string"), and goes on.
        let data = STANDARD.decode(data).map_err(|_| SshKeyError::Data)?;
        let rest = data.split_first_chunk::<4>().and_then(|(len, rest)| {
            let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
            (rest.len() > len).then(|| &rest[..len])
        });
        if rest != Some(kind.as_bytes()) {
            return Err(SshKeyError::Data);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::serde_as_text!(SshKey);
