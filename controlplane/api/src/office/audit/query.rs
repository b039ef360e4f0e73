//! What is asked of the audit log: the newest first, a page at a time.

use intent_store::{AuditError, AuditRecord, Store};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Told, difference, unpack};

/// Records that are read at a time, and for one page: few of many may be wanted.
const CHUNK: u64 = 32;
const SCAN_MAX: u64 = 4096;

#[derive(Clone, Debug, Default)]
pub(crate) struct AuditQuery {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) user: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) limit: usize,
    /// Before this record, or before this change of it.
    pub(crate) before: Option<(u64, usize)>,
}

/// A change, or a refusal.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub(crate) struct AuditItem {
    pub(crate) time: Timestamp,
    pub(crate) request: String,
    pub(crate) user: String,
    pub(crate) from: String,
    /// `done` or `refused`.
    #[schemars(extend("enum" = ["done", "refused"]))]
    pub(crate) outcome: &'static str,
    pub(crate) verb: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<u64>,
    /// What was changed (RFC 7396).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patch: Option<Value>,
    /// What was made or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// Refusals before this one of which nothing else is told.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub(crate) left_out: u64,
}

/// What was found, and where to go on if there may be more.
pub(crate) type Found = (Vec<AuditItem>, Option<(u64, usize)>);

impl AuditQuery {
    /// It reads the disk, and blocks meanwhile.
    pub(crate) fn run(&self, store: &Store) -> Result<Found, AuditError> {
        let kept = store.audit_range();
        // A record's changes before this one; all of the record before it.
        let (mut end, mut within) = match self.before {
            Some((sequence, change)) => {
                ((sequence + 1).min(kept.end), (sequence < kept.end).then_some(change))
            }
            None => (kept.end, None),
        };
        if let (None, Some(until)) = (self.before, self.until) {
            end = first_after(store, kept.clone(), until)?;
        }
        let least = end.saturating_sub(SCAN_MAX).max(kept.start);
        let mut items = Vec::new();
        while end > least {
            let start = end.saturating_sub(CHUNK).max(least);
            let records = read_all(store, start, end)?;
            for AuditRecord { sequence, value } in records.iter().rev() {
                let found = explain(value);
                let upto = within.take().unwrap_or(found.len()).min(found.len());
                if let (Some(since), Some(item)) = (self.since, found.first())
                    && item.time < since
                {
                    return Ok((items, None));
                }
                for (change, item) in found.into_iter().enumerate().take(upto).rev() {
                    if !self.picks(&item) {
                        continue;
                    }
                    if items.len() == self.limit {
                        return Ok((items, Some((*sequence, change + 1))));
                    }
                    items.push(item);
                }
            }
            end = start;
        }
        // There may be more than one page looks at.
        let more = end > kept.start;
        Ok((items, more.then(|| (end - 1, usize::MAX))))
    }

    fn picks(&self, item: &AuditItem) -> bool {
        let is = |wanted: &Option<String>, is: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(is))
        };
        let kind =
            xos_model::KindName::from_plural(&item.kind).map_or(item.kind.as_str(), |kind| kind.as_str());
        is(&self.user, &item.user)
            && (is(&self.kind, kind) || is(&self.kind, &item.kind))
            && is(&self.name, &item.name)
            && self.until.is_none_or(|until| item.time < until)
            && self.since.is_none_or(|since| item.time >= since)
    }
}

/// All records of a range, which may be more bytes than one read gives.
fn read_all(store: &Store, start: u64, end: u64) -> Result<Vec<AuditRecord>, AuditError> {
    let mut records: Vec<AuditRecord> = Vec::new();
    let mut from = start;
    while from < end {
        let read = store.audit_records(from..end, usize::try_from(CHUNK).unwrap_or(usize::MAX))?;
        let Some(last) = read.last() else { break };
        from = last.sequence + 1;
        records.extend(read);
    }
    Ok(records)
}

/// The first record that is not before `time`: records are in order, to within a moment.
fn first_after(store: &Store, kept: std::ops::Range<u64>, time: Timestamp) -> Result<u64, AuditError> {
    let (mut low, mut high) = (kept.start, kept.end);
    while low < high {
        let middle = low + (high - low) / 2;
        let records = store.audit_records(middle..middle + 1, 1)?;
        let item = records.first().and_then(|record| explain(&record.value).into_iter().next());
        if item.is_none_or(|item| item.time < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok((high + 1).min(kept.end))
}

/// What a record tells; nothing, if it cannot be read.
pub(super) fn explain(record: &[u8]) -> Vec<AuditItem> {
    let Some(json) = unpack(record) else {
        tracing::error!("an audit record has an unknown form");
        return Vec::new();
    };
    let told: Told<'_> = match serde_json::from_slice(&json) {
        Ok(told) => told,
        Err(error) => {
            tracing::error!(%error, "an audit record cannot be read");
            return Vec::new();
        }
    };
    let item = |outcome, verb: String, kind: String, name: String| AuditItem {
        time: told.time,
        request: told.request.clone(),
        user: told.user.clone(),
        from: told.from.clone(),
        outcome,
        verb,
        kind,
        name,
        before: None,
        after: None,
        patch: None,
        object: None,
        status: None,
        detail: None,
        left_out: told.left_out,
    };
    if let Some(refused) = told.refused {
        let (status, detail) = (Some(refused.status), Some(refused.detail));
        return vec![AuditItem {
            status,
            detail,
            ..item("refused", refused.verb, refused.kind, refused.name)
        }];
    }
    let value = |raw: Option<&serde_json::value::RawValue>| {
        raw.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok())
    };
    let changes = told.changes.into_iter().map(|change| {
        let (was, is) = (value(change.was), value(change.is));
        let (patch, object) = match (was, is) {
            (Some(was), Some(is)) => (Some(difference(&was, &is)), None),
            (was, is) => (None, is.or(was)),
        };
        let (before, after) = (change.before, change.after);
        AuditItem { before, after, patch, object, ..item("done", change.verb, change.kind, change.name) }
    });
    changes.collect()
}
