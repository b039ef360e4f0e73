//! The synchronizer over the office itself: with a back end that can be told to fail.

mod histories;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use intent_store::{MemoryEngine, Options, Store as Disk};
use serde_json::{Value, json};
use synchronizer::{
    Aspect, BackEnd, Config, Control, Declaration, EffectRecord, ErrorEntry, Item, Kind, Made, Outcome,
    Phase, Plugin, Record, Runner,
};
use xos_model::{ConditionStatus, Observed as _, READY, Site, SiteSpec};

use super::*;
use crate::office::{
    Draft, Operation, Preconditions, Severity, Target, Verb, kept_events, read_event, read_object,
};

/// Sites at a back end: what it has, what was asked of it, and whether it refuses.
#[derive(Default)]
struct Map {
    places: BTreeMap<String, u64>,
    calls: Vec<String>,
    down: bool,
}

#[derive(Clone, Default)]
struct MapPlugin(Arc<Mutex<Map>>);

impl MapPlugin {
    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.lock().expect("no test panics while it holds this")
    }

    fn called(&self, verb: &str, item: &Item<AnyObject>) -> Result<MutexGuard<'_, Map>, Outcome> {
        let mut map = self.map();
        map.calls.push(format!("{verb} {} {}", item.operation.key.name, item.operation.generation));
        if map.down { Err(Outcome::failed("the map is closed")) } else { Ok(map) }
    }
}

impl Plugin<AnyObject> for MapPlugin {
    fn declare(&self) -> Declaration {
        Declaration::new([Kind::of(KindName::Site)])
    }

    async fn apply(&self, item: &Item<AnyObject>) -> Outcome {
        let generation = item.operation.generation;
        match self.called("apply", item) {
            Ok(mut map) => {
                map.places.insert(item.operation.key.name.to_string(), generation);
                Outcome::Done(Made::with_handle(format!("place-{generation}")))
            }
            Err(failed) => failed,
        }
    }

    async fn adopt(&self, item: &Item<AnyObject>) -> Outcome {
        match self.called("adopt", item) {
            Ok(map) if map.places.contains_key(item.operation.key.name.as_str()) => {
                Outcome::Done(Made::with_handle("place-before").found())
            }
            Ok(_) => Outcome::failed("there is no such place"),
            Err(failed) => failed,
        }
    }

    async fn remove(&self, item: &Item<AnyObject>) -> Outcome {
        match self.called("remove", item) {
            Ok(mut map) => {
                map.places.remove(item.operation.key.name.as_str());
                Outcome::done()
            }
            Err(failed) => failed,
        }
    }
}

struct Running {
    office: Office,
    control: Control<AnyObject>,
    map: MapPlugin,
    task: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Running {
    fn start(options: Options) -> Self {
        let (store, _writer) = Disk::open(MemoryEngine::default(), options).expect("a new store");
        Self::over(Office::new(store), MapPlugin::default())
    }

    fn over(office: Office, map: MapPlugin) -> Self {
        let intent = Arc::new(Intent::new(office.clone()));
        let (runner, control) = Runner::new(intent, Config::default());
        let task = tokio::spawn(runner.with("map", map.clone()).run());
        Self { office, control, map, task }
    }

    /// As after a power failure.
    async fn again(self) -> Self {
        self.task.abort();
        assert!(self.task.await.expect_err("it ran until now").is_cancelled());
        Self::over(self.office, self.map)
    }

    async fn put(&self, text: &str) {
        self.put_as(json!({"name": "north"}), text).await.expect("it is accepted");
    }

    async fn put_as(&self, metadata: Value, text: &str) -> Result<(), Rejection> {
        let site = json!({"kind": "Site", "metadata": metadata, "spec": {"description": text}});
        let draft = Draft::parse(site.to_string().as_bytes()).expect("a site");
        let done = self.office.run(Operation::put(Verb::Apply, draft)).await;
        done.expect("the store runs").map(drop)
    }

    async fn delete(&self) {
        let target = Target { kind: KindName::Site, name: north() };
        let operation = Operation::Delete { target, preconditions: Preconditions::default() };
        self.office.run(operation).await.expect("the store runs").expect("it is accepted");
    }

    fn site(&self) -> Option<Site> {
        read_object::<SiteSpec>(&self.office.store, &north())
    }

    fn ready(&self) -> Option<(ConditionStatus, String)> {
        let site = self.site()?;
        let ready = site.status.conditions().iter().find(|condition| condition.kind == READY)?;
        Some((ready.status, ready.message.clone()))
    }

    fn errors(&self) -> Vec<ErrorEntry> {
        records::errors(&self.office.store, &key()).expect("they can be read")
    }

    fn records(&self) -> Vec<(BackEnd, Record)> {
        records::of(&self.office.store, &key()).expect("they can be read")
    }
}

fn north() -> net_types::Name {
    "north".parse().expect("a name")
}

fn key() -> Key {
    Key::new(KindName::Site, north())
}

/// What does not come about fails the test.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn an_object_stays_until_its_back_end_has_nothing_of_it() {
    let running = Running::start(Options::default());
    running.put("a hill").await;
    until("it is there", || running.ready().is_some_and(|ready| ready.0 == ConditionStatus::True)).await;
    let records = running.records();
    assert!(
        matches!(&records[..], [(at, Record::Effect(EffectRecord { phase: Phase::Applied, handle: Some(handle), .. }))]
            if at.as_str() == "map" && handle.0 == "place-1"),
        "{records:?}"
    );
    running.map.map().down = true;
    running.delete().await;
    until("it is refused", || !running.errors().is_empty()).await;
    assert!(running.site().is_some_and(|site| site.metadata.deleted_at.is_some()), "the map still has it");
    running.map.map().down = false;
    until("it is gone", || running.site().is_none()).await;
    assert!(running.map.map().places.is_empty());
    assert!(running.records().is_empty() && running.errors().is_empty());
}

#[tokio::test]
async fn what_was_found_is_looked_up_and_left_alone() {
    let running = Running::start(Options::default());
    running.map.map().places.insert("north".into(), 77);
    let found = || json!({"name": "north", "adopted": true});
    running.put_as(found(), "a hill").await.expect("it is accepted");
    until("it is found", || running.ready().is_some_and(|ready| ready.0 == ConditionStatus::True)).await;
    running.put_as(found(), "a higher hill").await.expect("it is accepted");
    let turned = running.put_as(json!({"name": "north"}), "ours").await.expect_err("it stays adopted");
    assert!(turned.to_string().contains("said when an object is made"), "{turned}");
    until("it is looked up again", || running.map.map().calls.len() == 2).await;
    let running = running.again().await;
    running.delete().await;
    until("it is gone", || running.site().is_none()).await;
    assert_eq!(running.map.map().calls, ["adopt north 1", "adopt north 2"]);
    assert_eq!(running.map.map().places.get("north"), Some(&77));
    assert!(running.records().is_empty());
}

#[tokio::test]
async fn errors_are_told_in_words_and_outlive_the_controller() {
    let running = Running::start(Options::default());
    running.map.map().down = true;
    running.put("a hill").await;
    let failed = |running: &Running| {
        running.ready() == Some((ConditionStatus::False, "map: the map is closed".into()))
    };
    until("it has failed", || failed(&running)).await;
    let told = running.errors();
    let running = running.again().await;
    until("it has failed again", || running.errors().len() > told.len()).await;
    assert_eq!(running.errors()[..told.len()], told[..]);
    running.map.map().down = false;
    running.put("another hill").await;
    until("it is there", || running.ready().is_some_and(|ready| ready.0 == ConditionStatus::True)).await;
    assert!(running.errors().len() > told.len(), "what was is remembered");
    let store = &running.office.store;
    let events: Vec<_> = kept_events(store).filter_map(|sequence| read_event(store, sequence)).collect();
    let (last, failures) = events.split_last().expect("it has failed and recovered");
    assert_eq!(
        (last.severity, last.reason.as_str(), last.name.as_str()),
        (Severity::Normal, "Recovered", "north")
    );
    assert_eq!(failures.len(), running.errors().len());
    assert!(failures.iter().all(|event| event.severity == Severity::Warning && event.reason == "Failed"));
}

#[tokio::test]
async fn a_start_in_peace_asks_for_nothing() {
    let running = Running::start(Options::default());
    running.put("a hill").await;
    until("it is there", || running.ready().is_some_and(|ready| ready.0 == ConditionStatus::True)).await;
    let (calls, revision) = (running.map.map().calls.clone(), running.office.store.revision());
    let running = running.again().await;
    running.control.drained(&BackEnd::new("map")).await.expect("it runs");
    running.control.shutdown().expect("it runs");
    running.task.await.expect("no panic").expect("the feed has not failed");
    assert_eq!(running.map.map().calls, calls);
    assert_eq!(running.office.store.revision(), revision, "nor is anything written");
}

#[tokio::test]
async fn who_is_left_behind_by_the_history_is_told_everything_again() {
    let running = Running::start(Options { history_max: 2, ..Options::default() });
    for i in 0..50 {
        running.put(&format!("hill {i}")).await;
    }
    until("the last is there", || running.map.map().places.get("north") == Some(&50)).await;
}

#[tokio::test]
async fn nothing_is_begun_of_what_is_gone() {
    let running = Running::start(Options::default());
    let intent = Intent::new(running.office.clone());
    let record = |phase| Write::Record {
        key: key(),
        uid: "an earlier one".into(),
        back_end: BackEnd::new("map"),
        record: Record::Effect(EffectRecord {
            uid: "an earlier one".into(),
            phase,
            generation: 1,
            basis: 0,
            handle: None,
            digest: None,
            owned: true,
            edges: Vec::new(),
        }),
    };
    let gone = || intent.write(vec![record(Phase::Begun)]);
    assert_eq!(gone().await, Err(StoreError("there is no Site north".into())));
    running.put("a hill").await;
    gone().await.expect_err("this is another one");
    intent.write(vec![record(Phase::Applied)]).await.expect("it is left out");
    let forget = Write::Forget {
        key: key(),
        uid: "an earlier one".into(),
        back_end: BackEnd::new("map"),
        aspect: Aspect::Effect,
    };
    until("it is there", || running.ready().is_some_and(|ready| ready.0 == ConditionStatus::True)).await;
    intent.write(vec![forget]).await.expect("it is left out");
    assert_eq!(running.records().len(), 1, "that was of this one");
}
