//! Which instances a provider's tenant has (XOS paper, section 3.2): instance → slice → service ← tenancy → provider.

use super::{
    Id, Scheduler,
    dispatch::Telling,
    graph::{self, RelationId},
    unit::Task,
};
use crate::{Kind, Operation, TenancyShape, TenantInstances};

pub(super) struct Relations {
    instance: Kind,
    slice: RelationId,
    slice_kind: Kind,
    service: RelationId,
    tenancy: Kind,
    tenant: RelationId,
    provider: RelationId,
}

impl Relations {
    pub(super) fn declare(relations: &mut graph::Relations, shape: &TenancyShape) -> Self {
        let service = Kind::new("Service");
        Self {
            instance: shape.instance,
            slice: relations.declare(shape.instance, shape.slice, shape.slice_kind),
            slice_kind: shape.slice_kind,
            service: relations.declare(shape.slice_kind, shape.service, service),
            tenancy: shape.tenancy,
            tenant: relations.declare(shape.tenancy, shape.tenant, service),
            provider: relations.declare(shape.tenancy, shape.provider, service),
        }
    }
}

impl Relations {
    pub(super) fn kind(&self) -> Kind {
        self.tenancy
    }
}

impl Scheduler {
    /// An instance that is ready becomes known to the providers of its service's tenancies.
    pub(super) fn admit(&mut self, node: Id) {
        let place = &self.graph.nodes[node];
        if place.key.kind != self.tenancy.instance || place.member || place.is_going() {
            return;
        }
        let key = place.key.clone();
        self.graph.nodes[node].member = true;
        for tenancy in self.tenancies_around(node) {
            for unit in self.graph.nodes[tenancy].units.clone() {
                let live = self.units[unit].concerned && !self.graph.nodes[tenancy].is_going();
                if let Task::Tell(tell) = &mut self.units[unit].task
                    && live
                {
                    tell.desired.insert(key.clone());
                    self.push(unit);
                }
            }
        }
    }

    /// The tenancies whose instances a change of the object can change.
    pub(super) fn tenancies_around(&self, id: Id) -> Vec<Id> {
        let node = &self.graph.nodes[id];
        let shape = &self.tenancy;
        let kind = node.key.kind;
        if kind == shape.tenancy {
            return vec![id];
        }
        let slices: Vec<Id> = if kind == shape.instance {
            node.targets(shape.slice).collect()
        } else if kind == shape.slice_kind {
            vec![id]
        } else {
            return Vec::new();
        };
        let services = slices.iter().flat_map(|slice| self.graph.nodes[*slice].targets(shape.service));
        services.flat_map(|service| self.graph.nodes[service].sources(shape.tenant)).collect()
    }

    pub(super) fn recompute_all_tenancies(&mut self) {
        let all = self.graph.nodes.iter().filter(|(_, node)| node.key.kind == self.tenancy.tenancy);
        let all = all.map(|(id, _)| id).collect();
        self.recompute_tenancies(all);
    }

    pub(super) fn recompute_tenancies(&mut self, mut tenancies: Vec<Id>) {
        // Of a world that is not known wholly, nothing can be said to be gone.
        if !self.whole {
            return;
        }
        tenancies.sort_unstable();
        tenancies.dedup();
        for tenancy in tenancies {
            for unit in self.graph.nodes[tenancy].units.clone() {
                self.recompute(unit);
            }
        }
    }

    fn recompute(&mut self, id: Id) {
        let unit = &self.units[id];
        let Task::Tell(tell) = &unit.task else { return };
        let (nodes, shape) = (&self.graph.nodes, &self.tenancy);
        let tenancy = &nodes[unit.node];
        let live = unit.concerned && !tenancy.is_going();
        // Held edges lead here as well: only who says so now counts.
        let now_by = |relation: RelationId, to: Id| {
            nodes[to].sources(relation).filter(move |from| nodes[*from].targets(relation).any(|at| at == to))
        };
        let desired = (tenancy.targets(shape.tenant).filter(|_| live))
            .flat_map(|service| now_by(shape.service, service))
            .flat_map(|slice| now_by(shape.slice, slice))
            .map(|instance| &nodes[instance])
            // After a restart an instance that was told of stays so, though it is not ready yet.
            .filter(|node| !node.is_going() && (node.member || tell.may_know(&node.key)))
            .map(|node| node.key.clone())
            .collect();
        if let Task::Tell(tell) = &mut self.units[id].task {
            tell.desired = desired;
        }
        self.push(id);
    }

    /// What a provider is to be told.
    pub(super) fn telling(&self, id: Id, operation: &Operation) -> Option<Telling> {
        let unit = &self.units[id];
        let Task::Tell(tell) = &unit.task else { return None };
        let node = &self.graph.nodes[unit.node];
        let end = |relation: RelationId| {
            // Of a tenancy that is gone the ends are still held.
            let to = node.out.iter().find(|out| out.relation == relation).map(|out| out.to);
            to.map_or_else(|| node.key.clone(), |to| self.graph.nodes[to].key.clone())
        };
        let (added, removed) = tell.news();
        let doubtful = added.iter().chain(&removed).cloned().collect();
        let change = TenantInstances {
            operation: operation.clone(),
            service: end(self.tenancy.provider),
            tenant: end(self.tenancy.tenant),
            instances: tell.desired.iter().cloned().collect(),
            added,
            removed,
        };
        Some(Telling { change, told: tell.told.iter().cloned().collect(), doubtful })
    }
}
