//! Changes of objects come in.

use std::time::Duration;

use super::{
    Id, NOWHERE, Scheduler,
    graph::{Meta, RelationId},
    unit::{Holding, State, Task, Tell, Unit},
};
use crate::{BackEndId, Journal, Key, Object, Origin, Record};

/// The back ends that an object is for, by what their plug-ins say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// They act on it.
    pub acting: Vec<BackEndId>,
    /// The object is a tenancy with a service of theirs.
    pub telling: Vec<BackEndId>,
}

impl Scheduler {
    /// Everything is going to be told again. Nothing is begun until that is complete.
    pub fn snapshot_begins(&mut self) {
        self.whole = false;
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
        };
        let placed = self.place(id, object, placement);
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
                Record::Told(_) => None,
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
        let dropped = self.graph.set_edges(id, edges, hold);
        let node = &mut self.graph.nodes[id];
        node.meta = meta;
        if node.is_going() {
            node.member = false;
        }
        let waiters = std::mem::take(&mut node.waiters);
        for &unit in &units {
            self.reset(unit);
            self.recount(unit);
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

    /// Makes the units that the object needs; says whether that changed anything.
    fn place(&mut self, id: Id, object: &Object, placement: &Placement) -> bool {
        let mut changed = false;
        for unit in &self.graph.nodes[id].units {
            let unit = &mut self.units[*unit];
            let here = BackEndId(unit.back_end);
            let concerned = match unit.task {
                Task::Effect => unit.back_end == NOWHERE || placement.acting.contains(&here),
                Task::Tell(_) => placement.telling.contains(&here),
            };
            changed |= std::mem::replace(&mut unit.concerned, concerned) != concerned;
        }
        for (back_end, record) in &object.records {
            // The object was at a back end that it is no longer for: there it must be removed.
            if let Some(at) = self.queues.iter().position(|queue| queue.name == *back_end) {
                let placed = match record {
                    Record::Effect(_) => placement.acting.contains(&BackEndId(at)),
                    Record::Told(_) => placement.telling.contains(&BackEndId(at)),
                };
                if !placed {
                    let told = matches!(record, Record::Told(_));
                    changed |= self.ensure(id, at, told, object, false);
                }
            }
        }
        for at in &placement.acting {
            changed |= self.ensure(id, at.0, false, object, true);
        }
        for at in &placement.telling {
            changed |= self.ensure(id, at.0, true, object, true);
        }
        if !self.graph.nodes[id].units.iter().any(|unit| self.units[*unit].is_effect()) {
            changed |= self.ensure(id, NOWHERE, false, object, true);
        }
        changed
    }

    fn ensure(&mut self, id: Id, back_end: usize, told: bool, object: &Object, concerned: bool) -> bool {
        let is = |unit: &Unit| unit.back_end == back_end && unit.is_effect() != told;
        if self.graph.nodes[id].units.iter().any(|unit| is(&self.units[*unit])) {
            return false;
        }
        let task = if told { Task::Tell(Box::default()) } else { Task::Effect };
        let mut unit = Unit::new(id, back_end, task);
        (unit.concerned, unit.since, unit.moved) = (concerned, self.now, self.step);
        let queue = &self.queues[back_end];
        for (_, record) in object.records.iter().filter(|(name, _)| *name == queue.name) {
            match (&mut unit.task, record) {
                (Task::Effect, Record::Effect(record)) => unit.holding = Some(record.into()),
                (Task::Tell(tell), Record::Told(told)) => {
                    **tell = Tell { told: told.iter().cloned().collect(), ..Tell::default() };
                }
                _ => {}
            }
        }
        let unknown = unit.is_effect() && object.deleting && back_end != NOWHERE;
        if unknown && queue.declaration.journal == Journal::Keyed {
            // Nothing was recorded of what may be there.
            unit.holding = Some(Holding {
                uid: object.uid.clone(),
                generation: object.generation,
                basis: 0,
                handle: None,
                digest: None,
                owned: object.origin == Origin::Ours,
                sure: false,
                acknowledged: true,
            });
        }
        let unit = self.units.insert(unit);
        self.graph.nodes[id].units.push(unit);
        true
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
