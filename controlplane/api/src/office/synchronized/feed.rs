//! The store's changes as the synchronizer takes them: all objects as of one revision, and then what changes.

use intent_store::{Compacted, Table};
use net_types::Name;
use office_plan::OfficePools;
use synchronizer::{Change, Feed, Key, Object, Origin, StoreError};
use tokio::sync::watch;
use xos_model::{AnyObject, KindName};

use super::{
    attachments::Attachments,
    edges::{beside, chains, edges},
    parse, records,
};
use crate::office::{Office, object_key};

/// Objects, or changes, that are told of at a time: whatever else has happened is not looked at meanwhile.
const CHUNK: usize = 256;

/// Follows the store; begins anew when it has been left behind.
pub struct IntentFeed {
    office: Office,
    revisions: watch::Receiver<u64>,
    /// As told of so far: a pool comes before what has something of it, and stays while that does.
    pools: OfficePools,
    attachments: Attachments,
    /// Since when chains go as was told last.
    chained: u64,
    at: At,
}

enum At {
    Start,
    /// Among the objects as they were at a revision: of this kind, after this key.
    Snapshot {
        revision: u64,
        kind: usize,
        after: Option<String>,
    },
    /// All is told up to this revision.
    Following(u64),
}

impl IntentFeed {
    pub(super) fn new(office: Office) -> Self {
        let revisions = office.store().revisions();
        Self {
            office,
            revisions,
            pools: OfficePools::default(),
            attachments: Attachments::default(),
            chained: 0,
            at: At::Start,
        }
    }

    /// The next part of the snapshot.
    fn page(&mut self, revision: u64, kind: usize, after: Option<&str>) -> Result<Vec<Change>, Fault> {
        let name = KindName::ALL[kind];
        let page = self.office.store().page(&format!("{}/", name.plural()), after, CHUNK, Some(revision))?;
        let mut changes = Vec::with_capacity(page.items.len() + 1);
        for (key, record) in &page.items {
            changes.extend(self.change(key, Some(&record.value))?);
        }
        self.at = if page.more {
            let after = page.items.last().map(|(key, _)| key.to_string());
            At::Snapshot { revision, kind, after }
        } else if kind + 1 < KindName::ALL.len() {
            At::Snapshot { revision, kind: kind + 1, after: None }
        } else {
            changes.push(Change::SnapshotEnds);
            At::Following(revision)
        };
        Ok(changes)
    }

    fn changes(&mut self, after: u64) -> Result<Vec<Change>, Fault> {
        let logged = self.office.store().changes(after, CHUNK)?;
        let mut changes = Vec::with_capacity(logged.len());
        for change in &logged {
            changes.extend(self.change(&change.key, change.now.as_ref().map(|record| &*record.value))?);
        }
        if let Some(last) = logged.last() {
            self.at = At::Following(last.revision);
        }
        Ok(changes)
    }

    /// How chains go now.
    fn chains(&mut self) -> Change {
        self.chained = self.office.chains().since;
        Change::Present(chains(self.chained))
    }

    /// A change of an object, and what it brings about for others.
    fn change(&mut self, place: &str, now: Option<&[u8]>) -> Result<Vec<Change>, StoreError> {
        let Some((plural, name)) = place.split_once('/') else { return Ok(Vec::new()) };
        let Some(kind) = KindName::from_plural(plural) else { return Ok(Vec::new()) };
        let name: Name =
            name.parse().map_err(|error| StoreError(format!("the store's key {place}: {error}")))?;
        let body = now.map(|json| parse(kind, place, json)).transpose()?;
        if kind == KindName::AddressPool {
            let spec = match &body {
                Some(AnyObject::AddressPool(pool)) => Some(pool.spec.clone()),
                _ => None,
            };
            self.pools.change(&name, spec);
        }
        let turned = self.attachments.take(kind, &name, body.as_ref());
        let key = Key::new(kind, name);
        let mut changes = vec![match body {
            Some(body) => Change::Present(self.object(key, &body)?),
            None => Change::Gone(key),
        }];
        for instance in turned {
            changes.extend(self.again(instance)?);
        }
        Ok(changes)
    }

    /// An instance as it is now, unless it is gone meanwhile: then that is told of in its turn.
    fn again(&self, instance: Name) -> Result<Option<Change>, StoreError> {
        let place = object_key(KindName::Instance, &instance);
        let Some(record) = self.office.store().get(Table::Objects, &place) else { return Ok(None) };
        let body = parse(KindName::Instance, &place, &record.value)?;
        Ok(Some(Change::Present(self.object(Key::new(KindName::Instance, instance), &body)?)))
    }

    fn object(&self, key: Key, body: &AnyObject) -> Result<Object, StoreError> {
        let (metadata, store) = (body.metadata(), self.office.store());
        Ok(Object {
            uid: metadata.uid.as_deref().unwrap_or_default().into(),
            generation: metadata.generation.unwrap_or(0),
            deleting: metadata.deleted_at.is_some(),
            origin: if metadata.adopted { Origin::Found } else { Origin::Ours },
            beside: beside(body, &self.attachments),
            edges: edges(body, &self.pools, &self.attachments),
            records: records::of(store, &key)?,
            history: records::errors(store, &key)?,
            key,
        })
    }
}

impl Feed for IntentFeed {
    async fn next(&mut self) -> Result<Vec<Change>, StoreError> {
        loop {
            // What is committed from here on wakes up below.
            let newest = *self.revisions.borrow_and_update();
            let told = match &self.at {
                At::Start => {
                    // Of what went while nobody listened nothing may be left: who refers to it would wait for ever.
                    self.pools = OfficePools::default();
                    self.attachments = Attachments::default();
                    self.at = At::Snapshot { revision: newest, kind: 0, after: None };
                    return Ok(vec![Change::SnapshotBegins, self.chains()]);
                }
                At::Snapshot { revision, kind, after } => {
                    let (revision, kind, after) = (*revision, *kind, after.clone());
                    self.page(revision, kind, after.as_deref())
                }
                At::Following(_) if self.office.chains().since != self.chained => Ok(vec![self.chains()]),
                At::Following(at) => self.changes(*at),
            };
            match told {
                Ok(changes) if !changes.is_empty() => return Ok(changes),
                Ok(_) if matches!(self.at, At::Following(at) if at >= newest) => {
                    let closed = |_| StoreError("the store is closed".into());
                    self.revisions.changed().await.map_err(closed)?;
                }
                Ok(_) => {}
                Err(Fault::Compacted(compacted)) => {
                    tracing::warn!(%compacted, "everything is told again");
                    self.at = At::Start;
                }
                Err(Fault::Store(error)) => return Err(error),
            }
        }
    }
}

enum Fault {
    Compacted(Compacted),
    Store(StoreError),
}

impl From<Compacted> for Fault {
    fn from(compacted: Compacted) -> Self {
        Self::Compacted(compacted)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
