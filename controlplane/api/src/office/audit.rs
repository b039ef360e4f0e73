//! The audit log: who changed what, from where, and how it was before; and who was refused what.
//!
//! A transaction's changes are one record, which is committed with it. It holds the objects as they were and as they
//! are, packed: what differs is worked out by who reads, not by the writer. Nothing of a secret is in it but its name.

use std::sync::Arc;

use intent_store::Record;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use xos_model::KindName;

use super::{Admission, Caller, Done, Effect, Operation, Verb, object_key};

mod query;

pub(crate) use query::{AuditItem, AuditQuery};

/// The form of a record: LZ4 of JSON, after its length.
const FORMAT: u8 = 1;

/// What a caller's transaction has done so far.
pub(crate) struct Trail {
    caller: Arc<Caller>,
    /// JSON, with a comma after each.
    entries: Vec<u8>,
}

/// A record, with its objects as they are written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    time: Timestamp,
    request: String,
    user: String,
    from: String,
    #[serde(borrow, default)]
    changes: Vec<ToldChange<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    /// Refusals before this one of which nothing else is told.
    #[serde(default, skip_serializing_if = "is_zero")]
    left_out: u64,
}

#[derive(Serialize, Deserialize)]
struct ToldChange<'a> {
    verb: String,
    kind: String,
    name: String,
    #[serde(default)]
    before: Option<u64>,
    #[serde(default)]
    after: Option<u64>,
    #[serde(borrow, default)]
    was: Option<&'a RawValue>,
    #[serde(borrow, default)]
    is: Option<&'a RawValue>,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) verb: String,
    /// A plural, or what stands there in the path.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) status: u16,
    pub(crate) detail: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Trail {
    pub(super) fn new(caller: Arc<Caller>) -> Self {
        Self { caller, entries: Vec::new() }
    }

    /// Something that is no object, of which only that it was done is told.
    pub(super) fn act(&mut self, verb: &str, kind: &str, name: &str) {
        let name = Value::from(name).to_string();
        let name = name.strip_prefix('"').unwrap_or_default().strip_suffix('"').unwrap_or_default();
        self.entry(verb, kind, name, (None, None), (None, None));
    }

    fn entry(
        &mut self,
        verb: &str,
        kind: &str,
        name: &str,
        (before, after): (Option<u64>, Option<u64>),
        (was, is): (Option<&[u8]>, Option<&[u8]>),
    ) {
        use std::io::Write as _;
        let out = &mut self.entries;
        // Names of objects have no characters that JSON would escape.
        let written = write!(out, r#"{{"verb":"{verb}","kind":"{kind}","name":"{name}""#).and_then(|()| {
            for (key, revision) in [("before", before), ("after", after)] {
                if let Some(revision) = revision {
                    write!(out, r#","{key}":{revision}"#)?;
                }
            }
            for (key, object) in [("was", was), ("is", is)] {
                if let Some(object) = object {
                    write!(out, r#","{key}":"#)?;
                    out.extend_from_slice(object);
                }
            }
            out.write_all(b"},")
        });
        debug_assert!(written.is_ok(), "memory takes all");
    }

    /// The record, if anything has been done.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        let changes = self.entries.strip_suffix(b",")?;
        let head = head(&self.caller.to_string(), &self.caller.origin.to_string(), &self.caller.request);
        // The head is an object without members after these.
        let head = head.strip_suffix("}")?;
        let mut json = Vec::with_capacity(head.len() + changes.len() + 16);
        json.extend_from_slice(head.as_bytes());
        json.extend_from_slice(br#","changes":["#);
        json.extend_from_slice(changes);
        json.extend_from_slice(b"]}");
        Some(pack(&json))
    }
}

fn head(user: &str, from: &str, request: &str) -> String {
    serde_json::json!({"time": Timestamp::now(), "user": user, "from": from, "request": request}).to_string()
}

/// The record of a refusal.
pub(crate) fn refusal(user: &str, from: &str, request: &str, refused: &Refused, left_out: u64) -> Vec<u8> {
    let told = Told {
        time: Timestamp::now(),
        request: request.into(),
        user: user.into(),
        from: from.into(),
        changes: Vec::new(),
        refused: Some(refused.clone()),
        left_out,
    };
    pack(&serde_json::to_vec(&told).expect("plain fields"))
}

fn pack(json: &[u8]) -> Vec<u8> {
    let mut record = vec![FORMAT];
    record.extend_from_slice(&lz4_flex::block::compress_prepend_size(json));
    record
}

/// The most that a record is unpacked to: a transaction's objects before and after it.
const RECORD_BYTES_MAX: usize = 64 << 20;

fn unpack(record: &[u8]) -> Option<Vec<u8>> {
    let packed = record.strip_prefix(&[FORMAT])?;
    let length = u32::from_le_bytes(packed.get(..4)?.try_into().ok()?);
    let fits = usize::try_from(length).is_ok_and(|length| length <= RECORD_BYTES_MAX);
    fits.then(|| lz4_flex::block::decompress_size_prepended(packed).ok()).flatten()
}

impl Admission<'_, '_> {
    /// The object that an operation is about, before it, if that will be told.
    pub(super) fn before(&self, operation: &Operation) -> Option<Record> {
        self.trail.as_ref()?;
        if matches!(operation, Operation::Put { verb: Verb::Create, .. }) {
            return None;
        }
        let target = operation.target();
        self.txn.get(intent_store::Table::Objects, &object_key(target.kind, &target.name))
    }

    pub(super) fn tell(&mut self, done: &Done, before: Option<Record>) {
        let Some(trail) = &mut self.trail else { return };
        let verb = match done.effect {
            Effect::Unchanged => return,
            Effect::Created => "create",
            Effect::Configured => "update",
            Effect::Deleted | Effect::Deleting => "delete",
        };
        let shown = |record: &Record| (done.kind != KindName::Secret).then(|| record.value.clone());
        let was = before.as_ref().and_then(shown);
        let is = if verb == "delete" { None } else { shown(&done.record) };
        let revisions = (before.map(|before| before.revision), Some(done.record.revision));
        trail.entry(verb, done.kind.as_str(), done.name.as_str(), revisions, (was.as_deref(), is.as_deref()));
    }
}

/// What makes `after` of `before` (RFC 7396).
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return after.clone() };
    let mut patch = serde_json::Map::new();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in after {
        match before.get(key) {
            Some(old) if old == value => {}
            Some(old) => drop(patch.insert(key.clone(), difference(old, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests;
