//! The one thread that writes.

use std::{
    sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard},
    thread::JoinHandle,
    time::Instant,
};

use tokio::sync::mpsc;

use crate::{
    Engine, EngineError, Options, audit, disk,
    index::{Index, Prepared},
    store::Shared,
    transaction::{Logged, Pending, Transaction},
};

/// Runs in the writer thread; gives back whether to keep what was written, and how to tell who waits.
pub(crate) type Job = Box<dyn FnOnce(&mut Transaction<'_>) -> (bool, Reply) + Send>;
/// Called when the batch is durable.
pub(crate) type Reply = Box<dyn FnOnce() + Send>;

/// The writer thread; it ends when the last [`crate::Store`] is gone.
pub struct WriterHandle(pub(crate) JoinHandle<()>);

impl WriterHandle {
    /// Waits for the writer's end: then the engine is closed, and can be opened again.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the store's writer had panicked");
        }
    }
}

/// A batch takes what waits, up to so many transactions or writes.
const BATCH_TRANSACTIONS_MAX: usize = 1024;
const BATCH_WRITES_MAX: usize = 50_000;

pub(crate) struct Writer<E> {
    pub(crate) engine: E,
    pub(crate) shared: Arc<Shared>,
    pub(crate) jobs: mpsc::Receiver<Job>,
}

impl<E: Engine> Writer<E> {
    /// Ends when no one can send any more, or with the first commit that fails.
    pub(crate) fn run(mut self) {
        // Also when a closure panics: whoever waits or comes later is told that the store has stopped.
        let _stopped = StopOnDrop(self.shared.clone());
        while let Some(first) = self.jobs.blocking_recv() {
            let (mut pending, revision, replies) = self.collect(first);
            if !pending.is_empty() {
                if let Err(error) = self.commit(&mut pending, revision) {
                    tracing::error!(%error, transactions = replies.len(), "commit failed, the store stops");
                    return;
                }
                self.publish(pending);
            }
            for reply in replies {
                reply();
            }
        }
    }

    fn collect(&mut self, first: Job) -> (Pending, u64, Vec<Reply>) {
        let index = self.shared.index.read().unwrap_or_else(PoisonError::into_inner);
        let (mut batch, mut revision, mut replies) = (Pending::default(), index.revision, Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            let mut transaction = Transaction::new(&index, &batch, revision);
            let (keep, reply) = job(&mut transaction);
            if keep {
                let (written, last) = transaction.finish();
                batch.absorb(written);
                revision = last;
            } else {
                batch.absorb(transaction.refuse());
            }
            replies.push(reply);
            let full = replies.len() == BATCH_TRANSACTIONS_MAX || batch.len() >= BATCH_WRITES_MAX;
            next = if full { None } else { self.jobs.try_recv().ok() };
        }
        (batch, revision, replies)
    }

    fn commit(&mut self, pending: &mut Pending, revision: u64) -> Result<(), EngineError> {
        let started = Instant::now();
        let mut writes = Vec::with_capacity(pending.len() + 2);
        writes.extend(pending.objects.iter().map(|(key, record)| disk::object(key, record.as_ref())));
        writes.extend(pending.claims.iter().map(|(key, record)| disk::claim(key, record.as_ref())));
        writes.push(disk::revision(revision));
        let kept = (!pending.audit.is_empty()).then(|| {
            let kept = self.shared.audit.read().unwrap_or_else(PoisonError::into_inner).clone();
            audit::append(
                &mut writes,
                std::mem::take(&mut pending.audit),
                kept,
                self.shared.options.audit_max,
            )
        });
        self.engine.commit(&writes)?;
        if let Some(kept) = kept {
            *self.shared.audit.write().unwrap_or_else(PoisonError::into_inner) = kept;
        }
        self.shared.counters.note_commit(started.elapsed());
        Ok(())
    }

    fn publish(&self, pending: Pending) {
        let changes = self.prepare(pending.log);
        let mut index = self.index_mut();
        for change in changes {
            index.apply_object(change);
        }
        for (key, record) in pending.claims {
            match record {
                Some(record) => index.claims.insert(&key, &record.value),
                None => index.claims.remove(&key),
            }
        }
        let Options { history_max, history_bytes_max, .. } = self.shared.options;
        index.compact(history_max, history_bytes_max);
        let revision = index.revision;
        drop(index);
        self.shared.revision.send_if_modified(|last| std::mem::replace(last, revision) != revision);
    }

    /// Only a value of a new kind keeps readers waiting.
    fn prepare(&self, log: Vec<Logged>) -> Vec<Prepared> {
        let index = self.index();
        let knows =
            |(_, key, value): &Logged| value.as_ref().is_none_or(|value| index.patterns.knows(key, value));
        if log.iter().all(knows) {
            return index.prepare(log);
        }
        drop(index);
        let mut index = self.index_mut();
        for (_, key, value) in &log {
            if let Some(value) = value {
                index.patterns.learn(key, value);
            }
        }
        drop(index);
        self.index().prepare(log)
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.shared.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.shared.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stopped.send_replace(true);
        // Waits for reads that go on; they are short, or look whether the store has stopped.
        self.0.reader.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}
