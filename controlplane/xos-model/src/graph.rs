//! The tenancy graph: which service uses which. It is the only source of connectivity: what no edge says is not there.
//!
//! A [`Graph`] is made from the office's Services, Tenants, Slices, Networks and Instances, and kept up with them by
//! [`Graph::put`] and [`Graph::remove`]. It is checked ([`Graph::check`], or object by object as they change:
//! [`Graph::admit_tenant`] and its like), and from it follow the networks, gateways and attachments
//! ([`Graph::connectivity`]) and the tenancies of a subscriber ([`Graph::chain`]). [`Graph::explain`] says why.
//!
//! Any set of objects makes a graph, also one whose references dangle: that is for others to find, and nothing
//! follows from what is not there.

use std::collections::BTreeSet;

use net_types::Name;

use crate::{
    InstanceSpec, KindName, NetworkSpec, Object, OwnerReference, ServiceSpec, SliceSpec, TenantKind,
    TenantSpec,
};

mod chain;
mod check;
mod connectivity;
mod cycle;
mod explain;
mod index;
mod render;
mod vertex;

pub use chain::{Chain, DerivedTenancy, Link};
pub use check::GraphFault;
pub use connectivity::{Attachment, Connectivity, Gateway, PublicAccess, Side, VirtualNetwork, VnId};
pub use explain::{Thing, ThingError};
pub use vertex::Vertex;

use index::Index;
use vertex::{Held, Shelf};

/// The relation of an instance to the networks that it is attached to. No field of it says so: they follow from its slice.
pub const ATTACHED: &str = "attached";

/// Services, Tenants, Slices, Networks and Instances, and who belongs to whom.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    services: Shelf<ServiceSpec>,
    tenants: Shelf<TenantSpec>,
    slices: Shelf<SliceSpec>,
    networks: Shelf<NetworkSpec>,
    instances: Shelf<InstanceSpec>,
    /// The services of which each subscriber is a tenant.
    entries: BTreeSet<Name>,
    /// By service: the tenancies in which it is the tenant.
    uses: Index,
    /// By service: the tenancies in which it is the provider.
    used: Index,
    /// By service.
    slices_of: Index,
    /// By slice.
    networks_of: Index,
    /// By slice.
    instances_of: Index,
    /// By network: the slices that want to be attached to it.
    attached: Index,
}

impl Graph {
    /// Adds an object, or puts it in the place of its former self.
    pub fn put<K: Vertex>(&mut self, object: &Object<K>) {
        let Object { metadata, spec, .. } = object;
        self.take::<K>(&metadata.name);
        spec.note(&metadata.name, self, true);
        let held = Held { uid: metadata.uid.clone().unwrap_or_default(), spec: spec.clone() };
        K::shelf(self).insert(metadata.name.clone(), held);
    }

    /// Takes an object out; of other kinds than the graph's there is none.
    pub fn remove(&mut self, kind: KindName, name: &Name) {
        match kind {
            KindName::Service => self.take::<ServiceSpec>(name),
            KindName::Tenant => self.take::<TenantSpec>(name),
            KindName::Slice => self.take::<SliceSpec>(name),
            KindName::Network => self.take::<NetworkSpec>(name),
            KindName::Instance => self.take::<InstanceSpec>(name),
            _ => {}
        }
    }

    fn take<K: Vertex>(&mut self, name: &Name) {
        if let Some(held) = K::shelf(self).remove(name) {
            held.spec.note(name, self, false);
        }
    }

    pub fn service(&self, name: &Name) -> Option<&ServiceSpec> {
        self.services.get(name).map(|held| &held.spec)
    }

    pub fn tenant(&self, name: &Name) -> Option<&TenantSpec> {
        self.tenants.get(name).map(|held| &held.spec)
    }

    /// The tenancies in which `service` is the tenant.
    fn providers(&self, service: &Name) -> impl Iterator<Item = (&Name, &TenantSpec)> {
        self.uses.get(service).filter_map(|name| Some((name, self.tenant(name)?)))
    }

    /// The service on the tenant's side: the tenant itself, or the provider of the tenancy that is the tenant.
    fn tenant_service<'a>(&'a self, tenancy: &'a TenantSpec) -> Option<&'a Name> {
        let name = &tenancy.tenant.name;
        match tenancy.tenant.kind {
            TenantKind::Service => Some(name),
            TenantKind::Tenant => self.tenant(name).map(|tenancy| &tenancy.provider),
            TenantKind::Subscriber | TenantKind::User | TenantKind::Root => None,
        }
    }

    /// The slices of a service that are in use.
    fn slices(&self, service: &Name) -> impl Iterator<Item = &Name> {
        self.slices_of.get(service).filter(|slice| self.slice_is_enabled(slice))
    }

    fn slice_is_enabled(&self, slice: &Name) -> bool {
        self.slices.get(slice).is_some_and(|held| held.spec.enabled)
    }

    fn owner(&self, kind: KindName, name: &Name) -> OwnerReference {
        let uid = match kind {
            KindName::Service => self.services.get(name).map(|held| &held.uid),
            KindName::Tenant => self.tenants.get(name).map(|held| &held.uid),
            KindName::Slice => self.slices.get(name).map(|held| &held.uid),
            KindName::Network => self.networks.get(name).map(|held| &held.uid),
            KindName::Instance => self.instances.get(name).map(|held| &held.uid),
            _ => None,
        };
        OwnerReference { kind, name: name.clone(), uid: uid.cloned().unwrap_or_default() }
    }

    /// Services of which no other service is a tenant, by name.
    fn tops(&self) -> BTreeSet<&Name> {
        let mut tops: BTreeSet<_> = self.services.keys().collect();
        for held in self.tenants.values().filter(|held| held.spec.tenant.kind == TenantKind::Service) {
            if self.services.contains_key(&held.spec.tenant.name) {
                tops.remove(&held.spec.provider);
            }
        }
        tops
    }
}

#[cfg(test)]
mod tests;
