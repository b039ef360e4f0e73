//! Statuses on their way to the store. Only the latest of each object goes; a slow store holds nobody up.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{Key, Report, Store, Write};

/// Between attempts to write when the store refuses.
const RETRY: Duration = Duration::from_secs(1);
/// Statuses in one write.
const CHUNK: usize = 4096;

#[derive(Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    reports: HashMap<Key, Report>,
    closed: bool,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, reports: Vec<Report>) {
        if !reports.is_empty() {
            self.waiting().reports.extend(reports.into_iter().map(|report| (report.key.clone(), report)));
            self.more.notify_one();
        }
    }

    /// What waits is still written.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.more.notify_one();
    }

    pub(super) async fn publish<S: Store>(self: Arc<Self>, store: Arc<S>) {
        loop {
            let (reports, closed) = {
                let mut waiting = self.waiting();
                (std::mem::take(&mut waiting.reports), waiting.closed)
            };
            if reports.is_empty() {
                if closed {
                    return;
                }
                self.more.notified().await;
                continue;
            }
            let reports: Vec<Report> = reports.into_values().collect();
            for chunk in reports.chunks(CHUNK) {
                let writes = || chunk.iter().cloned().map(Write::Status).collect();
                while let Err(error) = store.write(writes()).await {
                    tracing::error!(%error, statuses = chunk.len(), "statuses could not be written; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
