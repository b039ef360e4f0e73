//! The audit log: on disk only, in the order in which things happened.

use std::ops::{ControlFlow, Range};

use crate::{
    EngineError, Reader, Stopped, Write,
    disk::{self, Pair},
};

/// One record, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Consecutive, from 0.
    pub sequence: u64,
    pub value: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the store is damaged: audit record {0} is missing")]
    Missing(u64),
}

/// Records that are removed by one commit, beyond as many as it appends: a limit that was lowered is reached in steps.
const TRIM_MAX: u64 = 1_000;
/// A page of records ends when it has so many bytes.
const PAGE_BYTES: usize = 4 << 20;

/// Writes `records` after those that are `kept`, and removes the oldest beyond `max`. Gives what is kept then.
pub(crate) fn append(
    writes: &mut Vec<Write>,
    records: Vec<Vec<u8>>,
    kept: Range<u64>,
    max: u64,
) -> Range<u64> {
    let end = kept.end + records.len() as u64;
    // Of more new records than are kept at all, each is written nevertheless: they go with the next commit.
    let start =
        end.saturating_sub(max).clamp(kept.start, kept.end.min(kept.start + (end - kept.end) + TRIM_MAX));
    writes.extend((kept.start..start).map(|sequence| Write { key: disk::audit_key(sequence), value: None }));
    let records = (kept.end..).zip(records);
    writes.extend(
        records.map(|(sequence, value)| Write { key: disk::audit_key(sequence), value: Some(value) }),
    );
    let kept = start..end;
    writes.push(disk::audit_range(&kept));
    kept
}

/// The first records of `range`, all of which was kept a moment ago.
pub(crate) fn read(
    reader: &dyn Reader,
    range: Range<u64>,
    limit: usize,
) -> Result<Vec<AuditRecord>, AuditError> {
    if range.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let (mut records, mut bytes) = (Vec::<AuditRecord>::new(), 0);
    let (from, to) = (disk::audit_key(range.start), disk::audit_key(range.end));
    reader.scan(&from..&to, &mut |key, value| {
        if let Some(Pair::Audit(sequence)) = Pair::read(key, value) {
            records.push(AuditRecord { sequence, value: value.to_vec() });
            bytes += value.len();
        }
        if records.len() < limit && bytes < PAGE_BYTES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    // The oldest may have gone meanwhile, but none from between.
    let gap = records.iter().zip(records.iter().skip(1)).find(|(a, b)| a.sequence + 1 != b.sequence);
    match gap {
        Some((before, _)) => Err(AuditError::Missing(before.sequence + 1)),
        None => Ok(records),
    }
}

#[cfg(test)]
mod tests;
