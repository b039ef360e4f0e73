//! What a back end takes and acknowledges later, as a node's agent does.

use std::time::Duration;

use synchronizer::{BackEnd, Declaration, Failure, Journal, Limits, Relation, Retry, SYNCED};

use crate::support::{
    BackEndInMemory, MemoryStore, NETWORK, SITE, SLICE, TestPlugin, at_once, key, object, pass, start,
};

fn nodes(back_end: &std::sync::Arc<BackEndInMemory>, limit: Option<Duration>) -> TestPlugin {
    let declaration = Declaration {
        relations: vec![Relation::new(NETWORK, "owner", SLICE)],
        journal: Journal::Keyed,
        limits: Limits { acknowledgement_timeout: limit, batch_max: 64, ..Limits::default() },
        ..Declaration::new([SLICE, NETWORK])
    };
    TestPlugin { pending: true, ..TestPlugin::new(back_end, declaration) }
}

#[tokio::test(start_paused = true)]
async fn dependants_wait_for_the_acknowledgement_of_this_generation() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    pass(Duration::from_hours(24)).await;
    assert_eq!(back_end.calls().len(), 1, "a node may be off for as long as it likes");
    assert_eq!(store.condition(&slice, SYNCED).reason, "Pending");
    // The back end's digests are the generations.
    let acknowledge = |key: &_, digest| {
        running.control.acknowledge(&here, synchronizer::Key::clone(key), digest, Ok(())).expect("it runs");
    };
    store.put(object(&slice, &[]));
    acknowledge(&slice, 1);
    at_once().await;
    assert!(!store.synced(&slice), "that was of the generation before");
    acknowledge(&slice, 1);
    at_once().await;
    assert!(!store.synced(&slice), "and so was that");
    acknowledge(&slice, 2);
    at_once().await;
    assert!(store.synced(&slice) && !store.synced(&net));
    acknowledge(&net, 1);
    at_once().await;
    assert!(store.synced(&net));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error_and_is_tried_again() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    at_once().await;
    let refusal = Failure { message: "no such port".into(), retry: Retry::BackOff };
    running.control.acknowledge(&here, slice.clone(), 1, Err(refusal)).expect("it runs");
    at_once().await;
    assert_eq!(store.report(&slice).expect("a status").errors[0].message, "no such port");
    pass(Duration::from_secs(2)).await;
    assert_eq!(back_end.calls().len(), 2);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_will_never_be_taken_waits_for_a_change() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    at_once().await;
    let refusal = Failure { message: "no such port".into(), retry: Retry::OnChange };
    running.control.acknowledge(&here, slice.clone(), 1, Err(refusal)).expect("it runs");
    pass(Duration::from_hours(24)).await;
    assert_eq!(back_end.calls().len(), 1);
    store.put(object(&slice, &[]));
    at_once().await;
    assert_eq!(back_end.calls().len(), 2);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_does_not_come_is_an_error() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("nodes", nodes(&back_end, Some(Duration::from_secs(20))))]);
    pass(Duration::from_secs(21)).await;
    let errors = store.report(&slice).expect("a status").errors;
    assert_eq!(errors[0].message, "not acknowledged within 20s");
    assert_eq!(back_end.calls().len(), 2);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_may_come_before_the_plug_in_has_answered() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let slice = key(SLICE, "alpha");
    let shut = back_end.gate.write().await;
    store.put(object(&slice, &[]));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    at_once().await;
    running.control.acknowledge(&here, slice.clone(), 1, Ok(())).expect("it runs");
    at_once().await;
    drop(shut);
    at_once().await;
    assert!(store.synced(&slice));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_will_never_be_taken_is_tried_again_when_it_is_derived_from_something_else() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (site, slice) = (key(SITE, "north"), key(SLICE, "alpha"));
    let declaration = Declaration {
        relations: vec![Relation::new(SLICE, "site", SITE).derived()],
        ..Declaration::new([SLICE])
    };
    let plugin = TestPlugin { retry: Retry::OnChange, ..TestPlugin::new(&back_end, declaration) };
    store.put(object(&site, &[]));
    store.put(object(&slice, &[("site", &site)]));
    back_end.refuse(&slice, Some("the site is too small"));
    let running = start(&store, [("cloud", plugin)]);
    pass(Duration::from_hours(1)).await;
    assert_eq!(back_end.calls().len(), 1);
    back_end.refuse(&slice, None);
    store.put(object(&site, &[]));
    at_once().await;
    assert!(store.synced(&slice));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_worked_may_fail_later_and_work_again() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    at_once().await;
    let say = |digest, result| {
        running.control.acknowledge(&here, slice.clone(), digest, result).expect("it runs");
    };
    let refusal = || Err(Failure { message: "the map is full".into(), retry: Retry::OnChange });
    say(1, Ok(()));
    at_once().await;
    assert!(store.synced(&slice));
    say(7, refusal());
    at_once().await;
    assert!(store.synced(&slice), "that was of something else");
    say(1, refusal());
    at_once().await;
    assert_eq!(store.condition(&slice, SYNCED).message, "nodes: the map is full");
    say(1, Ok(()));
    at_once().await;
    assert!(store.synced(&slice));
    pass(Duration::from_hours(24)).await;
    assert_eq!(back_end.calls().len(), 1, "it has been there all the time");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_back_end_is_drained_when_it_has_been_given_everything() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let shut = back_end.gate.write().await;
    (0..100).for_each(|i| store.put(object(&key(SLICE, &format!("s{i}")), &[])));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    let mut drained = Box::pin(running.control.drained(&here));
    assert!(tokio::time::timeout(Duration::from_millis(5), &mut drained).await.is_err());
    drop(shut);
    drained.await.expect("it runs");
    assert_eq!(back_end.effects().len(), 100, "none of them is acknowledged");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_keyed_needs_no_record_and_is_applied_once_after_a_restart() {
    let (store, back_end, here) = (MemoryStore::new(), BackEndInMemory::new(), BackEnd::new("nodes"));
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    at_once().await;
    running.control.acknowledge(&here, slice.clone(), 1, Ok(())).expect("it runs");
    at_once().await;
    assert_eq!(store.get(&slice).expect("it is there").records, []);
    running.kill().await;
    store.delete(&slice);
    let running = start(&store, [("nodes", nodes(&back_end, None))]);
    at_once().await;
    assert!(back_end.thing(&slice).is_none() && store.get(&slice).is_none());
    assert_eq!(back_end.effects().len(), 2);
    running.shutdown().await;
}
