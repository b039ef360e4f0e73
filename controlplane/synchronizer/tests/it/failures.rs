//! What goes wrong, how often it is tried again, and who hears of it.

use std::time::Duration;

use synchronizer::{BackOff, DEPENDENCY_NOT_READY, Declaration, Limits, Relation, SYNCED};
use tokio::time::Instant;
use xos_model::ConditionStatus;

use crate::support::{
    BackEndInMemory, Body, Fault, MemoryStore, NETWORK, SLICE, TestPlugin, at_once, key, object, pass, start,
};

fn declaration() -> Declaration {
    Declaration {
        relations: vec![Relation::new(NETWORK, "owner", SLICE)],
        limits: Limits { timeout: Duration::from_secs(10), ..Limits::default() },
        back_off: BackOff { base: Duration::from_secs(1), cap: Duration::from_mins(1) },
        ..Declaration::new([SLICE, NETWORK])
    }
}

fn gaps(back_end: &BackEndInMemory) -> Vec<Duration> {
    let times: Vec<Instant> = back_end.calls().into_iter().map(|(at, _)| at).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn waits_grow_to_the_cap_with_full_jitter_and_are_the_same_from_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
        let slice = key(SLICE, "alpha");
        back_end.refuse(&slice, Some("over quota"));
        store.put(object(&slice, &[]));
        let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
        pass(Duration::from_mins(30)).await;
        running.shutdown().await;
        runs.push(gaps(&back_end));
    }
    let slack = Duration::from_millis(2);
    for (i, gap) in runs[0].iter().enumerate() {
        let attempt = u32::try_from(i).expect("few") + 1;
        assert!(*gap <= declaration().back_off.ceiling(attempt) + slack, "{attempt}: {gap:?}");
    }
    let late = &runs[0][7..];
    assert!(late.len() > 20, "it never gives up: {late:?}");
    assert!(late.iter().any(|gap| *gap > Duration::from_secs(40)), "{late:?}");
    assert!(late.iter().any(|gap| *gap < Duration::from_secs(20)), "{late:?}");
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_object_begins_anew() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    back_end.refuse(&slice, Some("over quota"));
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    pass(Duration::from_mins(10)).await;
    let attempts = |i: usize| store.report(&slice).expect("a status").errors[i].attempt;
    assert!(attempts(store.report(&slice).expect("a status").errors.len() - 1) > 5);
    store.put(object(&slice, &[]));
    at_once().await;
    assert_eq!(attempts(store.report(&slice).expect("a status").errors.len() - 1), 1);
    pass(Duration::from_mins(10)).await;
    back_end.refuse(&slice, None);
    let changed = Instant::now();
    store.put(object(&slice, &[]));
    at_once().await;
    assert!(store.synced(&slice));
    assert_eq!(back_end.calls().last().expect("calls").0, changed, "nothing waits for the old back-off");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_error_reaches_all_that_depend_on_it_by_name_and_goes_when_it_is_overcome() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net, upper) = (key(SLICE, "alpha"), key(NETWORK, "blue"), key(NETWORK, "upper"));
    let mut declaration = declaration();
    declaration.relations.push(Relation::new(NETWORK, "over", NETWORK));
    back_end.refuse(&slice, Some("over quota"));
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    store.put(object(&upper, &[("over", &net)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration))]);
    at_once().await;
    let failed = store.condition(&slice, SYNCED);
    assert_eq!((failed.reason.as_str(), failed.message.as_str()), ("Failed", "cloud: over quota"));
    let said = [&net, &upper].map(|key| store.condition(key, DEPENDENCY_NOT_READY));
    assert!(said.iter().all(|condition| condition.status == ConditionStatus::True));
    assert_eq!(said[0].message, "Slice alpha: cloud: over quota");
    assert_eq!(said[1].message, "Network blue (because of Slice alpha): cloud: over quota");
    back_end.refuse(&slice, None);
    pass(Duration::from_mins(2)).await;
    for key in [&slice, &net, &upper] {
        assert!(store.synced(key));
        assert_eq!(store.condition(key, DEPENDENCY_NOT_READY).status, ConditionStatus::False);
    }
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn time_outs_and_panics_are_errors_in_words() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    back_end.faults([Fault::TimeOut, Fault::Panic]);
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    pass(Duration::from_mins(1)).await;
    assert!(store.synced(&slice));
    let errors = store.report(&slice).expect("a status").errors;
    let texts: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(texts, ["no answer within 10s", "the plug-in panicked: index out of bounds"]);
    let metrics = running.control.metrics().await.expect("it runs")[0].1;
    assert_eq!((metrics.actions, metrics.retries, metrics.errors, metrics.timeouts), (3, 2, 2, 1));
    assert_eq!((metrics.settled.count, metrics.action.count), (1, 3));
    assert!(metrics.settled.max >= Duration::from_secs(10));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_plug_in_that_answers_for_fewer_objects_than_asked_has_failed() {
    use synchronizer::{Config, Item, Outcome, Plugin, Runner};

    struct Terse;

    impl Plugin<Body> for Terse {
        fn declare(&self) -> Declaration {
            declaration()
        }

        async fn apply(&self, _item: &Item<Body>) -> Outcome {
            Outcome::done()
        }

        async fn remove(&self, _item: &Item<Body>) -> Outcome {
            Outcome::done()
        }

        async fn apply_batch(&self, _items: &[Item<Body>]) -> Vec<Outcome> {
            Vec::new()
        }
    }

    let store = MemoryStore::new();
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let (runner, control) = Runner::new(store.clone(), Config::default());
    let task = tokio::spawn(runner.with("cloud", Terse).run());
    at_once().await;
    let said = store.condition(&slice, SYNCED).message;
    assert_eq!(said, "cloud: the plug-in told of 0 objects and was asked for 1");
    control.shutdown().expect("it runs");
    task.await.expect("no panic").expect("no error");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_what_the_object_no_longer_is_does_not_count() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    let shut = back_end.gate.write().await;
    back_end.faults([Fault::Error]);
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
    at_once().await;
    store.put(object(&slice, &[]));
    at_once().await;
    let opened = Instant::now();
    drop(shut);
    at_once().await;
    assert!(store.synced(&slice));
    assert_eq!(back_end.calls()[1].0, opened, "no back-off of the earlier failure");
    running.shutdown().await;
}

/// What is merely slow is not what an operator must look at.
#[tokio::test(start_paused = true)]
async fn of_two_dependencies_the_one_in_trouble_is_named() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slow, bad, net) = (key(SLICE, "a-slow"), key(SLICE, "bad"), key(NETWORK, "blue"));
    let mut declaration = declaration();
    declaration.relations.push(Relation::new(NETWORK, "permittedSlices", SLICE));
    declaration.limits.timeout = Duration::from_hours(1);
    back_end.faults([Fault::TimeOut]);
    store.put(object(&slow, &[]));
    store.put(object(&net, &[("owner", &slow), ("permittedSlices", &bad)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration))]);
    at_once().await;
    back_end.refuse(&bad, Some("over quota"));
    store.put(object(&bad, &[]));
    at_once().await;
    assert_eq!(store.condition(&net, DEPENDENCY_NOT_READY).message, "Slice bad: cloud: over quota");
    running.kill().await;
}
