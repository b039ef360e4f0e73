//! What the link may tell of the node: outcomes that have changed by themselves, until it takes them, and what is counted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use agent_link::Outcome;
use node_state::{ResourceKey, Version};
use tokio::sync::Notify;

type Latest = BTreeMap<ResourceKey, (Version, Result<(), String>)>;

/// At most one outcome per resource: the latest.
#[derive(Debug, Default)]
pub(crate) struct News {
    latest: Mutex<Latest>,
    arrived: Notify,
    counters: Mutex<BTreeMap<String, u64>>,
}

impl News {
    pub(super) fn add(&self, outcomes: impl Iterator<Item = Outcome>) {
        let mut latest = self.lock();
        latest.extend(outcomes.map(|(key, version, result)| (key, (version, result))));
        if !latest.is_empty() {
            self.arrived.notify_one();
        }
    }

    /// What is counted, by name, as it is now.
    pub(super) fn count(&self, counters: BTreeMap<String, u64>) {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = counters;
    }

    pub(crate) fn counters(&self) -> BTreeMap<String, u64> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Waits until there are some. Safe to cancel.
    pub(crate) async fn take(&self) -> Vec<Outcome> {
        loop {
            let latest = std::mem::take(&mut *self.lock());
            if !latest.is_empty() {
                return latest.into_iter().map(|(key, (version, result))| (key, version, result)).collect();
            }
            self.arrived.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
