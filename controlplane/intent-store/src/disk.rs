//! How the store's tables lie in the engine's one space of keys, and how they are read when it is opened.
//!
//! | key                | value                              |
//! |--------------------|------------------------------------|
//! | `a` sequence (u64) | an audit record                    |
//! | `c` key            | a claim's value                    |
//! | `maudit`           | first and next sequence (u64, u64) |
//! | `mformat`          | the format's number, in digits     |
//! | `mrevision`        | the last revision (u64)            |
//! | `o` key            | revision (u64), an object's value  |
//!
//! Numbers are big-endian, so that their order is that of the keys.

use std::ops::{ControlFlow, Range};

use crate::{Engine, Key, OpenError, Record, Write, index::Index};

pub(crate) const FORMAT: &str = "3";

const AUDIT_KEY: &[u8] = b"maudit";
const FORMAT_KEY: &[u8] = b"mformat";
const REVISION_KEY: &[u8] = b"mrevision";

/// Where the audit records end and all that is loaded begins.
const AFTER_AUDIT: &[u8] = b"b";
/// After all keys.
pub(crate) const END: &[u8] = &[0xff];

pub(crate) struct Loaded {
    pub(crate) index: Index,
    pub(crate) audit: Range<u64>,
}

/// A pair of the engine, understood.
pub(crate) enum Pair<'a> {
    Audit(u64),
    AuditRange(Range<u64>),
    Claim(&'a str),
    Format(&'a str),
    Revision(u64),
    Object(&'a str, u64, &'a [u8]),
}

impl<'a> Pair<'a> {
    pub(crate) fn read(key: &'a [u8], value: &'a [u8]) -> Option<Self> {
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).ok();
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).ok();
        Some(match key {
            AUDIT_KEY => {
                let (start, end) = value.split_at_checked(size_of::<u64>())?;
                Self::AuditRange(number(start)?..number(end)?)
            }
            FORMAT_KEY => Self::Format(text(value)?),
            REVISION_KEY => Self::Revision(number(value)?),
            [b'a', sequence @ ..] => Self::Audit(number(sequence)?),
            [b'c', name @ ..] => Self::Claim(text(name)?),
            [b'o', name @ ..] => {
                let (revision, value) = value.split_at_checked(size_of::<u64>())?;
                Self::Object(text(name)?, number(revision)?, value)
            }
            _ => return None,
        })
    }
}

/// Loads all but the audit records. What is new gets its format.
pub(crate) fn load(engine: &mut impl Engine) -> Result<Loaded, OpenError> {
    let mut index = Index::default();
    let (mut format, mut revision, mut audit, mut damage) = (None, None, None, None);
    engine.reader().scan(AFTER_AUDIT..END, &mut |key, value| {
        match Pair::read(key, value) {
            Some(Pair::AuditRange(range)) => audit = Some(range),
            Some(Pair::Format(found)) => format = Some(found.to_owned()),
            Some(Pair::Revision(found)) => revision = Some(found),
            Some(Pair::Claim(name)) => index.claims.insert(name, value),
            Some(Pair::Object(name, revision, value)) => index.load_object(name, revision, value),
            Some(Pair::Audit(_)) | None => {
                damage = Some(format!("no one knows the key {:?}", String::from_utf8_lossy(key)));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(damage) = damage {
        return Err(OpenError::Damaged(damage));
    }
    match format.as_deref() {
        Some(FORMAT) => {}
        Some(found) => return Err(OpenError::Format { found: found.into() }),
        None if index.is_empty() && revision.is_none() && audit.is_none() => {
            engine.commit(&[write_format()])?;
        }
        None => return Err(OpenError::Damaged("its format is missing".into())),
    }
    let revision = revision.unwrap_or(0);
    if let Some((key, newest)) = index.newest()
        && newest > revision
    {
        return Err(OpenError::Damaged(format!("{key} is newer than the store's revision {revision}")));
    }
    index.loaded(revision);
    Ok(Loaded { index, audit: audit.unwrap_or(0..0) })
}

fn key(table: u8, name: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 1);
    bytes.push(table);
    bytes.extend_from_slice(name);
    bytes
}

pub(crate) fn object(name: &Key, record: Option<&Record>) -> Write {
    let value = record.map(|record| [&record.revision.to_be_bytes(), &*record.value].concat());
    Write { key: key(b'o', name.as_bytes()), value }
}

pub(crate) fn claim(name: &Key, record: Option<&Record>) -> Write {
    Write { key: key(b'c', name.as_bytes()), value: record.map(|record| record.value.to_vec()) }
}

pub(crate) fn audit_key(sequence: u64) -> Vec<u8> {
    key(b'a', &sequence.to_be_bytes())
}

pub(crate) fn audit_range(kept: &Range<u64>) -> Write {
    let value = [kept.start.to_be_bytes(), kept.end.to_be_bytes()].concat();
    Write { key: AUDIT_KEY.to_vec(), value: Some(value) }
}

pub(crate) fn revision(revision: u64) -> Write {
    Write { key: REVISION_KEY.to_vec(), value: Some(revision.to_be_bytes().to_vec()) }
}

pub(crate) fn write_format() -> Write {
    Write { key: FORMAT_KEY.to_vec(), value: Some(FORMAT.into()) }
}
