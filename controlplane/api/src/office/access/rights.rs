//! The office's users, roles and bindings as a policy, in step with the store.
//!
//! A transaction that writes one of these says so before it commits; whoever decides next reads what was written, if it
//! is durable by then, and goes on waiting if it is not. So nothing is read for requests between such changes, and no
//! decision that begins after a change was acknowledged is made without it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use access_policy::{Policy, Role};
use intent_store::{Store, Table};
use net_types::Name;
use xos_model::{KindName, RoleBindingSpec, RoleSpec, UserSpec};

use super::{
    lookup,
    scopes::{Known, Subject},
};
use crate::office::{Chains, Target, object_key, read_object, tenancies};

const PAGE: usize = 1000;

/// What decisions are made from.
#[derive(Default)]
pub(crate) struct Rights {
    index: RwLock<Index>,
    /// Written by transactions up to these revisions, and perhaps not durable yet.
    pending: Mutex<Vec<(Target, u64)>>,
    is_behind: AtomicBool,
}

#[derive(Default)]
pub(crate) struct Index {
    pub(crate) policy: Policy,
    /// Greater after every change.
    pub(crate) version: u64,
    /// Who brings an object into its scope.
    brought_by: BTreeMap<Target, BTreeSet<Target>>,
    brings: BTreeMap<Target, Vec<Target>>,
}

/// What the store and the index know together.
pub(crate) struct Durable<'a> {
    pub(crate) store: &'a Store,
    pub(crate) index: &'a Index,
    pub(crate) chains: &'a Chains,
}

/// The same, but for one object that was another then.
pub(crate) struct Beside<'a> {
    pub(crate) known: &'a Durable<'a>,
    pub(crate) other: Subject,
}

/// The kinds that decisions are made from.
const KINDS: [KindName; 6] = [
    KindName::User,
    KindName::Role,
    KindName::RoleBinding,
    KindName::Service,
    KindName::Deployment,
    KindName::Controller,
];

pub(crate) fn matters(kind: KindName) -> bool {
    KINDS.contains(&kind)
}

impl Rights {
    pub(crate) fn load(store: &Store) -> Self {
        let mut index = Index::default();
        for kind in KINDS {
            let prefix = format!("{}/", kind.plural());
            let mut after: Option<String> = None;
            // What changes meanwhile is noted as pending.
            while let Ok(page) = store.page(&prefix, after.as_deref(), PAGE, None) {
                for (key, _) in &page.items {
                    if let Some(name) = key.strip_prefix(&prefix).and_then(|name| name.parse().ok()) {
                        index.read(store, &Target { kind, name });
                    }
                }
                after = page.items.last().map(|(key, _)| key.to_string());
                if !page.more {
                    break;
                }
            }
        }
        Self { index: RwLock::new(index), ..Self::default() }
    }

    /// A transaction that will be durable at `revision` has written these.
    pub(crate) fn will_change(&self, targets: Vec<Target>, revision: u64) {
        if targets.is_empty() {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.extend(targets.into_iter().map(|target| (target, revision)));
        self.is_behind.store(true, Ordering::Release);
    }

    /// All that is durable.
    pub(crate) fn now(&self, store: &Store) -> RwLockReadGuard<'_, Index> {
        if self.is_behind.load(Ordering::Acquire) {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            // Before the objects are read: what is durable later is read again then.
            let durable = store.revision();
            for (target, _) in pending.iter() {
                index.read(store, target);
            }
            index.version += 1;
            pending.retain(|(_, revision)| *revision > durable);
            self.is_behind.store(!pending.is_empty(), Ordering::Release);
        }
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    /// Takes an object in as it is in the store. What is being deleted gives nothing any more, whoever it still waits for.
    fn read(&mut self, store: &Store, target: &Target) {
        let Target { kind, name } = target;
        match kind {
            KindName::User => match read_object::<UserSpec>(store, name) {
                Some(user) => {
                    let enabled = user.spec.enabled && user.metadata.deleted_at.is_none();
                    self.policy.put_user(name.clone(), enabled);
                }
                None => self.policy.remove_user(name),
            },
            KindName::Role => match read_object::<RoleSpec>(store, name) {
                Some(role) if role.metadata.deleted_at.is_none() => {
                    if let Err(error) = self.policy.put_role(name.clone(), Role::from(&role.spec)) {
                        tracing::error!(%error, role = %name, "a stored role gives nothing");
                        self.policy.remove_role(name);
                    }
                }
                Some(_) | None => self.policy.remove_role(name),
            },
            KindName::RoleBinding => match read_object::<RoleBindingSpec>(store, name) {
                Some(binding) if binding.metadata.deleted_at.is_none() => {
                    self.policy.put_binding(name.clone(), binding.spec.into());
                }
                Some(_) | None => self.policy.remove_binding(name),
            },
            _ => self.read_bringing(store, target),
        }
    }

    fn read_bringing(&mut self, store: &Store, target: &Target) {
        for brought in self.brings.remove(target).unwrap_or_default() {
            if let Some(by) = self.brought_by.get_mut(&brought) {
                by.remove(target);
                if by.is_empty() {
                    self.brought_by.remove(&brought);
                }
            }
        }
        let record = store.get(Table::Objects, &object_key(target.kind, &target.name));
        let Some(subject) = record.and_then(|record| lookup::subject(target.kind, &record)) else { return };
        let brings: Vec<_> = subject.brings().collect();
        for brought in &brings {
            self.brought_by.entry(brought.clone()).or_default().insert(target.clone());
        }
        if !brings.is_empty() {
            self.brings.insert(target.clone(), brings);
        }
    }
}

impl Known for Beside<'_> {
    fn subject(&self, target: &Target) -> Option<Subject> {
        if self.other.target == *target { Some(self.other.clone()) } else { self.known.subject(target) }
    }

    fn chain(&self, stand_ins: &BTreeMap<Name, Name>) -> Vec<Name> {
        self.known.chain(stand_ins)
    }

    fn brought_by(&self, target: &Target) -> Vec<Target> {
        self.known.brought_by(target)
    }
}

impl Known for Durable<'_> {
    fn subject(&self, target: &Target) -> Option<Subject> {
        match self.store.get(Table::Objects, &object_key(target.kind, &target.name)) {
            Some(record) => lookup::subject(target.kind, &record),
            None if target.kind == KindName::Tenant => {
                let derived = tenancies::derived(self.store, self.chains, &target.name)?;
                lookup::subject(target.kind, &derived.record)
            }
            None => None,
        }
    }

    fn chain(&self, stand_ins: &BTreeMap<Name, Name>) -> Vec<Name> {
        self.chains.graph.services_of(stand_ins).into_iter().cloned().collect()
    }

    fn brought_by(&self, target: &Target) -> Vec<Target> {
        self.index.brought_by.get(target).into_iter().flatten().cloned().collect()
    }
}
