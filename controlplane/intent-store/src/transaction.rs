//! What a closure sees and does.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use crate::{
    Key, Record, Table,
    index::Index,
    merge::{Layer, Merged, Source},
};

/// A change of an object: its revision, its key and its new value, if it was not removed.
pub(crate) type Logged = (u64, Key, Option<Arc<[u8]>>);

/// What a batch, or a transaction, has written and not yet committed.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) objects: Layer,
    pub(crate) claims: Layer,
    /// Every change of an object, in the order of its revision.
    pub(crate) log: Vec<Logged>,
    /// What is to be told of it.
    pub(crate) audit: Vec<Vec<u8>>,
}

/// A transaction in progress: sees its own writes and all transactions before it.
pub struct Transaction<'s> {
    index: &'s Index,
    batch: &'s Pending,
    own: Pending,
    revision: u64,
    /// The last revision before this transaction.
    before: u64,
    /// What is to be told if it is refused.
    refusals: Vec<Vec<u8>>,
    /// Whether an object was written more than once.
    revised: bool,
}

impl Pending {
    fn layer(&self, table: Table) -> &Layer {
        match table {
            Table::Objects => &self.objects,
            Table::Claims => &self.claims,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.claims.is_empty() && self.audit.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len() + self.claims.len() + self.audit.len()
    }

    /// Takes as long as what comes is large, however large the rest is: many small transactions share a batch.
    pub(crate) fn absorb(&mut self, mut later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        self.objects.extend(later.objects);
        self.claims.extend(later.claims);
        self.log.append(&mut later.log);
        self.audit.append(&mut later.audit);
    }
}

impl<'s> Transaction<'s> {
    pub(crate) fn new(index: &'s Index, batch: &'s Pending, revision: u64) -> Self {
        Self {
            index,
            batch,
            own: Pending::default(),
            revision,
            before: revision,
            refusals: Vec::new(),
            revised: false,
        }
    }

    /// What was written, with the last revision that was given out.
    pub(crate) fn finish(mut self) -> (Pending, u64) {
        if self.revised {
            self.compact_log();
        }
        // What came and went again has left no revision either.
        let last = self.own.log.last().map_or(self.before, |(revision, ..)| *revision);
        (self.own, last)
    }

    /// What stays of a transaction that wrote nothing after all.
    pub(crate) fn refuse(self) -> Pending {
        Pending { audit: self.refusals, ..Pending::default() }
    }

    /// What was written twice is one change; what was made and removed again is none.
    fn compact_log(&mut self) {
        let mut log = std::mem::take(&mut self.own.log);
        let last: BTreeMap<Key, u64> =
            log.iter().map(|(revision, key, _)| (key.clone(), *revision)).collect();
        log.retain(|(revision, key, value)| {
            let was_there = match self.batch.objects.get(key) {
                Some(below) => below.is_some(),
                None => self.index.contains_object(key),
            };
            last[key] == *revision && (value.is_some() || was_there)
        });
        self.own.log = log;
    }

    /// The revision of the last change of an object, this transaction's included.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision of the last change of an object before this transaction.
    pub fn before(&self) -> u64 {
        self.before
    }

    pub fn get(&self, table: Table, key: &str) -> Option<Record> {
        if let Some(written) = self.own.layer(table).get(key).or_else(|| self.batch.layer(table).get(key)) {
            return written.clone();
        }
        match table {
            Table::Objects => self.index.object(key),
            Table::Claims => self.index.claims.get(key),
        }
    }

    pub fn contains(&self, table: Table, key: &str) -> bool {
        match self.own.layer(table).get(key).or_else(|| self.batch.layer(table).get(key)) {
            Some(written) => written.is_some(),
            None => match table {
                Table::Objects => self.index.contains_object(key),
                Table::Claims => self.index.claims.get(key).is_some(),
            },
        }
    }

    /// What this transaction has written so far, in the order of the keys: each object as it was before it, and as it
    /// is. What came and went again is among it, with neither.
    pub fn changed(&self) -> impl Iterator<Item = (Key, Option<Record>, Option<Record>)> {
        self.own.objects.iter().map(|(key, now)| {
            let was = match self.batch.objects.get(key) {
                Some(below) => below.clone(),
                None => self.index.object(key),
            };
            (key.clone(), was, now.clone())
        })
    }

    /// Writes a value, and says with which revision.
    pub fn put(&mut self, table: Table, key: impl Into<Key>, value: impl Into<Arc<[u8]>>) -> u64 {
        let (key, value) = (key.into(), value.into());
        match table {
            Table::Objects => {
                self.revision += 1;
                let record = Record { revision: self.revision, value: value.clone() };
                self.revised |= self.own.objects.insert(key.clone(), Some(record)).is_some();
                self.own.log.push((self.revision, key, Some(value)));
            }
            Table::Claims => {
                let record = Record { revision: 0, value };
                self.own.claims.insert(key, Some(record));
            }
        }
        self.revision
    }

    /// Removes what is there, if anything is.
    pub fn delete(&mut self, table: Table, key: &str) -> Option<u64> {
        if !self.contains(table, key) {
            return None;
        }
        let key = Key::from(key);
        match table {
            Table::Objects => {
                self.revision += 1;
                self.revised |= self.own.objects.insert(key.clone(), None).is_some();
                self.own.log.push((self.revision, key, None));
            }
            Table::Claims => drop(self.own.claims.insert(key, None)),
        }
        Some(self.revision)
    }

    /// Appends an audit record, which is committed with all that the transaction writes, or not at all.
    pub fn audit(&mut self, record: impl Into<Vec<u8>>) {
        self.own.audit.push(record.into());
    }

    /// Appends an audit record if the transaction ends with `Err`, of which nothing else stays. What ends so without
    /// having been refused, as a dry run does, does not call this.
    pub fn audit_refusal(&mut self, record: impl Into<Vec<u8>>) {
        self.refusals.push(record.into());
    }

    /// What there is from `from` on, in the order of the keys.
    pub fn range<'a>(
        &'a self,
        table: Table,
        from: Bound<&str>,
    ) -> impl Iterator<Item = (Key, Record)> + use<'a> {
        let layer = |pending: &'a Pending| {
            let range = pending.layer(table).range::<str, _>((from, Bound::Unbounded));
            Box::new(range.map(|(key, record)| (&**key, record.clone()))) as Source<'a>
        };
        let durable: Source<'a> = match table {
            Table::Objects => Box::new(self.index.objects_from(from)),
            Table::Claims => Box::new(self.index.claims.from(from).map(|(key, record)| (key, Some(record)))),
        };
        Merged::new([layer(&self.own), layer(self.batch), durable])
    }

    /// What there is with this prefix, in the order of the keys.
    pub fn prefixed<'a>(&'a self, table: Table, prefix: &'a str) -> impl Iterator<Item = (Key, Record)> + 'a {
        self.range(table, Bound::Included(prefix)).take_while(move |(key, _)| key.starts_with(prefix))
    }
}
