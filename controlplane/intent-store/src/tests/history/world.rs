//! A store, the model beside it, and clients that watch.

use super::{
    disk::{Crash, Disk},
    model::{AUDIT_MAX, HISTORY_MAX, Model, Objects, Outcome, Plan},
};
use crate::*;

pub(super) struct World<D> {
    disk: D,
    store: Option<(Store, WriterHandle)>,
    model: Model,
    watchers: Vec<Watcher>,
    runtime: tokio::runtime::Runtime,
}

impl<D> Drop for World<D> {
    /// The engine is closed when this returns: a process that ends while RocksDB closes in another thread can abort.
    fn drop(&mut self) {
        if let Some((store, writer)) = self.store.take() {
            drop(store);
            writer.join();
        }
    }
}

/// A client that knows what it was told.
#[derive(Default)]
struct Watcher {
    at: u64,
    known: Objects,
}

fn objects(items: &[(Key, Record)]) -> impl Iterator<Item = (String, (u64, Vec<u8>))> {
    items.iter().map(|(key, record)| (key.to_string(), (record.revision, record.value.to_vec())))
}

impl<D: Disk> World<D> {
    pub(super) fn new(disk: D) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut world = Self { disk, store: None, model: Model::default(), watchers: Vec::new(), runtime };
        world.open();
        world
    }

    fn store(&self) -> &Store {
        &self.store.as_ref().expect("open").0
    }

    fn open(&mut self) {
        let options = Options { history_max: HISTORY_MAX, audit_max: AUDIT_MAX, ..Options::default() };
        self.store = Some(Store::open(self.disk.engine(), options).expect("opens"));
    }

    fn close(&mut self) {
        let (store, writer) = self.store.take().expect("open");
        drop(store);
        writer.join();
    }

    pub(super) fn reopen(&mut self) {
        self.close();
        self.open();
        self.model.since = self.model.revision();
    }

    /// Sends all at once, in order, and waits for what becomes of them.
    fn send(&self, plans: &[Plan]) -> Vec<Result<Outcome, Stopped>> {
        self.runtime.block_on(async {
            let tasks: Vec<_> = plans
                .iter()
                .cloned()
                .map(|plan| {
                    let store = self.store().clone();
                    tokio::spawn(async move { store.transact(move |txn| plan.run(txn)).await })
                })
                .collect();
            let mut outcomes = Vec::new();
            for task in tasks {
                outcomes.push(task.await.expect("ends"));
            }
            outcomes
        })
    }

    pub(super) fn transactions(&mut self, plans: &[Plan]) {
        let outcomes = self.send(plans);
        for (plan, outcome) in plans.iter().zip(outcomes) {
            assert_eq!(outcome, Ok(self.model.run(plan)));
        }
    }

    /// What was acknowledged is there afterwards; what was not is there up to some transaction, or not at all.
    pub(super) fn crash(&mut self, plans: &[Plan], crash: Crash) {
        let other = self.disk.another();
        let mut disk = std::mem::replace(&mut self.disk, other);
        let mut acknowledged = 0;
        disk.crash(crash, || {
            acknowledged = self.send(plans).iter().filter(|outcome| outcome.is_ok()).count();
        });
        self.close();
        self.disk = disk;
        self.open();
        let found = (self.store().revision(), self.store().audit_range(), self.claims());
        let mut model = self.model.clone();
        let mut possible = vec![model.clone()];
        for plan in plans {
            let _: Outcome = model.run(plan);
            possible.push(model.clone());
        }
        let is_found = |model: &Model| {
            let audit = model.audit_from..model.audit.len() as u64;
            (model.revision(), audit, model.claims.clone()) == found
        };
        match crash {
            Crash::Before => possible.truncate(1),
            Crash::Amid => {}
            Crash::After => drop(possible.drain(..acknowledged)),
        }
        self.model = possible.into_iter().rfind(is_found).expect("the state after some of the transactions");
        self.model.since = self.model.revision();
    }

    fn claims(&self) -> super::model::Claims {
        let body = |txn: &mut Transaction<'_>| {
            let claims = txn.range(Table::Claims, std::ops::Bound::Unbounded);
            Ok::<_, ()>(claims.map(|(key, record)| (key.to_string(), record.value.to_vec())).collect())
        };
        self.runtime.block_on(self.store().transact(body)).expect("runs").expect("reads")
    }

    pub(super) fn pages(&mut self, back: u64, limit: usize, meanwhile: &Plan) {
        let asked = self.store().revision().saturating_sub(back);
        let (mut after, mut found) = (None, Objects::new());
        loop {
            let page = match self.store().page("", after.as_deref(), limit, Some(asked)) {
                Ok(page) => page,
                Err(compacted) => {
                    let (oldest, newest) = (self.model.horizon(), self.model.revision());
                    assert_eq!(compacted, Compacted { asked, oldest, newest });
                    assert!(asked < oldest);
                    return;
                }
            };
            assert!(asked >= self.model.horizon() && page.revision == asked);
            assert!(page.items.len() == limit || !page.more);
            found.extend(objects(&page.items));
            after = page.items.last().map(|(key, _)| key.to_string());
            if !page.more {
                break;
            }
            self.transactions(std::slice::from_ref(meanwhile));
        }
        assert_eq!(found, self.model.at(asked));
    }

    pub(super) fn watch(&mut self) {
        let page = self.store().page("", None, usize::MAX, None).expect("the present is there");
        self.watchers.push(Watcher { at: page.revision, known: objects(&page.items).collect() });
    }

    /// One watcher catches up.
    pub(super) fn look(&mut self, watcher: usize, limit: usize) {
        if self.watchers.is_empty() {
            return;
        }
        let index = watcher % self.watchers.len();
        let mut watcher = std::mem::take(&mut self.watchers[index]);
        let from = watcher.at;
        let mut missed = self.model.log.iter().filter(|(revision, _)| *revision > from);
        loop {
            let changes = match self.store().changes(watcher.at, limit) {
                Ok(changes) => changes,
                Err(compacted) => {
                    assert!(watcher.at < self.model.horizon(), "{compacted}");
                    self.watchers.swap_remove(index);
                    self.watch();
                    return;
                }
            };
            assert!(watcher.at >= self.model.horizon());
            assert!(changes.len() <= limit);
            let Some(last) = changes.last() else { break };
            watcher.at = last.revision;
            for Change { revision, key, now, before } in changes {
                assert_eq!(missed.next(), Some(&(revision, key.to_string())));
                let record = |record: Record| (record.revision, record.value.to_vec());
                let known = match now.map(record) {
                    Some(now) => watcher.known.insert(key.to_string(), now),
                    None => watcher.known.remove(&*key),
                };
                assert_eq!(before.map(record), known, "what was there before is what the watcher knew");
            }
        }
        assert_eq!((missed.next(), &watcher.known), (None, &self.model.now()));
        self.watchers[index] = watcher;
    }

    pub(super) fn look_all(&mut self) {
        for index in 0..self.watchers.len() {
            self.look(index, 3);
        }
    }

    pub(super) fn restore(&mut self) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let manifest = self.store().backup(&path, &[]).expect("is taken");
        let model = &self.model;
        assert_eq!((manifest.revision, manifest.objects), (model.revision(), model.now().len() as u64));
        self.close();
        self.disk = self.disk.another();
        restore_into(&path, &mut self.disk.engine()).expect("is restored");
        self.open();
        self.model.since = self.model.revision();
    }

    pub(super) fn check(&self) {
        let (store, model) = (self.store(), &self.model);
        let page = store.page("", None, usize::MAX, None).expect("the present is there");
        assert_eq!(page.revision, model.revision());
        assert_eq!(objects(&page.items).collect::<Objects>(), model.now());
        assert_eq!(self.claims(), model.claims);
        let audit = model.audit_from..model.audit.len() as u64;
        assert_eq!(store.audit_range(), audit);
        let records = store.audit_records(0..u64::MAX, usize::MAX).expect("reads");
        let records: Vec<_> = records.into_iter().map(|record| (record.sequence, record.value)).collect();
        let told = &model.audit[usize::try_from(audit.start).expect("few")..];
        let told: Vec<_> = audit.zip(told.iter().map(|byte| vec![*byte])).collect();
        assert_eq!(records, told);
    }
}
