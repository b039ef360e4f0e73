//! What the store keeps, as its users see it.

use std::sync::Arc;

/// What a value is stored under. Objects of a kind share a prefix, as in `subscribers/alice`.
pub type Key = Arc<str>;

/// The two tables of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// With history: in the change log, and readable at an older revision.
    Objects,
    /// Without, and without a revision: that is always 0.
    Claims,
}

/// A value and the revision that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub revision: u64,
    pub value: Arc<[u8]>,
}

/// One entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub revision: u64,
    pub key: Key,
    /// `None`: the object was deleted.
    pub now: Option<Record>,
    /// `None`: the object is new.
    pub before: Option<Record>,
}

/// Objects in the order of their keys, all as they were at `revision`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub revision: u64,
    pub items: Vec<(Key, Record)>,
    /// Whether more follow.
    pub more: bool,
}

/// The history no longer reaches back to the revision that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("revision {asked} is outside the history, which goes from {oldest} to {newest}")]
pub struct Compacted {
    pub asked: u64,
    pub oldest: u64,
    pub newest: u64,
}
