use std::{
    convert::Infallible,
    pin::pin,
    sync::mpsc,
    task::{Context, Waker},
};

use agent_link::Office as _;
use intent_store::{MemoryEngine, Options, Store, Table};
use serde_json::json;
use synchronizer::{Config, Runner};

use super::*;

/// An office with one node, and its desk. The writer of its store ends with it.
async fn office() -> (Store, Desk, Name) {
    let (store, _writer) = Store::open(MemoryEngine::default(), Options::default()).expect("opens");
    let office = Office::new(store.clone());
    let intent = Arc::new(api::Intent::new(office.clone()));
    let (_runner, control) = Runner::new(intent, Config::default());
    let desk = Desk::new(office.clone(), Arc::new(Nodes::new(office, control)));
    let name: Name = "node1".parse().expect("a name");
    let node = json!({"kind": "Node", "metadata": {"name": name, "uid": "u", "generation": 1}, "spec": {
        "loopback": "192.0.2.1", "ports": [{"name": "access0", "role": "access"}],
    }});
    let key = api::object_key(KindName::Node, &name);
    let put = move |txn: &mut intent_store::Transaction<'_>| {
        Ok::<_, Infallible>(txn.put(Table::Objects, key, node.to_string().into_bytes()))
    };
    store.transact(put).await.expect("the store takes it").expect("cannot fail");
    (store, desk, name)
}

/// Keeps the store's writer busy, as a bulk of the API's does, until what it gives back is dropped.
fn keep_busy(store: &Store) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let mut busy = Box::pin({
        let store = store.clone();
        async move {
            let body = move |_: &mut intent_store::Transaction<'_>| {
                // Ends with the sender.
                let _: Result<(), _> = released.recv();
                Ok::<_, Infallible>(())
            };
            store.transact(body).await
        }
    });
    assert!(busy.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it is under way");
    // Nobody has to wait for a transaction.
    drop(busy);
    release
}

fn applied(generation: u64) -> Report {
    Report::Applied { generation: Generation(generation), results: Vec::new() }
}

/// Whether something is done without waiting for anything.
fn at_once(work: impl Future<Output = ()>) -> bool {
    pin!(work).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

async fn come(desk: &Desk, node: &Name, programmed: u64) {
    let programmed = Generation(programmed);
    desk.report(node, Report::Connected { agent_version: "test".into(), programmed }).await;
}

/// Whether the node is connected, and what is in its kernel, as the store says.
fn status(store: &Store, node: &Name) -> (bool, u64) {
    let status = api::read_object::<NodeSpec>(store, node).expect("it is there").status;
    (status.connected, status.programmed_generation)
}

#[tokio::test]
async fn a_stream_does_not_wait_until_it_is_written_how_far_its_node_is() {
    let (store, desk, node) = office().await;
    come(&desk, &node, 1).await;
    let release = keep_busy(&store);
    for generation in 2..6 {
        assert!(at_once(desk.report(&node, applied(generation))), "{generation}");
    }
    assert_eq!(status(&store, &node), (true, 1));
    let (before, mut revisions) = (store.revision(), store.revisions());
    drop(release);
    while status(&store, &node) != (true, 5) {
        revisions.changed().await.expect("the store is open");
    }
    assert_eq!(store.revision(), before + 1, "what was known meanwhile is written once");
}

#[tokio::test]
async fn what_is_written_late_is_never_written_over_what_is_newer() {
    let (store, desk, node) = office().await;
    come(&desk, &node, 1).await;
    for round in 0..50 {
        let release = keep_busy(&store);
        assert!(at_once(desk.report(&node, applied(2 * round + 2))));
        if round % 2 == 0 {
            // Half of the time what is written late is under way already.
            tokio::task::yield_now().await;
        }
        assert!(at_once(desk.report(&node, applied(2 * round + 3))));
        drop(release);
        desk.report(&node, Report::Disconnected { reason: "gone".into() }).await;
        assert_eq!(status(&store, &node), (false, 2 * round + 3));
        come(&desk, &node, 2 * round + 3).await;
        tokio::task::yield_now().await;
        assert_eq!(status(&store, &node), (true, 2 * round + 3));
    }
}
