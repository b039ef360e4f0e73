//! The store as the framework sees it: a change feed in, records and status out.

use std::{future::Future, sync::Arc};

use crate::{Aspect, BackEnd, Key, Object, Record, Report};

/// Where objects are kept. Cheap to share; a process has one.
pub trait Store: Send + Sync + 'static {
    /// An object's content as plug-ins get it.
    type Body: Send + Sync + 'static;
    type Feed: Feed;

    /// A feed that begins with a snapshot.
    fn feed(&self) -> Self::Feed;

    /// The object as it is now.
    fn read(&self, key: &Key) -> Result<Option<Snapshot<Self::Body>>, StoreError>;

    /// Returns when the writes are durable. What is about an object that is gone or has another uid is left out; but what
    /// is about to begin with it may be refused, where nobody would know of the effect.
    /// Writes of records and status must not move the object's generation.
    fn write(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Changes in the order in which they were made.
pub trait Feed: Send + 'static {
    /// Waits for more; several at a time if there are. Must be safe to cancel. An error ends the synchronizer.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Change>, StoreError>> + Send;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// All objects follow, then [`Change::SnapshotEnds`]: at first, and when changes have been lost.
    SnapshotBegins,
    SnapshotEnds,
    /// The object is new, or has changed.
    Present(Object),
    Gone(Key),
}

#[derive(Clone, Debug)]
pub struct Snapshot<B> {
    pub uid: Arc<str>,
    pub generation: u64,
    pub body: Arc<B>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Record {
        key: Key,
        uid: Arc<str>,
        back_end: BackEnd,
        record: Record,
    },
    Forget {
        key: Key,
        uid: Arc<str>,
        back_end: BackEnd,
        aspect: Aspect,
    },
    /// The latest one of an object holds.
    Status(Report),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);
