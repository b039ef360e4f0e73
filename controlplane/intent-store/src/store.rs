//! The store as its users hold it.

use std::{
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Change, Compacted, Engine, EngineError, Key, Page, Record, Table, Transaction, Write,
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
    pub(crate) revision: watch::Sender<u64>,
    pub(crate) stopped: watch::Sender<bool>,
    pub(crate) options: Options,
    pub(crate) counters: Counters,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many changes watches and pages can look back.
    pub history_max: usize,
    /// How many transactions may wait before `transact` waits itself.
    pub queue_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { history_max: 200_000, queue_max: 4096 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the store has format {found:?}, this program writes {FORMAT:?}")]
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
    /// Synced commits since the start, and how long they took together.
    pub commits: u64,
    pub commit_time: Duration,
}

pub(crate) const FORMAT_KEY: &[u8] = b"mformat";
pub(crate) const REVISION_KEY: &[u8] = b"mrevision";
const FORMAT: &str = "1";

impl Store {
    /// Loads all there is, and starts the writer.
    pub fn open(mut engine: impl Engine, options: Options) -> Result<(Self, WriterHandle), OpenError> {
        let index = load(&mut engine)?;
        let (sender, jobs) = mpsc::channel(options.queue_max);
        let shared = Arc::new(Shared {
            revision: watch::Sender::new(index.revision),
            stopped: watch::Sender::new(false),
            index: RwLock::new(index),
            options,
            counters: Counters::default(),
        });
        let writer = Writer { engine, shared: shared.clone(), jobs };
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run());
        let handle = WriterHandle(thread.map_err(OpenError::Thread)?);
        Ok((Self { jobs: sender, shared }, handle))
    }

    /// Runs `body` as a transaction. With `Ok` what it wrote is durable when this returns, with `Err` nothing was
    /// written. `body` runs in the writer's thread: it must neither block nor panic.
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
            Table::Claims => self.index().claims.get(key).cloned(),
        }
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

    /// Turns with every commit.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
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
        let index = self.index();
        let counters = &self.shared.counters;
        StoreFigures {
            revision: index.revision,
            objects: index.objects_len(),
            claims: index.claims.len(),
            history: index.log_len(),
            commits: counters.commits.load(Ordering::Relaxed),
            commit_time: Duration::from_micros(counters.commit_micros.load(Ordering::Relaxed)),
        }
    }
}

fn load(engine: &mut impl Engine) -> Result<Index, OpenError> {
    let (mut objects, mut claims) = (Vec::new(), Vec::new());
    let (mut format, mut revision, mut damage) = (None, None, None);
    engine.load(&mut |key, value| {
        let entry = match key {
            FORMAT_KEY => return format = Some(String::from_utf8_lossy(value).into_owned()),
            REVISION_KEY => return revision = value.try_into().map(u64::from_be_bytes).ok(),
            [b'o', name @ ..] => entry(name, value.split_first_chunk()).map(|pair| objects.push(pair)),
            [b'c', name @ ..] => entry(name, Some((&[0; 8], value))).map(|pair| claims.push(pair)),
            _ => None,
        };
        if entry.is_none() {
            damage = Some(format!("no one knows the key {:?}", String::from_utf8_lossy(key)));
        }
    })?;
    if let Some(damage) = damage {
        return Err(OpenError::Damaged(damage));
    }
    match format {
        Some(found) if found == FORMAT => {}
        Some(found) => return Err(OpenError::Format { found }),
        None if objects.is_empty() && claims.is_empty() && revision.is_none() => {
            engine.commit(&[Write { key: FORMAT_KEY.to_vec(), value: Some(FORMAT.into()) }])?;
        }
        None => return Err(OpenError::Damaged("its format is missing".into())),
    }
    let revision = revision.unwrap_or(0);
    if let Some((key, _)) = objects.iter().find(|(_, record)| record.revision > revision) {
        return Err(OpenError::Damaged(format!("{key} is newer than the store's revision {revision}")));
    }
    Ok(Index::new(objects, claims, revision))
}

fn entry(name: &[u8], value: Option<(&[u8; 8], &[u8])>) -> Option<(Key, Record)> {
    let (revision, value) = value?;
    let record = Record { revision: u64::from_be_bytes(*revision), value: value.into() };
    Some((std::str::from_utf8(name).ok()?.into(), record))
}
