//! What is to be kept from all who need not know it: passwords, keys, tokens.
//!
//! A secret has three forms. It is sent as `data`, in the clear; stored `sealed`; served as the list of its `keys`.
//! Sent back, `keys` stand for the values that are stored: with `data` beside them, only what is there is replaced.
//! The clear form cannot be written, neither as JSON nor by `Debug`: whoever needs a value has to ask for it by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::{Base64, BasicStatus, Fault, Kind, KindName, Object, Pointer, document::check};

mod text;

pub use text::SecretText;

pub type Secret = Object<SecretSpec>;
pub type SecretStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Document")]
pub enum SecretSpec {
    /// As it is sent.
    Plain(SecretData),
    /// As it is stored: [`SecretData::encode`], encrypted, and the names of what is in it.
    Sealed { sealed: Base64, keys: BTreeSet<SecretKey> },
    /// As it is served; from a client, the stored values of these keys and no others.
    Keys(BTreeSet<SecretKey>),
    /// From a client: these values, and beside them the stored ones of `keys`.
    Change { data: SecretData, keys: BTreeSet<SecretKey> },
}

/// Values by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretData(BTreeMap<SecretKey, SecretText>);

/// The name of a value, such as `password` or `tls.key`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of a secret has 1 to {} characters of A-Z, a-z, 0-9, '-', '_' and '.'", SecretKey::LEN_MAX)]
pub struct SecretKeyError;

impl SecretKey {
    pub const LEN_MAX: usize = 63;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretKey {
    type Err = SecretKeyError;

    fn from_str(text: &str) -> Result<Self, SecretKeyError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if text.is_empty() || text.len() > Self::LEN_MAX || !text.bytes().all(legal) {
            return Err(SecretKeyError);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::values::serde_as_text!(SecretKey);

impl SecretData {
    pub fn get(&self, key: &str) -> Option<&str> {
        let key = SecretKey(key.into());
        self.0.get(&key).map(SecretText::expose)
    }

    pub fn keys(&self) -> BTreeSet<SecretKey> {
        self.0.keys().cloned().collect()
    }

    /// These values, and beside them those that `other` has of `keys`; the first key that it lacks, if there is one.
    pub fn with_kept(mut self, other: &Self, keys: &BTreeSet<SecretKey>) -> Result<Self, SecretKey> {
        for key in keys {
            if !self.0.contains_key(key) {
                let value = other.0.get(key).ok_or_else(|| key.clone())?;
                self.0.insert(key.clone(), value.clone());
            }
        }
        Ok(self)
    }

    /// What is to be encrypted: each key and value, each after its length as four bytes in network order.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let texts = || self.0.iter().flat_map(|(key, value)| [key.as_str(), value.expose()]);
        // All at once: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(texts().map(|text| text.len() + 4).sum()));
        for text in texts() {
            let len = u32::try_from(text.len()).expect("a value has less than 4 GiB");
            bytes.extend_from_slice(&len.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// What [`SecretData::encode`] made.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut data = BTreeMap::new();
        while !bytes.is_empty() {
            let key = next_text(&mut bytes)?.parse().ok()?;
            let value = SecretText::new(next_text(&mut bytes)?)?;
            data.insert(key, value);
        }
        Some(Self(data))
    }
}

fn next_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

impl SecretSpec {
    pub const KEYS_MAX: usize = 64;
    /// All values together.
    pub const BYTES_MAX: usize = 256 << 10;
    /// What sealing may add.
    pub const SEAL_BYTES_MAX: usize = 1024;

    pub fn keys(&self) -> BTreeSet<SecretKey> {
        match self {
            Self::Plain(data) => data.keys(),
            Self::Sealed { keys, .. } | Self::Keys(keys) => keys.clone(),
            Self::Change { data, keys } => keys | &data.keys(),
        }
    }

    /// The form to be stored; what is not in the clear stays as it is.
    pub fn seal<E>(self, seal: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>) -> Result<Self, E> {
        match self {
            Self::Plain(data) => Ok(Self::Sealed { sealed: seal(&data.encode())?.into(), keys: data.keys() }),
            other => Ok(other),
        }
    }

    /// The form to be served.
    #[must_use]
    pub fn served(&self) -> Self {
        Self::Keys(self.keys())
    }
}

/// All three forms as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    data: Option<SecretData>,
    sealed: Option<Base64>,
    keys: Option<BTreeSet<SecretKey>>,
}

impl TryFrom<Document> for SecretSpec {
    type Error = &'static str;

    fn try_from(document: Document) -> Result<Self, &'static str> {
        match document {
            Document { data: Some(data), sealed: None, keys: None } => Ok(Self::Plain(data)),
            Document { data: None, sealed: Some(sealed), keys: Some(keys) } => {
                Ok(Self::Sealed { sealed, keys })
            }
            Document { data: None, sealed: None, keys: Some(keys) } => Ok(Self::Keys(keys)),
            Document { data: Some(data), sealed: None, keys: Some(keys) } => Ok(Self::Change { data, keys }),
            _ => Err("a secret is sent as \"data\", as the \"keys\" that stay, or as both"),
        }
    }
}

impl Serialize for SecretSpec {
    /// The clear form is written as it would be served.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            sealed: Option<&'a Base64>,
            keys: BTreeSet<SecretKey>,
        }
        let sealed = match self {
            Self::Sealed { sealed, .. } => Some(sealed),
            Self::Plain(_) | Self::Keys(_) | Self::Change { .. } => None,
        };
        Written { sealed, keys: self.keys() }.serialize(serializer)
    }
}

impl Kind for SecretSpec {
    const KIND: KindName = KindName::Secret;
    type Status = SecretStatus;

    /// The sealed form is as it is stored. That the seal is the office's own, and of this very secret, shows when it is
    /// opened.
    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut values = |data: &SecretData| {
            let at = Pointer::from("/spec/data");
            check::at_most(&mut faults, &at, data.0.len(), Self::KEYS_MAX, "keys");
            let bytes = data.0.values().map(|value| value.expose().len()).sum();
            check::at_most(&mut faults, &at, bytes, Self::BYTES_MAX, "bytes");
        };
        match self {
            Self::Plain(data) => values(data),
            Self::Change { data, .. } => {
                values(data);
                check::at_most(&mut faults, &"/spec/keys".into(), self.keys().len(), Self::KEYS_MAX, "keys");
            }
            Self::Sealed { sealed, keys } => {
                let max = Self::BYTES_MAX + Self::SEAL_BYTES_MAX + Self::KEYS_MAX * (SecretKey::LEN_MAX + 8);
                check::at_most(&mut faults, &"/spec/sealed".into(), sealed.as_bytes().len(), max, "bytes");
                check::at_most(&mut faults, &"/spec/keys".into(), keys.len(), Self::KEYS_MAX, "keys");
            }
            // That there are such values shows when it is stored.
            Self::Keys(keys) => {
                check::at_most(&mut faults, &"/spec/keys".into(), keys.len(), Self::KEYS_MAX, "keys");
            }
        }
        faults
    }
}
