//! What a unit must wait for: edge by edge, up for what is made, down for what is removed.

use super::{
    Id, Scheduler,
    dispatch::Action,
    graph::RelationId,
    unit::{Blocker, State, Unit},
};

/// A circle through more objects than this is not told from a wait.
const CYCLE_MAX: usize = 256;

impl Scheduler {
    pub(super) fn blocker(&mut self, id: Id, action: Action) -> Option<Blocker> {
        match action {
            Action::Tell => self.blocker_beside(id),
            Action::Apply | Action::Adopt => self.blocker_above(id),
            // What an earlier object of the name left: what depends on it depends on the present one.
            Action::Remove | Action::Forget if self.goal(id).is_some() => None,
            Action::Remove | Action::Forget => self.blocker_below(id),
        }
    }

    /// The search goes on where it last found something, and once round.
    fn blocker_above(&mut self, id: Id) -> Option<Blocker> {
        let unit = &self.units[id];
        let out = &self.graph.nodes[unit.node].out;
        let start = unit.cursor.min(out.len());
        let mut looked = 0;
        let found = (start..out.len()).chain(0..start).find_map(|i| {
            looked += 1;
            let edge = out[i];
            let declared = self.queues[unit.back_end].needs(edge.relation).is_some();
            let counts = declared && !edge.held && edge.to != unit.node;
            counts.then(|| self.unfulfilled(edge.to, unit.back_end)).flatten().map(|blocker| (i, blocker))
        });
        self.looked += looked;
        let (i, blocker) = found?;
        self.units[id].cursor = i;
        Some(blocker)
    }

    /// Why an object does not yet bear what stands on it at a back end.
    fn unfulfilled(&self, node: Id, back_end: usize) -> Option<Blocker> {
        if self.graph.nodes[node].is_going() {
            return Some(Blocker::Node(node));
        }
        let mut relevant = self.relevant(node, back_end);
        relevant.find(|unit| !self.units[*unit].settled).map(Blocker::Unit)
    }

    /// An object's unit at the same back end, or else all it has.
    fn relevant(&self, node: Id, back_end: usize) -> impl Iterator<Item = Id> {
        let here = self.unit_at(node, back_end);
        let units = self.graph.nodes[node].units.iter().copied();
        let there = |unit: &Unit| unit.is_effect() && !self.queues[unit.back_end].is_absent();
        units.filter(move |unit| there(&self.units[*unit]) && here.is_none_or(|here| here == *unit))
    }

    pub(super) fn unit_at(&self, node: Id, back_end: usize) -> Option<Id> {
        let is = |unit: &Unit| unit.is_effect() && unit.back_end == back_end && unit.concerned;
        self.graph.nodes[node].units.iter().copied().find(|unit| is(&self.units[*unit]))
    }

    /// A provider hears of its tenant before it hears of the tenant's instances. That it has yet to take a change of the
    /// tenant does not matter to them.
    fn blocker_beside(&self, id: Id) -> Option<Blocker> {
        let unit = &self.units[id];
        let meta =
            self.graph.nodes[unit.node].meta.as_ref().filter(|meta| unit.concerned && !meta.deleting)?;
        let effect = self.unit_at(unit.node, unit.back_end)?;
        let Unit { holding, state, .. } = &self.units[effect];
        let there = holding.as_ref().is_some_and(|holding| holding.sure && holding.uid == meta.uid);
        // What is under way may be its removal.
        (!there || *state == State::Running).then_some(Blocker::Unit(effect))
    }

    fn blocker_below(&mut self, id: Id) -> Option<Blocker> {
        let unit = &self.units[id];
        let node = &self.graph.nodes[unit.node];
        // A tenancy is not taken down before its provider knows that the instances are gone. Where it has moved to, its
        // instances stay.
        let tells = |other: &Id| {
            let tell = &self.units[*other];
            !tell.is_effect() && tell.holds() && (tell.back_end == unit.back_end || node.is_going())
        };
        if let Some(tell) = node.units.iter().copied().find(tells) {
            return Some(Blocker::Unit(tell));
        }
        let start = unit.cursor_back.unwrap_or((RelationId::default(), Id::MIN));
        let mut looked = 0;
        let found = node.into.range(start..).chain(node.into.range(..start)).find_map(|&(relation, from)| {
            looked += 1;
            let holding = self.graph.nodes[from].units.iter().copied().find(|other| {
                let user = &self.units[*other];
                let stands = self.stands_on(*other, id);
                user.is_effect()
                    && self.orders(user.back_end, relation)
                    && from != unit.node
                    && stands
                    && user.holds()
            });
            holding.map(|user| ((relation, from), user))
        });
        self.looked += looked;
        let (place, blocker) = found?;
        self.units[id].cursor_back = Some(place);
        Some(Blocker::Unit(blocker))
    }

    /// Whether what a back end has by a relation stands on it. Of one that is not there nobody knows better.
    fn orders(&self, back_end: usize, relation: RelationId) -> bool {
        let queue = &self.queues[back_end];
        queue.is_absent() || queue.needs(relation).is_some()
    }

    /// Whether a unit, by an edge between their objects, stands on another. An object that moves from one back end to
    /// another carries those at a third all the while.
    pub(super) fn stands_on(&self, user: Id, below: Id) -> bool {
        let (user, below) = (&self.units[user], &self.units[below]);
        let stays = below.concerned || self.graph.nodes[below.node].is_going();
        user.back_end == below.back_end || stays && self.unit_at(below.node, user.back_end).is_none()
    }

    /// Who closes a circle says so: everybody in it would wait for ever.
    pub(super) fn report_cycle(&mut self, id: Id) {
        let mut path = vec![id];
        let mut at = id;
        while let State::Blocked(Blocker::Unit(next)) = self.units[at].state {
            if next == id {
                let names = path
                    .iter()
                    .chain([&id])
                    .map(|unit| self.graph.nodes[self.units[*unit].node].key.to_string());
                let text = format!("waits for itself: {}", names.collect::<Vec<_>>().join(" → "));
                self.units[id].trouble = Some(text.into());
                return;
            }
            if path.len() == CYCLE_MAX || self.units.get(next).is_none() {
                return;
            }
            path.push(next);
            at = next;
        }
    }
}
