//! One unit of work: an object at a back end, or a tenancy of which a back end is told.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{Id, graph::RelationId};
use crate::{EffectRecord, Failure, Handle, Key, Phase};

#[expect(clippy::struct_excessive_bools, reason = "facts that hold independently of each other")]
pub(super) struct Unit {
    pub(super) node: Id,
    pub(super) back_end: usize,
    pub(super) task: Task,
    pub(super) state: State,
    /// Nothing is to be done: the back end has what it should have, or nothing where nothing should be.
    pub(super) settled: bool,
    /// The object is for this back end (it may have been, and have to be removed).
    pub(super) concerned: bool,
    /// Counted in the demand for what it needs lazily.
    pub(super) counted: bool,
    /// To be examined already.
    pub(super) queued: bool,
    /// The object changed while an action ran.
    pub(super) dirty: bool,
    /// What it was derived from when it was last tried.
    pub(super) tried: u64,
    /// Failures in a row.
    pub(super) attempt: u32,
    pub(super) holding: Option<Holding>,
    /// Things at the back end that no object asks for.
    pub(super) strays: Vec<Holding>,
    /// Units that wait for this one.
    pub(super) waiters: Vec<Id>,
    /// Where the search for something to wait for goes on: it is linear in the edges altogether, not each time.
    pub(super) cursor: usize,
    pub(super) cursor_back: Option<(RelationId, Id)>,
    /// The last error, until it is overcome.
    pub(super) trouble: Option<Arc<str>>,
    /// What its status says of why it is stuck.
    pub(super) shown: Option<Box<Cause>>,
    pub(super) run: Option<Box<Run>>,
    /// An acknowledgement that came before the plug-in said that it would, and of which digest.
    pub(super) early: Option<Box<(u64, Result<(), Failure>)>>,
    /// The step at which it last moved: a comparison that began before cannot judge it.
    pub(super) moved: u64,
    /// When it was last unsettled.
    pub(super) since: Duration,
}

pub(super) enum Task {
    Effect,
    Tell(Box<Tell>),
}

/// The instances that a tenancy's provider should know of, and those that it knows of.
#[derive(Default)]
pub(super) struct Tell {
    pub(super) desired: BTreeSet<Key>,
    pub(super) told: BTreeSet<Key>,
    /// Told of in a call that did not end well: it may know of them or not.
    pub(super) doubtful: BTreeSet<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Blocked(Blocker),
    Ready,
    Running,
    /// For an acknowledgement, until then at the latest.
    Awaiting(Option<Duration>),
    /// Until then; or until the object changes.
    BackOff(Option<Duration>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocker {
    /// Is not there, or is going.
    Node(Id),
    Unit(Id),
}

/// What a back end has of an object.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) uid: Arc<str>,
    pub(super) generation: u64,
    pub(super) basis: u64,
    pub(super) handle: Option<Handle>,
    pub(super) digest: Option<u64>,
    pub(super) owned: bool,
    /// False: an action was begun and did not end well; the effect may be there or not.
    pub(super) sure: bool,
    pub(super) acknowledged: bool,
}

impl From<&EffectRecord> for Holding {
    fn from(record: &EffectRecord) -> Self {
        Self {
            uid: record.uid.clone(),
            generation: record.generation,
            basis: record.basis,
            handle: record.handle.clone(),
            digest: record.digest,
            owned: record.owned,
            sure: record.phase == Phase::Applied,
            acknowledged: true,
        }
    }
}

/// Why a unit is stuck.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cause {
    /// What it waits for directly; none: the trouble is its own.
    pub(super) on: Option<Key>,
    /// Where the trouble is, if that is further away.
    pub(super) root: Option<Key>,
    pub(super) text: Arc<str>,
}

/// An action that is under way.
pub(super) struct Run {
    pub(super) ticket: u64,
    pub(super) action: super::Action,
    pub(super) uid: Arc<str>,
    pub(super) generation: u64,
    pub(super) basis: u64,
    pub(super) stray: bool,
    /// What the provider will have been told of, and what of that is news to it.
    pub(super) telling: BTreeSet<Key>,
    pub(super) news: Vec<Key>,
    pub(super) started: Duration,
}

impl Tell {
    /// Whether the provider may know of anything.
    pub(super) fn knows_any(&self) -> bool {
        !self.told.is_empty() || !self.doubtful.is_empty()
    }

    pub(super) fn may_know(&self, instance: &Key) -> bool {
        self.told.contains(instance) || self.doubtful.contains(instance)
    }

    pub(super) fn is_news(&self) -> bool {
        self.desired != self.told || !self.doubtful.is_empty()
    }

    /// What is to be said: who has come, and who has gone, since it was last sure to know.
    pub(super) fn news(&self) -> (Vec<Key>, Vec<Key>) {
        let sure = |key: &&Key| self.told.contains(*key) && !self.doubtful.contains(*key);
        let added = self.desired.iter().filter(|key| !sure(key)).cloned().collect();
        let removed = self.told.union(&self.doubtful).filter(|key| !self.desired.contains(*key));
        (added, removed.cloned().collect())
    }
}

impl Unit {
    pub(super) fn new(node: Id, back_end: usize, task: Task) -> Self {
        Self {
            node,
            back_end,
            task,
            state: State::Idle,
            settled: false,
            concerned: true,
            counted: false,
            queued: false,
            dirty: false,
            tried: 0,
            attempt: 0,
            holding: None,
            strays: Vec::new(),
            waiters: Vec::new(),
            cursor: 0,
            cursor_back: None,
            trouble: None,
            shown: None,
            run: None,
            early: None,
            moved: 0,
            since: Duration::ZERO,
        }
    }

    /// Whether something of the object may be at the back end.
    pub(super) fn holds(&self) -> bool {
        let told = matches!(&self.task, Task::Tell(tell) if tell.knows_any());
        self.holding.is_some() || !self.strays.is_empty() || self.state == State::Running || told
    }

    pub(super) fn is_effect(&self) -> bool {
        matches!(self.task, Task::Effect)
    }
}
