//! One test for each defect of XOS 4.0.4's synchronizer framework: none of them can come back.

use std::time::Duration;

use synchronizer::{BackOff, Declaration, HISTORY_MAX, Relation};
use tokio::time::Instant;

use crate::support::{
    BackEndInMemory, MemoryStore, NETWORK, SLICE, TestPlugin, at_once, key, object, pass, start,
};

fn two_relations() -> Declaration {
    Declaration {
        relations: vec![
            Relation::new(NETWORK, "owner", SLICE),
            Relation::new(NETWORK, "permittedSlices", SLICE),
        ],
        back_off: BackOff { base: Duration::from_secs(1), cap: Duration::from_mins(1) },
        ..Declaration::new([SLICE, NETWORK])
    }
}

/// XOS kept only the last of several relations between two models: a slice and the network that it owns came out as
/// two unordered cohorts.
#[tokio::test(start_paused = true)]
async fn two_relations_between_the_same_kinds_order_both() {
    for relation in ["owner", "permittedSlices"] {
        let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
        let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
        back_end.refuse(&slice, Some("not yet"));
        store.put(object(&net, &[(relation, &slice)]));
        store.put(object(&slice, &[]));
        let running = start(&store, [("cloud", TestPlugin::new(&back_end, two_relations()))]);
        at_once().await;
        assert!(back_end.thing(&net).is_none(), "{relation}");
        back_end.refuse(&slice, None);
        pass(Duration::from_secs(2)).await;
        assert!(back_end.thing(&net).is_some(), "{relation}");
        running.shutdown().await;
    }
}

/// XOS wrote a `next_run` that nothing read: what failed was tried again in each pass.
#[tokio::test(start_paused = true)]
async fn a_back_off_holds_while_others_work() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let bad = key(SLICE, "bad");
    back_end.refuse(&bad, Some("never"));
    store.put(object(&bad, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, two_relations()))]);
    for i in 0..600 {
        store.put(object(&key(SLICE, &format!("good-{i}")), &[]));
        pass(Duration::from_secs(1)).await;
    }
    let tried = back_end.calls().iter().filter(|(_, call)| call == "apply Slice bad").count();
    // Ten minutes: six attempts up to the cap of a minute and some thirty after, of half a minute on average.
    assert!((12..60).contains(&tried), "{tried} attempts");
    running.shutdown().await;
}

/// XOS's `wake_up` was never called: each hop of a chain waited for loops of 5 s.
#[tokio::test(start_paused = true)]
async fn a_chain_takes_no_time_but_that_of_its_actions() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let mut declaration = two_relations();
    declaration.relations.push(Relation::new(SLICE, "parent", SLICE));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration))]);
    at_once().await;
    let began = Instant::now();
    let chain: Vec<_> = (0..50).map(|i| key(SLICE, &format!("link-{i}"))).collect();
    for (i, link) in chain.iter().enumerate().rev() {
        let edges: Vec<_> = chain[..i].last().map(|parent| ("parent", parent)).into_iter().collect();
        store.put(object(link, &edges));
    }
    at_once().await;
    assert!(store.synced(&chain[49]));
    let calls = back_end.calls();
    assert_eq!((calls.len(), calls[49].0), (50, began), "fifty hops, and time has not moved");
    running.shutdown().await;
}

/// Nothing is asked again and again whether there is anything to do.
#[tokio::test(start_paused = true)]
async fn an_idle_synchronizer_does_nothing() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    store.put(object(&key(SLICE, "alpha"), &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, two_relations()))]);
    at_once().await;
    let before = (store.writes(), back_end.calls().len());
    pass(Duration::from_hours(24)).await;
    assert_eq!((store.writes(), back_end.calls().len()), before);
    running.shutdown().await;
}

/// A pass of XOS joined all its threads: one slow object held up everything of that synchronizer.
#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_holds_up_nothing_else() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    back_end.faults([crate::support::Fault::TimeOut]);
    store.put(object(&key(SLICE, "a-hangs"), &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, two_relations()))]);
    at_once().await;
    let began = Instant::now();
    for i in 0..100 {
        store.put(object(&key(SLICE, &format!("slice-{i}")), &[]));
    }
    at_once().await;
    let calls = back_end.calls();
    assert_eq!((calls.len(), calls[100].0), (101, began));
    running.shutdown().await;
}

/// XOS's status kept the last two errors.
#[tokio::test(start_paused = true)]
async fn sixteen_errors_are_kept_with_their_times_also_over_a_restart() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    let mut running = start(&store, [("cloud", TestPlugin::new(&back_end, two_relations()))]);
    at_once().await;
    for i in 0..HISTORY_MAX + 4 {
        if i == 10 {
            running.kill().await;
            running = start(&store, [("cloud", TestPlugin::new(&back_end, two_relations()))]);
            at_once().await;
        }
        back_end.faults([crate::support::Fault::None]);
        back_end.refuse(&slice, Some(&format!("reason {i}")));
        store.put(object(&slice, &[]));
        at_once().await;
        back_end.refuse(&slice, None);
        pass(Duration::from_mins(2)).await;
    }
    let errors = store.report(&slice).expect("a status").errors;
    assert_eq!(errors.len(), HISTORY_MAX);
    assert_eq!(errors.last().expect("many").message, format!("reason {}", HISTORY_MAX + 3));
    // The tests' time is paused and jumps, the time of day at which a runner starts does not: only within one run.
    let of_second_run = &errors[HISTORY_MAX - 10..];
    assert!(of_second_run.windows(2).all(|pair| pair[1].at.duration_since(pair[0].at).as_secs() >= 100));
    running.shutdown().await;
}
