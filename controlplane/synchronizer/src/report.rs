//! What an object's status says of its synchronization.

use std::sync::Arc;

use jiff::Timestamp;
use xos_model::{Condition, ConditionStatus};

use crate::{ErrorEntry, Key};

/// The condition that says whether all back ends have the object as it is now.
pub const SYNCED: &str = "Synced";
/// The condition that says that something the object depends on (or, in deletion, that depends on it) is in trouble.
pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";

/// The state of an object's synchronization, whole: a later one replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub key: Key,
    pub uid: Arc<str>,
    pub generation: u64,
    /// [`SYNCED`] and [`DEPENDENCY_NOT_READY`]. To be merged by `xos_model::set_condition`, so that transition times
    /// move only with the status.
    pub conditions: Vec<Condition>,
    /// The last errors, oldest first, at most [`crate::HISTORY_MAX`].
    pub errors: Vec<ErrorEntry>,
    /// A back end acts on the object; else there is nothing that its status could say.
    pub enacted: bool,
    /// Of what the back end made of it as it is now ([`crate::Made::digest`]), if there is one such back end.
    pub digest: Option<u64>,
    /// Nothing is left of a deleted object at any back end: the finalizer can go.
    pub released: bool,
}

pub(crate) fn condition(kind: &str, status: bool, reason: &str, message: String, at: Timestamp) -> Condition {
    Condition {
        kind: kind.into(),
        status: if status { ConditionStatus::True } else { ConditionStatus::False },
        reason: reason.into(),
        message,
        last_transition_time: at,
    }
}
