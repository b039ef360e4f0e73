//! Names of what is synchronized, and of where.

use std::{fmt, sync::Arc};

use net_types::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xos_model::KindName;

/// A kind of object: one of the model's, or one that is derived and only plug-ins know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(&'static str);

impl Kind {
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    pub const fn of(kind: KindName) -> Self {
        Self(kind.as_str())
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl From<KindName> for Kind {
    fn from(kind: KindName) -> Self {
        Self::of(kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// Only the model's kinds are read back.
impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        KindName::deserialize(deserializer).map(Self::of)
    }
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    pub kind: Kind,
    pub name: Name,
}

impl Key {
    pub fn new(kind: impl Into<Kind>, name: Name) -> Self {
        Self { kind: kind.into(), name }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What a back end calls a thing that it made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub String);

/// One back end: a plug-in at work for one Controller. It has a queue, a limit and a pace of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackEnd(Arc<str>);

impl BackEnd {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes an effect one and the same, however often it is tried: a back end that is asked again for an operation
/// that it has done does nothing, and one that is asked for an older generation than it has done refuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    pub key: Key,
    /// Tells the object from an earlier one of the same name.
    pub uid: Arc<str>,
    pub generation: u64,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.key.kind, self.key.name, self.uid, self.generation)
    }
}
