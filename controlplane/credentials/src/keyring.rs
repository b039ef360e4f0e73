//! Sealing of what is secret at rest.
//!
//! An envelope is: version (1 byte, 1), key id (8), nonce (12), ciphertext, tag (16). It is AES-256-GCM, and its
//! associated data are the bytes before the ciphertext and the place that it was made for: elsewhere it does not open.

use std::fmt;

use data_encoding::HEXLOWER;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
};
use zeroize::Zeroizing;

use crate::{NoRandom, random};

const VERSION: u8 = 1;
const ID_BYTES: usize = 8;
pub(crate) const KEY_BYTES: usize = 32;
const HEADER_BYTES: usize = 1 + ID_BYTES + NONCE_LEN;

/// The keys of an office. One seals; all open.
///
/// Nonces are random, so that a key seals at most 2^32 times (NIST SP 800-38D §8.3): rotate long before.
pub struct Keyring {
    /// The sealing one first, then older ones. There is at least one.
    keys: Vec<Key>,
}

pub(crate) struct Key {
    id: KeyId,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// Follows from the key, and tells nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; ID_BYTES]);

/// Where a secret belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The object's kind, name and uid.
    pub kind: &'a str,
    pub name: &'a str,
    pub uid: &'a str,
    /// The field or the key within the object.
    pub key: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("a secret has at most {} bytes", Keyring::PLAIN_BYTES_MAX)]
    Long,
    #[error(transparent)]
    Random(#[from] NoRandom),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("a sealed secret has an envelope of version {VERSION} and a legal length")]
    Form,
    #[error("the secret is sealed with key {0}, which is not in the key file")]
    UnknownKey(KeyId),
    /// Which of these it is, nobody can tell.
    #[error("the sealed secret was changed, or belongs to another object")]
    Refused,
}

impl Keyring {
    pub const PLAIN_BYTES_MAX: usize = 1 << 20;
    /// How much longer an envelope is than what is in it.
    pub const OVERHEAD_BYTES: usize = HEADER_BYTES + 16;

    /// Some keys, the sealing one first.
    pub(crate) fn of(keys: Vec<Key>) -> Self {
        assert!(!keys.is_empty(), "a keyring has a key");
        Self { keys }
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The one that seals.
    pub fn sealing_key(&self) -> KeyId {
        self.keys[0].id
    }

    /// All that open, the sealing one first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|key| key.id)
    }

    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > Self::PLAIN_BYTES_MAX {
            return Err(SealError::Long);
        }
        let key = &self.keys[0];
        let nonce = *random::bytes::<NONCE_LEN>()?;
        // At its full length from the beginning: a vector that grows leaves copies of the plain text behind.
        let mut envelope = Vec::with_capacity(plain.len() + Self::OVERHEAD_BYTES);
        envelope.push(VERSION);
        envelope.extend_from_slice(&key.id.0);
        envelope.extend_from_slice(&nonce);
        let aad = Aad::from(associated_data(&envelope, place));
        envelope.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.cipher().seal_in_place_separate_tag(nonce, aad, &mut envelope[HEADER_BYTES..]);
        envelope.extend_from_slice(tag.expect("shorter than AES-GCM's limit").as_ref());
        Ok(envelope)
    }

    pub fn open(&self, place: Place<'_>, envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let key = self.key_of(envelope)?;
        let (header, sealed) = envelope.split_at(HEADER_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(&header[1 + ID_BYTES..]).map_err(|_| OpenError::Form)?;
        let aad = Aad::from(associated_data(header, place));
        let mut plain = Zeroizing::new(sealed.to_vec());
        let len = key.cipher().open_in_place(nonce, aad, &mut plain).map_err(|_| OpenError::Refused)?.len();
        plain.truncate(len);
        Ok(plain)
    }

    /// The same secret, sealed with the sealing key; `None` if it is so already.
    pub fn reseal(&self, place: Place<'_>, envelope: &[u8]) -> Result<Option<Vec<u8>>, ResealError> {
        let plain = self.open(place, envelope)?;
        if self.key_of(envelope)?.id == self.sealing_key() {
            return Ok(None);
        }
        Ok(Some(self.seal(place, &plain)?))
    }

    fn key_of(&self, envelope: &[u8]) -> Result<&Key, OpenError> {
        let legal = Self::OVERHEAD_BYTES..=Self::OVERHEAD_BYTES + Self::PLAIN_BYTES_MAX;
        if !legal.contains(&envelope.len()) || envelope[0] != VERSION {
            return Err(OpenError::Form);
        }
        let id = KeyId(envelope[1..=ID_BYTES].try_into().map_err(|_| OpenError::Form)?);
        self.keys.iter().find(|key| key.id == id).ok_or(OpenError::UnknownKey(id))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResealError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Key {
    pub(crate) fn generate() -> Result<Self, NoRandom> {
        random::bytes().map(Self::new)
    }

    pub(crate) fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let mut named = Zeroizing::new(b"wirecenter key id".to_vec());
        // Reserved at once, so that no copy of the key is left behind.
        named.reserve_exact(KEY_BYTES);
        named.extend_from_slice(&*bytes);
        let hash = digest(&SHA256, &named);
        let id = hash.as_ref()[..ID_BYTES].try_into().expect("SHA-256 has more bytes");
        Self { id: KeyId(id), bytes }
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    pub(crate) fn copy(&self) -> Self {
        Self { id: self.id, bytes: self.bytes.clone() }
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, &*self.bytes).expect("the key has the cipher's length"),
        )
    }
}

/// The header, then each part of the place after its length: no two places are spelled alike.
fn associated_data(header: &[u8], place: Place<'_>) -> Vec<u8> {
    let Place { kind, name, uid, key } = place;
    let mut data = header.to_vec();
    for part in [kind, name, uid, key] {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.keys).finish()
    }
}

#[cfg(test)]
mod tests;
