//! What is said of every object alike.

use std::collections::BTreeMap;

use jiff::Timestamp;
use net_types::Name;
use serde::{Deserialize, Serialize};

use super::KindName;
use crate::{
    Fault, Pointer,
    values::{LABEL_RULE, is_label_key, is_label_text},
};

/// What every object has. All but name, labels, finalizers and `adopted` is the server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// What the object stands for was at its back end before: it is looked up there, and never changed or deleted, also
    /// when the object goes. Said when the object is made, of kinds that a back end can have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
}

/// The object that this one exists for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
            adopted: false,
        }
    }

    pub(super) fn validate(&self, kind: KindName) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.adopted && !kind.is_at_back_ends() {
            let detail = format!("a {kind} is the office's own: no back end can have had it before");
            faults.push(Fault::new("/metadata/adopted", detail));
        }
        let labels = Pointer::from("/metadata/labels");
        if self.labels.len() > Self::LABELS_MAX {
            faults.push(Fault::new(labels.clone(), format!("at most {} labels", Self::LABELS_MAX)));
        }
        for (key, value) in &self.labels {
            if !is_label_key(key) {
                faults
                    .push(Fault::new(labels.at(key), format!("a label's key is not empty and {LABEL_RULE}")));
            } else if !is_label_text(value) {
                faults.push(Fault::new(labels.at(key), format!("a label's value {LABEL_RULE}")));
            }
        }
        let finalizers = Pointer::from("/metadata/finalizers");
        if self.finalizers.len() > Self::FINALIZERS_MAX {
            faults.push(Fault::new(finalizers.clone(), format!("at most {}", Self::FINALIZERS_MAX)));
        }
        for (i, finalizer) in self.finalizers.iter().enumerate() {
            if !is_label_key(finalizer) {
                faults.push(Fault::new(finalizers.at(i), "written like a label's key"));
            }
        }
        faults
    }
}
