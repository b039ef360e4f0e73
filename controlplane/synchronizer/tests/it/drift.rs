//! What happens behind the synchronizer's back, and what was there before it.

use std::time::Duration;

use synchronizer::{Declaration, Handle, Origin, Relation};

use crate::support::{
    BackEndInMemory, MemoryStore, NETWORK, SLICE, TestPlugin, at_once, key, object, pass, start,
};

fn declaration() -> Declaration {
    Declaration {
        relations: vec![Relation::new(NETWORK, "owner", SLICE)],
        compare_every: Some(Duration::from_mins(1)),
        ..Declaration::new([SLICE, NETWORK])
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_or_changed_is_repaired() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (lost, changed) = (key(SLICE, "lost"), key(SLICE, "changed"));
    store.put(object(&lost, &[]));
    store.put(object(&changed, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    pass(Duration::from_mins(5)).await;
    assert_eq!(back_end.calls().len(), 2, "what is as it should be is left alone");
    back_end.meddle(|things| {
        things.retain(|(key, _), _| *key != lost);
        for thing in things.values_mut() {
            thing.digest = 99;
        }
    });
    pass(Duration::from_mins(1)).await;
    assert!(back_end.thing(&lost).is_some());
    assert_eq!(back_end.thing(&changed).expect("it is there").digest, 1);
    assert_eq!(running.control.metrics().await.expect("it runs")[0].1.drifts, 2);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_ours_and_nobody_asks_for_goes_and_what_is_foreign_stays() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (orphan, foreign, slice) = (key(SLICE, "orphan"), key(SLICE, "foreign"), key(SLICE, "alpha"));
    store.put(object(&slice, &[]));
    let thing = |owned| crate::support::thing(1, "thing-x", owned);
    back_end.meddle(|things| {
        things.insert((orphan.clone(), "uid-old".into()), thing(true));
        things.insert((foreign.clone(), "".into()), thing(false));
        // Of an earlier object of the same name.
        things.insert((slice.clone(), "uid-old".into()), thing(true));
    });
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    pass(Duration::from_mins(3)).await;
    assert_eq!(back_end.keys(), [slice.clone(), foreign.clone()]);
    assert!(store.synced(&slice));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_adopted_is_neither_changed_nor_deleted() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "found"));
    back_end.meddle(|things| {
        things.insert((net.clone(), "".into()), crate::support::thing(7, "theirs", false));
    });
    store.put(object(&slice, &[]));
    let found = synchronizer::Object { origin: Origin::Found, ..object(&net, &[("owner", &slice)]) };
    store.put(found.clone());
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    pass(Duration::from_mins(3)).await;
    assert!(store.synced(&net));
    running.kill().await;
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    store.put(found);
    at_once().await;
    store.delete(&net);
    store.delete(&slice);
    at_once().await;
    assert_eq!(store.keys(), [], "the objects are released");
    assert_eq!(back_end.thing(&net).expect("it stays").handle, Handle("theirs".into()));
    pass(Duration::from_mins(3)).await;
    assert!(back_end.thing(&net).is_some());
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_made_again_replaces_the_earlier_one() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    at_once().await;
    store.drop_object(&slice);
    store.put(object(&slice, &[]));
    at_once().await;
    let (first, second) = ("apply Slice/alpha/uid-1/1".to_string(), "apply Slice/alpha/uid-2/1".to_string());
    assert_eq!(back_end.effects(), [first, "remove Slice alpha".into(), second]);
    assert!(store.synced(&slice));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_goes_without_being_released_is_removed_all_the_same() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    at_once().await;
    store.drop_object(&slice);
    store.drop_object(&net);
    at_once().await;
    assert_eq!(back_end.effects()[2..], ["remove Network blue", "remove Slice alpha"]);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_plug_in_finds_when_it_is_to_make_it_is_never_deleted() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    back_end.meddle(|things| {
        things.insert((slice.clone(), "uid-1".into()), crate::support::thing(1, "theirs", false));
    });
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    at_once().await;
    assert!(store.synced(&slice));
    store.delete(&slice);
    pass(Duration::from_mins(3)).await;
    assert_eq!(store.keys(), []);
    assert!(back_end.thing(&slice).is_some());
    let calls: Vec<_> = back_end.calls().into_iter().map(|(_, call)| call).collect();
    assert_eq!(calls, ["apply Slice alpha"]);
    running.shutdown().await;
}
