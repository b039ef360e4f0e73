//! Random histories of an office, with faults at every step: of its back end, and of its own store. However often the
//! controller ends in between, in the end all is as it should be, each effect once.

mod intent;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use serde_json::Value;
use synchronizer::testing::Fault;
use xos_model::READY;

use intent::{Change, change, foundation};
use world::{Disk, StoreFault, World, foreign};

#[derive(Clone, Debug)]
enum Step {
    /// One transaction. What is refused changes nothing.
    Transact(Vec<Change>),
    /// What others stand on, as at the beginning.
    Found,
    /// All that there is, in one transaction.
    DeleteAll,
    /// Whatever is under way.
    Restart,
    /// For so many milliseconds, unless the controller ends before.
    Wait(u64),
}

#[derive(Clone, Debug)]
struct History {
    disk: Disk,
    steps: Vec<Step>,
    faults: Vec<Fault>,
    store_faults: Vec<StoreFault>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => change().prop_map(|change| Step::Transact(vec![change])),
        2 => vec(change(), 2..5).prop_map(Step::Transact),
        1 => Just(Step::Found),
        1 => Just(Step::DeleteAll),
        1 => Just(Step::Restart),
        2 => (0..3000_u64).prop_map(Step::Wait),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    use Fault::{CrashAfter, CrashBefore, Error, ErrorAfterEffect, None, Panic, TimeOut, TimeOutAfterEffect};
    let all = [Error, ErrorAfterEffect, TimeOut, TimeOutAfterEffect, CrashBefore, CrashAfter, Panic];
    prop_oneof![2 => Just(None), 3 => select(all.to_vec())]
}

fn store_fault() -> impl Strategy<Value = StoreFault> {
    use StoreFault::{CrashAfter, CrashBefore, None};
    prop_oneof![6 => Just(None), 1 => Just(CrashBefore), 1 => Just(CrashAfter)]
}

fn history() -> impl Strategy<Value = History> {
    let disk = prop_oneof![7 => Just(Disk::Memory), 1 => Just(Disk::Rocks)];
    let parts = (disk, vec(step(), 1..40), vec(fault(), 0..40), vec(store_fault(), 0..40));
    parts.prop_map(|(disk, steps, faults, store_faults)| History { disk, steps, faults, store_faults })
}

/// Plays a history, and says how many effects it had.
async fn play(history: History) -> Result<usize, TestCaseError> {
    let History { disk, steps, faults, store_faults } = history;
    let mut world = World::start(disk);
    world.back_end.faults(faults);
    world.store_faults(store_faults);
    world.transact(foundation()).await;
    for step in steps {
        match step {
            Step::Transact(changes) => world.transact(changes).await,
            Step::Found => world.transact(foundation()).await,
            Step::DeleteAll => world.transact(world.all_deleted()).await,
            Step::Restart => world.restart().await,
            Step::Wait(millis) => {
                world.lives_for(millis).await;
            }
        }
    }
    world.settle().await;
    check(&world)?;
    let before = (world.back_end.effects().len(), world.revision());
    world.restart().await;
    world.settle().await;
    prop_assert_eq!((world.back_end.effects().len(), world.revision()), before, "a start in peace");
    Ok(before.0)
}

fn check(world: &World) -> Result<(), TestCaseError> {
    let back_end = &world.back_end;
    prop_assert_eq!(back_end.disorders(), Vec::<String>::new());
    let objects: BTreeMap<_, _> = world.objects().into_iter().collect();
    for (key, object) in &objects {
        let generation = object["metadata"]["generation"].as_u64().unwrap_or(0);
        prop_assert!(object["metadata"].get("deletedAt").is_none(), "{} is not gone: {}", key, object);
        prop_assert!(is_ready(object), "{}: {}", key, object);
        prop_assert_eq!(world.applied(key), Some(generation), "{}", key);
        prop_assert_eq!(back_end.thing(key).map(|thing| thing.generation), Some(generation), "{}", key);
    }
    let wanted: BTreeSet<_> = objects.into_keys().chain(foreign()).collect();
    prop_assert_eq!(back_end.keys().into_iter().collect::<BTreeSet<_>>(), wanted);
    prop_assert_eq!(world.left_over(), Vec::<String>::new());
    let mut seen = BTreeSet::new();
    for effect in back_end.effects().into_iter().filter(|effect| effect.starts_with("apply")) {
        prop_assert!(seen.insert(effect.clone()), "{} happened twice", effect);
    }
    Ok(())
}

/// Whether the status says so, and of the spec as it is.
fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == READY);
    ready.next().is_some_and(|condition| condition["status"] == "True")
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

fn from_environment(name: &str, default: u32) -> u32 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

/// A slice of the campaign `cargo xtask campaign synchronizer`.
#[test]
fn an_office_always_ends_as_it_should_be() {
    let cases = from_environment("WIRECENTER_CAMPAIGN_COUNT", 48);
    let seed = from_environment("WIRECENTER_CAMPAIGN_SEED", 1);
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    );
    let (played, effects) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&history(), |history| {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().expect("a runtime");
        effects.set(effects.get() + runtime.block_on(play(history))?);
        played.set(played.get() + 1);
        if played.get() % 1000 == 0 {
            println!("{} histories, {} effects", played.get(), effects.get());
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(effects.get() > 10 * cases as usize, "most of what is asked for is refused");
}
