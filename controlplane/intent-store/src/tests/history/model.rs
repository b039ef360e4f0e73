//! The store as simple as can be: every state that ever was, by revision.

use std::collections::BTreeMap;

use crate::{Table, Transaction};

pub(super) const HISTORY_MAX: usize = 12;
/// More than any transactions of one step tell.
pub(super) const AUDIT_MAX: u64 = 25;

/// What a transaction does.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) operations: Vec<Operation>,
    pub(super) end: End,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Without a value: a removal.
    Write {
        table: Table,
        key: u8,
        value: Option<u8>,
    },
    Audit(u8),
}

#[derive(Clone, Debug)]
pub(super) enum End {
    Commit,
    /// Told to the audit log.
    Refusal(u8),
    DryRun,
}

/// Objects with their revisions.
pub(super) type Objects = BTreeMap<String, (u64, Vec<u8>)>;
pub(super) type Claims = BTreeMap<String, Vec<u8>>;

/// What a transaction has seen at its end, its own writes included; `Err` if it keeps none of them.
pub(super) type Outcome = Result<Seen, Seen>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) objects: Objects,
    pub(super) claims: Claims,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) states: BTreeMap<u64, Objects>,
    pub(super) claims: Claims,
    pub(super) log: Vec<(u64, String)>,
    pub(super) audit: Vec<u8>,
    /// The first audit record that is still kept.
    pub(super) audit_from: u64,
    /// Where the history of the running store begins.
    pub(super) since: u64,
}

/// Keys of two kinds, so that one is a part of the range of keys.
pub(super) fn name(key: u8) -> String {
    format!("{}/{key}", if key < 5 { "cats" } else { "dogs" })
}

impl Plan {
    /// The plan as the store carries it out.
    pub(super) fn run(&self, txn: &mut Transaction<'_>) -> Outcome {
        for operation in &self.operations {
            match *operation {
                Operation::Write { table, key, value: Some(value) } => {
                    txn.put(table, name(key), value_of(value));
                }
                Operation::Write { table, key, value: None } => {
                    txn.delete(table, &name(key));
                }
                Operation::Audit(byte) => txn.audit([byte]),
            }
        }
        let record = |(key, record): (crate::Key, crate::Record)| {
            assert_eq!(txn.get(Table::Objects, &key).as_ref(), Some(&record));
            (key.to_string(), (record.revision, record.value.to_vec()))
        };
        let objects: Objects = ["cats/", "dogs/"]
            .into_iter()
            .flat_map(|prefix| txn.prefixed(Table::Objects, prefix))
            .map(record)
            .collect();
        let claims = txn.range(Table::Claims, std::ops::Bound::Unbounded);
        let claims = claims.map(|(key, record)| (key.to_string(), record.value.to_vec())).collect();
        let seen = Seen { objects, claims };
        match self.end {
            End::Commit => Ok(seen),
            End::Refusal(byte) => {
                txn.audit_refusal([byte]);
                Err(seen)
            }
            End::DryRun => Err(seen),
        }
    }
}

/// Values of many lengths.
fn value_of(byte: u8) -> Vec<u8> {
    std::iter::repeat_n(byte, 1 + usize::from(byte) * 3).collect()
}

impl Model {
    pub(super) fn revision(&self) -> u64 {
        self.states.keys().next_back().copied().unwrap_or(0)
    }

    pub(super) fn now(&self) -> Objects {
        self.states.values().next_back().cloned().unwrap_or_default()
    }

    pub(super) fn at(&self, revision: u64) -> Objects {
        self.states.range(..=revision).next_back().map(|(_, state)| state.clone()).unwrap_or_default()
    }

    pub(super) fn horizon(&self) -> u64 {
        let log: Vec<_> = self.log.iter().filter(|(revision, _)| *revision > self.since).collect();
        match log.len().checked_sub(HISTORY_MAX + 1) {
            Some(last_forgotten) => log[last_forgotten].0,
            None => self.since,
        }
    }

    /// Carries a plan out.
    pub(super) fn run(&mut self, plan: &Plan) -> Outcome {
        let (mut revision, mut claims, mut told) = (self.revision(), self.claims.clone(), Vec::new());
        let before = self.now();
        let mut objects = before.clone();
        let mut touched = BTreeMap::new();
        for operation in &plan.operations {
            match *operation {
                Operation::Write { table: Table::Objects, key, value } => {
                    let removed = objects.remove(&name(key));
                    if value.is_some() || removed.is_some() {
                        revision += 1;
                        touched.insert(name(key), revision);
                    }
                    if let Some(value) = value {
                        objects.insert(name(key), (revision, value_of(value)));
                    }
                }
                Operation::Write { table: Table::Claims, key, value: Some(value) } => {
                    claims.insert(name(key), value_of(value));
                }
                Operation::Write { table: Table::Claims, key, value: None } => {
                    claims.remove(&name(key));
                }
                Operation::Audit(byte) => told.push(byte),
            }
        }
        let seen = Seen { objects: objects.clone(), claims: claims.clone() };
        let outcome = match plan.end {
            End::Commit => Ok(seen),
            End::Refusal(byte) => {
                self.tell(&[byte]);
                Err(seen)
            }
            End::DryRun => Err(seen),
        };
        if outcome.is_ok() {
            self.tell(&told);
            self.claims = claims;
            // What came and went within the transaction was never there.
            touched.retain(|key, _| before.contains_key(key) || objects.contains_key(key));
            let mut changes: Vec<_> = touched.into_iter().map(|(key, revision)| (revision, key)).collect();
            changes.sort();
            let mut state = before;
            for (revision, key) in changes {
                match objects.get(&key) {
                    Some(object) => drop(state.insert(key.clone(), object.clone())),
                    None => drop(state.remove(&key)),
                }
                self.states.insert(revision, state.clone());
                self.log.push((revision, key));
            }
        }
        outcome
    }

    fn tell(&mut self, records: &[u8]) {
        self.audit.extend_from_slice(records);
        self.audit_from = self.audit_from.max((self.audit.len() as u64).saturating_sub(AUDIT_MAX));
    }
}
