//! What comes back from a back end.

use std::sync::Arc;

use crate::{Handle, Key};

/// How an action on one object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done(Made),
    /// Applied; whether it works is said later, of its digest ([`crate::Control::acknowledge`]). Dependants wait.
    Pending(Made),
    Failed(Failure),
    /// Failed for certain before anything was done: what the back end had, it has.
    Untouched(Failure),
}

impl Outcome {
    pub fn done() -> Self {
        Self::Done(Made::default())
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(Failure { message: message.into(), retry: Retry::BackOff })
    }
}

/// What an action left at the back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub handle: Option<Handle>,
    /// Of what was made: the same as in [`Observed`] for as long as nobody else changes it.
    pub digest: Option<u64>,
    /// False if it was there before: then it is never deleted.
    pub owned: bool,
}

impl Default for Made {
    fn default() -> Self {
        Self { handle: None, digest: None, owned: true }
    }
}

impl Made {
    pub fn with_handle(handle: impl Into<String>) -> Self {
        Self { handle: Some(Handle(handle.into())), ..Self::default() }
    }

    #[must_use]
    pub fn digest(self, digest: u64) -> Self {
        Self { digest: Some(digest), ..self }
    }

    #[must_use]
    pub fn found(self) -> Self {
        Self { owned: false, ..self }
    }
}

/// Why an action failed, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    pub retry: Retry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After a while.
    BackOff,
    /// Not before the object changes: the back end will never take it as it is.
    OnChange,
}

/// A thing that a back end has, and which object it is marked as being for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub key: Key,
    pub uid: Arc<str>,
    pub handle: Option<Handle>,
    pub digest: Option<u64>,
    /// False if it is not marked as ours: then it is never deleted.
    pub owned: bool,
}
