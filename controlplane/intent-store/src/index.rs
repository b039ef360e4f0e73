//! All that is durable but the audit log, in memory: the newest version of everything, and the bounded history of
//! objects.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    ops::Bound,
};

use crate::{
    Change, Compacted, Key, Page, Record,
    claims::Claims,
    packed::{Packed, Patterns},
    transaction::Logged,
};

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The newest version of each object; also that it was deleted, as long as history knows of it.
    objects: BTreeMap<Key, Version>,
    pub(crate) claims: Claims,
    /// Every change after `horizon`. All older versions are here.
    log: VecDeque<LogEntry>,
    /// What `log` takes, in bytes: what only it holds.
    log_bytes: usize,
    /// History is complete for revisions from here on.
    horizon: u64,
    pub(crate) revision: u64,
    pub(crate) patterns: Patterns,
}

/// Without a value the object was not there.
#[derive(Clone, Debug)]
struct Version {
    revision: u64,
    value: Option<Packed>,
}

impl Version {
    /// Before there was anything.
    const NONE: Self = Self { revision: 0, value: None };
}

#[derive(Debug)]
struct LogEntry {
    revision: u64,
    key: Key,
    now: Option<Packed>,
    before: Version,
}

impl LogEntry {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.before.value.as_ref().map_or(0, Packed::len)
    }
}

/// A change of an object, ready to be applied.
pub(crate) type Prepared = (u64, Key, Option<Packed>);

impl Index {
    /// Takes in what is loaded: without history.
    pub(crate) fn load_object(&mut self, key: &str, revision: u64, value: &[u8]) {
        self.patterns.learn(key, value);
        let value = Some(self.patterns.pack(key, value));
        self.objects.insert(key.into(), Version { revision, value });
    }

    /// The end of loading.
    pub(crate) fn loaded(&mut self, revision: u64) {
        self.revision = revision;
        self.horizon = revision;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.claims.len() == 0
    }

    /// The object with the highest revision.
    pub(crate) fn newest(&self) -> Option<(&Key, u64)> {
        let newest = self.objects.iter().max_by_key(|(_, version)| version.revision);
        newest.map(|(key, version)| (key, version.revision))
    }

    fn record(&self, version: &Version) -> Option<Record> {
        let value = self.patterns.unpack(version.value.as_ref()?);
        Some(Record { revision: version.revision, value })
    }

    pub(crate) fn object(&self, key: &str) -> Option<Record> {
        self.record(self.objects.get(key)?)
    }

    pub(crate) fn contains_object(&self, key: &str) -> bool {
        self.objects.get(key).is_some_and(|version| version.value.is_some())
    }

    pub(crate) fn objects_from<'a>(
        &'a self,
        from: Bound<&str>,
    ) -> impl Iterator<Item = (&'a str, Option<Record>)> + use<'a> {
        let range = self.objects.range::<str, _>((from, Bound::Unbounded));
        range.map(|(key, version)| (&**key, self.record(version)))
    }

    pub(crate) fn objects_len(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn log_len(&self) -> usize {
        self.log.len()
    }

    pub(crate) fn log_bytes(&self) -> usize {
        self.log_bytes
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
            .map(|(key, newest)| (key, self.at(newest, revision)))
            .filter(|(_, version)| version.value.is_some());
        let taken = live.by_ref().take(limit);
        let items = taken.filter_map(|(key, version)| Some((key.clone(), self.record(version)?))).collect();
        let more = live.next().is_some();
        Ok(Page { revision, items, more })
    }

    /// What an object was at a revision that history still reaches.
    fn at<'a>(&'a self, newest: &'a Version, revision: u64) -> &'a Version {
        let mut version = newest;
        while version.revision > revision {
            version = &self.log[self.log_from(version.revision)].before;
        }
        version
    }

    /// Where the log's entries from `revision` on begin.
    fn log_from(&self, revision: u64) -> usize {
        self.log.partition_point(|logged| logged.revision < revision)
    }

    /// Up to `limit` changes after revision `after`, in order.
    pub(crate) fn changes(&self, after: u64, limit: usize) -> Result<Vec<Change>, Compacted> {
        self.check(after)?;
        let entries = self.log.range(self.log_from(after + 1)..).take(limit);
        Ok(entries.map(|logged| self.change(logged)).collect())
    }

    fn change(&self, LogEntry { revision, key, now, before }: &LogEntry) -> Change {
        let now = now.as_ref().map(|now| Record { revision: *revision, value: self.patterns.unpack(now) });
        Change { revision: *revision, key: key.clone(), now, before: self.record(before) }
    }

    fn check(&self, revision: u64) -> Result<(), Compacted> {
        if (self.horizon..=self.revision).contains(&revision) {
            Ok(())
        } else {
            Err(Compacted { asked: revision, oldest: self.horizon, newest: self.revision })
        }
    }

    /// Packs changes, which takes a while, for [`Self::apply_object`], which does not.
    pub(crate) fn prepare(&self, changes: Vec<Logged>) -> Vec<Prepared> {
        let prepared = changes.into_iter().map(|(revision, key, value)| {
            let value = value.map(|value| self.patterns.pack(&key, &value));
            (revision, key, value)
        });
        prepared.collect()
    }

    pub(crate) fn apply_object(&mut self, (revision, key, now): Prepared) {
        debug_assert!(revision > self.revision);
        self.revision = revision;
        let version = Version { revision, value: now.clone() };
        let (key, before) = match self.objects.entry(key) {
            Entry::Vacant(slot) => {
                let key = slot.key().clone();
                slot.insert(version);
                (key, Version::NONE)
            }
            Entry::Occupied(mut slot) => (slot.key().clone(), slot.insert(version)),
        };
        let logged = LogEntry { revision, key, now, before };
        self.log_bytes += logged.bytes();
        self.log.push_back(logged);
    }

    /// Forgets the oldest changes beyond so many, or so many bytes.
    pub(crate) fn compact(&mut self, changes_max: usize, bytes_max: usize) {
        while self.log.len() > changes_max || self.log_bytes > bytes_max {
            let Some(logged) = self.log.pop_front() else { return };
            self.log_bytes -= logged.bytes();
            self.horizon = logged.revision;
            if logged.now.is_none()
                && self.objects.get(&logged.key).is_some_and(|newest| newest.revision == logged.revision)
            {
                self.objects.remove(&logged.key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
