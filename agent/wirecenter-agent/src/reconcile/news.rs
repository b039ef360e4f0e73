//! Outcomes that have changed by themselves, until the link takes them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use agent_link::Outcome;
use node_state::{ResourceKey, Version};
use tokio::sync::Notify;

type Latest = BTreeMap<ResourceKey, (Version, Result<(), String>)>;

/// At most one per resource: the latest.
#[derive(Debug, Default)]
pub(crate) struct News {
    latest: Mutex<Latest>,
    arrived: Notify,
}

impl News {
    pub(super) fn add(&self, outcomes: impl Iterator<Item = Outcome>) {
        let mut latest = self.lock();
        latest.extend(outcomes.map(|(key, version, result)| (key, (version, result))));
        if !latest.is_empty() {
            self.arrived.notify_one();
        }
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
