//! An office that can be ended at any moment and comes back from its disk, with one back end for all its kinds.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use intent_store::{MemoryEngine, Options, RocksEngine, Store as Disked, WriterHandle};
use serde_json::Value;
use synchronizer::{
    BackOff, Config, Control, Declaration, EffectRecord, Handle, Key, Kind, Limits, Phase, Record, Relation,
    Runner, Snapshot, Store, StoreError, Write,
    testing::{BackEndInMemory, TestPlugin, Thing},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use xos_model::{AnyObject, KindName};

use super::intent::{Change, KINDS};
use crate::office::{
    Intent, IntentFeed, Office, object_key,
    synchronized::{kind_of, records},
};

/// Longer than any back-off and any compare.
const PEACE: Duration = Duration::from_mins(2);

#[derive(Clone, Copy, Debug)]
pub(super) enum Disk {
    Memory,
    Rocks,
}

/// What goes wrong when the synchronizer writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum StoreFault {
    None,
    /// The controller ends, and nothing is written.
    CrashBefore,
    /// The controller ends before it hears that all is written.
    CrashAfter,
}

enum Medium {
    Memory(MemoryEngine),
    Rocks(TempDir),
}

impl Medium {
    fn open(&self) -> (Disked, WriterHandle) {
        let opened = match self {
            Self::Memory(engine) => Disked::open(engine.clone(), Options::default()),
            Self::Rocks(directory) => {
                let engine = RocksEngine::open(directory.path()).expect("nobody else has it");
                Disked::open(engine, Options::default())
            }
        };
        opened.expect("it is whole")
    }
}

pub(super) struct World {
    medium: Medium,
    pub(super) back_end: Arc<BackEndInMemory>,
    store_faults: Arc<Mutex<VecDeque<StoreFault>>>,
    controller: Option<Controller>,
}

/// What ends with a crash.
struct Controller {
    office: Office,
    writer: WriterHandle,
    runner: JoinHandle<Result<(), StoreError>>,
    /// Without it the runner would end.
    control: Control<AnyObject>,
}

fn cloud() -> Declaration {
    let relation = |from, name, to| Relation::new(Kind::of(from), name, Kind::of(to));
    Declaration {
        relations: vec![
            relation(KindName::Service, "controller", KindName::Controller),
            relation(KindName::Slice, "site", KindName::Site),
            relation(KindName::Slice, "service", KindName::Service),
            relation(KindName::Network, "slice", KindName::Slice),
            relation(KindName::Network, "permittedSlices", KindName::Slice),
            relation(KindName::Instance, "slice", KindName::Slice),
            relation(KindName::Tenant, "tenant.name", KindName::Service),
            relation(KindName::Tenant, "provider", KindName::Service),
        ],
        limits: Limits { concurrent: 3, batch_max: 2, timeout: Duration::from_secs(2), ..Limits::default() },
        back_off: BackOff { base: Duration::from_millis(100), cap: Duration::from_secs(5) },
        compare_every: Some(Duration::from_secs(30)),
        ..Declaration::new(KINDS.map(Kind::of))
    }
}

impl World {
    pub(super) fn start(disk: Disk) -> Self {
        let medium = match disk {
            Disk::Memory => Medium::Memory(MemoryEngine::default()),
            Disk::Rocks => Medium::Rocks(TempDir::new().expect("a directory")),
        };
        let back_end = BackEndInMemory::new();
        back_end.meddle(|things| {
            for key in foreign() {
                let handle = Handle("theirs".into());
                let thing = Thing { generation: 7, handle, digest: 7, owned: false, edges: Vec::new() };
                things.insert((key, "theirs".into()), thing);
            }
        });
        let mut world = Self { medium, back_end, store_faults: Arc::default(), controller: None };
        world.open();
        world
    }

    fn open(&mut self) {
        let (store, writer) = self.medium.open();
        let office = Office::new(store);
        let store = Faulty {
            intent: Intent::new(office.clone()),
            faults: self.store_faults.clone(),
            back_end: self.back_end.clone(),
        };
        let (runner, control) = Runner::new(Arc::new(store), Config { seed: 42, ..Config::default() });
        let runner = tokio::spawn(runner.with("cloud", TestPlugin::new(&self.back_end, cloud())).run());
        self.controller = Some(Controller { office, writer, runner, control });
    }

    /// As after a power failure: nothing is told, nothing is waited for. What the store's writer has been given may be
    /// on the disk then.
    pub(super) async fn restart(&mut self) {
        let controller = self.controller.take().expect("it runs but for here");
        let Controller { office, writer, runner, control } = controller;
        runner.abort();
        assert!(runner.await.expect_err("it ran until now").is_cancelled());
        drop((office, control));
        // The actions that were under way let go of the store when this thread comes to them.
        tokio::task::spawn_blocking(|| writer.join()).await.expect("it does not panic");
        self.open();
    }

    /// Says whether it has; if not, there is another controller now.
    pub(super) async fn lives_for(&mut self, millis: u64) -> bool {
        let crash = self.back_end.crash.notified();
        let lived = tokio::time::timeout(Duration::from_millis(millis), crash).await.is_err();
        if !lived {
            self.restart().await;
        }
        lived
    }

    /// Until there is peace.
    pub(super) async fn settle(&mut self) {
        let peace = u64::try_from(PEACE.as_millis()).expect("two minutes");
        while !self.lives_for(peace).await {}
    }

    pub(super) async fn transact(&self, changes: Vec<Change>) {
        let operations = changes.into_iter().map(Change::operation).collect();
        let done = self
            .office()
            .admit(false, |admission| admission.run_all(operations).map_err(|misplaced| misplaced.rejection));
        // What names what is not there is refused, and no harm.
        let _: Result<_, _> = at_pace(done).await.expect("the store runs");
    }

    pub(super) fn all_deleted(&self) -> Vec<Change> {
        let delete = |(key, _): (Key, Value)| Change::Delete(kind_of(&key).expect("a kind"), key.name);
        self.objects().into_iter().map(delete).collect()
    }

    pub(super) fn store_faults(&self, faults: Vec<StoreFault>) {
        self.store_faults.lock().expect("no panic").extend(faults);
    }

    fn office(&self) -> &Office {
        &self.controller.as_ref().expect("it runs").office
    }

    pub(super) fn revision(&self) -> u64 {
        self.office().store.revision()
    }

    /// All that is stored, as it is stored.
    pub(super) fn objects(&self) -> Vec<(Key, Value)> {
        let mut objects = Vec::new();
        for kind in KINDS {
            let prefix = format!("{}/", kind.plural());
            let page = self.office().store.page(&prefix, None, 100, None).expect("it is the present");
            objects.extend(page.items.into_iter().map(|(place, record)| {
                let name = place[prefix.len()..].parse().expect("a name");
                (Key::new(kind, name), serde_json::from_slice(&record.value).expect("JSON"))
            }));
        }
        objects
    }

    /// The generation of which the office knows that the back end has it.
    pub(super) fn applied(&self, key: &Key) -> Option<u64> {
        let records = records::of(&self.office().store, key).expect("they can be read");
        match &records[..] {
            [(_, Record::Effect(EffectRecord { phase: Phase::Applied, generation, .. }))] => {
                Some(*generation)
            }
            _ => None,
        }
    }

    /// What is kept of objects that are no more, and of failures that are over.
    pub(super) fn left_over(&self) -> Vec<String> {
        let place = |(key, _): &(Key, Value)| object_key(kind_of(key).expect("a kind"), &key.name);
        let objects: Vec<String> = self.objects().iter().map(place).collect();
        let kept = self.office().store.claims("enacted/").into_iter().map(|(place, _)| place.to_string());
        let is_left = |place: &String| {
            place.starts_with("enacted/failed/")
                || !objects.iter().any(|object| place.split('/').skip(2).take(2).eq(object.split('/')))
        };
        kept.filter(is_left).collect()
    }
}

/// Things of somebody else's at the back end.
pub(super) fn foreign() -> Vec<Key> {
    KINDS.map(|kind| Key::new(kind, "theirs".parse().expect("a name"))).to_vec()
}

/// The office as the synchronizer's store, from which there may be no answer.
struct Faulty {
    intent: Intent,
    faults: Arc<Mutex<VecDeque<StoreFault>>>,
    back_end: Arc<BackEndInMemory>,
}

impl Store for Faulty {
    type Body = AnyObject;
    type Feed = IntentFeed;

    fn feed(&self) -> IntentFeed {
        self.intent.feed()
    }

    fn read(&self, key: &Key) -> Result<Option<Snapshot<AnyObject>>, StoreError> {
        self.intent.read(key)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let fault = self.faults.lock().expect("no panic").pop_front().unwrap_or(StoreFault::None);
        match fault {
            StoreFault::None => return at_pace(self.intent.write(writes)).await,
            StoreFault::CrashBefore => {}
            StoreFault::CrashAfter => at_pace(self.intent.write(writes)).await?,
        }
        self.back_end.crash.notify_one();
        pending().await
    }
}

/// The tests' time is paused and jumps when nothing is to be done in this thread: not while another, the store's writer,
/// does this.
async fn at_pace<T>(work: impl Future<Output = T>) -> T {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let held = tokio::task::spawn_blocking(move || ended.recv());
    let done = work.await;
    drop(end);
    held.await.expect("it does not panic").expect_err("nothing is ever sent");
    done
}
