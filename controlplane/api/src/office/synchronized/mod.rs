//! The office as the synchronizer's store: intent goes out by the change feed, what became of it comes in as status.
//!
//! What a back end may have of an object is recorded beside it, durably, before the effect. An object with a record is
//! held like one with a finalizer, which nobody can take away: it goes when the last record has gone.

mod attachments;
mod edges;
mod feed;
mod records;
mod reports;

use std::sync::Arc;

use intent_store::Table;
use synchronizer::{Key, Snapshot, Store, StoreError, Write};
use xos_model::{AnyObject, KindName};

use super::{Admission, Office, Rejection, object_key};

pub use edges::{CHAIN, CHAINS, POOL};
pub use feed::IntentFeed;
pub(super) use records::{forget_all, is_recorded};

/// Writes in one transaction: others have their turn between.
const CHUNK: usize = 500;

/// What the office wants, as the synchronizer sees it.
pub struct Intent {
    office: Office,
}

impl Intent {
    pub fn new(office: Office) -> Self {
        Self { office }
    }
}

impl Store for Intent {
    type Body = AnyObject;
    type Feed = IntentFeed;

    fn feed(&self) -> IntentFeed {
        IntentFeed::new(self.office.clone())
    }

    fn read(&self, key: &Key) -> Result<Option<Snapshot<AnyObject>>, StoreError> {
        let Some(kind) = kind_of(key) else { return Ok(None) };
        let place = object_key(kind, &key.name);
        let Some(record) = self.office.store.get(Table::Objects, &place) else { return Ok(None) };
        let body = parse(kind, &place, &record.value)?;
        let metadata = body.metadata();
        let uid = metadata.uid.as_deref().unwrap_or_default().into();
        let generation = metadata.generation.unwrap_or(0);
        Ok(Some(Snapshot { uid, generation, body: Arc::new(body) }))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        // Most statuses say what is known already.
        let mut writes = writes.into_iter().filter(|write| self.office.is_news(write)).peekable();
        while writes.peek().is_some() {
            let chunk: Vec<_> = writes.by_ref().take(CHUNK).collect();
            let written = self.office.admit(false, move |admission| admission.enact(chunk)).await;
            written
                .map_err(|stopped| StoreError(stopped.to_string()))?
                .map_err(|r| StoreError(r.to_string()))?;
        }
        Ok(())
    }
}

impl Admission<'_, '_> {
    fn enact(&mut self, writes: Vec<Write>) -> Result<(), Rejection> {
        for write in writes {
            match write {
                Write::Record { key, uid, back_end, record } => {
                    self.record(&key, &uid, &back_end, &record)?;
                }
                Write::Forget { key, uid, back_end, aspect } => self.forget(&key, &uid, &back_end, aspect),
                Write::Status(report) => self.report_any(&report)?,
            }
        }
        self.finish().map_err(|misplaced| misplaced.rejection)
    }
}

/// The model's kind; kinds that only plug-ins know are not kept here.
fn kind_of(key: &Key) -> Option<KindName> {
    KindName::ALL.iter().copied().find(|kind| kind.as_str() == key.kind.as_str())
}

fn parse(kind: KindName, place: &str, json: &[u8]) -> Result<AnyObject, StoreError> {
    AnyObject::parse(kind, json).map_err(|error| StoreError(format!("the stored object {place}: {error}")))
}

#[cfg(test)]
mod tests;
