//! The store as its users hold it.

use std::{
    ops::{Bound, Range},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    AuditError, AuditRecord, BackupError, Change, Compacted, Companion, Engine, EngineError, Key, Manifest,
    Page, Reader, Record, Table, Transaction, audit, backup,
    disk::{self, Loaded},
    index::Index,
    writer::{Job, Writer, WriterHandle},
};

/// A handle on the store; clones are cheap and equal.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) index: RwLock<Index>,
    /// Gone when the writer has ended: then the engine can be opened again.
    pub(crate) reader: RwLock<Option<Box<dyn Reader>>>,
    /// The sequence numbers of the audit records that are kept.
    pub(crate) audit: RwLock<Range<u64>>,
    pub(crate) revision: watch::Sender<u64>,
    pub(crate) stopped: watch::Sender<bool>,
    /// Held while a backup is taken.
    backup: Mutex<()>,
    pub(crate) options: Options,
    pub(crate) counters: Counters,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many changes watches and pages can look back.
    pub history_max: usize,
    /// How many bytes those changes may take, with the older versions.
    pub history_bytes_max: usize,
    /// How many transactions may wait before `transact` waits itself.
    pub queue_max: usize,
    /// How many audit records are kept; beyond that the oldest go.
    pub audit_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { history_max: 200_000, history_bytes_max: 64 << 20, queue_max: 4096, audit_max: 1_000_000 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the store has format {found:?}, this program writes {:?}", disk::FORMAT)]
    Format { found: String },
    #[error("the store is damaged: {0}")]
    Damaged(String),
    #[error("cannot start the store's writer: {0}")]
    Thread(std::io::Error),
}

/// The store takes no more transactions, because one could not be made durable or because it was closed.
/// Whether the transaction that gets this answer is durable is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store has stopped")]
pub struct Stopped;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    commit_micros: AtomicU64,
}

impl Counters {
    pub(crate) fn note_commit(&self, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.commit_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// What the store has done and holds.
#[derive(Clone, Copy, Debug)]
pub struct StoreFigures {
    pub revision: u64,
    pub objects: usize,
    pub claims: usize,
    pub history: usize,
    pub history_bytes: usize,
    /// Audit records on disk.
    pub audit: u64,
    /// Synced commits since the start, and how long they took together.
    pub commits: u64,
    pub commit_time: Duration,
}

impl Store {
    /// Loads all there is, and starts the writer.
    pub fn open(mut engine: impl Engine, options: Options) -> Result<(Self, WriterHandle), OpenError> {
        let Loaded { index, audit } = disk::load(&mut engine)?;
        let (sender, jobs) = mpsc::channel(options.queue_max);
        let shared = Arc::new(Shared {
            revision: watch::Sender::new(index.revision),
            stopped: watch::Sender::new(false),
            index: RwLock::new(index),
            reader: RwLock::new(Some(engine.reader())),
            audit: RwLock::new(audit),
            backup: Mutex::default(),
            options,
            counters: Counters::default(),
        });
        let writer = Writer { engine, shared: shared.clone(), jobs };
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run());
        let handle = WriterHandle(thread.map_err(OpenError::Thread)?);
        Ok((Self { jobs: sender, shared }, handle))
    }

    /// Runs `body` as a transaction. With `Ok` what it wrote is durable when this returns, with `Err` nothing was
    /// written but the refusal, if it told one (see [`Transaction::audit_refusal`]), which then is durable too.
    /// `body` runs in the writer's thread: it must neither block nor panic.
    pub async fn transact<T, E>(
        &self,
        body: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, Stopped>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let outcome = body(transaction);
            let keep = outcome.is_ok();
            // Whoever asked may have gone: the outcome stands all the same.
            (keep, Box::new(move || drop(sender.send(outcome))))
        });
        self.jobs.send(job).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.shared.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision of the last durable change.
    pub fn revision(&self) -> u64 {
        self.index().revision
    }

    pub fn get(&self, table: Table, key: &str) -> Option<Record> {
        match table {
            Table::Objects => self.index().object(key),
            Table::Claims => self.index().claims.get(key),
        }
    }

    /// The claims whose keys begin with `prefix`, in the order of their keys.
    pub fn claims(&self, prefix: &str) -> Vec<(Key, Record)> {
        let index = self.index();
        let claims = index.claims.from(Bound::Included(prefix));
        let claims = claims.take_while(|(key, _)| key.starts_with(prefix));
        claims.map(|(key, record)| (key.into(), record)).collect()
    }

    /// Up to `limit` objects whose keys begin with `prefix` and come after `after`: as they are, or as they were at
    /// `revision`, however much has changed since.
    pub fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        revision: Option<u64>,
    ) -> Result<Page, Compacted> {
        self.index().page(prefix, after, limit, revision)
    }

    /// Up to `limit` changes after revision `after`, in order.
    pub fn changes(&self, after: u64, limit: usize) -> Result<Vec<Change>, Compacted> {
        self.index().changes(after, limit)
    }

    /// Turns with every commit that changes objects.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }

    /// Appends an audit record of what did not come as far as a transaction.
    pub async fn audit(&self, record: impl Into<Vec<u8>> + Send + 'static) -> Result<(), Stopped> {
        let body = move |txn: &mut Transaction<'_>| {
            txn.audit(record);
            Ok::<_, std::convert::Infallible>(())
        };
        self.transact(body).await.map(|Ok(())| ())
    }

    /// The sequence numbers of the audit records that are kept. The end is that of the next record.
    pub fn audit_range(&self) -> Range<u64> {
        self.shared.audit.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Up to `limit` audit records with sequence numbers in `range`, in order; fewer if they are many bytes together,
    /// but never none if there are any. Those that are no longer kept are left out. Reads the disk: it blocks.
    pub fn audit_records(&self, range: Range<u64>, limit: usize) -> Result<Vec<AuditRecord>, AuditError> {
        let kept = self.audit_range();
        let range = range.start.max(kept.start)..range.end.min(kept.end);
        self.with_reader(|reader| audit::read(reader, range, limit))?
    }

    /// Writes all that is durable at one moment to a new file, which only its owner can read; `path` must not exist
    /// yet, and does not until the backup is complete. Transactions go on meanwhile. It blocks, and takes little
    /// memory. `files` come with it as they are.
    pub fn backup(&self, path: &Path, files: &[Companion]) -> Result<Manifest, BackupError> {
        let _one_at_a_time = match self.shared.backup.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy),
        };
        self.with_reader(|reader| backup::write(reader, path, files, &|| self.is_stopped()))?
    }

    /// Reads what is durable, which is possible while the writer runs.
    pub(crate) fn with_reader<T>(&self, read: impl FnOnce(&dyn Reader) -> T) -> Result<T, Stopped> {
        let reader = self.shared.reader.read().unwrap_or_else(PoisonError::into_inner);
        reader.as_deref().map(read).ok_or(Stopped)
    }

    /// Returns when the store has stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.shared.stopped.subscribe();
        // The sender lives in `self.shared`.
        let _: Result<_, _> = stopped.wait_for(|stopped| *stopped).await;
    }

    pub fn is_stopped(&self) -> bool {
        *self.shared.stopped.borrow()
    }

    pub fn figures(&self) -> StoreFigures {
        let audit = self.audit_range();
        let index = self.index();
        let counters = &self.shared.counters;
        StoreFigures {
            revision: index.revision,
            objects: index.objects_len(),
            claims: index.claims.len(),
            history: index.log_len(),
            history_bytes: index.log_bytes(),
            audit: audit.end - audit.start,
            commits: counters.commits.load(Ordering::Relaxed),
            commit_time: Duration::from_micros(counters.commit_micros.load(Ordering::Relaxed)),
        }
    }
}
