//! Changes of objects come in.

use std::time::Duration;

use super::{
    Id, NOWHERE, Scheduler,
    graph::{Meta, RelationId},
    unit::{Holding, State, Task, Tell, Unit},
};
use crate::{Aspect, BackEnd, BackEndId, Journal, Key, Object, Origin, Record};

/// The back ends that an object is for, by what their plug-ins say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// They act on it.
    pub acting: Vec<BackEndId>,
    /// The object is a tenancy with a service of theirs.
    pub telling: Vec<BackEndId>,
}

impl Scheduler {
    /// Everything is going to be told again. The first time nothing is begun until that is complete; later, what is
    /// known already is good enough for all but new back ends.
    pub fn snapshot_begins(&mut self) {
        let ids: Vec<_> = self.graph.nodes.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.graph.nodes[id].seen = false;
        }
    }

    /// What was not told of is gone.
    pub fn snapshot_ends(&mut self, now: Duration) {
        let lost = |node: &super::graph::Node| node.meta.is_some() && !node.seen;
        let lost: Vec<Key> = self
            .graph
            .nodes
            .iter()
            .filter(|(_, node)| lost(node))
            .map(|(_, node)| node.key.clone())
            .collect();
        for key in lost {
            self.gone(&key, now);
        }
        self.whole = true;
        self.introduce();
        self.recompute_all_tenancies();
        self.process();
    }

    /// An object is new, or has changed. Its back-off begins anew. What leaves everything as it was does nothing.
    pub fn present(&mut self, object: &Object, placement: &Placement, now: Duration) {
        self.now = now;
        let id = self.graph.intern(&object.key);
        let edges = self.graph.resolve(object.key.kind, &object.edges);
        let meta = Meta {
            uid: object.uid.clone(),
            generation: object.generation,
            deleting: object.deleting,
            origin: object.origin,
            beside: object.beside,
        };
        let placed = self.place(id, object, &meta, placement);
        let node = &mut self.graph.nodes[id];
        node.seen = true;
        if !placed && node.meta.as_ref() == Some(&meta) && self.graph.has_edges(id, &edges) {
            return;
        }
        let first = self.graph.nodes[id].meta.is_none();
        if first && self.graph.nodes[id].history.is_empty() {
            self.graph.nodes[id].history.clone_from(&object.history);
        }
        if first {
            let recorded = object.records.iter().filter_map(|(_, record)| match record {
                Record::Effect(record) => Some(&record.edges),
                Record::Told(_) | Record::Telling { .. } => None,
            });
            let recorded = self.graph.resolve(object.key.kind, recorded.flatten());
            self.graph.hold(id, &recorded);
        }
        self.change(id, Some(meta), &edges);
    }

    /// An object is no longer in the store.
    pub fn gone(&mut self, key: &Key, now: Duration) {
        self.now = now;
        if let Some(&id) = self.graph.index.get(key)
            && self.graph.nodes[id].meta.is_some()
        {
            self.change(id, None, &[]);
            self.collect(id);
        }
    }

    fn change(&mut self, id: Id, meta: Option<Meta>, edges: &[(RelationId, Id)]) {
        let units = self.graph.nodes[id].units.clone();
        for &unit in &units {
            self.count(unit, false);
        }
        let mut tenancies = self.tenancies_around(id);
        let hold = units.iter().any(|unit| self.units[*unit].holds());
        let before = self.ways(id);
        let dropped = self.graph.set_edges(id, edges, hold);
        let node = &mut self.graph.nodes[id];
        node.meta = meta;
        if node.is_going() {
            node.member = false;
        }
        let waiters = std::mem::take(&mut node.waiters);
        self.anchor(id);
        self.stand(id);
        for unit in self.graph.nodes[id].units.clone() {
            self.reset(unit);
            self.recount(unit);
        }
        if before != self.ways(id) {
            self.retrace(id);
        }
        tenancies.extend(self.tenancies_around(id));
        self.recompute_tenancies(tenancies);
        self.push_all(&waiters);
        self.let_go(dropped);
        self.process();
    }

    /// The unit is looked at as if it had never failed.
    pub(super) fn reset(&mut self, id: Id) {
        let now = self.now;
        let unit = &mut self.units[id];
        if unit.settled {
            unit.since = now;
        }
        unit.settled = false;
        unit.attempt = 0;
        unit.cursor = 0;
        unit.cursor_back = None;
        if unit.state == State::Running {
            unit.dirty = true;
        } else {
            unit.trouble = None;
            if matches!(unit.state, State::BackOff(_) | State::Awaiting(_)) {
                self.set_state(id, State::Idle);
            }
        }
        self.wake_waiters(id);
        self.push(id);
    }

    pub(super) fn wake_waiters(&mut self, id: Id) {
        let waiters = std::mem::take(&mut self.units[id].waiters);
        self.push_all(&waiters);
    }

    /// What edges led to may go now, if it was to.
    pub(super) fn let_go(&mut self, dropped: Vec<Id>) {
        for to in dropped {
            if let Some(node) = self.graph.nodes.get(to) {
                self.push_all(&node.units.clone());
                self.collect(to);
            }
        }
    }

    /// Makes the units that the object needs at back ends without an anchor, and where something of it is recorded; says
    /// whether that changed anything.
    fn place(&mut self, id: Id, object: &Object, meta: &Meta, placement: &Placement) -> bool {
        let mut changed = false;
        for unit in self.graph.nodes[id].units.clone() {
            let (at, told) = (self.units[unit].back_end, !self.units[unit].is_effect());
            if at != NOWHERE && self.queues[at].declaration.anchor.is_none() {
                let placed = if told { &placement.telling } else { &placement.acting };
                let concerned = placed.contains(&BackEndId(at));
                changed |= std::mem::replace(&mut self.units[unit].concerned, concerned) != concerned;
            }
        }
        // Where something of the object may be, though it is not for that back end any more, it must be removed.
        for (back_end, record) in &object.records {
            let at = self.place_of(back_end);
            let told = record.aspect() == Aspect::Told;
            changed |= self.introduced(id, at, told, meta, &object.records).is_some();
        }
        for (placed, told) in [(&placement.acting, false), (&placement.telling, true)] {
            for at in placed {
                if let Some(unit) = self.introduced(id, at.0, told, meta, &object.records) {
                    self.units[unit].concerned = true;
                    changed = true;
                } else {
                    let unit = self.ensure(id, at.0, told, meta, &[]);
                    changed |= !std::mem::replace(&mut self.units[unit].concerned, true);
                }
            }
        }
        changed
    }

    /// A unit that was not there before, if it was not.
    fn introduced(
        &mut self,
        id: Id,
        at: usize,
        told: bool,
        meta: &Meta,
        records: &[(BackEnd, Record)],
    ) -> Option<Id> {
        let before = self.unit_of(id, at, told);
        before.is_none().then(|| self.ensure(id, at, told, meta, records))
    }

    /// The object's unit at a back end. One that is new is not concerned, and has what is recorded.
    pub(super) fn ensure(
        &mut self,
        id: Id,
        back_end: usize,
        told: bool,
        meta: &Meta,
        records: &[(BackEnd, Record)],
    ) -> Id {
        if let Some(unit) = self.unit_of(id, back_end, told) {
            return unit;
        }
        let task = if told { Task::Tell(Box::default()) } else { Task::Effect };
        let mut unit = Unit::new(id, back_end, task);
        (unit.concerned, unit.since, unit.moved) = (false, self.now, self.step);
        let queue = &self.queues[back_end];
        for (_, record) in records.iter().filter(|(name, _)| *name == queue.name) {
            match (&mut unit.task, record) {
                (Task::Effect, Record::Effect(record)) => {
                    let mut holding = Holding::from(record);
                    holding.sure &= queue.declaration.journal != Journal::Volatile;
                    unit.holding = Some(holding);
                }
                (Task::Tell(tell), Record::Told(told)) => {
                    **tell = Tell { told: told.iter().cloned().collect(), ..Tell::default() };
                }
                (Task::Tell(tell), Record::Telling { told, doubtful }) => {
                    tell.told = told.iter().cloned().collect();
                    tell.doubtful = doubtful.iter().cloned().collect();
                }
                _ => {}
            }
        }
        let unknown = unit.is_effect() && meta.deleting && back_end != NOWHERE && !queue.is_absent();
        if unknown && queue.declaration.journal == Journal::Keyed {
            // Nothing was recorded of what may be there.
            unit.holding = Some(Holding {
                uid: meta.uid.clone(),
                generation: meta.generation,
                basis: 0,
                handle: None,
                digest: None,
                owned: meta.origin == Origin::Ours,
                sure: false,
                acknowledged: true,
            });
        }
        let unit = self.units.insert(unit);
        self.graph.nodes[id].units.push(unit);
        unit
    }

    /// Forgets a place that nothing is at, nothing leads to and nothing is left of.
    pub(super) fn collect(&mut self, id: Id) {
        let mut candidates = vec![id];
        while let Some(id) = candidates.pop() {
            let Some(node) = self.graph.nodes.get(id) else { continue };
            let held = node.units.iter().any(|unit| self.units[*unit].holds());
            if node.meta.is_some() || !node.into.is_empty() || held {
                continue;
            }
            candidates.extend(self.graph.set_edges(id, &[], false));
            for unit in self.graph.nodes[id].units.clone() {
                let waiters = std::mem::take(&mut self.units[unit].waiters);
                self.set_state(unit, State::Idle);
                self.units.remove(unit);
                self.push_all(&waiters);
            }
            let node = &mut self.graph.nodes[id];
            let waiters = std::mem::take(&mut node.waiters);
            let key = node.key.clone();
            self.graph.index.remove(&key);
            self.graph.nodes.remove(id);
            self.push_all(&waiters);
        }
    }
}
