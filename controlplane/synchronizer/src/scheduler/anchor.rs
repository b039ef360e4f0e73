//! Which back ends an object is for, where that is said by what it leads to: a tenancy by its provider, a service by its
//! Controller. Whoever changes the way changes it for all that come along it, and for what these need there.

use std::collections::HashSet;

use super::{Id, Scheduler, graph::RelationId, unit::Unit};

impl Scheduler {
    /// Brings an object's places at anchored back ends to where its edges lead. Says whether that changed anything.
    pub(super) fn anchor(&mut self, id: Id) -> bool {
        let mut changed = false;
        for at in 0..self.queues.len() {
            changed |= self.anchor_at(id, at);
        }
        changed
    }

    /// The same at one back end; does nothing if it has no anchor.
    pub(super) fn anchor_at(&mut self, id: Id, at: usize) -> bool {
        let (node, queue) = (&self.graph.nodes[id], &self.queues[at]);
        let (Some(meta), Some(_)) = (node.meta.clone(), &queue.declaration.anchor) else { return false };
        let kind = node.key.kind;
        let acts = queue.declaration.kinds.contains(&kind);
        let tells = queue.declaration.tenancies && kind == self.tenancy.kind();
        // What is made for those that need it there comes with them, and has no way of its own.
        let led = if queue.is_lazy(kind) {
            self.demand.contains_key(&(id, at))
        } else {
            (acts || tells) && self.leads(id, at)
        };
        let mut changed = false;
        for told in [false, true] {
            let concerned = led && if told { tells } else { acts };
            let unit = match self.unit_of(id, at, told) {
                Some(unit) => unit,
                None if concerned => self.ensure(id, at, told, &meta, &[]),
                None => continue,
            };
            changed |= std::mem::replace(&mut self.units[unit].concerned, concerned) != concerned;
        }
        changed
    }

    /// An object's unit at a back end, whether it is for that or not.
    pub(super) fn unit_of(&self, node: Id, at: usize, told: bool) -> Option<Id> {
        let is = |unit: &Unit| unit.back_end == at && unit.is_effect() != told;
        self.graph.nodes[node].units.iter().copied().find(|unit| is(&self.units[*unit]))
    }

    /// Whether a way leads from an object to the anchor of a back end.
    fn leads(&self, from: Id, at: usize) -> bool {
        let queue = &self.queues[at];
        let Some(anchor) = queue.declaration.anchor.as_ref().and_then(|key| self.graph.index.get(key)) else {
            return false;
        };
        let (mut open, mut seen) = (vec![from], vec![from]);
        while let Some(id) = open.pop() {
            if id == *anchor {
                return true;
            }
            for out in self.graph.nodes[id].out.iter().filter(|out| !out.held && queue.leads(out.relation)) {
                if !seen.contains(&out.to) {
                    seen.push(out.to);
                    open.push(out.to);
                }
            }
        }
        false
    }

    /// Where an object's ways go next.
    pub(super) fn ways(&self, id: Id) -> Vec<(RelationId, Id)> {
        let leads = |relation: &RelationId| self.leading.contains(relation);
        let out = self.graph.nodes[id].out.iter().filter(|out| !out.held && leads(&out.relation));
        out.map(|out| (out.relation, out.to)).collect()
    }

    /// The ways from an object have changed, or what is at their end: all that come along it are placed anew.
    pub(super) fn retrace(&mut self, id: Id) {
        let (mut open, mut seen) = (vec![id], HashSet::from([id]));
        while let Some(id) = open.pop() {
            let node = &self.graph.nodes[id];
            let above: Vec<Id> = self.leading.iter().flat_map(|relation| node.sources(*relation)).collect();
            for id in above.into_iter().filter(|id| seen.insert(*id)) {
                self.looked += 1;
                open.push(id);
                if self.anchor(id) {
                    self.stand(id);
                    for unit in self.graph.nodes[id].units.clone() {
                        self.reset(unit);
                        self.recount(unit);
                    }
                    let tenancies = self.tenancies_around(id);
                    self.recompute_tenancies(tenancies);
                    self.touch(id);
                }
            }
        }
    }
}
