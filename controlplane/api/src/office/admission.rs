//! What any change of an object goes through, in the transaction that makes it.

use std::sync::Arc;

use intent_store::{Record, Table, Transaction};
use jiff::Timestamp;
use net_types::Name;
use office_plan::{NodePool, NodePools};
use xos_model::{AddressPoolSpec, Fault, Kind, KindName, Metadata, NodeSpec, Object};

use super::{
    Draft, Operation, Preconditions, Rejection, Target, Verb, object_key,
    scratch::Scratch,
    stored::{decode, encode},
};

/// A transaction under the office's rules.
pub(crate) struct Admission<'a, 't> {
    pub(crate) txn: &'a mut Transaction<'t>,
    pub(super) scratch: &'a mut Scratch,
    pub(crate) now: Timestamp,
}

/// What became of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) effect: Effect,
    pub(crate) kind: KindName,
    pub(crate) name: Name,
    /// The object after it; before it, if it was deleted.
    pub(crate) record: Record,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Created,
    Configured,
    Unchanged,
    Deleted,
    /// It goes when its last finalizer is gone.
    Deleting,
}

/// What a kind adds to the rules that hold for all.
pub(super) trait Managed: Kind {
    /// Judges `new` against the other objects, completes its status, and makes all that follows from it.
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&Object<Self>>,
        new: &mut Object<Self>,
    ) -> Result<(), Rejection>;

    /// Judges whether the object can go, and takes back all that followed from it.
    fn retire(admission: &mut Admission<'_, '_>, old: &Object<Self>) -> Result<(), Rejection>;
}

impl Admission<'_, '_> {
    pub(crate) fn run(&mut self, operation: Operation) -> Result<Done, Rejection> {
        match operation {
            Operation::Put { verb, draft, preconditions } => match *draft {
                Draft::Node(draft) => self.put(verb, draft, &preconditions),
                Draft::AddressPool(draft) => self.put(verb, draft, &preconditions),
                Draft::Subscriber(draft) => self.put(verb, draft, &preconditions),
            },
            Operation::Delete { target, preconditions } => match target.kind {
                KindName::Node => self.delete::<NodeSpec>(&target, &preconditions),
                KindName::AddressPool => self.delete::<AddressPoolSpec>(&target, &preconditions),
                KindName::Subscriber => self.delete::<xos_model::SubscriberSpec>(&target, &preconditions),
                KindName::Tenant => {
                    let detail = "tenants go with their Subscriber: delete that";
                    Err(Rejection::invalid(vec![Fault::new("/kind", detail)]))
                }
            },
        }
    }

    fn put<K: Managed>(
        &mut self,
        verb: Verb,
        draft: xos_model::Draft<K>,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let name = draft.metadata.name.clone();
        let record = self.txn.get(Table::Objects, &object_key(K::KIND, &name));
        check(K::KIND, &name, record.as_ref(), preconditions)?;
        match record {
            None if verb == Verb::Update => Err(Rejection::not_found(K::KIND, name.as_str())),
            None => self.create(draft),
            Some(_) if verb == Verb::Create => {
                let detail = format!("there is a {} {name} already", K::KIND);
                Err(Rejection::conflict("/metadata/name", detail))
            }
            Some(record) => self.update(draft, record, preconditions),
        }
    }

    fn create<K: Managed>(&mut self, draft: xos_model::Draft<K>) -> Result<Done, Rejection> {
        let metadata = Metadata {
            uid: Some(new_uid()),
            generation: Some(1),
            labels: draft.metadata.labels,
            finalizers: draft.metadata.finalizers,
            created_at: Some(self.now),
            ..Metadata::named(draft.metadata.name)
        };
        let mut object = Object { kind: K::KIND, metadata, spec: draft.spec, status: K::Status::default() };
        K::admit(self, None, &mut object)?;
        Ok(self.store(object, Effect::Created))
    }

    fn update<K: Managed>(
        &mut self,
        draft: xos_model::Draft<K>,
        record: Record,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let name = draft.metadata.name;
        let old: Object<K> = decode(&object_key(K::KIND, &name), &record)?;
        if preconditions.uid.is_some() && preconditions.uid != old.metadata.uid {
            let detail = format!("this {} {name} is another one, made since", K::KIND);
            return Err(Rejection::conflict("/metadata/uid", detail));
        }
        let respecified = draft.spec != old.spec;
        let unchanged = !respecified
            && draft.metadata.labels == old.metadata.labels
            && draft.metadata.finalizers == old.metadata.finalizers;
        if unchanged {
            return Ok(Done { effect: Effect::Unchanged, kind: K::KIND, name, record });
        }
        let mut new = old.clone();
        new.spec = draft.spec;
        new.metadata.labels = draft.metadata.labels;
        new.metadata.finalizers = draft.metadata.finalizers;
        if old.metadata.deleted_at.is_some() {
            if respecified {
                return Err(Rejection::conflict("/spec", format!("{} {name} is being deleted", K::KIND)));
            }
            if new.metadata.finalizers.is_empty() {
                return self.remove(&old, record);
            }
        }
        if respecified {
            new.metadata.generation = old.metadata.generation.map(|generation| generation + 1);
            K::admit(self, Some(&old), &mut new)?;
        }
        Ok(self.store(new, Effect::Configured))
    }

    fn delete<K: Managed>(
        &mut self,
        target: &Target,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let key = object_key(K::KIND, &target.name);
        let record = self.txn.get(Table::Objects, &key);
        check(K::KIND, &target.name, record.as_ref(), preconditions)?;
        let record = record.ok_or_else(|| Rejection::not_found(K::KIND, target.name.as_str()))?;
        let mut old: Object<K> = decode(&key, &record)?;
        if preconditions.uid.is_some() && preconditions.uid != old.metadata.uid {
            let detail = format!("this {} {} is another one, made since", K::KIND, target.name);
            return Err(Rejection::conflict("/metadata/uid", detail));
        }
        if old.metadata.finalizers.is_empty() {
            return self.remove(&old, record);
        }
        if old.metadata.deleted_at.is_some() {
            let name = target.name.clone();
            return Ok(Done { effect: Effect::Unchanged, kind: K::KIND, name, record });
        }
        old.metadata.deleted_at = Some(self.now);
        Ok(self.store(old, Effect::Deleting))
    }

    fn remove<K: Managed>(&mut self, old: &Object<K>, record: Record) -> Result<Done, Rejection> {
        K::retire(self, old)?;
        let name = old.name().clone();
        let revision = self.txn.delete(Table::Objects, &object_key(K::KIND, &name));
        let record = Record { revision: revision.unwrap_or(record.revision), value: record.value };
        Ok(Done { effect: Effect::Deleted, kind: K::KIND, name, record })
    }

    pub(super) fn store<K: Kind>(&mut self, mut object: Object<K>, effect: Effect) -> Done {
        let value: Arc<[u8]> = encode(&mut object).into();
        let name = object.metadata.name;
        let revision = self.txn.put(Table::Objects, object_key(K::KIND, &name), value.clone());
        Done { effect, kind: K::KIND, name, record: Record { revision, value } }
    }

    pub(super) fn load<K: Kind>(&self, name: &Name) -> Result<Option<Object<K>>, Rejection> {
        let key = object_key(K::KIND, name);
        self.txn.get(Table::Objects, &key).map(|record| decode(&key, &record)).transpose()
    }

    pub(super) fn node(&mut self, name: &Name) -> Result<Option<Arc<NodeSpec>>, Rejection> {
        if let Some(spec) = self.scratch.node(name) {
            return Ok(Some(spec));
        }
        let Some(node) = self.load::<NodeSpec>(name)? else { return Ok(None) };
        let spec = Arc::new(node.spec);
        self.scratch.keep_node(name, spec.clone());
        Ok(Some(spec))
    }

    pub(super) fn pools(&mut self, node: &Name) -> Result<Arc<NodePools>, Rejection> {
        if let Some(pools) = self.scratch.pools(node) {
            return Ok(pools);
        }
        let names = self.holders(&pools_of(node));
        let mut pools = Vec::with_capacity(names.len());
        for name in names {
            if let Some(pool) = self.load::<AddressPoolSpec>(&name)? {
                pools.push(NodePool { name, spec: pool.spec });
            }
        }
        let pools = Arc::new(NodePools::new(pools));
        self.scratch.keep_pools(node, pools.clone());
        Ok(pools)
    }

    /// Who holds claims with this prefix.
    pub(super) fn holders(&self, prefix: &str) -> Vec<Name> {
        self.txn.prefixed(Table::Claims, prefix).filter_map(|(_, record)| holder(&record)).collect()
    }

    /// Who holds the first claim with this prefix.
    pub(super) fn first_holder(&self, prefix: &str) -> Option<Name> {
        self.txn.prefixed(Table::Claims, prefix).find_map(|(_, record)| holder(&record))
    }
}

/// The key under which a node's pools are found.
pub(super) fn pools_of(node: &Name) -> String {
    format!("pool/{node}/")
}

/// Whom a claim names.
pub(super) fn holder(record: &Record) -> Option<Name> {
    std::str::from_utf8(&record.value).ok()?.parse().ok()
}

pub(super) fn new_uid() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn check(
    kind: KindName,
    name: &Name,
    current: Option<&Record>,
    preconditions: &Preconditions,
) -> Result<(), Rejection> {
    let revision = current.map(|record| record.revision);
    if let Some(wanted) = &preconditions.if_match
        && !revision.is_some_and(|revision| wanted.holds(revision))
    {
        let is = revision.map_or("does not exist".into(), |revision| format!("has revision {revision}"));
        return Err(Rejection::precondition(format!("{kind} {name} {is}, not one that If-Match names")));
    }
    if let Some(unwanted) = &preconditions.if_none_match
        && let Some(revision) = revision
        && unwanted.holds(revision)
    {
        let detail = format!("{kind} {name} has revision {revision}, which If-None-Match excludes");
        return Err(Rejection::precondition(detail));
    }
    if let Some(seen) = preconditions.resource_version
        && revision != Some(seen)
    {
        let is =
            revision.map_or("does not exist".into(), |revision| format!("has revision {revision} by now"));
        return Err(Rejection::conflict("/metadata/resourceVersion", format!("{kind} {name} {is}")));
    }
    Ok(())
}
