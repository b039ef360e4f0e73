//! Tenancies that follow from subscribers, as a transaction sees them, and what they forbid.

use std::collections::BTreeSet;

use intent_store::{Record, Table};
use net_types::Name;
use xos_model::{Kind, KindName, Object, Subscriber, SubscriberSpec, TenantSpec};

use super::{Admission, Misplaced};
use crate::office::{
    Rejection, graph, object_key,
    tenancies::{self, Derived},
};

/// What is to be judged of tenancies when all operations are done.
#[derive(Default)]
pub(super) struct Followed {
    /// Subscribers that are new, or have other services than before.
    subscribers: Vec<(usize, Subscriber, Option<SubscriberSpec>)>,
    /// Tenants that are new.
    tenants: Vec<(usize, Name)>,
    /// The first operation after which chains go another way.
    steered: Option<usize>,
}

impl Admission<'_, '_> {
    /// Reads the graph, unless it is known. Only its own objects are read for that.
    pub(super) fn know_graph(&mut self) -> Result<(), Rejection> {
        if self.scratch.graph().is_none() {
            let graph = graph::load(&*self)?;
            self.scratch.keep_graph(graph);
        }
        Ok(())
    }

    /// The tenancy that follows from a subscriber under this name.
    pub(in crate::office) fn derived(&self, name: &Name) -> Option<Derived> {
        let subscriber = |user: &Name| self.load::<SubscriberSpec>(user).ok().flatten();
        tenancies::find(self.scratch.graph()?, name, subscriber)
    }

    /// The same for an object of any kind that is not stored.
    pub(super) fn derived_as<K: Kind>(&self, name: &Name, stored: Option<&Record>) -> Option<Derived> {
        if K::KIND == KindName::Tenant && stored.is_none() { self.derived(name) } else { None }
    }

    /// Notes what the chains of a change are to be asked.
    pub(super) fn follow<K: Kind>(&mut self, old: Option<&Object<K>>, new: Option<&Object<K>>) {
        let (before, now) = (old.map(|old| &old.spec), new.map(|new| &new.spec));
        if tenancies::steers(before, now) {
            self.followed.steered.get_or_insert(self.place);
        }
        if let (None, Some(new)) = (old, new)
            && K::KIND == KindName::Tenant
        {
            self.followed.tenants.push((self.place, new.name().clone()));
        }
    }

    pub(in crate::office) fn follow_subscriber(&mut self, old: Option<&Subscriber>, new: &Subscriber) {
        if old.is_none_or(|old| old.spec.services != new.spec.services) {
            let before = old.map(|old| old.spec.clone());
            self.followed.subscribers.push((self.place, new.clone(), before));
        }
    }

    /// Who names a tenancy of the subscriber.
    pub(in crate::office) fn user_of_chain(&self, subscriber: &Subscriber) -> Option<(KindName, Name)> {
        let services = self.scratch.graph()?.services_of(&subscriber.spec.services);
        services.into_iter().find_map(|service| {
            let name = format!("{}-{service}", subscriber.name()).parse().ok()?;
            self.user_of_tenancy(&name)
        })
    }

    /// Who names a tenancy that is not stored.
    fn user_of_tenancy(&self, name: &Name) -> Option<(KindName, Name)> {
        let user = self.referrers(KindName::Tenant, name).next()?;
        let is_stored = self.txn.contains(Table::Objects, &object_key(KindName::Tenant, name));
        (!is_stored).then_some((user.kind, user.name))
    }

    /// All operations are done: chains must hold where they are new, and names stand for one thing.
    pub(super) fn check_tenancies(&mut self) -> Result<(), Misplaced> {
        let Followed { subscribers, tenants, steered } = std::mem::take(&mut self.followed);
        let misplaced = |operation| move |rejection| Misplaced { operation, rejection };
        for (place, subscriber, before) in &subscribers {
            self.check_chain(subscriber, before.as_ref()).map_err(misplaced(*place))?;
        }
        for (place, name) in &tenants {
            if self.txn.contains(Table::Objects, &object_key(KindName::Tenant, name))
                && let Some(derived) = self.derived(name)
            {
                return Err(misplaced(*place)(taken(&derived)));
            }
        }
        match steered {
            Some(place) => self.check_named().map_err(misplaced(place)),
            None => Ok(()),
        }
    }

    fn check_chain(&self, subscriber: &Subscriber, before: Option<&SubscriberSpec>) -> Result<(), Rejection> {
        let Some(graph) = self.scratch.graph() else { return Ok(()) };
        if !self.txn.contains(Table::Objects, &object_key(KindName::Subscriber, subscriber.name())) {
            return Ok(());
        }
        let faults = graph.admit_subscriber(subscriber, before);
        if !faults.is_empty() {
            return Err(Rejection::invalid(faults));
        }
        let name_of = |service: &Name| format!("{}-{service}", subscriber.name()).parse::<Name>().ok();
        let services: BTreeSet<_> = graph.services_of(&subscriber.spec.services).into_iter().collect();
        let former: BTreeSet<_> = before
            .map(|before| graph.services_of(&before.services).into_iter().collect())
            .unwrap_or_default();
        let at = if before.is_some() { "/spec/services" } else { "/metadata/name" };
        for name in services.difference(&former).filter_map(|service| name_of(service)) {
            if self.txn.contains(Table::Objects, &object_key(KindName::Tenant, &name)) {
                let detail = format!("its tenancy would have the name of Tenant {name}, which is another");
                return Err(Rejection::conflict(at, detail));
            }
            // The name leads to the shortest subscriber, and on to this one only if there is no other.
            let others = |user: &Name| {
                let other = user != subscriber.name();
                if other { self.load::<SubscriberSpec>(user).ok().flatten() } else { None }
            };
            if let Some(other) = tenancies::find(graph, &name, others) {
                let detail =
                    format!("its tenancy would have the name of {name} of Subscriber {}", other.subscriber);
                return Err(Rejection::conflict(at, detail));
            }
        }
        for name in former.difference(&services).filter_map(|service| name_of(service)) {
            if let Some((kind, user)) = self.user_of_tenancy(&name) {
                let detail = format!("Tenant {name}, which would go, is in use by {kind} {user}");
                return Err(Rejection::conflict("/spec/services", detail));
            }
        }
        Ok(())
    }

    /// Chains go another way: whatever names a tenancy must still find it. The names of all Tenants that are named are gone
    /// through, not the subscribers.
    fn check_named(&self) -> Result<(), Rejection> {
        let prefix = format!("ref/{}/", KindName::Tenant.plural());
        let keys = self.txn.prefixed(Table::Claims, &prefix).map(|(key, _)| key);
        let names: BTreeSet<Name> =
            keys.filter_map(|key| key.strip_prefix(&prefix)?.split('/').next()?.parse().ok()).collect();
        for name in names {
            if let Some((kind, user)) = self.user_of_tenancy(&name)
                && self.derived(&name).is_none()
            {
                let detail = format!("Tenant {name}, which would go, is in use by {kind} {user}");
                return Err(Rejection::conflict("/spec", detail));
            }
        }
        Ok(())
    }

    /// A service that subscribers have in place of another of its type must go on fitting there.
    pub(in crate::office) fn check_stand_in(
        &self,
        old: &Object<xos_model::ServiceSpec>,
        new: &Object<xos_model::ServiceSpec>,
    ) -> Result<(), Rejection> {
        let (before, now) = (&old.spec, &new.spec);
        let place = if before.service_type != now.service_type {
            "/spec/serviceType"
        } else if !before.accepts.tenants.is_subset(&now.accepts.tenants) {
            "/spec/accepts/tenants"
        } else if !before.accepts.connect.is_subset(&now.accepts.connect) {
            "/spec/accepts/connect"
        } else {
            return Ok(());
        };
        let names = super::references::referrers_of(KindName::Service, new.name());
        let prefix = format!("{names}{}/", KindName::Subscriber.plural());
        match self.first_holder(&prefix) {
            Some(user) => Err(Rejection::conflict(place, format!("Subscriber {user} has it in its chain"))),
            None => Ok(()),
        }
    }
}

/// A name stands for a tenancy that follows from a subscriber.
pub(super) fn taken(derived: &Derived) -> Rejection {
    Rejection::conflict("/metadata/ownerReferences", derived.refusal())
}

impl super::Managed for TenantSpec {
    fn regraph(
        admission: &mut Admission<'_, '_>,
        old: Option<&Object<Self>>,
        new: Option<&Object<Self>>,
    ) -> Result<(), Rejection> {
        admission.regraph(old, new, xos_model::Graph::admit_tenant)
    }
}

impl super::Managed for xos_model::ServiceSpec {
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&Object<Self>>,
        new: &mut Object<Self>,
    ) -> Result<(), Rejection> {
        old.map_or(Ok(()), |old| admission.check_stand_in(old, new))
    }

    /// Each subscriber uses a service of which each is a tenant, though none says so.
    fn user(admission: &Admission<'_, '_>, old: &Object<Self>) -> Option<(KindName, Name)> {
        let any = || admission.first_holder(office_plan::Claim::TAGS);
        old.spec.per_subscriber.then(any).flatten().map(|user| (KindName::Subscriber, user))
    }

    fn regraph(
        admission: &mut Admission<'_, '_>,
        old: Option<&Object<Self>>,
        new: Option<&Object<Self>>,
    ) -> Result<(), Rejection> {
        admission.regraph(old, new, xos_model::Graph::admit_service)
    }
}
