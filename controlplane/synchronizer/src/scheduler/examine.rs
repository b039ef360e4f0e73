//! What a unit must do, and whether it can.

use super::{
    Digest, Id, NOWHERE, Scheduler,
    dispatch::Action,
    graph::Meta,
    unit::{Blocker, Holding, State, Task},
};
use crate::{Needs, Origin};

impl Scheduler {
    /// The object that the back end should have; none: it should have nothing of it.
    pub(super) fn goal(&self, id: Id) -> Option<&Meta> {
        let unit = &self.units[id];
        let node = &self.graph.nodes[unit.node];
        let meta = node.meta.as_ref().filter(|meta| !meta.deleting && unit.concerned)?;
        let lazy = self.queues[unit.back_end].is_lazy(node.key.kind);
        (!lazy || self.demand.contains_key(&(unit.node, unit.back_end))).then_some(meta)
    }

    /// What is to be done at the back end, if anything.
    pub(super) fn needed(&self, id: Id) -> Option<Action> {
        let unit = &self.units[id];
        if let Task::Tell(tell) = &unit.task {
            return tell.is_news().then_some(Action::Tell);
        }
        if !unit.strays.is_empty() {
            return Some(Action::Remove);
        }
        let away = |holding: &Holding| if holding.owned { Action::Remove } else { Action::Forget };
        let Some(meta) = self.goal(id) else { return unit.holding.as_ref().map(away) };
        match &unit.holding {
            Some(holding) if holding.uid != meta.uid => Some(away(holding)),
            Some(holding)
                if holding.sure
                    && holding.generation >= meta.generation
                    && holding.basis == self.basis(id) =>
            {
                None
            }
            _ if meta.origin == Origin::Found => Some(Action::Adopt),
            _ => Some(Action::Apply),
        }
    }

    /// A digest of what else the object is derived from. The same after a restart.
    pub(super) fn basis(&self, id: Id) -> u64 {
        let unit = &self.units[id];
        let (queue, node) = (&self.queues[unit.back_end], &self.graph.nodes[unit.node]);
        let beside = node.meta.as_ref().map_or(0, |meta| meta.beside);
        if !queue.derives {
            return beside;
        }
        let content =
            node.out.iter().filter(|out| !out.held && queue.needs(out.relation) == Some(Needs::Content));
        content.fold(beside, |sum, out| {
            let node = &self.graph.nodes[out.to];
            let digest = Digest::new(0).text(node.key.kind.as_str()).text(node.key.name.as_str());
            let digest = match &node.meta {
                Some(meta) => digest.text(&meta.uid).number(meta.generation),
                None => digest,
            };
            sum.wrapping_add(digest.finish())
        })
    }

    /// What is to be done, if anything, and what that must wait for.
    pub(super) fn turn_of(&mut self, id: Id) -> Option<(Action, Option<Blocker>)> {
        let action = self.needed(id)?;
        let blocker = self.blocker(id, action);
        if action == Action::Remove && blocker.is_some() && self.is_needed_to_the_end(id) {
            // What it stands on may be going, too; as long as it is there, so is that.
            return Some((Action::Apply, None));
        }
        Some((action, blocker))
    }

    /// Of what lingers ([`crate::Declaration::lingering`]): whether it is not there as it should be.
    fn is_needed_to_the_end(&self, id: Id) -> bool {
        let unit = &self.units[id];
        let node = &self.graph.nodes[unit.node];
        let lingers = self.queues[unit.back_end].declaration.lingering.contains(&node.key.kind);
        let Some(meta) = node.meta.as_ref().filter(|_| lingers && unit.concerned && unit.strays.is_empty())
        else {
            return false;
        };
        !unit.holding.as_ref().is_some_and(|holding| {
            holding.uid != meta.uid
                || holding.sure && holding.generation >= meta.generation && holding.basis == self.basis(id)
        })
    }

    pub(super) fn examine(&mut self, id: Id) {
        self.looked += 1;
        if self.units[id].state == State::Running {
            return;
        }
        if self.queues[self.units[id].back_end].is_absent() {
            self.strand(id);
            return;
        }
        let Some((action, blocker)) = self.turn_of(id) else {
            self.rest(id);
            return;
        };
        let unit = &mut self.units[id];
        if unit.settled {
            (unit.settled, unit.since) = (false, self.now);
        }
        match blocker {
            Some(blocker) => self.block(id, blocker),
            None if unit_is_put_off(self.units[id].state) => {}
            None if self.units[id].back_end == NOWHERE => self.pass(id, action),
            None if self.units[id].state == State::Ready => {}
            None => {
                self.set_state(id, State::Ready);
                let back_end = self.units[id].back_end;
                self.queues[back_end].ready.push_back(id);
            }
        }
        if self.units.get(id).is_some() {
            self.refresh.push_back(id);
        }
    }

    fn block(&mut self, id: Id, blocker: Blocker) {
        if self.units[id].state != State::Blocked(blocker) {
            self.set_state(id, State::Blocked(blocker));
        }
        let waiters = match blocker {
            Blocker::Node(node) => &mut self.graph.nodes[node].waiters,
            Blocker::Unit(unit) => &mut self.units[unit].waiters,
        };
        if waiters.last() != Some(&id) {
            waiters.push(id);
        }
        self.report_cycle(id);
    }

    /// Nothing is to be done but, perhaps, to wait for an acknowledgement.
    fn rest(&mut self, id: Id) {
        let unit = &self.units[id];
        if unit.holding.as_ref().is_some_and(|holding| !holding.acknowledged) {
            if !matches!(unit.state, State::Awaiting(_)) {
                let limit = self.queues[unit.back_end].declaration.limits.acknowledgement_timeout;
                self.set_state(id, State::Awaiting(limit.map(|limit| self.now + limit)));
                self.touch(self.units[id].node);
            }
            self.refresh.push_back(id);
            return;
        }
        self.set_state(id, State::Idle);
        self.units[id].trouble = None;
        self.refresh.push_back(id);
        if !self.units[id].settled {
            self.settle(id);
        }
    }

    /// An object on which nobody acts is done when its turn comes.
    fn pass(&mut self, id: Id, action: Action) {
        self.graph.use_edges(self.units[id].node);
        let basis = self.basis(id);
        self.units[id].holding = match action {
            Action::Apply | Action::Adopt => self.goal(id).map(|meta| Holding {
                uid: meta.uid.clone(),
                generation: meta.generation,
                basis,
                handle: None,
                digest: None,
                owned: true,
                sure: true,
                acknowledged: true,
            }),
            Action::Remove | Action::Forget | Action::Tell => None,
        };
        self.push(id);
    }

    /// The back end has what it should have: whoever waited for that goes on.
    fn settle(&mut self, id: Id) {
        let now = self.now;
        let unit = &mut self.units[id];
        (unit.settled, unit.attempt) = (true, 0);
        let (node, back_end, since) = (unit.node, unit.back_end, unit.since);
        self.queues[back_end].metrics.settled.record(now.saturating_sub(since));
        self.wake_waiters(id);
        self.touch(node);
        self.settle_wholly(node);
        self.collect(node);
    }

    /// Every back end has what it should have of the object, if so.
    pub(super) fn settle_wholly(&mut self, node: Id) {
        let units = &self.graph.nodes[node].units;
        if units.is_empty() || !units.iter().all(|unit| self.units[*unit].settled) {
            return;
        }
        let dropped = self.graph.drop_held(node);
        self.let_go(dropped);
        let followers: Vec<Id> =
            self.content.iter().flat_map(|relation| self.graph.nodes[node].sources(*relation)).collect();
        let units = |follower: Id| self.graph.nodes[follower].units.clone();
        let units: Vec<Id> = followers.into_iter().flat_map(units).collect();
        for unit in units {
            // What failed when it was derived from something else has not failed yet.
            if unit_is_put_off(self.units[unit].state) && self.units[unit].tried != self.basis(unit) {
                self.reset(unit);
            }
            self.push(unit);
        }
        self.admit(node);
    }
}

fn unit_is_put_off(state: State) -> bool {
    matches!(state, State::BackOff(_))
}
