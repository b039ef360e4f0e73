//! Random histories with faults at every step, restarts included: in the end all is as it should be, each effect once.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*, sample::select};
use synchronizer::{AnyPlugin, BackOff, Declaration, Key, Limits, Object, Record};

use crate::{
    order::cloud,
    support::{
        BackEndInMemory, Fault, INSTANCE, MemoryStore, NETWORK, Running, SITE, SLICE, TestPlugin, key,
        object, pass, start,
    },
};

#[derive(Clone, Debug)]
enum Step {
    Site(u8),
    Slice(u8, u8),
    Network(u8, u8, u8),
    Instance(u8, u8, u8),
    Delete(usize),
    Drop(usize),
    Restart,
    /// The back end goes, and comes again by a restart or a replacement.
    Remove,
    Replace,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..3_u8;
    prop_oneof![
        n().prop_map(Step::Site),
        (n(), n()).prop_map(|(a, b)| Step::Slice(a, b)),
        (n(), n(), n()).prop_map(|(a, b, c)| Step::Network(a, b, c)),
        (n(), n(), n()).prop_map(|(a, b, c)| Step::Instance(a, b, c)),
        (0..20_usize).prop_map(Step::Delete),
        (0..20_usize).prop_map(Step::Drop),
        Just(Step::Restart),
        Just(Step::Remove),
        Just(Step::Replace),
        (0..3000_u64).prop_map(Step::Wait),
    ]
}

pub(crate) fn fault() -> impl Strategy<Value = Fault> {
    use Fault::{
        CrashAfter, CrashBefore, Error, ErrorAfterEffect, None, Panic, TimeOut, TimeOutAfterEffect, Untouched,
    };
    let all =
        [Error, Untouched, ErrorAfterEffect, TimeOut, TimeOutAfterEffect, CrashBefore, CrashAfter, Panic];
    prop_oneof![2 => Just(None), 3 => select(all.to_vec())]
}

fn made(step: &Step) -> Option<Object> {
    let named = |kind, i: &u8| key(kind, &format!("o{i}"));
    Some(match step {
        Step::Site(i) => object(&named(SITE, i), &[]),
        Step::Slice(i, site) => object(&named(SLICE, i), &[("site", &named(SITE, site))]),
        Step::Network(i, owner, permitted) => {
            let edges = [("owner", &named(SLICE, owner)), ("permittedSlices", &named(SLICE, permitted))];
            object(&named(NETWORK, i), &edges)
        }
        Step::Instance(i, slice, net) => {
            let edges = [("slice", &named(SLICE, slice)), ("networks", &named(NETWORK, net))];
            object(&named(INSTANCE, i), &edges)
        }
        Step::Delete(_) | Step::Drop(_) | Step::Restart | Step::Remove | Step::Replace | Step::Wait(_) => {
            return None;
        }
    })
}

fn declaration() -> Declaration {
    Declaration {
        limits: Limits { concurrent: 3, batch_max: 2, timeout: Duration::from_secs(2), ..Limits::default() },
        back_off: BackOff { base: Duration::from_millis(100), cap: Duration::from_secs(5) },
        compare_every: Some(Duration::from_secs(30)),
        ..cloud()
    }
}

/// What the back end should have in the end: what is there, not going, with all that it depends on; networks only where
/// an instance wants them.
fn wanted(store: &MemoryStore) -> BTreeSet<Key> {
    let objects: Vec<_> = store.keys().into_iter().filter_map(|key| store.get(&key)).collect();
    let stays = |key: &Key| objects.iter().any(|object| object.key == *key && !object.deleting);
    let needed = |net: &Key| {
        let uses = |object: &&Object| object.key.kind == INSTANCE && !object.deleting;
        objects.iter().filter(uses).any(|instance| instance.edges.iter().any(|edge| edge.to == *net))
    };
    let mut wanted: BTreeSet<Key> = BTreeSet::new();
    loop {
        let ready = |object: &&Object| {
            stays(&object.key)
                && (object.key.kind != NETWORK || needed(&object.key))
                && object.edges.iter().all(|edge| wanted.contains(&edge.to))
        };
        let more: BTreeSet<Key> = objects.iter().filter(ready).map(|object| object.key.clone()).collect();
        if more.len() == wanted.len() {
            return wanted;
        }
        wanted = more;
    }
}

async fn history(steps: Vec<Step>, faults: Vec<Fault>) -> Result<(), TestCaseError> {
    let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
    back_end.faults(faults);
    // With nobody there to see it go, an object must not go before it is released: finalizers are for that.
    let steps = steps.into_iter().filter(|step| !matches!(step, Step::Drop(_)));
    let plugins = || [("cloud", TestPlugin::new(&back_end, declaration()))];
    let mut running = start(&store, plugins());
    for step in steps {
        match &step {
            Step::Delete(i) => {
                store.keys().get(*i).into_iter().for_each(|key| store.delete(key));
            }
            Step::Restart => {
                running.kill().await;
                running = start(&store, plugins());
            }
            Step::Remove => running.control.remove("cloud").await.expect("it runs"),
            Step::Replace => {
                let plugin = AnyPlugin::new(TestPlugin::new(&back_end, declaration()));
                running.control.replace("cloud", plugin).await.expect("it runs");
            }
            Step::Wait(millis) => {
                let crashed = tokio::time::timeout(Duration::from_millis(*millis), back_end.crash.notified());
                if crashed.await.is_ok() {
                    running.kill().await;
                    running = start(&store, plugins());
                }
            }
            _ => store.put(made(&step).expect("all other steps make something")),
        }
    }
    let plugin = AnyPlugin::new(TestPlugin::new(&back_end, declaration()));
    running.control.replace("cloud", plugin).await.expect("it runs");
    // A crash that is asked for kills; then there is peace.
    while tokio::time::timeout(Duration::from_mins(2), back_end.crash.notified()).await.is_ok() {
        running.kill().await;
        running = start(&store, plugins());
    }
    pass(Duration::from_mins(2)).await;
    check(&store, &back_end)?;
    let before = back_end.effects().len();
    running.kill().await;
    let running = start(&store, plugins());
    pass(Duration::from_mins(2)).await;
    prop_assert_eq!(back_end.effects().len(), before, "a start in peace has no effect");
    running.shutdown().await;
    Ok(())
}

/// The store lets nothing go that something refers to.
fn drop_unused(store: &MemoryStore, i: usize) {
    if let Some(key) = store.keys().get(i).filter(|key| !stands_under(store, key)) {
        store.drop_object(key);
    }
}

/// A history in peace.
async fn play(store: &MemoryStore, back_end: &Arc<BackEndInMemory>, running: &Running, steps: Vec<Step>) {
    for step in steps {
        match &step {
            Step::Delete(i) => store.keys().get(*i).into_iter().for_each(|key| store.delete(key)),
            Step::Drop(i) => drop_unused(store, *i),
            Step::Wait(millis) => pass(Duration::from_millis(*millis)).await,
            Step::Remove => running.control.remove("cloud").await.expect("it runs"),
            Step::Replace => {
                let plugin = AnyPlugin::new(TestPlugin::new(back_end, declaration()));
                running.control.replace("cloud", plugin).await.expect("it runs");
            }
            _ => made(&step).into_iter().for_each(|object| store.put(object)),
        }
    }
    assert!(back_end.widest().0 <= declaration().limits.concurrent, "the limit holds");
}

fn check(store: &MemoryStore, back_end: &Arc<BackEndInMemory>) -> Result<(), TestCaseError> {
    prop_assert_eq!(back_end.disorders(), Vec::<String>::new());
    let wanted = wanted(store);
    for key in &wanted {
        let object = store.get(key).expect("it is wanted because it is there");
        prop_assert!(store.synced(key), "{} is synced: {:?}", key, store.report(key));
        let thing = back_end.thing(key);
        prop_assert_eq!(thing.map(|thing| thing.generation), Some(object.generation), "{}", key);
    }
    for key in back_end.keys() {
        // What depends on something that went may stay as it is; what nobody asks for may not.
        let asked = store.get(&key).is_some_and(|object| !object.deleting);
        let held = store.get(&key).is_some_and(|object| object.deleting);
        prop_assert!(asked || held || stands_under(store, &key), "{} is left over", key);
    }
    let mut seen = BTreeSet::new();
    // A network is made again, of the same generation, when it was gone for want of need.
    let once = |effect: &String| effect.starts_with("apply") && !effect.starts_with("apply Network");
    for effect in back_end.effects().into_iter().filter(once) {
        prop_assert!(seen.insert(effect.clone()), "{} happened twice", effect);
    }
    Ok(())
}

/// Whether something that stays refers to the object, or stood on it when it was last applied: then it cannot go.
fn stands_under(store: &MemoryStore, key: &Key) -> bool {
    let objects = store.keys().into_iter().filter_map(|key| store.get(&key));
    objects.into_iter().any(|object| {
        let recorded = object.records.iter().flat_map(|(_, record)| match record {
            Record::Effect(record) => record.edges.as_slice(),
            Record::Told(_) | Record::Telling { .. } => &[],
        });
        object.edges.iter().chain(recorded).any(|edge| edge.to == *key)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn always_ends_as_it_should_be(steps in vec(step(), 1..40), faults in vec(fault(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(history(steps, faults))?;
    }

    #[test]
    fn without_faults_nothing_is_asked_for_that_is_so_already(steps in vec(step(), 1..40)) {
        let steps: Vec<_> = steps.into_iter().filter(|step| !matches!(step, Step::Restart)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let (store, back_end) = (MemoryStore::new(), BackEndInMemory::new());
            let running = start(&store, [("cloud", TestPlugin::new(&back_end, declaration()))]);
            // What goes with its back end away is not seen to go.
            let steps = { steps }.into_iter().filter(|step| !matches!(step, Step::Remove)).collect();
            play(&store, &back_end, &running, steps).await;
            pass(Duration::from_mins(2)).await;
            check(&store, &back_end)?;
            prop_assert_eq!(back_end.calls().len(), back_end.effects().len());
            running.shutdown().await;
            Ok(())
        })?;
    }
}
