//! What is kept of objects at back ends, beside the objects.
//!
//! | key                                                  | value                          |
//! |------------------------------------------------------|--------------------------------|
//! | `enacted/errors/PLURAL/NAME`                         | the object's last errors       |
//! | `enacted/failed/PLURAL/NAME`                         | nothing: it has not recovered  |
//! | `enacted/record/PLURAL/NAME/ASPECT/BACK-END`         | uid of the object, and record  |

use std::sync::Arc;

use intent_store::{Store, Table, Transaction};
use net_types::Name;
use serde::{Deserialize, Serialize};
use synchronizer::{Aspect, BackEnd, ErrorEntry, Key, Phase, Record, StoreError};
use xos_model::KindName;

use super::kind_of;
use crate::office::{Admission, Rejection, object_key};

/// A record, and of which object it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    uid: Arc<str>,
    record: Record,
}

fn records_of(kind: KindName, name: &Name) -> String {
    format!("enacted/record/{}/", object_key(kind, name))
}

fn errors_key(kind: KindName, name: &Name) -> String {
    format!("enacted/errors/{}", object_key(kind, name))
}

fn failed_key(kind: KindName, name: &Name) -> String {
    format!("enacted/failed/{}", object_key(kind, name))
}

fn record_key(kind: KindName, name: &Name, aspect: Aspect, back_end: &BackEnd) -> String {
    let aspect = match aspect {
        Aspect::Effect => "effect",
        Aspect::Told => "told",
    };
    format!("{}{aspect}/{back_end}", records_of(kind, name))
}

/// All that is recorded of an object.
pub(super) fn of(store: &Store, key: &Key) -> Result<Vec<(BackEnd, Record)>, StoreError> {
    let Some(kind) = kind_of(key) else { return Ok(Vec::new()) };
    let mut records = Vec::new();
    for (place, kept) in store.claims(&records_of(kind, &key.name)) {
        let back_end = place.rsplit_once('/').map_or("", |(_, back_end)| back_end);
        let kept: Kept = serde_json::from_slice(&kept.value).map_err(|error| damaged(&place, &error))?;
        records.push((BackEnd::new(back_end), kept.record));
    }
    Ok(records)
}

/// The last errors of an object, oldest first.
pub(super) fn errors(store: &Store, key: &Key) -> Result<Vec<ErrorEntry>, StoreError> {
    let Some(kind) = kind_of(key) else { return Ok(Vec::new()) };
    let place = errors_key(kind, &key.name);
    let Some(kept) = store.get(Table::Claims, &place) else { return Ok(Vec::new()) };
    serde_json::from_slice(&kept.value).map_err(|error| damaged(&place, &error))
}

/// Whether an object has failed and not recovered since.
pub(super) fn has_failed(store: &Store, kind: KindName, name: &Name) -> bool {
    store.get(Table::Claims, &failed_key(kind, name)).is_some()
}

fn damaged(place: &str, error: &serde_json::Error) -> StoreError {
    StoreError(format!("the store's {place}: {error}"))
}

/// Whether a back end may have something of an object: then it stays until that is gone.
pub(in crate::office) fn is_recorded(txn: &Transaction<'_>, kind: KindName, name: &Name) -> bool {
    txn.prefixed(Table::Claims, &records_of(kind, name)).next().is_some()
}

/// The object is gone, and all that was kept of it.
pub(in crate::office) fn forget_all(txn: &mut Transaction<'_>, kind: KindName, name: &Name) {
    txn.delete(Table::Claims, &errors_key(kind, name));
    txn.delete(Table::Claims, &failed_key(kind, name));
}

impl Admission<'_, '_> {
    /// Nothing is begun of what is gone: nobody would ever know of the effect.
    pub(super) fn record(
        &mut self,
        key: &Key,
        uid: &Arc<str>,
        back_end: &BackEnd,
        record: &Record,
    ) -> Result<(), Rejection> {
        let Some(kind) = kind_of(key) else { return Ok(()) };
        if !self.is_same(kind, key, uid) {
            let begins = matches!(record, Record::Effect(effect) if effect.phase == Phase::Begun);
            return if begins { Err(Rejection::not_found(kind, key.name.as_str())) } else { Ok(()) };
        }
        let kept = Kept { uid: uid.clone(), record: record.clone() };
        let value = serde_json::to_vec(&kept).expect("records hold nothing that JSON cannot");
        self.txn.put(Table::Claims, record_key(kind, &key.name, record.aspect(), back_end), value);
        Ok(())
    }

    pub(super) fn forget(&mut self, key: &Key, uid: &Arc<str>, back_end: &BackEnd, aspect: Aspect) {
        let Some(kind) = kind_of(key) else { return };
        let place = record_key(kind, &key.name, aspect, back_end);
        let kept = self.txn.get(Table::Claims, &place);
        let of_this = kept.and_then(|kept| serde_json::from_slice::<Kept>(&kept.value).ok());
        if of_this.is_some_and(|kept| kept.uid == *uid) {
            self.txn.delete(Table::Claims, &place);
        }
    }

    /// Keeps the last errors; gives back those that were kept before.
    pub(super) fn keep_errors(
        &mut self,
        kind: KindName,
        name: &Name,
        errors: &[ErrorEntry],
    ) -> Vec<ErrorEntry> {
        let place = errors_key(kind, name);
        let before = self.txn.get(Table::Claims, &place);
        let before = before.and_then(|kept| serde_json::from_slice::<Vec<ErrorEntry>>(&kept.value).ok());
        let before = before.unwrap_or_default();
        if before != errors {
            self.txn.put(Table::Claims, place, serde_json::to_vec(errors).expect("plain fields"));
        }
        before
    }

    pub(super) fn note_failure(&mut self, kind: KindName, name: &Name) {
        self.txn.put(Table::Claims, failed_key(kind, name), b"".as_slice());
    }

    /// It works; says whether it had failed.
    pub(super) fn note_recovery(&mut self, kind: KindName, name: &Name) -> bool {
        self.txn.delete(Table::Claims, &failed_key(kind, name)).is_some()
    }

    /// Whether the object is still the one that is meant.
    fn is_same(&self, kind: KindName, key: &Key, uid: &str) -> bool {
        let record = self.txn.get(Table::Objects, &object_key(kind, &key.name));
        let object = record.and_then(|record| xos_model::AnyObject::parse(kind, &record.value).ok());
        object.is_some_and(|object| object.metadata().uid.as_deref() == Some(uid))
    }
}
