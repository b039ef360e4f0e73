//! What the back ends have room for is given out.

use std::time::Duration;

use super::{
    BackEndId, Id, NOWHERE, Scheduler,
    queue::Standing,
    unit::{Run, State, Task},
};
use crate::{Edge, Handle, Journal, Key, Operation, TenantInstances};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Apply,
    /// Look up what is there already.
    Adopt,
    Remove,
    /// Let go of what was found: only our record of it goes.
    Forget,
    /// Tell a provider of its tenants' instances.
    Tell,
}

/// One call of a plug-in: objects whose turn it is, all for the same action.
#[derive(Clone, Debug)]
pub struct Batch {
    pub back_end: BackEndId,
    pub action: Action,
    pub works: Vec<Work>,
}

/// Names one run of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(super) unit: Id,
    pub(super) number: u64,
}

#[derive(Clone, Debug)]
pub struct Work {
    pub ticket: Ticket,
    pub operation: Operation,
    pub basis: u64,
    pub handle: Option<Handle>,
    pub owned: bool,
    /// From 1.
    pub attempt: u32,
    /// [`Action::Tell`]: what to tell.
    pub tell: Option<Telling>,
    /// What the object stands on, and what it may still stand on until this is done.
    pub edges: Vec<Edge>,
    pub edges_before: Vec<Edge>,
    /// A thing besides what is recorded of the object.
    pub stray: bool,
    /// Nothing of the object is known to be there.
    pub first: bool,
}

/// What a provider is told, and what it knows of before.
#[derive(Clone, Debug)]
pub struct Telling {
    pub change: TenantInstances,
    pub told: Vec<Key>,
    /// Of these it may know or not, until this is done.
    pub doubtful: Vec<Key>,
}

impl Scheduler {
    /// The next call, if a back end has something to do and room for it. Each back end has its turn.
    pub fn next(&mut self, now: Duration) -> Option<Batch> {
        self.now = now;
        if !self.whole {
            return None;
        }
        let back_ends = self.queues.len() - 1;
        for _ in 0..back_ends {
            self.turn = self.turn % back_ends + 1;
            let queue = &self.queues[self.turn];
            if queue.standing == Standing::Known
                && queue.calls < queue.declaration.limits.concurrent
                && let Some(batch) = self.batch(self.turn)
            {
                return Some(batch);
            }
        }
        None
    }

    fn batch(&mut self, back_end: usize) -> Option<Batch> {
        debug_assert_ne!(back_end, NOWHERE, "nothing is queued there");
        let limit = self.queues[back_end].declaration.limits.batch_max.max(1);
        let mut batch: Option<Batch> = None;
        while let Some(id) = self.queues[back_end].ready.pop_front() {
            let stands = self.units.get(id).is_some_and(|unit| unit.state == State::Ready);
            if !stands {
                continue;
            }
            // Between its queueing and its turn the world may have changed.
            let Some((action, None)) = self.turn_of(id) else {
                self.set_state(id, State::Idle);
                self.push(id);
                continue;
            };
            if batch.as_ref().is_some_and(|batch| batch.action != action) {
                self.queues[back_end].ready.push_front(id);
                break;
            }
            let work = self.start(id, action);
            let here = BackEndId(back_end);
            let batch = batch.get_or_insert_with(|| Batch { back_end: here, action, works: Vec::new() });
            batch.works.push(work);
            if batch.works.len() == limit || matches!(action, Action::Tell) {
                break;
            }
        }
        self.process();
        if batch.is_some() {
            self.queues[back_end].calls += 1;
        }
        batch
    }

    fn start(&mut self, id: Id, action: Action) -> Work {
        self.set_state(id, State::Running);
        self.graph.use_edges(self.units[id].node);
        self.step += 1;
        let (basis, number) = (self.basis(id), self.step);
        let unit = &self.units[id];
        let node = &self.graph.nodes[unit.node];
        let stray = unit.strays.last();
        let there = stray.or(unit.holding.as_ref());
        // What goes is what is there; what is applied, what is asked for. A tenancy that is gone has neither.
        let of_holding = there.map(|holding| (holding.uid.clone(), holding.generation));
        let of_meta = node.meta.as_ref().map(|meta| (meta.uid.clone(), meta.generation));
        let (uid, generation) = match action {
            Action::Remove | Action::Forget => of_holding,
            Action::Apply | Action::Adopt | Action::Tell => of_meta,
        }
        .unwrap_or_else(|| ("".into(), 0));
        let journals = self.queues[unit.back_end].declaration.journal != Journal::Keyed;
        let handled = there.filter(|holding| holding.uid == uid);
        let operation = Operation { key: node.key.clone(), uid: uid.clone(), generation };
        let tell = self.telling(id, &operation);
        let news = tell.as_ref().map(|tell| tell.doubtful.clone()).unwrap_or_default();
        let work = Work {
            ticket: Ticket { unit: id, number },
            operation,
            basis,
            handle: handled.and_then(|holding| holding.handle.clone()),
            owned: handled.map_or(action != Action::Adopt, |holding| holding.owned),
            attempt: unit.attempt + 1,
            tell,
            edges: if journals { self.graph.named(unit.node, false) } else { Vec::new() },
            edges_before: if journals { self.graph.named(unit.node, true) } else { Vec::new() },
            stray: stray.is_some(),
            first: there.is_none(),
        };
        let telling = match &unit.task {
            Task::Tell(tell) => tell.desired.clone(),
            Task::Effect => std::collections::BTreeSet::new(),
        };
        let started = self.now;
        let run =
            Run { ticket: number, action, uid, generation, basis, stray: work.stray, telling, news, started };
        let unit = &mut self.units[id];
        (unit.run, unit.moved, unit.early, unit.tried) = (Some(Box::new(run)), number, None, basis);
        let metrics = &mut self.queues[unit.back_end].metrics;
        metrics.actions += 1;
        metrics.retries += u64::from(work.attempt > 1);
        work
    }
}
