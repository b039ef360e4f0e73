//! All that is durable, in memory: the newest version of everything, and the bounded history of objects.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

/// What a value is stored under. Objects of a kind share a prefix, as in `subscribers/alice`.
pub type Key = Arc<str>;

/// The two tables of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// With history: in the change log, and readable at an older revision.
    Objects,
    /// Without.
    Claims,
}

/// A value and the revision that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub revision: u64,
    pub value: Arc<[u8]>,
}

/// One entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub revision: u64,
    pub key: Key,
    /// `None`: the object was deleted.
    pub now: Option<Record>,
    /// `None`: the object is new.
    pub before: Option<Record>,
}

/// Objects in the order of their keys, all as they were at `revision`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub revision: u64,
    pub items: Vec<(Key, Record)>,
    /// Whether more follow.
    pub more: bool,
}

/// The history no longer reaches back to the revision that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("revision {asked} is outside the history, which goes from {oldest} to {newest}")]
pub struct Compacted {
    pub asked: u64,
    pub oldest: u64,
    pub newest: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    objects: BTreeMap<Key, Chain>,
    pub(crate) claims: BTreeMap<Key, Record>,
    /// Revision and key of every change after `horizon`.
    log: VecDeque<(u64, Key)>,
    /// History is complete for revisions from here on.
    horizon: u64,
    pub(crate) revision: u64,
}

/// The versions of one object that history still needs, the newest apart: most objects have no other.
#[derive(Debug)]
struct Chain {
    newest: Version,
    older: Vec<Version>,
}

#[derive(Clone, Debug)]
struct Version {
    revision: u64,
    value: Option<Arc<[u8]>>,
}

impl Version {
    fn record(&self) -> Option<Record> {
        self.value.clone().map(|value| Record { revision: self.revision, value })
    }
}

impl Chain {
    fn at(&self, revision: u64) -> Option<&Version> {
        let versions = std::iter::once(&self.newest).chain(self.older.iter().rev());
        versions.into_iter().find(|version| version.revision <= revision)
    }
}

impl Index {
    /// What was loaded: no history before it.
    pub(crate) fn new(objects: Vec<(Key, Record)>, claims: Vec<(Key, Record)>, revision: u64) -> Self {
        let chain = |Record { revision, value }| Chain {
            newest: Version { revision, value: Some(value) },
            older: Vec::new(),
        };
        Self {
            objects: objects.into_iter().map(|(key, record)| (key, chain(record))).collect(),
            claims: claims.into_iter().collect(),
            log: VecDeque::new(),
            horizon: revision,
            revision,
        }
    }

    pub(crate) fn object(&self, key: &str) -> Option<Record> {
        self.objects.get(key)?.newest.record()
    }

    pub(crate) fn objects_from<'a>(
        &'a self,
        from: Bound<&str>,
    ) -> impl Iterator<Item = (&'a Key, Option<Record>)> + use<'a> {
        let range = self.objects.range::<str, _>((from, Bound::Unbounded));
        range.map(|(key, chain)| (key, chain.newest.record()))
    }

    pub(crate) fn objects_len(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn log_len(&self) -> usize {
        self.log.len()
    }

    /// Up to `limit` objects whose keys begin with `prefix` and come after `after`, as they were at `revision`.
    pub(crate) fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        revision: Option<u64>,
    ) -> Result<Page, Compacted> {
        let revision = revision.unwrap_or(self.revision);
        self.check(revision)?;
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let range = self.objects.range::<str, _>((from, Bound::Unbounded));
        let mut live = range
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter_map(|(key, chain)| Some((key.clone(), chain.at(revision)?.record()?)));
        let items: Vec<_> = live.by_ref().take(limit).collect();
        let more = live.next().is_some();
        Ok(Page { revision, items, more })
    }

    /// Up to `limit` changes after revision `after`, in order.
    pub(crate) fn changes(&self, after: u64, limit: usize) -> Result<Vec<Change>, Compacted> {
        self.check(after)?;
        let first = self.log.partition_point(|(revision, _)| *revision <= after);
        let entries = self.log.range(first..).take(limit);
        Ok(entries.map(|(revision, key)| self.change(*revision, key)).collect())
    }

    fn change(&self, revision: u64, key: &Key) -> Change {
        let chain = self.objects.get(key).expect("history keeps the versions of every change in the log");
        let at = |revision| chain.at(revision).and_then(Version::record);
        Change { revision, key: key.clone(), now: at(revision), before: at(revision - 1) }
    }

    fn check(&self, revision: u64) -> Result<(), Compacted> {
        if (self.horizon..=self.revision).contains(&revision) {
            Ok(())
        } else {
            Err(Compacted { asked: revision, oldest: self.horizon, newest: self.revision })
        }
    }

    pub(crate) fn apply_object(&mut self, revision: u64, key: Key, value: Option<Arc<[u8]>>) {
        debug_assert!(revision > self.revision);
        self.revision = revision;
        self.log.push_back((revision, key.clone()));
        let version = Version { revision, value };
        match self.objects.entry(key) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(Chain { newest: version, older: Vec::new() });
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let chain = slot.get_mut();
                let before = std::mem::replace(&mut chain.newest, version);
                chain.older.push(before);
            }
        }
    }

    /// Forgets the oldest changes beyond `limit`, and the versions that nothing can ask for any more.
    pub(crate) fn compact(&mut self, limit: usize) {
        while self.log.len() > limit {
            let Some((revision, key)) = self.log.pop_front() else { return };
            self.horizon = revision;
            let Some(chain) = self.objects.get_mut(&key) else { continue };
            if chain.newest.revision <= revision {
                if chain.newest.value.is_none() {
                    self.objects.remove(&key);
                } else {
                    chain.older = Vec::new();
                }
            } else {
                let keep = chain.older.partition_point(|version| version.revision <= revision);
                chain.older.drain(..keep.saturating_sub(1));
            }
        }
    }
}
