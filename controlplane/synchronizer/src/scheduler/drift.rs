//! What back ends really have, compared with what was applied.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use super::{
    BackEndId, Digest, Id, Scheduler, part,
    queue::Standing,
    unit::{Holding, State, Task, Unit},
};
use crate::{Key, Observed};

impl Scheduler {
    /// The first comparison, and each after it, comes after 50–100 % of what was declared.
    pub(super) fn plan_comparison(&mut self, back_end: usize) {
        let (now, seed) = (self.now, self.seed);
        let queue = &mut self.queues[back_end];
        queue.comparisons += 1;
        let draw = Digest::new(seed).text(queue.name.as_str()).number(queue.comparisons).finish();
        queue.compare_at =
            queue.declaration.compare_every.map(|every| now + every / 2 + part(every / 2, draw));
    }

    /// Back ends that are to be looked at now. Each is then planned again by [`Self::compared`].
    pub fn due_comparisons(&mut self, now: Duration) -> Vec<BackEndId> {
        self.now = now;
        let whole = self.whole;
        let due = |at: &Option<Duration>| at.is_some_and(|at| at <= now);
        let mut ids = Vec::new();
        for (id, queue) in self.queues.iter_mut().enumerate().filter(|(_, queue)| due(&queue.compare_at)) {
            queue.compare_at = None;
            if whole && queue.standing == Standing::Known {
                queue.looking = true;
                ids.push(BackEndId(id));
            } else {
                queue.compare_at = queue.declaration.compare_every.map(|every| now + every);
            }
        }
        ids
    }

    /// To be read before a back end is looked at: what moves after that is not judged by what was seen.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// A look at a back end has ended, whatever came of it.
    pub fn compared(&mut self, back_end: BackEndId, now: Duration) {
        self.now = now;
        self.queues[back_end.0].looking = false;
        if self.queues[back_end.0].standing != Standing::Retiring {
            self.plan_comparison(back_end.0);
        }
    }

    /// Repairs what differs. `since` is the [`Self::step`] from before the look.
    pub fn observed(&mut self, back_end: BackEndId, since: u64, things: Vec<Observed>, now: Duration) {
        self.now = now;
        let at = back_end.0;
        let mut seen: HashMap<(Key, Arc<str>), Vec<Observed>> = HashMap::new();
        for thing in things {
            seen.entry((thing.key.clone(), thing.uid.clone())).or_default().push(thing);
        }
        let judged: Vec<Id> = (self.units.iter())
            .filter(|(_, unit)| unit.back_end == at && unit.is_effect() && unit.moved <= since)
            .filter(|(_, unit)| matches!(unit.state, State::Idle) && unit.settled)
            .map(|(id, _)| id)
            .collect();
        let mut doubtful: HashSet<Key> = HashSet::new();
        for (_, unit) in self.units.iter().filter(|(_, unit)| unit.back_end == at && unit.is_effect()) {
            if unit.moved > since || !unit.settled {
                doubtful.insert(self.graph.nodes[unit.node].key.clone());
            }
        }
        let mut drifts = 0;
        for id in judged {
            let unit = &mut self.units[id];
            let Some(holding) = &mut unit.holding else { continue };
            let key = (self.graph.nodes[unit.node].key.clone(), holding.uid.clone());
            let found = seen.get_mut(&key).and_then(|things| {
                let same = |thing: &Observed| thing.handle.is_none() || thing.handle == holding.handle;
                things.iter().position(same).map(|at| things.swap_remove(at))
            });
            let differs = match &found {
                None => true,
                Some(thing) => {
                    holding.digest.zip(thing.digest).is_some_and(|(applied, there)| applied != there)
                }
            };
            if differs {
                drifts += 1;
                holding.sure = false;
                if found.is_none() {
                    (holding.handle, holding.digest) = (None, None);
                    self.forget_told(id);
                }
                self.push(id);
            }
        }
        for thing in seen.into_values().flatten().filter(|thing| thing.owned) {
            if !doubtful.contains(&thing.key) {
                drifts += 1;
                self.stray(at, thing);
            }
        }
        self.queues[at].metrics.drifts += drifts;
        self.process();
    }

    /// Whoever has lost a tenancy knows none of its instances any more.
    fn forget_told(&mut self, id: Id) {
        let (node, back_end) = (self.units[id].node, self.units[id].back_end);
        for unit in self.graph.nodes[node].units.clone() {
            if self.units[unit].back_end == back_end
                && let Task::Tell(tell) = &mut self.units[unit].task
            {
                tell.doubtful.extend(std::mem::take(&mut tell.told));
                self.push(unit);
            }
        }
    }

    /// A thing marked as ours that no object asks for is removed like any other.
    fn stray(&mut self, back_end: usize, thing: Observed) {
        let node = self.graph.intern(&thing.key);
        let is = |unit: &Unit| unit.back_end == back_end && unit.is_effect();
        let unit = self.graph.nodes[node].units.iter().copied().find(|unit| is(&self.units[*unit]));
        let unit = unit.unwrap_or_else(|| {
            let mut unit = Unit::new(node, back_end, Task::Effect);
            unit.concerned = false;
            let id = self.units.insert(unit);
            self.graph.nodes[node].units.push(id);
            id
        });
        self.units[unit].strays.push(Holding {
            uid: thing.uid,
            generation: 0,
            basis: 0,
            handle: thing.handle,
            digest: thing.digest,
            owned: true,
            sure: true,
            acknowledged: true,
        });
        self.push(unit);
    }
}
