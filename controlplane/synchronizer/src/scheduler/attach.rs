//! Back ends come and go while the others are at work.
//!
//! One that goes leaves what it has of objects recorded; these units stay, stranded, until a back end of the name is
//! there again. What it had nothing of, nobody acts on any more.

use std::time::Duration;

use super::{
    BackEndId, Id, NOWHERE, Scheduler,
    queue::{Queue, Standing},
    unit::{State, Unit},
};
use crate::{BackEnd, Declaration, Journal, Needs};

impl Scheduler {
    /// Adds a back end, whose name none has that is there. It begins nothing before the next snapshot has ended
    /// ([`Self::snapshot_ends`]), in which all objects must be put in again.
    pub fn add_back_end(&mut self, name: &BackEnd, declaration: Declaration) -> BackEndId {
        let id = self.place_of(name);
        debug_assert!(self.queues[id].is_absent(), "{name} is there already");
        self.queues[id].redeclare(Standing::New, declaration);
        for relation in self.queues[id].declaration.relations.clone() {
            let (from, to) = (relation.from, relation.to);
            let known = self.graph.relations.declare(from, relation.name, to);
            self.queues[id].declare(known, to, relation.needs);
            self.queues[NOWHERE].declare(known, to, Needs::Order);
            if relation.needs == Needs::Content && !self.content.contains(&known) {
                self.content.push(known);
            }
            if relation.leads {
                self.queues[id].lead(known);
                if !self.leading.contains(&known) {
                    self.leading.push(known);
                }
            }
        }
        self.plan_comparison(id);
        BackEndId(id)
    }

    /// The back end is to go: it begins nothing more. What is under way must end first ([`Self::is_idle`]).
    pub fn retire(&mut self, id: BackEndId) {
        self.queues[id.0].standing = Standing::Retiring;
        self.queues[id.0].compare_at = None;
    }

    /// Whether nothing of a back end is under way.
    pub fn is_idle(&self, id: BackEndId) -> bool {
        self.queues[id.0].is_idle()
    }

    /// Takes an idle back end away.
    pub fn remove_back_end(&mut self, id: BackEndId, now: Duration) {
        assert!(self.is_idle(id), "what is under way has ended");
        self.now = now;
        let at = id.0;
        let units: Vec<Id> =
            self.units.iter().filter(|(_, unit)| unit.back_end == at).map(|(id, _)| id).collect();
        for unit in &units {
            self.count(*unit, false);
        }
        self.demand.retain(|(_, back_end), _| *back_end != at);
        for unit in &units {
            self.set_state(*unit, State::Idle);
        }
        self.queues[at].redeclare(Standing::Absent, Declaration::new([]));
        for unit in units {
            self.strand(unit);
        }
        self.process();
    }

    /// The place of a back end of the name, be it there or not.
    pub(super) fn place_of(&mut self, name: &BackEnd) -> usize {
        self.queues.iter().position(|queue| queue.name == *name).unwrap_or_else(|| {
            self.queues.push(Queue::new(name.clone(), Standing::Absent, Declaration::new([])));
            self.queues.len() - 1
        })
    }

    /// The unit's back end is not there. What it has of the object waits for it.
    pub(super) fn strand(&mut self, id: Id) {
        let unit = &mut self.units[id];
        unit.strays.clear();
        (unit.concerned, unit.settled, unit.attempt) = (false, false, 0);
        (unit.trouble, unit.early) = (None, None);
        if let Some(holding) = &mut unit.holding {
            holding.acknowledged = true;
        }
        let (node, kept) = (unit.node, unit.holds());
        self.wake_waiters(id);
        if kept {
            self.refresh.push_back(id);
        } else {
            self.graph.nodes[node].units.retain(|unit| *unit != id);
            self.units.remove(id);
        }
        self.stand(node);
        self.touch(node);
        self.settle_wholly(node);
        self.collect(node);
    }

    /// An object on which nobody acts stands nowhere.
    pub(super) fn stand(&mut self, node: Id) {
        let place = &self.graph.nodes[node];
        let acted_on = |unit: &Id| {
            let unit: &Unit = &self.units[*unit];
            unit.is_effect() && !self.queues[unit.back_end].is_absent()
        };
        if let Some(meta) = place.meta.clone().filter(|_| !place.units.iter().any(acted_on)) {
            let unit = self.ensure(node, NOWHERE, false, &meta, &[]);
            self.units[unit].concerned = true;
            self.push(unit);
        }
    }

    /// The world is known to new back ends, too.
    pub(super) fn introduce(&mut self) {
        for at in 0..self.queues.len() {
            if self.queues[at].standing != Standing::New {
                continue;
            }
            self.queues[at].standing = Standing::Known;
            let anchor = self.queues[at].declaration.anchor.clone();
            if let Some(anchor) = anchor.and_then(|key| self.graph.index.get(&key).copied()) {
                self.retrace(anchor);
            }
            let stranded: Vec<Id> = (self.units.iter())
                .filter(|(_, unit)| unit.back_end == at && unit.state == State::Idle && !unit.settled)
                .map(|(id, _)| id)
                .collect();
            for unit in &stranded {
                if self.queues[at].declaration.journal != Journal::Handles
                    && let Some(holding) = &mut self.units[*unit].holding
                {
                    holding.sure = false;
                }
            }
            self.push_all(&stranded);
        }
    }
}
