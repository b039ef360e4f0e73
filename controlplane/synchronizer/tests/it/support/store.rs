//! A store in memory. What it has survives its runners.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use synchronizer::{
    Change, Feed, Key, Object, Phase, Record, Report, SYNCED, Snapshot, Store, StoreError, Write,
    testing::Content,
};
use tokio::sync::broadcast;
use xos_model::{Condition, ConditionStatus};

/// What the tests' objects ask for: to be of their generation, and what they stand on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) generation: u64,
    pub(crate) edges: Vec<Key>,
}

impl Content for Body {
    fn generation(&self) -> u64 {
        self.generation
    }

    fn needs(&self) -> Vec<Key> {
        self.edges.clone()
    }
}

pub(crate) struct MemoryStore {
    state: Mutex<State>,
    changes: broadcast::Sender<Change>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<Key, Object>,
    reports: BTreeMap<Key, Report>,
    uids: u64,
    writes: usize,
    racing: Option<Object>,
    vanishing: Option<Key>,
}

impl MemoryStore {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changes: broadcast::channel(1 << 16).0 })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    fn tell(&self, change: Change) {
        // There may be no runner.
        drop(self.changes.send(change));
    }

    /// Makes an object, or changes it.
    pub(crate) fn put(&self, object: Object) {
        let mut state = self.state();
        state.uids += 1;
        let fresh = format!("uid-{}", state.uids).into();
        let old = state.objects.get(&object.key);
        let (uid, generation) = old.map_or((fresh, 1), |old| (old.uid.clone(), old.generation + 1));
        let (records, history) =
            old.map(|old| (old.records.clone(), old.history.clone())).unwrap_or_default();
        let deleting = old.is_some_and(|old| old.deleting);
        let object = Object { uid, generation, records, history, deleting, ..object };
        state.objects.insert(object.key.clone(), object.clone());
        self.tell(Change::Present(object));
    }

    /// What is not in an object's spec is another.
    pub(crate) fn turn(&self, object: Object) {
        self.state().objects.insert(object.key.clone(), object.clone());
        self.tell(Change::Present(object));
    }

    /// Asks for an object's deletion; it goes when it is released.
    pub(crate) fn delete(&self, key: &Key) {
        let mut state = self.state();
        if let Some(object) = state.objects.get_mut(key) {
            object.deleting = true;
            self.tell(Change::Present(object.clone()));
        }
    }

    /// An object goes without having been released.
    pub(crate) fn drop_object(&self, key: &Key) {
        let mut state = self.state();
        state.reports.remove(key);
        if state.objects.remove(key).is_some() {
            self.tell(Change::Gone(key.clone()));
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Object> {
        self.state().objects.get(key).cloned()
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.state().objects.keys().cloned().collect()
    }

    pub(crate) fn report(&self, key: &Key) -> Option<Report> {
        self.state().reports.get(key).cloned()
    }

    pub(crate) fn condition(&self, key: &Key, kind: &str) -> Condition {
        let report = self.report(key).unwrap_or_else(|| panic!("{key} has a status"));
        report.conditions.into_iter().find(|condition| condition.kind == kind).expect("it is always there")
    }

    /// Whether an object's status says that all back ends have it as it is now.
    pub(crate) fn synced(&self, key: &Key) -> bool {
        let generation = self.get(key).map(|object| object.generation);
        self.report(key).is_some_and(|report| {
            let is = |c: &Condition| c.kind == SYNCED && c.status == ConditionStatus::True;
            Some(report.generation) == generation && report.conditions.iter().any(is)
        })
    }

    /// The object will be this, newer, just before it is next read for an action.
    pub(crate) fn race(&self, object: Object) {
        self.state().racing = Some(object);
    }

    /// The object will go, unreleased, just before an action with it is recorded to begin.
    pub(crate) fn vanish(&self, key: &Key) {
        self.state().vanishing = Some(key.clone());
    }

    pub(crate) fn writes(&self) -> usize {
        self.state().writes
    }
}

impl State {
    /// The object that is to go now that an action is about to begin with it.
    fn vanishes(&mut self, writes: &[Write]) -> Option<Key> {
        let begins = |write: &Write| match write {
            Write::Record { key, record: Record::Effect(effect), .. } => {
                effect.phase == Phase::Begun && self.vanishing.as_ref() == Some(key)
            }
            _ => false,
        };
        if writes.iter().any(begins) { self.vanishing.take() } else { None }
    }

    fn write(&mut self, write: Write) -> Option<Change> {
        match write {
            Write::Record { key, uid, back_end, record } => {
                let object = self.objects.get_mut(&key).filter(|object| object.uid == uid)?;
                let aspect = record.aspect();
                object.records.retain(|(at, old)| *at != back_end || old.aspect() != aspect);
                object.records.push((back_end, record));
                Some(Change::Present(object.clone()))
            }
            Write::Forget { key, uid, back_end, aspect } => {
                let object = self.objects.get_mut(&key).filter(|object| object.uid == uid)?;
                object.records.retain(|(at, old)| *at != back_end || old.aspect() != aspect);
                Some(Change::Present(object.clone()))
            }
            Write::Status(report) => {
                let object = self.objects.get_mut(&report.key).filter(|object| object.uid == report.uid)?;
                object.history.clone_from(&report.errors);
                let change = if report.released {
                    assert_eq!(object.records, [], "nothing is recorded of what is released");
                    self.objects.remove(&report.key);
                    self.reports.remove(&report.key);
                    return Some(Change::Gone(report.key));
                } else {
                    Change::Present(object.clone())
                };
                self.reports.insert(report.key.clone(), report);
                Some(change)
            }
        }
    }
}

impl Store for MemoryStore {
    type Body = Body;
    type Feed = MemoryFeed;

    fn feed(&self) -> MemoryFeed {
        let state = self.state();
        let mut first = vec![Change::SnapshotBegins];
        first.extend(state.objects.values().cloned().map(Change::Present));
        first.push(Change::SnapshotEnds);
        MemoryFeed { first, changes: self.changes.subscribe() }
    }

    fn read(&self, key: &Key) -> Result<Option<Snapshot<Body>>, StoreError> {
        let racing = self.state().racing.take_if(|racing| racing.key == *key);
        if let Some(object) = racing {
            self.put(object);
        }
        Ok(self.get(key).map(|object| {
            let Object { uid, generation, edges, .. } = object;
            let edges = edges.into_iter().map(|edge| edge.to).collect();
            Snapshot { uid, generation, body: Arc::new(Body { generation, edges }) }
        }))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let gone = self.state().vanishes(&writes);
        if let Some(gone) = gone {
            self.drop_object(&gone);
            return Err(StoreError(format!("there is no {gone}")));
        }
        let mut state = self.state();
        state.writes += 1;
        for change in writes.into_iter().filter_map(|write| state.write(write)) {
            // As in the real one, what was written comes back as a change.
            self.tell(change);
        }
        Ok(())
    }
}

pub(crate) struct MemoryFeed {
    first: Vec<Change>,
    changes: broadcast::Receiver<Change>,
}

impl Feed for MemoryFeed {
    async fn next(&mut self) -> Result<Vec<Change>, StoreError> {
        if !self.first.is_empty() {
            return Ok(std::mem::take(&mut self.first));
        }
        let first = self.changes.recv().await.map_err(|error| StoreError(error.to_string()))?;
        let mut changes = vec![first];
        while let Ok(change) = self.changes.try_recv() {
            changes.push(change);
        }
        Ok(changes)
    }
}
