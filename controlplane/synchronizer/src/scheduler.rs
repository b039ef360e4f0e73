//! Who is next: pure, with time as a number and chance from a seed.
//!
//! Each event (a change, a completion, an acknowledgement, time) is put in; it settles, unblocks and queues what it
//! must at once. [`Scheduler::next`] then gives out what the back ends have room for, [`Scheduler::take_reports`]
//! what statuses must say. All work is proportional to the edges of what an event touches.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;

mod accept;
mod anchor;
mod attach;
mod chance;
mod complete;
mod dispatch;
mod drift;
mod examine;
mod graph;
mod lazy;
mod metrics;
mod order;
mod queue;
mod reports;
mod slab;
mod tenancy;
mod trouble;
mod unit;

pub use accept::Placement;
pub(crate) use chance::{Digest, part};
pub use complete::{Completion, Ended};
pub use dispatch::{Action, Batch, Telling, Ticket, Work};
pub use metrics::{Latency, Metrics};
pub use reports::HISTORY_MAX;
pub(crate) use slab::Id;

use graph::{Graph, RelationId};
use queue::{Queue, Standing};
use slab::Slab;
use unit::{State, Unit};

use crate::{BackEnd, Declaration, TenancyShape};

/// A back end's place in a scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackEndId(pub(crate) usize);

/// Where objects that no back end acts on stand: they are done as soon as what they refer to is.
const NOWHERE: usize = 0;

pub struct Scheduler {
    seed: u64,
    /// The time of day at which the scheduler's time is none.
    epoch: Timestamp,
    now: Duration,
    graph: Graph,
    units: Slab<Unit>,
    queues: Vec<Queue>,
    /// Relations by which something is derived.
    content: Vec<RelationId>,
    /// Relations that lead to back ends' anchors.
    leading: Vec<RelationId>,
    tenancy: tenancy::Relations,
    timers: BTreeSet<(Duration, Id)>,
    examine: VecDeque<Id>,
    refresh: VecDeque<Id>,
    dirty: Vec<Id>,
    /// How many units need an object lazily, by object and back end.
    demand: HashMap<(Id, usize), u32>,
    /// Units and edges looked at so far.
    looked: u64,
    /// Counts tickets and moves.
    step: u64,
    /// The world is known wholly; before that nothing is begun.
    whole: bool,
    /// Where the search for a back end with room begins, so that each has its turn.
    turn: usize,
}

impl Scheduler {
    pub fn new(seed: u64, epoch: Timestamp, shape: &TenancyShape) -> Self {
        let mut graph = Graph::default();
        let tenancy = tenancy::Relations::declare(&mut graph.relations, shape);
        let nowhere = Queue::new(BackEnd::new("(nowhere)"), Standing::Known, Declaration::new([]));
        Self {
            seed,
            epoch,
            now: Duration::ZERO,
            graph,
            units: Slab::default(),
            queues: vec![nowhere],
            content: Vec::new(),
            leading: Vec::new(),
            tenancy,
            timers: BTreeSet::new(),
            examine: VecDeque::new(),
            refresh: VecDeque::new(),
            dirty: Vec::new(),
            demand: HashMap::new(),
            looked: 0,
            step: 0,
            whole: false,
            turn: 0,
        }
    }

    pub fn back_end(&self, id: BackEndId) -> &BackEnd {
        &self.queues[id.0].name
    }

    pub fn declaration(&self, id: BackEndId) -> &Declaration {
        &self.queues[id.0].declaration
    }

    /// How many objects, at back ends, are not yet as they should be.
    pub fn unsettled(&self) -> usize {
        self.units.iter().filter(|(_, unit)| !unit.settled).count()
    }

    /// Whether the world is known, and a back end has nothing in its queue or under way.
    pub fn is_drained(&self, back_end: &BackEnd) -> bool {
        let drained = |queue: &Queue| {
            queue.standing != Standing::New && queue.metrics.ready + queue.metrics.running == 0
        };
        self.whole && self.queues.iter().filter(|queue| queue.name == *back_end).all(drained)
    }

    /// How often a unit or an edge was looked at: the measure of the work that was done.
    pub fn looked(&self) -> u64 {
        self.looked
    }

    pub fn metrics(&self) -> Vec<(BackEnd, Metrics)> {
        let there = self.queues[NOWHERE + 1..].iter().filter(|queue| !queue.is_absent());
        there.map(|queue| (queue.name.clone(), queue.metrics)).collect()
    }

    /// When something will be due without any event.
    pub fn next_due(&self) -> Option<Duration> {
        let comparison = self.queues.iter().filter_map(|queue| queue.compare_at).min();
        let timer = self.timers.first().map(|(due, _)| *due);
        [comparison, timer].into_iter().flatten().min()
    }

    /// Time has passed: what was put off and is due is tried again; what was not acknowledged in time has failed.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        while let Some((_, id)) = self.timers.first().copied().filter(|(due, _)| *due <= now) {
            if matches!(self.units[id].state, State::Awaiting(_)) {
                self.fail_acknowledgement(id);
            } else {
                self.set_state(id, State::Idle);
                self.push(id);
            }
        }
        self.process();
    }

    fn set_state(&mut self, id: Id, state: State) {
        let unit = &mut self.units[id];
        let metrics = &mut self.queues[unit.back_end].metrics;
        if let State::Awaiting(Some(due)) | State::BackOff(Some(due)) = unit.state {
            self.timers.remove(&(due, id));
        }
        if let State::Awaiting(Some(due)) | State::BackOff(Some(due)) = state {
            self.timers.insert((due, id));
        }
        if let Some(count) = metrics.of_state(unit.state) {
            *count -= 1;
        }
        if let Some(count) = metrics.of_state(state) {
            *count += 1;
        }
        unit.state = state;
    }

    fn push(&mut self, id: Id) {
        if let Some(unit) = self.units.get_mut(id)
            && !unit.queued
        {
            unit.queued = true;
            self.examine.push_back(id);
        }
    }

    fn push_all(&mut self, ids: &[Id]) {
        for id in ids {
            self.push(*id);
        }
    }

    /// Until nothing more follows from what has happened.
    fn process(&mut self) {
        loop {
            if let Some(id) = self.examine.pop_front() {
                if let Some(unit) = self.units.get_mut(id) {
                    unit.queued = false;
                    self.examine(id);
                }
            } else if let Some(id) = self.refresh.pop_front() {
                if self.units.get(id).is_some() {
                    self.refresh(id);
                }
            } else {
                break;
            }
        }
    }
}
