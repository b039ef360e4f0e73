//! A back end in memory. It outlives its plug-in, counts effects, and fails as it is told to.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use crate::{Handle, Key, Observed, Operation, TenantInstances};
use tokio::{sync::Notify, time::Instant};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    Error,
    Untouched,
    ErrorAfterEffect,
    TimeOut,
    TimeOutAfterEffect,
    CrashBefore,
    CrashAfter,
    Panic,
}

#[derive(Default)]
pub struct BackEndInMemory {
    state: Mutex<State>,
    /// A fault asks for the runner's death.
    pub crash: Notify,
    /// Calls wait for as long as this is held.
    pub gate: tokio::sync::RwLock<()>,
}

#[derive(Default)]
struct State {
    things: BTreeMap<(Key, Arc<str>), Thing>,
    /// The instances of each tenancy.
    mounts: BTreeMap<Key, BTreeSet<Key>>,
    made: u64,
    faults: VecDeque<Fault>,
    refused: BTreeMap<Key, String>,
    effects: Vec<String>,
    calls: Vec<(Instant, String)>,
    running: usize,
    running_max: usize,
    batch_max: usize,
    disorders: Vec<String>,
}

/// What it has of an object.
#[derive(Clone, Debug)]
pub struct Thing {
    pub generation: u64,
    pub handle: Handle,
    /// The generation for as long as nobody meddles.
    pub digest: u64,
    /// False for what is somebody else's.
    pub owned: bool,
    /// What it stands on.
    pub edges: Vec<Key>,
}

impl BackEndInMemory {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// The next calls go wrong like this, one after the other.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// An object is refused for as long as there is a reason.
    pub fn refuse(&self, key: &Key, reason: Option<&str>) {
        match reason {
            Some(reason) => self.state().refused.insert(key.clone(), reason.into()),
            None => self.state().refused.remove(key),
        };
    }

    pub(super) fn begin(&self, verb: &str, operation: &Operation) -> Result<Fault, String> {
        let mut state = self.state();
        state.calls.push((Instant::now(), format!("{verb} {}", operation.key)));
        match state.refused.get(&operation.key) {
            Some(reason) => Err(reason.clone()),
            None => Ok(state.faults.pop_front().unwrap_or(Fault::None)),
        }
    }

    /// Makes or changes what is not so already.
    pub(super) fn apply(&self, operation: &Operation, edges: &[Key]) -> Thing {
        let mut guard = self.state();
        let state = &mut *guard;
        for below in edges.iter().filter(|below| !state.things.keys().any(|(key, _)| key == *below)) {
            let text = format!("{operation} stands on {below}, which is not there");
            state.disorders.push(text);
        }
        state.made += 1;
        let fresh = Handle(format!("thing-{}", state.made));
        let place = (operation.key.clone(), operation.uid.clone());
        let there = state.things.get(&place).cloned();
        if let Some(thing) = &there
            && thing.generation >= operation.generation
            && thing.digest == thing.generation
        {
            return thing.clone();
        }
        let handle = there.map_or(fresh, |thing| thing.handle);
        let generation = operation.generation;
        let thing = Thing { generation, handle, digest: generation, owned: true, edges: edges.to_vec() };
        state.things.insert(place, thing.clone());
        state.effects.push(format!("apply {operation}"));
        thing
    }

    pub(super) fn remove(&self, operation: &Operation) {
        let mut guard = self.state();
        let state = &mut *guard;
        let place = (operation.key.clone(), operation.uid.clone());
        let above = state.things.iter().find(|(_, thing)| thing.edges.contains(&operation.key));
        if let Some(((above, _), _)) = above.filter(|_| state.things.contains_key(&place)) {
            let text = format!("{operation} goes, and {above} stands on it");
            state.disorders.push(text);
        }
        if state.mounts.contains_key(&operation.key) {
            state.disorders.push(format!("{operation} goes, and has instances"));
        }
        if let Some(thing) = state.things.remove(&place) {
            assert!(thing.owned, "what was found is never deleted");
            state.effects.push(format!("remove {}", operation.key));
        }
    }

    /// Hears of the instances of a tenancy; by what has come and gone it gets to what there is.
    pub(super) fn tell(&self, change: &TenantInstances) {
        let mut guard = self.state();
        let state = &mut *guard;
        let TenantInstances { operation, instances, added, removed, .. } = change;
        if !instances.is_empty() && !state.things.keys().any(|(key, _)| *key == operation.key) {
            state.disorders.push(format!("{operation} has instances, and is not there"));
        }
        let mounts = state.mounts.entry(operation.key.clone()).or_default();
        mounts.extend(added.iter().cloned());
        mounts.retain(|instance| !removed.contains(instance));
        if !mounts.iter().eq(instances) {
            state
                .disorders
                .push(format!("{operation}: {added:?} and {removed:?} do not lead to {instances:?}"));
        }
        if mounts.is_empty() {
            state.mounts.remove(&operation.key);
        }
    }

    pub fn mounts(&self) -> BTreeMap<Key, BTreeSet<Key>> {
        self.state().mounts.clone()
    }

    /// What happens behind the synchronizer's back.
    pub fn meddle(&self, change: impl FnOnce(&mut BTreeMap<(Key, Arc<str>), Thing>)) {
        change(&mut self.state().things);
    }

    pub fn lose_everything(&self) {
        let mut state = self.state();
        state.things.clear();
        state.mounts.clear();
    }

    pub(super) fn observe(&self) -> Vec<Observed> {
        let state = self.state();
        let things = state.things.iter().map(|((key, uid), thing)| Observed {
            key: key.clone(),
            uid: uid.clone(),
            handle: Some(thing.handle.clone()),
            digest: Some(thing.digest),
            owned: thing.owned,
        });
        things.collect()
    }

    /// What there is of an object, whoever made it.
    pub fn thing(&self, key: &Key) -> Option<Thing> {
        let state = self.state();
        let mut things = state.things.iter().filter(|((of, _), _)| of == key);
        let thing = things.next().map(|(_, thing)| thing.clone());
        assert_eq!(things.count(), 0, "{key} is there once");
        thing
    }

    /// Of which objects there is anything.
    pub fn keys(&self) -> Vec<Key> {
        self.state().things.keys().map(|(key, _)| key.clone()).collect()
    }

    /// What was done before its time.
    pub fn disorders(&self) -> Vec<String> {
        self.state().disorders.clone()
    }

    /// What really happened, in order.
    pub fn effects(&self) -> Vec<String> {
        self.state().effects.clone()
    }

    /// What was asked for, in order, and when.
    pub fn calls(&self) -> Vec<(Instant, String)> {
        self.state().calls.clone()
    }

    pub(super) fn enter(&self, batch: usize) {
        let mut state = self.state();
        state.running += 1;
        state.running_max = state.running_max.max(state.running);
        state.batch_max = state.batch_max.max(batch);
    }

    pub(super) fn leave(&self) {
        self.state().running -= 1;
    }

    /// The most calls at a time, and the most objects in one.
    pub fn widest(&self) -> (usize, usize) {
        let state = self.state();
        (state.running_max, state.batch_max)
    }
}
