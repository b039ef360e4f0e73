//! What proves who somebody is, and what keeps secrets secret.
//!
//! ```text
//! Token ──SHA-256──► TokenHash        stored; the token itself is shown once
//! Password ──argon2id──► PasswordHash  stored, with its cost
//! Keyring (key file, 0600) ── seal/open ──► AES-256-GCM envelope, good for one key of one object only
//! ```
//!
//! Nothing that is secret can be written with `Debug` or serialized, and all of it is wiped when dropped; what `ring`
//! makes of a key for the time of one sealing is not.

mod first_token;
mod key_file;
mod keyring;
mod password;
mod random;
mod token;

pub use first_token::FirstToken;
pub use key_file::KeyFileError;
pub use keyring::{KeyId, Keyring, OpenError, Place, ResealError, SealError};
pub use password::{Cost, CostError, Password, PasswordError, PasswordHash, PasswordHashError, verify};
pub use random::NoRandom;
pub use token::{Token, TokenError, TokenHash, TokenHashError};
