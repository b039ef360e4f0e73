//! Random histories against a model that keeps everything.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::*;

const HISTORY_MAX: usize = 12;

#[derive(Clone, Debug)]
enum Step {
    /// Writes (`Some`) and removals, kept or thrown away at the end.
    Transaction { writes: Vec<(u8, Option<u8>)>, keep: bool },
    /// As after `kill -9`: the same disk, opened again.
    Reopen,
    /// A commit that fails, with the transaction durable or not, and then a reopening.
    Fail { write: (u8, u8), fault: bool },
    /// All pages of the store at a revision so far back.
    Pages { back: u64, limit: usize },
    /// All changes after a revision so far back.
    Watch { back: u64, limit: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let writes = prop::collection::vec((0..8_u8, prop::option::weighted(0.7, any::<u8>())), 0..6);
    let step = prop_oneof![
        6 => (writes, prop::bool::weighted(0.8)).prop_map(|(writes, keep)| Step::Transaction { writes, keep }),
        1 => Just(Step::Reopen),
        1 => ((0..8_u8, any::<u8>()), any::<bool>()).prop_map(|(write, fault)| Step::Fail { write, fault }),
        3 => (0..20_u64, 1..5_usize).prop_map(|(back, limit)| Step::Pages { back, limit }),
        3 => (0..20_u64, 1..5_usize).prop_map(|(back, limit)| Step::Watch { back, limit }),
    ];
    prop::collection::vec(step, 1..40)
}

type State = BTreeMap<String, (u64, Vec<u8>)>;

/// Every state that ever was, by revision, and every change.
#[derive(Default)]
struct Model {
    states: BTreeMap<u64, State>,
    log: Vec<(u64, String)>,
    /// Where the history of the running store begins.
    since: u64,
}

impl Model {
    fn now(&self) -> State {
        self.states.values().next_back().cloned().unwrap_or_default()
    }

    fn at(&self, revision: u64) -> State {
        self.states.range(..=revision).next_back().map(|(_, state)| state.clone()).unwrap_or_default()
    }

    fn horizon(&self) -> u64 {
        let log: Vec<_> = self.log.iter().filter(|(revision, _)| *revision > self.since).collect();
        match log.len().checked_sub(HISTORY_MAX + 1) {
            Some(last_forgotten) => log[last_forgotten].0,
            None => self.since,
        }
    }

    /// Takes over one change that the store says it has made.
    fn note(&mut self, revision: u64, key: &str, value: Option<Vec<u8>>) {
        let mut state = self.now();
        match value {
            Some(value) => drop(state.insert(key.into(), (revision, value))),
            None => drop(state.remove(key)),
        }
        self.states.insert(revision, state);
        self.log.push((revision, key.into()));
    }
}

struct World {
    disk: MemoryEngine,
    store: Option<(Store, WriterHandle)>,
    model: Model,
    runtime: tokio::runtime::Runtime,
}

fn name(key: u8) -> String {
    format!("k/{key}")
}

impl World {
    fn store(&self) -> &Store {
        &self.store.as_ref().expect("open").0
    }

    fn reopen(&mut self) {
        if let Some((store, writer)) = self.store.take() {
            drop(store);
            writer.join();
        }
        let options = Options { history_max: HISTORY_MAX, ..Options::default() };
        self.store = Some(Store::open(self.disk.clone(), options).expect("opens"));
        self.model.since = self.store().revision();
    }

    fn transaction(&mut self, writes: &[(u8, Option<u8>)], keep: bool) {
        let before = self.model.now();
        let todo = writes.to_vec();
        let body = move |txn: &mut Transaction<'_>| {
            for (key, value) in todo {
                if let Some(value) = value {
                    txn.put(Table::Objects, name(key), [value].as_slice());
                    txn.put(Table::Claims, name(key), [value].as_slice());
                } else {
                    txn.delete(Table::Objects, &name(key));
                    txn.delete(Table::Claims, &name(key));
                }
            }
            let seen =
                txn.prefixed(Table::Objects, "k/").map(|(key, record)| (key.to_string(), record.value[0]));
            let seen: BTreeMap<_, _> = seen.collect();
            if keep { Ok(seen) } else { Err(seen) }
        };
        let outcome = self.runtime.block_on(self.store().transact(body)).expect("runs");
        let mut expected: BTreeMap<_, _> =
            before.iter().map(|(key, (_, value))| (key.clone(), value[0])).collect();
        for (key, value) in writes {
            match value {
                Some(value) => drop(expected.insert(name(*key), *value)),
                None => drop(expected.remove(&name(*key))),
            }
        }
        assert_eq!(outcome, if keep { Ok(expected.clone()) } else { Err(expected.clone()) });
        if keep {
            self.learn(&before, &expected, writes);
        }
    }

    /// The model learns which revisions the store gave to the changes; which changes there were, it knows itself.
    fn learn(&mut self, before: &State, after: &BTreeMap<String, u8>, writes: &[(u8, Option<u8>)]) {
        let store = self.store().clone();
        let mut touched: Vec<String> = writes.iter().map(|(key, _)| name(*key)).collect();
        touched.sort();
        touched.dedup();
        touched.retain(|key| before.contains_key(key) || after.contains_key(key));
        let last = self.model.log.last().map_or(0, |(revision, _)| *revision);
        let mut revisions = Vec::new();
        for change in store.changes(last.max(self.model.since), 100).expect("history reaches so far") {
            assert!(touched.contains(&change.key.to_string()), "{change:?}");
            let value = after.get(&*change.key).map(|value| vec![*value]);
            assert_eq!(change.now.as_ref().map(|record| record.value.to_vec()), value);
            revisions.push((change.revision, change.key.to_string(), value));
        }
        assert_eq!(revisions.len(), touched.len());
        for (revision, key, value) in revisions {
            self.model.note(revision, &key, value);
        }
    }

    fn fail(&mut self, (key, value): (u8, u8), fault: Fault) {
        self.disk.inject(fault);
        let body = move |txn: &mut Transaction<'_>| {
            txn.put(Table::Claims, name(key), [value].as_slice());
            Ok::<_, ()>(txn.put(Table::Objects, name(key), [value].as_slice()))
        };
        assert_eq!(self.runtime.block_on(self.store().transact(body)), Err(Stopped));
        self.reopen();
        if fault == Fault::Unknown {
            let record = self.store().get(Table::Objects, &name(key)).expect("durable after all");
            self.model.note(record.revision, &name(key), Some(vec![value]));
            self.model.since = record.revision;
        }
    }

    fn pages(&self, back: u64, limit: usize) {
        let asked = self.store().revision().saturating_sub(back);
        let (mut after, mut found) = (None, State::new());
        loop {
            let page = match self.store().page("k/", after.as_deref(), limit, Some(asked)) {
                Ok(page) => page,
                Err(compacted) => {
                    assert_eq!((compacted.asked, compacted.oldest), (asked, self.model.horizon()));
                    assert!(asked < self.model.horizon());
                    return;
                }
            };
            assert!(page.items.len() == limit || !page.more);
            let items = page.items.iter().map(|(key, r)| (key.to_string(), (r.revision, r.value.to_vec())));
            found.extend(items);
            after = page.items.last().map(|(key, _)| key.to_string());
            if !page.more {
                break;
            }
        }
        assert!(asked >= self.model.horizon());
        assert_eq!(found, self.model.at(asked));
    }

    fn watch(&self, back: u64, limit: usize) {
        let mut at = self.store().revision().saturating_sub(back);
        let expected: Vec<_> =
            self.model.log.iter().filter(|(revision, _)| *revision > at).cloned().collect();
        let mut found = Vec::new();
        loop {
            let Ok(changes) = self.store().changes(at, limit) else {
                assert!(at < self.model.horizon());
                return;
            };
            for change in &changes {
                let record = |r: &Record| (r.revision, r.value.to_vec());
                assert_eq!(
                    change.now.as_ref().map(record),
                    self.model.at(change.revision).get(&*change.key).cloned()
                );
                let before = self.model.at(change.revision - 1).get(&*change.key).cloned();
                assert_eq!(change.before.as_ref().map(record), before);
                found.push((change.revision, change.key.to_string()));
            }
            match changes.last() {
                Some(change) => at = change.revision,
                None => break,
            }
        }
        assert_eq!(found, expected);
    }

    fn check(&self) {
        let now = self.model.now();
        let page = self.store().page("", None, 100, None).expect("the present is there");
        let items = page.items.iter().map(|(key, r)| (key.to_string(), (r.revision, r.value.to_vec())));
        assert_eq!(items.collect::<State>(), now);
        for key in (0..8).map(name) {
            let claim = self.store().get(Table::Claims, &key).map(|record| record.value.to_vec());
            assert_eq!(claim, now.get(&key).map(|(_, value)| value.clone()), "claims go with their objects");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_as_the_model_says(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut world = World { disk: MemoryEngine::default(), store: None, model: Model::default(), runtime };
        world.reopen();
        for step in steps {
            match step {
                Step::Transaction { writes, keep } => world.transaction(&writes, keep),
                Step::Reopen => world.reopen(),
                Step::Fail { write, fault } => world.fail(write, if fault { Fault::Lost } else { Fault::Unknown }),
                Step::Pages { back, limit } => world.pages(back, limit),
                Step::Watch { back, limit } => world.watch(back, limit),
            }
            world.check();
        }
    }
}
