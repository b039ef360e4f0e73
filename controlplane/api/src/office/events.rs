//! What has happened to objects that nobody asked for: failures, recoveries, nodes that come and go.
//!
//! | key                       | value                                    |
//! |---------------------------|------------------------------------------|
//! | `event/SEQUENCE`          | an event; the sequence in 16 hex digits  |
//! | `events`                  | the first and the next sequence          |
//!
//! An event is written with the status that it is about. What was asked for is in the audit log.

use std::ops::Range;

use intent_store::{Store, Table, Transaction};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xos_model::KindName;

use super::Admission;

/// Events that are kept; beyond that the oldest go.
pub(crate) const EVENTS_MAX: u64 = 10_000;
const RANGE: &str = "events";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Event {
    /// Consecutive, from 1.
    #[serde(default)]
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) severity: Severity,
    pub(crate) kind: KindName,
    pub(crate) name: String,
    /// One word for programs.
    pub(crate) reason: String,
    /// A sentence for people.
    pub(crate) message: String,
    /// Where it happened, if that was at a back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) back_end: Option<String>,
    /// How often it had been tried since the object last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Normal,
    Warning,
}

impl Event {
    /// What happened now, to be completed.
    pub(super) fn new(
        (kind, name): (KindName, &str),
        severity: Severity,
        (reason, message): (&str, &str),
        time: Timestamp,
    ) -> Self {
        Self {
            sequence: 0,
            time,
            severity,
            kind,
            name: name.into(),
            reason: reason.into(),
            message: message.into(),
            back_end: None,
            attempt: None,
        }
    }
}

fn key(sequence: u64) -> String {
    format!("event/{sequence:016x}")
}

/// The sequence numbers of the events that are kept.
pub(crate) fn kept(store: &Store) -> Range<u64> {
    range(store.get(Table::Claims, RANGE).as_ref().map(|record| &*record.value))
}

/// An event that is kept still.
pub(crate) fn read(store: &Store, sequence: u64) -> Option<Event> {
    let record = store.get(Table::Claims, &key(sequence))?;
    let event = serde_json::from_slice::<Event>(&record.value);
    let event = event.inspect_err(|error| tracing::error!(sequence, %error, "an event cannot be read"));
    event.ok().map(|event| Event { sequence, ..event })
}

fn range(value: Option<&[u8]>) -> Range<u64> {
    value.and_then(|json| serde_json::from_slice::<(u64, u64)>(json).ok()).map_or(1..1, |(from, to)| from..to)
}

impl Admission<'_, '_> {
    pub(super) fn happened(&mut self, event: &Event) {
        append(self.txn, event);
        self.eventful = true;
    }
}

fn append(txn: &mut Transaction<'_>, event: &Event) {
    let Range { mut start, end } = range(txn.get(Table::Claims, RANGE).as_ref().map(|record| &*record.value));
    let value = serde_json::to_vec(event).expect("plain fields");
    txn.put(Table::Claims, key(end), value);
    while end + 1 - start > EVENTS_MAX {
        txn.delete(Table::Claims, &key(start));
        start += 1;
    }
    let value = serde_json::to_vec(&(start, end + 1)).expect("two numbers");
    txn.put(Table::Claims, RANGE, value);
}
