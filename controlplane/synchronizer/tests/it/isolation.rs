//! Back ends do not feel each other.

use std::time::Duration;

use synchronizer::{AnyPlugin, Declaration, Limits, Relation};
use tokio::time::Instant;

use crate::support::{
    BackEndInMemory, INSTANCE, MemoryStore, SLICE, TestPlugin, at_once, key, object, pass, start,
};

fn declaration(concurrent: usize, batch_max: usize) -> Declaration {
    Declaration {
        relations: vec![Relation::new(INSTANCE, "slice", SLICE)],
        limits: Limits { concurrent, batch_max, timeout: Duration::from_hours(1), ..Limits::default() },
        ..Declaration::new([SLICE, INSTANCE])
    }
}

#[tokio::test(start_paused = true)]
async fn a_back_end_that_stands_still_delays_no_other() {
    let (store, slow, quick) = (MemoryStore::new(), BackEndInMemory::new(), BackEndInMemory::new());
    let shut = slow.gate.write().await;
    let plugins = [
        ("slow", TestPlugin::new(&slow, declaration(2, 1))),
        ("quick", TestPlugin::new(&quick, declaration(2, 1))),
    ];
    let running = start(&store, plugins);
    let began = Instant::now();
    for i in 0..200 {
        let (slice, instance) = (key(SLICE, &format!("slice-{i}")), key(INSTANCE, &format!("vm-{i}")));
        store.put(object(&instance, &[("slice", &slice)]));
        store.put(object(&slice, &[]));
    }
    at_once().await;
    assert_eq!(quick.effects().len(), 400, "also what depends on objects that the slow one has not made yet");
    assert!(quick.calls().iter().all(|(at, _)| *at == began));
    assert_eq!((slow.effects().len(), slow.widest().0), (0, 2), "within its own limit");
    let metrics = running.control.metrics().await.expect("it runs");
    let [(_, slow_metrics), (_, quick_metrics)] = &metrics[..] else { panic!("two back ends") };
    assert_eq!((slow_metrics.running, slow_metrics.ready, slow_metrics.blocked), (2, 198, 200));
    assert_eq!((quick_metrics.running, quick_metrics.ready, quick_metrics.blocked), (0, 0, 0));
    drop(shut);
    at_once().await;
    assert_eq!(slow.effects().len(), 400);
    assert_eq!(slow.widest().0, 2);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn ready_objects_go_in_batches_of_at_most_the_limit() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    for i in 0..1000 {
        store.put(object(&key(SLICE, &format!("slice-{i}")), &[]));
    }
    back_end.faults([crate::support::Fault::Error]);
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration(1, 256)))]);
    at_once().await;
    assert_eq!(back_end.widest(), (1, 256));
    assert_eq!(back_end.effects().len(), 999, "one of a batch fails alone");
    pass(Duration::from_secs(2)).await;
    assert_eq!(back_end.effects().len(), 1000);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_back_end_that_is_added_later_gets_what_is_there() {
    let (store, first, second) = (MemoryStore::new(), BackEndInMemory::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("first", TestPlugin::new(&first, declaration(1, 1)))]);
    at_once().await;
    let plugin = AnyPlugin::new(TestPlugin::new(&second, declaration(1, 1)));
    running.control.replace("second", plugin).await.expect("it runs");
    at_once().await;
    assert!(second.thing(&slice).is_some());
    assert_eq!(first.calls().len(), 1, "the others have nothing to do with it");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_end_what_is_under_way_and_begins_nothing() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let shut = back_end.gate.write().await;
    let (slice, instance) = (key(SLICE, "alpha"), key(INSTANCE, "vm"));
    store.put(object(&slice, &[]));
    store.put(object(&instance, &[("slice", &slice)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration(1, 1)))]);
    at_once().await;
    let end = tokio::spawn(running.shutdown());
    at_once().await;
    drop(shut);
    end.await.expect("it ends");
    assert!(store.synced(&slice), "its status is written");
    assert!(back_end.thing(&instance).is_none());
}
