//! The one shape of all objects.

use std::fmt::Debug;

use net_types::Name;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Fault;

mod any;
mod condition;
mod kind_name;
mod metadata;
mod reference;
mod status;

pub use any::AnyObject;
pub use condition::{Condition, ConditionStatus, READY, set_condition};
pub use kind_name::KindName;
pub use metadata::{Metadata, OwnerReference};
pub use reference::Reference;
pub use status::{BackendHandle, BasicStatus, EnactedStatus, Observed};

/// What an object of a kind asks for; the kind itself.
pub trait Kind: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: KindName;
    type Status: Observed
        + Clone
        + Debug
        + Default
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static;

    /// All that is wrong with the spec taken by itself, with pointers from the top of the object.
    fn validate(&self) -> Vec<Fault>;

    /// The other objects that the spec names.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }
}

/// An object as it is stored and served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(bound(serialize = "K: Kind", deserialize = "K: Kind"))]
pub struct Object<K: Kind> {
    pub kind: KindName,
    pub metadata: Metadata,
    pub spec: K,
    #[serde(default)]
    pub status: K::Status,
}

/// An object as a client sends it: what it says of the status is not read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "K: Kind"))]
pub struct Draft<K: Kind> {
    pub kind: KindName,
    pub metadata: Metadata,
    pub spec: K,
    #[serde(default, rename = "status")]
    _status: serde::de::IgnoredAny,
}

impl<K: Kind> Object<K> {
    pub fn name(&self) -> &Name {
        &self.metadata.name
    }
}

impl<K: Kind> Draft<K> {
    pub fn new(metadata: Metadata, spec: K) -> Self {
        Self { kind: K::KIND, metadata, spec, _status: serde::de::IgnoredAny }
    }

    /// All that is wrong with the object taken by itself.
    pub fn validate(&self) -> Vec<Fault> {
        let mut faults = self.metadata.validate(K::KIND);
        if self.kind != K::KIND {
            let detail = format!("this is a {}, not a {}", self.kind, K::KIND);
            faults.push(Fault::new("/kind", detail));
        }
        faults.extend(self.spec.validate());
        faults
    }
}
