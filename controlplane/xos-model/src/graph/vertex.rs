//! What a graph is made of.

use std::collections::BTreeMap;

use net_types::Name;

use super::Graph;
use crate::{InstanceSpec, Kind, NetworkSpec, ServiceSpec, SliceSpec, TenantKind, TenantSpec};

/// A kind of which the graph is made: Service, Tenant, Slice, Network and Instance.
pub trait Vertex: Kind + Sealed {}

impl<K: Kind + Sealed> Vertex for K {}

pub trait Sealed: Sized {
    fn shelf(graph: &mut Graph) -> &mut BTreeMap<Name, Held<Self>>;
    /// Notes in the indexes, or no longer, what the spec says of others.
    fn note(&self, name: &Name, graph: &mut Graph, present: bool);
}

/// What the graph keeps of an object.
#[derive(Clone, Debug)]
pub struct Held<K> {
    pub(super) uid: String,
    pub(super) spec: K,
}

pub(super) type Shelf<K> = BTreeMap<Name, Held<K>>;

impl Sealed for ServiceSpec {
    fn shelf(graph: &mut Graph) -> &mut Shelf<Self> {
        &mut graph.services
    }

    fn note(&self, name: &Name, graph: &mut Graph, present: bool) {
        if present && self.per_subscriber {
            graph.entries.insert(name.clone());
        } else {
            graph.entries.remove(name);
        }
    }
}

impl Sealed for TenantSpec {
    fn shelf(graph: &mut Graph) -> &mut Shelf<Self> {
        &mut graph.tenants
    }

    fn note(&self, name: &Name, graph: &mut Graph, present: bool) {
        graph.used.set(&self.provider, name, present);
        if self.tenant.kind == TenantKind::Service {
            graph.uses.set(&self.tenant.name, name, present);
        }
    }
}

impl Sealed for SliceSpec {
    fn shelf(graph: &mut Graph) -> &mut Shelf<Self> {
        &mut graph.slices
    }

    fn note(&self, name: &Name, graph: &mut Graph, present: bool) {
        if let Some(service) = &self.service {
            graph.slices_of.set(service, name, present);
        }
        for network in &self.networks {
            graph.attached.set(network, name, present);
        }
    }
}

impl Sealed for NetworkSpec {
    fn shelf(graph: &mut Graph) -> &mut Shelf<Self> {
        &mut graph.networks
    }

    fn note(&self, name: &Name, graph: &mut Graph, present: bool) {
        graph.networks_of.set(&self.slice, name, present);
    }
}

impl Sealed for InstanceSpec {
    fn shelf(graph: &mut Graph) -> &mut Shelf<Self> {
        &mut graph.instances
    }

    fn note(&self, name: &Name, graph: &mut Graph, present: bool) {
        graph.instances_of.set(&self.slice, name, present);
    }
}
