//! What the framework must know of an object. What the object asks for is read only when it is its turn.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xos_model::Reference;

use crate::{BackEnd, Handle, Key};

/// An object as the change feed tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub key: Key,
    pub uid: Arc<str>,
    /// How often the spec has changed. A change of status alone does not move it, and wakes nobody.
    pub generation: u64,
    /// Deletion was asked for; the object goes when it is released ([`crate::Report::released`]).
    pub deleting: bool,
    pub origin: Origin,
    /// A digest of what back ends are told of the object beside its spec, and 0 if there is nothing: when it is another, the
    /// object is applied again.
    pub beside: u64,
    pub edges: Vec<Edge>,
    /// What was recorded of it at back ends; read when the object is first seen.
    pub records: Vec<(BackEnd, Record)>,
    /// The errors of its status; read when the object is first seen.
    pub history: Vec<ErrorEntry>,
}

/// Whose the thing at the back end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Made by us, for this object.
    #[default]
    Ours,
    /// It was there before and was adopted: it is looked up, never changed, never deleted.
    Found,
}

/// One object refers to another. Two relations between the same two kinds differ in their name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// As plug-ins declare it, such as `owner`.
    pub relation: String,
    pub to: Key,
}

impl Edge {
    pub fn new(relation: impl Into<String>, to: Key) -> Self {
        Self { relation: relation.into(), to }
    }
}

/// The relation is the field without `/spec` and without places in a list: `/spec/permittedSlices/3` is
/// `permittedSlices`, `/spec/access/node` is `access.node`.
impl From<&Reference> for Edge {
    fn from(reference: &Reference) -> Self {
        let pointer = reference.pointer.to_string();
        let fields = pointer.split('/').filter(|field| !field.is_empty());
        let fields = fields.enumerate().filter(|(i, field)| {
            !(*i == 0 && *field == "spec" || field.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let relation = fields.map(|(_, field)| field).collect::<Vec<_>>().join(".");
        Self { relation, to: Key::new(reference.kind, reference.name.clone()) }
    }
}

/// What is kept, durably, of an object at a back end. Written before an effect (`Begun`) and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    Effect(EffectRecord),
    /// The instances that the provider's plug-in has been told of, kept at the tenancy.
    Told(Vec<Key>),
    /// It is being told: of the doubtful ones it may know or not.
    Telling {
        told: Vec<Key>,
        doubtful: Vec<Key>,
    },
}

impl Record {
    pub fn aspect(&self) -> Aspect {
        match self {
            Self::Effect(_) => Aspect::Effect,
            Self::Told(_) | Self::Telling { .. } => Aspect::Told,
        }
    }
}

/// Each back end has at most one record of each aspect of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    Effect,
    Told,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRecord {
    pub uid: Arc<str>,
    pub phase: Phase,
    pub generation: u64,
    /// A digest of the objects that this one is derived from, besides its own spec.
    pub basis: u64,
    pub handle: Option<Handle>,
    /// Of what was made, to be compared with what is observed.
    pub digest: Option<u64>,
    /// False for what was found: it is never deleted.
    pub owned: bool,
    /// What it was made to stand on. The object may since refer to others: until the back end has it so, these stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// An action was about to begin: its effect may be there or not.
    Begun,
    /// Applied, not yet acknowledged.
    Pending,
    Applied,
}

/// One error of an object, for its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorEntry {
    pub at: Timestamp,
    pub back_end: String,
    /// How often it had been tried since the object last changed, from 1.
    pub attempt: u32,
    pub generation: u64,
    pub message: String,
}
