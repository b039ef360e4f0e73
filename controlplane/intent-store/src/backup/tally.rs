//! What a backup holds, counted when it is written and again whenever it is read.

use serde::{Deserialize, Serialize};

use crate::disk::Pair;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The format of the store that it is of.
    pub format: String,
    /// All changes up to this one are in it, and none after.
    pub revision: u64,
    pub objects: u64,
    pub claims: u64,
    pub audit_records: u64,
    /// The files from beside the store, by their paths.
    pub files: Vec<String>,
    /// The length of keys and values together.
    pub bytes: u64,
    /// Of the file up to the manifest, in hexadecimal digits.
    pub sha256: String,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    format: Option<String>,
    revision: u64,
    objects: u64,
    claims: u64,
    audit_records: u64,
    files: Vec<String>,
    bytes: u64,
    /// The highest of any object.
    newest: u64,
    last: Vec<u8>,
}

impl Tally {
    /// Takes one more pair in; they must come in the order of their keys.
    pub(super) fn note(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let unknown = || format!("no one knows the key {:?}", String::from_utf8_lossy(key));
        match Pair::read(key, value).ok_or_else(unknown)? {
            Pair::Audit(_) => self.audit_records += 1,
            Pair::AuditRange(_) => {}
            Pair::Claim(_) => self.claims += 1,
            Pair::Format(format) => self.format = Some(format.into()),
            Pair::Revision(revision) => self.revision = revision,
            Pair::Object(_, revision, _) => {
                self.objects += 1;
                self.newest = self.newest.max(revision);
            }
        }
        if key <= self.last.as_slice() {
            return Err(format!("the key {:?} is out of order", String::from_utf8_lossy(key)));
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        self.bytes += (key.len() + value.len()) as u64;
        Ok(())
    }

    /// Takes one more file in; they must come in the order of their paths.
    pub(super) fn note_file(&mut self, path: &str) -> Result<(), String> {
        if self.files.last().is_some_and(|last| last.as_str() >= path) {
            return Err(format!("the file {path} is out of order"));
        }
        self.files.push(path.to_owned());
        Ok(())
    }

    pub(super) fn manifest(self, sha256: String) -> Result<Manifest, String> {
        let Self { format, revision, objects, claims, audit_records, files, bytes, newest, last: _ } = self;
        let format = format.ok_or("the store's format is missing")?;
        if newest > revision {
            return Err(format!(
                "an object of revision {newest} is newer than the store's revision {revision}"
            ));
        }
        Ok(Manifest { format, revision, objects, claims, audit_records, files, bytes, sha256 })
    }
}
