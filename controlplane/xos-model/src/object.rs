//! The one shape of all objects.

use std::{collections::BTreeMap, fmt::Debug};

use jiff::Timestamp;
use net_types::Name;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Fault, Pointer};

mod kind_name;
mod reference;

pub use kind_name::KindName;
pub use reference::Reference;

/// What an object of a kind asks for; the kind itself.
pub trait Kind: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: KindName;
    type Status: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;

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

/// What every object has. All but name, labels and finalizers is the server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    pub name: Name,
    /// Tells the object from an earlier one of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// How often the spec has changed, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The store's revision of the last change of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When deletion was asked for; the object goes when its last finalizer is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Who must agree before the object goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
}

/// The object that this one exists for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnerReference {
    pub kind: KindName,
    pub name: Name,
    pub uid: String,
}

impl Metadata {
    pub const LABELS_MAX: usize = 64;
    pub const FINALIZERS_MAX: usize = 8;

    pub fn named(name: Name) -> Self {
        Self {
            name,
            uid: None,
            generation: None,
            resource_version: None,
            labels: BTreeMap::new(),
            owner_references: Vec::new(),
            created_at: None,
            deleted_at: None,
            finalizers: Vec::new(),
        }
    }

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let labels = Pointer::from("/metadata/labels");
        if self.labels.len() > Self::LABELS_MAX {
            faults.push(Fault::new(labels.clone(), format!("at most {} labels", Self::LABELS_MAX)));
        }
        for (key, value) in &self.labels {
            if key.is_empty() || !is_label_text(key) {
                let rule = "a label's key has 1 to 63 characters of A-Z, a-z, 0-9, '-', '_', '.' and '/'";
                faults.push(Fault::new(labels.at(key), rule));
            } else if !is_label_text(value) {
                let rule =
                    "a label's value has at most 63 characters of A-Z, a-z, 0-9, '-', '_', '.' and '/'";
                faults.push(Fault::new(labels.at(key), rule));
            }
        }
        let finalizers = Pointer::from("/metadata/finalizers");
        if self.finalizers.len() > Self::FINALIZERS_MAX {
            faults.push(Fault::new(finalizers.clone(), format!("at most {}", Self::FINALIZERS_MAX)));
        }
        for (i, finalizer) in self.finalizers.iter().enumerate() {
            if finalizer.is_empty() || !is_label_text(finalizer) {
                faults.push(Fault::new(finalizers.at(i), "written like a label's key"));
            }
        }
        faults
    }
}

fn is_label_text(text: &str) -> bool {
    text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
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
        let mut faults = self.metadata.validate();
        if self.kind != K::KIND {
            let detail = format!("this is a {}, not a {}", self.kind, K::KIND);
            faults.push(Fault::new("/kind", detail));
        }
        faults.extend(self.spec.validate());
        let longest = Name::LEN_MAX - crate::chain::SUFFIX_LEN_MAX;
        if K::KIND == KindName::Subscriber && self.metadata.name.as_str().len() > longest {
            let rule =
                format!("a subscriber's name has at most {longest} characters: its tenants' names add to it");
            faults.push(Fault::new("/metadata/name", rule));
        }
        faults
    }
}
