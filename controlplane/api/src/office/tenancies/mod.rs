//! The tenancies of subscribers: derived from the tenancy graph whenever they are read, and nowhere stored.
//!
//! ```text
//! Services, Tenants per tenant ─► Chains (in memory, in step with the store) ─┐
//! a Subscriber as it is, or was at a revision ────────────────────────────────┴─► Tenant objects, as if they were stored
//! ```
//!
//! A tenancy's name is that of its subscriber, `-`, and that of its service. Two of one name are possible where names
//! have dashes: then a stored Tenant is what the name stands for, and else the tenancy of the subscriber with the shorter
//! name. No new Subscriber and no new Tenant brings that about: only a change of the graph can.

mod chains;
mod names;
mod object;
mod page;

use intent_store::{Compacted, Key, Page, Record, Store, Table};
use net_types::Name;
use xos_model::{Subscriber, SubscriberSpec};

pub(crate) use chains::Chains;
pub(super) use chains::{Steering, matters, steers};
pub(super) use names::find;
pub(crate) use object::Derived;

use super::{Office, object_key, stored::decode};

/// The tenancies as they are at one revision, or as they were.
pub(crate) struct Tenancies<'a> {
    store: &'a Store,
    chains: Chains,
    revision: u64,
}

impl Office {
    /// How chains go by all that is durable.
    pub(crate) fn chains(&self) -> Chains {
        self.steering.now(&self.store)
    }

    /// The tenancies at a revision that history still reaches.
    pub(crate) fn tenancies(&self, revision: u64) -> Result<Tenancies<'_>, Compacted> {
        let chains = self.steering.at(&self.store, revision)?;
        Ok(Tenancies { store: &self.store, chains, revision })
    }

    /// The tenancy that follows from a subscriber under this name, unless a Tenant is stored under it.
    pub(crate) fn derived(&self, name: &Name) -> Option<Derived> {
        derived(&self.store, &self.chains(), name)
    }

    /// The tenancies of a subscriber's chain, each after its tenant.
    pub(crate) fn chain_of(&self, subscriber: &Record) -> Vec<(Key, Record)> {
        self.chain_by(&self.chains(), subscriber)
    }

    /// The same, by how chains went when the subscriber was so.
    pub(crate) fn chain_by(&self, chains: &Chains, subscriber: &Record) -> Vec<(Key, Record)> {
        let chains = chains.clone();
        Tenancies { store: &self.store, chains, revision: self.store.revision() }.of(subscriber)
    }
}

/// The same without an office.
pub(super) fn derived(store: &Store, chains: &Chains, name: &Name) -> Option<Derived> {
    let mut derived = find(&chains.graph, name, |user| super::read_object::<SubscriberSpec>(store, user))?;
    derived.since = derived.since.max(chains.since);
    let key = object_key(xos_model::KindName::Tenant, name);
    store.get(Table::Objects, &key).is_none().then_some(derived)
}

impl Tenancies<'_> {
    /// Those of a subscriber, in the order of its chain; those of which the name stands for something else are left out.
    pub(crate) fn of(&self, subscriber: &Record) -> Vec<(Key, Record)> {
        let Ok(subscriber) = decode::<SubscriberSpec>("subscribers/", subscriber) else { return Vec::new() };
        let all = object::chain(&self.chains.graph, &subscriber).into_iter();
        let keyed = all.map(|derived| (object_key(xos_model::KindName::Tenant, &derived.name), derived));
        let own = keyed.filter(|(key, derived)| !self.is_hidden(key, &subscriber, &derived.name));
        own.map(|(key, derived)| (Key::from(key), derived.record)).collect()
    }

    fn is_hidden(&self, key: &str, subscriber: &Subscriber, name: &Name) -> bool {
        self.record(key).is_some()
            || names::is_shadowed(&self.chains.graph, subscriber.name(), name, |user| self.subscriber(user))
    }

    fn subscriber(&self, name: &Name) -> Option<Subscriber> {
        let record = self.record(&object_key(xos_model::KindName::Subscriber, name))?;
        decode("subscribers/", &record).ok()
    }

    /// An object as it was. What history no longer reaches was not there: whoever asked for it at first was told.
    fn record(&self, key: &str) -> Option<Record> {
        record_at(self.store, key, self.revision).ok().flatten()
    }

    /// Up to `limit` tenancies whose keys come after `after`, in the order of their keys.
    pub(crate) fn page(&self, after: Option<&str>, limit: usize) -> Result<Page, Compacted> {
        page::page(self, after, limit)
    }
}

/// An object as it was at a revision that history still reaches.
fn record_at(store: &Store, key: &str, revision: u64) -> Result<Option<Record>, Compacted> {
    let page = store.page(key, None, 1, Some(revision))?;
    Ok(page.items.into_iter().next().filter(|(found, _)| **found == *key).map(|(_, record)| record))
}
