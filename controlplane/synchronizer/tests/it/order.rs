//! What comes before what.

use std::time::Duration;

use synchronizer::{DEPENDENCY_NOT_READY, Declaration, Relation};
use xos_model::ConditionStatus;

use crate::support::{
    BackEndInMemory, Fault, INSTANCE, MemoryStore, NETWORK, SITE, SLICE, TestPlugin, at_once, key, object,
    pass, start,
};

pub(crate) fn cloud() -> Declaration {
    Declaration {
        relations: vec![
            Relation::new(SLICE, "site", SITE),
            Relation::new(NETWORK, "owner", SLICE),
            Relation::new(NETWORK, "permittedSlices", SLICE),
            Relation::new(INSTANCE, "slice", SLICE),
            Relation::new(INSTANCE, "networks", NETWORK).lazy(),
        ],
        ..Declaration::new([SITE, SLICE, NETWORK, INSTANCE])
    }
}

fn verbs(back_end: &BackEndInMemory) -> Vec<String> {
    back_end.calls().into_iter().map(|(_, call)| call).collect()
}

#[tokio::test(start_paused = true)]
async fn made_from_the_bottom_up_and_removed_from_the_top_down() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (site, slice) = (key(SITE, "here"), key(SLICE, "alpha"));
    let (net, instance) = (key(NETWORK, "blue"), key(INSTANCE, "vm"));
    store.put(object(&instance, &[("slice", &slice), ("networks", &net)]));
    store.put(object(&net, &[("owner", &slice)]));
    store.put(object(&slice, &[("site", &site)]));
    store.put(object(&site, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud()))]);
    at_once().await;
    let up = ["apply Site here", "apply Slice alpha", "apply Network blue", "apply Instance vm"];
    assert_eq!(verbs(&back_end), up);
    for key in [&site, &slice, &net, &instance] {
        store.delete(key);
    }
    at_once().await;
    let down = ["remove Instance vm", "remove Network blue", "remove Slice alpha", "remove Site here"];
    assert_eq!(verbs(&back_end)[4..], down);
    assert_eq!(store.keys(), [], "all are released");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_on_which_nobody_acts_still_keeps_the_order() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (site, slice, net) = (key(SITE, "here"), key(SLICE, "alpha"), key(NETWORK, "blue"));
    let mut declaration = cloud();
    declaration.kinds = vec![SITE, NETWORK];
    declaration.relations.truncate(3);
    store.put(object(&net, &[("owner", &slice)]));
    store.put(object(&slice, &[("site", &site)]));
    store.put(object(&site, &[]));
    back_end.refuse(&site, Some("closed"));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration))]);
    at_once().await;
    assert_eq!(back_end.effects(), Vec::<String>::new());
    let waits = store.condition(&net, DEPENDENCY_NOT_READY);
    assert_eq!(waits.message, "Slice alpha (because of Site here): cloud: closed");
    back_end.refuse(&site, None);
    pass(Duration::from_mins(10)).await;
    assert_eq!(verbs(&back_end).last().expect("calls"), "apply Network blue");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_lazily_comes_with_the_first_need_and_goes_with_the_last() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
    let instances = [key(INSTANCE, "one"), key(INSTANCE, "two")];
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud()))]);
    at_once().await;
    assert!(back_end.thing(&net).is_none());
    assert_eq!(store.condition(&net, synchronizer::SYNCED).reason, "NotNeeded");
    for instance in &instances {
        store.put(object(instance, &[("slice", &slice), ("networks", &net)]));
    }
    at_once().await;
    assert!(back_end.thing(&net).is_some());
    store.delete(&instances[0]);
    at_once().await;
    assert!(back_end.thing(&net).is_some(), "the other one still needs it");
    store.delete(&instances[1]);
    at_once().await;
    assert!(back_end.thing(&net).is_none());
    let calls = verbs(&back_end);
    assert_eq!(calls[calls.len() - 2..], ["remove Instance two", "remove Network blue"]);
    assert!(store.get(&net).is_some(), "the object itself stays");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_derived_follows_what_it_is_derived_from_also_over_a_restart() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
    let mut declaration = cloud();
    declaration.relations = vec![Relation::new(NETWORK, "owner", SLICE).derived()];
    let plugin = TestPlugin::new(&back_end, declaration);
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    let running = start(&store, [("cloud", plugin.clone())]);
    at_once().await;
    store.put(object(&slice, &[]));
    at_once().await;
    let twice = ["apply Slice alpha", "apply Network blue", "apply Slice alpha", "apply Network blue"];
    assert_eq!(verbs(&back_end), twice);
    running.kill().await;
    let running = start(&store, [("cloud", plugin.clone())]);
    at_once().await;
    assert_eq!(verbs(&back_end).len(), 4, "a restart alone changes nothing");
    running.kill().await;
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", plugin)]);
    at_once().await;
    assert_eq!(verbs(&back_end)[4..], twice[..2]);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_moves_leaves_no_trace_where_it_was() {
    let (store, east, west) = (MemoryStore::new(), BackEndInMemory::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "east-alpha"), key(NETWORK, "east-west-blue"));
    let at = |back_end, part| TestPlugin {
        only: Some(part),
        ..TestPlugin::new(back_end, cloud_without_laziness())
    };
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    let running = start(&store, [("east", at(&east, "east")), ("west", at(&west, "west"))]);
    at_once().await;
    assert!(east.thing(&net).is_some() && west.thing(&net).is_some());
    running.kill().await;
    // While nobody ran, the office was cut in two.
    let running = start(&store, [("east", at(&east, "alpha")), ("west", at(&west, "west"))]);
    at_once().await;
    assert!(east.thing(&net).is_none() && west.thing(&net).is_some());
    assert!(store.synced(&net));
    running.shutdown().await;
}

fn cloud_without_laziness() -> Declaration {
    let mut declaration = cloud();
    declaration.relations.truncate(4);
    declaration
}

#[tokio::test(start_paused = true)]
async fn the_old_owner_stays_until_the_network_has_left_it() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (old, new, net) = (key(SLICE, "old"), key(SLICE, "new"), key(NETWORK, "blue"));
    store.put(object(&old, &[]));
    store.put(object(&new, &[]));
    store.put(object(&net, &[("owner", &old)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud_without_laziness()))]);
    at_once().await;
    let before = verbs(&back_end).len();
    store.delete(&old);
    store.put(object(&net, &[("owner", &new)]));
    at_once().await;
    assert_eq!(verbs(&back_end)[before..], ["apply Network blue", "remove Slice old"]);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_circle_is_told_by_name() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (a, b) = (key(SLICE, "a"), key(SLICE, "b"));
    let mut declaration = cloud();
    declaration.relations.push(Relation::new(SLICE, "parent", SLICE));
    store.put(object(&a, &[("parent", &b)]));
    store.put(object(&b, &[("parent", &a)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration))]);
    at_once().await;
    let said = [&a, &b].map(|key| store.condition(key, synchronizer::SYNCED).message);
    assert!(said.iter().any(|text| text.starts_with("waits for itself: Slice ")), "{said:?}");
    store.put(object(&a, &[]));
    at_once().await;
    assert!(store.synced(&a) && store.synced(&b));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_dependency_is_told_and_awaited() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
    store.put(object(&net, &[("owner", &slice)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud_without_laziness()))]);
    at_once().await;
    assert_eq!(store.condition(&net, DEPENDENCY_NOT_READY).message, "Slice alpha: does not exist");
    store.put(object(&slice, &[]));
    at_once().await;
    assert!(store.synced(&net));
    assert_eq!(store.condition(&net, DEPENDENCY_NOT_READY).status, ConditionStatus::False);
    running.shutdown().await;
}

/// Removed, as far as anybody knows; then wanted again before that is sure.
#[tokio::test(start_paused = true)]
async fn what_is_wanted_again_after_a_doubtful_removal_is_made_again() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net, instance) = (key(SLICE, "alpha"), key(NETWORK, "blue"), key(INSTANCE, "vm"));
    let vm = || object(&instance, &[("slice", &slice), ("networks", &net)]);
    store.put(object(&slice, &[]));
    store.put(object(&net, &[("owner", &slice)]));
    store.put(vm());
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud()))]);
    at_once().await;
    back_end.faults([Fault::None, Fault::ErrorAfterEffect]);
    store.delete(&instance);
    at_once().await;
    assert!(back_end.thing(&net).is_none());
    store.put(vm());
    pass(Duration::from_secs(2)).await;
    assert!(back_end.thing(&net).is_some() && store.synced(&instance));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_old_owner_stays_over_a_restart_too() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (old, new, net) = (key(SLICE, "old"), key(SLICE, "new"), key(NETWORK, "blue"));
    store.put(object(&old, &[]));
    store.put(object(&net, &[("owner", &old)]));
    let plugin = TestPlugin::new(&back_end, cloud_without_laziness());
    let running = start(&store, [("cloud", plugin.clone())]);
    at_once().await;
    running.kill().await;
    store.put(object(&net, &[("owner", &new)]));
    store.delete(&old);
    let running = start(&store, [("cloud", plugin)]);
    at_once().await;
    assert!(back_end.thing(&old).is_some(), "the network is still on it: the new one does not exist");
    store.put(object(&new, &[]));
    at_once().await;
    assert!(back_end.thing(&old).is_none() && store.synced(&net));
    assert_eq!(back_end.disorders(), [""; 0]);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_lets_go_of_what_it_stood_on_though_it_cannot_be_made_again() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (old, missing, net) = (key(SLICE, "old"), key(SLICE, "missing"), key(NETWORK, "blue"));
    store.put(object(&old, &[]));
    store.put(object(&net, &[("owner", &old)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud_without_laziness()))]);
    at_once().await;
    store.drop_object(&net);
    store.put(object(&net, &[("owner", &missing)]));
    store.delete(&old);
    at_once().await;
    assert_eq!(verbs(&back_end)[2..], ["remove Network blue", "remove Slice old"]);
    running.shutdown().await;
}

/// The body that a plug-in gets may be newer than what woke it: it says so, and is not called a second time.
#[tokio::test(start_paused = true)]
async fn an_object_that_changes_on_its_way_is_applied_once_as_it_is_then() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let slice = key(SLICE, "alpha");
    store.put(object(&slice, &[]));
    store.race(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud()))]);
    at_once().await;
    assert_eq!(back_end.thing(&slice).map(|thing| thing.generation), Some(2));
    assert_eq!(back_end.calls().len(), 1);
    assert!(store.synced(&slice));
    assert_eq!(store.report(&slice).expect("a status").errors, []);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_leans_on_another_on_its_way_waits_for_that() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (old, new, net) = (key(SLICE, "old"), key(SLICE, "new"), key(NETWORK, "blue"));
    let instance = key(INSTANCE, "vm");
    back_end.refuse(&new, Some("not yet"));
    store.put(object(&old, &[]));
    store.put(object(&new, &[]));
    store.put(object(&net, &[("owner", &old)]));
    store.put(object(&instance, &[("networks", &net)]));
    // Its action is under way by what it was; when it is read, it is of a slice that is not there.
    store.race(object(&net, &[("owner", &new)]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud()))]);
    at_once().await;
    assert!(back_end.thing(&net).is_none());
    back_end.refuse(&new, None);
    pass(Duration::from_mins(10)).await;
    assert!(store.synced(&net) && store.synced(&instance));
    assert_eq!(back_end.disorders(), Vec::<String>::new());
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_went_before_anything_was_begun_holds_up_nothing() {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    let (slice, net) = (key(SLICE, "alpha"), key(NETWORK, "blue"));
    let instance = key(INSTANCE, "vm");
    store.put(object(&slice, &[]));
    let running = start(&store, [("cloud", TestPlugin::new(&back_end, cloud()))]);
    at_once().await;
    store.vanish(&net);
    store.put(object(&net, &[("owner", &slice)]));
    store.put(object(&instance, &[("networks", &net)]));
    at_once().await;
    assert!(store.get(&net).is_none(), "it is gone");
    store.delete(&instance);
    store.delete(&slice);
    pass(Duration::from_mins(1)).await;
    assert_eq!(store.keys(), [], "nothing waits for what never was");
    assert_eq!(back_end.effects().iter().filter(|effect| effect.contains("Network")).count(), 0);
    running.shutdown().await;
}
