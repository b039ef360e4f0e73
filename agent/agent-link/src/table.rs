//! The desired resources of one node, as the controller holds them.
//!
//! Every change gets a number, and a key's earlier number is forgotten: a stream that remembers the last number it has
//! sent finds what it has yet to send, each key once with its latest content, however slow it is. Memory is bounded by
//! the table itself. Removals are remembered up to a limit; a stream that lags behind it has to compare again.
//!
//! No change passes another on the way: what one session gives up (its tags, its ports) may be what the next one takes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use net_types::Generation;
use node_state::{Resource, ResourceKey, Version};
use tokio::sync::watch;

use crate::limits::{CHUNK_BYTES, CHUNK_ITEMS_MAX, TOMBSTONES_MAX};

/// One change of a node's desired resources.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every change is of the large kind")]
pub enum Change {
    Upsert(Resource),
    Remove(ResourceKey),
}

/// The desired resources of one node, and their generation.
#[derive(Debug)]
pub struct NodeTable {
    inner: Mutex<Inner>,
    signal: watch::Sender<Signal>,
    /// What the node's agent told last.
    counters: Mutex<BTreeMap<String, u64>>,
}

/// What wakes a stream up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// There is something up to this number and generation.
    Changed(u64, Generation),
    Closed,
}

#[derive(Debug, Default)]
struct Inner {
    generation: Generation,
    /// The number of the latest change.
    last: u64,
    entries: HashMap<ResourceKey, Entry>,
    /// The latest change of each key, by number.
    order: BTreeMap<u64, ResourceKey>,
    /// Numbers of removals.
    tombstones: BTreeSet<u64>,
    /// The highest number of a removal that was forgotten.
    forgotten: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    /// `None`: it was removed.
    content: Option<(Version, Bytes)>,
}

/// How far a stream has come.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// What the comparison found and is not yet sent, last first.
    differing: Vec<ResourceKey>,
    number: u64,
    /// The generation of the last chunk that completed one.
    generation: Option<Generation>,
}

/// What a stream sends at a time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) generation: Generation,
    pub(crate) upserts: Vec<(ResourceKey, Version, Bytes)>,
    pub(crate) removes: Vec<ResourceKey>,
    /// More belongs to this generation.
    pub(crate) more: bool,
}

/// The stream has missed removals.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream lags too far behind and has to compare again")]
pub(crate) struct TooFarBehind;

impl NodeTable {
    /// An empty table of generation 0. Fill it before an [`crate::Office`] hands it out: an agent that sees it empty
    /// removes everything (unless the generation is lower than the one it holds).
    pub fn new() -> Self {
        Self {
            inner: Mutex::default(),
            signal: watch::Sender::new(Signal::Changed(0, Generation::default())),
            counters: Mutex::default(),
        }
    }

    /// Makes changes that belong to `generation`; no changes are good too, and only move the generation.
    /// An upsert of what is there already, or a removal of what is not, changes nothing.
    /// A generation that is lower than the table's leaves the table's as it is.
    pub fn apply(&self, generation: Generation, changes: Vec<Change>) {
        // Before the lock, so that no stream waits for the encoding of a bulk.
        let encode = |change| match change {
            Change::Upsert(resource) => {
                let body = resource.encode();
                (resource.key(), Some((Version::of(&body), Bytes::from(body))))
            }
            Change::Remove(key) => (key, None),
        };
        let changes: Vec<_> = changes.into_iter().map(encode).collect();
        let mut inner = self.lock();
        inner.generation = inner.generation.max(generation);
        for (key, content) in changes {
            inner.set(key, content);
        }
        inner.forget_old_tombstones();
        let signal = Signal::Changed(inner.last, inner.generation);
        // Under the lock, so that signals are in the order of changes.
        self.signal.send_if_modified(|s| *s != Signal::Closed && std::mem::replace(s, signal) != signal);
    }

    /// Ends the node's stream for good: call it when the node is deleted, after the office has forgotten the table.
    pub fn close(&self) {
        self.signal.send_replace(Signal::Closed);
    }

    pub fn generation(&self) -> Generation {
        self.lock().generation
    }

    /// The version that a node should have of a resource; `None`: it should not have it.
    pub fn version(&self, key: &ResourceKey) -> Option<Version> {
        self.lock().entries.get(key)?.content.as_ref().map(|(version, _)| *version)
    }

    /// What the node counts, by name, as its agent told of late; nothing, while it is not connected.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_counters(&self, counters: BTreeMap<String, u64>) {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = counters;
    }

    /// How many resources the node should have.
    pub fn len(&self) -> usize {
        let inner = self.lock();
        inner.entries.len() - inner.tombstones.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn signals(&self) -> watch::Receiver<Signal> {
        self.signal.subscribe()
    }

    /// Compares with what an agent holds. Returns where its stream begins, and what of its inventory is right.
    pub(crate) fn compare(&self, held: &HashMap<ResourceKey, Version>) -> (Cursor, Vec<ResourceKey>) {
        let inner = self.lock();
        let mut differing = Vec::new();
        let mut right = Vec::new();
        for (key, entry) in &inner.entries {
            let wanted = entry.content.as_ref().map(|(version, _)| version);
            match (wanted, held.get(key)) {
                (Some(wanted), Some(have)) if wanted == have => right.push(key.clone()),
                (None, None) => {}
                _ => differing.push(key.clone()),
            }
        }
        differing.extend(held.keys().filter(|key| !inner.entries.contains_key(*key)).cloned());
        // From the end, ports come before routes and routes before sessions: what leans on another comes after it.
        differing.sort_unstable_by(|a, b| b.cmp(a));
        (Cursor { differing, number: inner.last, generation: None }, right)
    }

    /// What comes next on a stream; `None`: nothing now.
    pub(crate) fn next(&self, cursor: &mut Cursor) -> Result<Option<Batch>, TooFarBehind> {
        let inner = self.lock();
        if inner.forgotten > cursor.number {
            return Err(TooFarBehind);
        }
        let mut batch =
            Batch { generation: inner.generation, upserts: Vec::new(), removes: Vec::new(), more: true };
        let mut room = Room { bytes: CHUNK_BYTES, items: CHUNK_ITEMS_MAX };
        while room.is_left()
            && let Some(key) = cursor.differing.pop()
        {
            inner.take(&mut batch, &mut room, &key);
        }
        let later = (Bound::Excluded(cursor.number), Bound::Unbounded);
        for (&number, key) in inner.order.range(later).take_while(|_| cursor.differing.is_empty()) {
            if !room.is_left() {
                break;
            }
            inner.take(&mut batch, &mut room, key);
            cursor.number = number;
        }
        batch.more = !cursor.differing.is_empty()
            || inner.order.range((Bound::Excluded(cursor.number), Bound::Unbounded)).next().is_some();
        let empty = batch.upserts.is_empty() && batch.removes.is_empty();
        if empty && cursor.generation == Some(inner.generation) {
            return Ok(None);
        }
        if !batch.more {
            cursor.generation = Some(inner.generation);
        }
        Ok(Some(batch))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for NodeTable {
    fn default() -> Self {
        Self::new()
    }
}

/// What still fits in a chunk.
struct Room {
    bytes: usize,
    items: usize,
}

impl Room {
    const fn is_left(&self) -> bool {
        self.bytes > 0 && self.items > 0
    }
}

impl Inner {
    fn set(&mut self, key: ResourceKey, content: Option<(Version, Bytes)>) {
        let version = |content: &Option<(Version, Bytes)>| content.as_ref().map(|(version, _)| *version);
        match self.entries.get(&key) {
            Some(entry) if version(&entry.content) == version(&content) => return,
            None if content.is_none() => return,
            Some(entry) => {
                self.order.remove(&entry.number);
                self.tombstones.remove(&entry.number);
            }
            None => {}
        }
        self.last += 1;
        self.order.insert(self.last, key.clone());
        if content.is_none() {
            self.tombstones.insert(self.last);
        }
        self.entries.insert(key, Entry { number: self.last, content });
    }

    fn forget_old_tombstones(&mut self) {
        while self.tombstones.len() > TOMBSTONES_MAX
            && let Some(number) = self.tombstones.pop_first()
        {
            self.forgotten = number;
            if let Some(key) = self.order.remove(&number) {
                self.entries.remove(&key);
            }
        }
    }

    fn take(&self, batch: &mut Batch, room: &mut Room, key: &ResourceKey) {
        let content = self.entries.get(key).and_then(|entry| entry.content.as_ref());
        let bytes = key.as_str().len() + content.map_or(0, |(_, body)| body.len());
        room.bytes = room.bytes.saturating_sub(bytes);
        room.items -= 1;
        match content {
            Some((version, body)) => batch.upserts.push((key.clone(), *version, body.clone())),
            None => batch.removes.push(key.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
