//! An office in memory: a store, back ends, and a runner that can be killed and started again.

mod store;

use std::{sync::Arc, time::Duration};

use synchronizer::{Config, Control, Edge, Key, Kind, Object, Origin, Runner};
use tokio::task::JoinHandle;

pub(crate) use synchronizer::testing::{BackEndInMemory, Fault, TestPlugin, Thing};

pub(crate) use store::{Body, MemoryStore};

pub(crate) const SITE: Kind = Kind::new("Site");
pub(crate) const SERVICE: Kind = Kind::new("Service");
pub(crate) const SLICE: Kind = Kind::new("Slice");
pub(crate) const NETWORK: Kind = Kind::new("Network");
pub(crate) const INSTANCE: Kind = Kind::new("Instance");
pub(crate) const CONTROLLER: Kind = Kind::new("Controller");
pub(crate) const TENANT: Kind = Kind::new("Tenant");

pub(crate) fn key(kind: Kind, name: &str) -> Key {
    Key::new(kind, name.parse().expect("a name"))
}

/// An object as it is put into the store, which gives it uid and generation.
pub(crate) fn object(key: &Key, edges: &[(&str, &Key)]) -> Object {
    Object {
        key: key.clone(),
        uid: "".into(),
        generation: 0,
        deleting: false,
        origin: Origin::Ours,
        edges: edges.iter().map(|(relation, to)| Edge::new(*relation, (*to).clone())).collect(),
        records: Vec::new(),
        history: Vec::new(),
        beside: 0,
    }
}

pub(crate) struct Running {
    pub(crate) control: Control<Body>,
    task: JoinHandle<Result<(), synchronizer::StoreError>>,
}

/// Runs over a store with these plug-ins.
pub(crate) fn start(
    store: &Arc<MemoryStore>,
    plugins: impl IntoIterator<Item = (&'static str, TestPlugin)>,
) -> Running {
    let (mut runner, control) = Runner::new(store.clone(), Config { seed: 42, ..Config::default() });
    for (name, plugin) in plugins {
        runner = runner.with(name, plugin);
    }
    Running { control, task: tokio::spawn(runner.run()) }
}

impl Running {
    /// As by a power failure: nothing is told, nothing is waited for.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("it ran until now").is_cancelled());
    }

    pub(crate) async fn shutdown(self) {
        self.control.shutdown().expect("it runs");
        self.task.await.expect("no panic").expect("the feed has not failed");
    }
}

/// Lets everything happen that happens by itself, within so much (paused) time.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Long enough for what needs no waiting, and shorter than any polling.
pub(crate) async fn at_once() {
    pass(Duration::from_millis(5)).await;
}

pub(crate) fn thing(generation: u64, handle: &str, owned: bool) -> Thing {
    let handle = synchronizer::Handle(handle.into());
    Thing { generation, handle, digest: generation, owned, edges: Vec::new() }
}
