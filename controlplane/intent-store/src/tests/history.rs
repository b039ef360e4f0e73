//! Random histories of transactions, crashes and watches, against a model that keeps everything.

mod disk;
mod model;
mod world;

use proptest::prelude::*;

use crate::{MemoryEngine, Table};
use disk::{Crash, RocksDisk};
use model::{End, Operation, Plan};
use world::World;

#[derive(Clone, Debug)]
enum Step {
    /// Transactions that come at the same moment.
    Transactions(Vec<Plan>),
    /// Transactions amid which the store's process ends, before or after their commit.
    Crash(Vec<Plan>, Crash),
    /// An orderly end, and a new start.
    Reopen,
    /// All pages of the store at a revision so far back, while it changes between them.
    Pages { back: u64, limit: usize, meanwhile: Plan },
    /// A client lists, and from now on watches.
    Watch,
    /// A watching client goes away, and comes back later with what it knew then.
    Look { watcher: usize, limit: usize },
    /// The store goes on from a backup of itself.
    Restore,
}

fn plan() -> impl Strategy<Value = Plan> {
    let table = prop_oneof![2 => Just(Table::Objects), 1 => Just(Table::Claims)];
    let value = prop::option::weighted(0.7, any::<u8>());
    let operation = prop_oneof![
        6 => (table, 0..8_u8, value).prop_map(|(table, key, value)| Operation::Write { table, key, value }),
        1 => any::<u8>().prop_map(Operation::Audit),
    ];
    let end =
        prop_oneof![6 => Just(End::Commit), 2 => any::<u8>().prop_map(End::Refusal), 1 => Just(End::DryRun)];
    (prop::collection::vec(operation, 0..6), end).prop_map(|(operations, end)| Plan { operations, end })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let plans = || prop::collection::vec(plan(), 1..4);
    let crash = prop_oneof![Just(Crash::Before), Just(Crash::Amid), Just(Crash::After)];
    let step = prop_oneof![
        8 => plans().prop_map(Step::Transactions),
        2 => (plans(), crash).prop_map(|(plans, crash)| Step::Crash(plans, crash)),
        1 => Just(Step::Reopen),
        3 => (0..20_u64, 1..5_usize, plan())
            .prop_map(|(back, limit, meanwhile)| Step::Pages { back, limit, meanwhile }),
        2 => Just(Step::Watch),
        4 => (any::<prop::sample::Index>(), 1..5_usize)
            .prop_map(|(watcher, limit)| Step::Look { watcher: watcher.index(64), limit }),
        1 => Just(Step::Restore),
    ];
    prop::collection::vec(step, 1..40)
}

fn run(disk: impl disk::Disk, steps: Vec<Step>) {
    let mut world = World::new(disk);
    for step in steps {
        match step {
            Step::Transactions(plans) => world.transactions(&plans),
            Step::Crash(plans, crash) => world.crash(&plans, crash),
            Step::Reopen => world.reopen(),
            Step::Pages { back, limit, meanwhile } => world.pages(back, limit, &meanwhile),
            Step::Watch => world.watch(),
            Step::Look { watcher, limit } => world.look(watcher, limit),
            Step::Restore => world.restore(),
        }
        world.check();
    }
    world.look_all();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_as_the_model_says(steps in steps()) {
        run(MemoryEngine::default(), steps);
    }
}

proptest! {
    // Each of them opens several databases.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_history_on_rocksdb_is_as_the_model_says(steps in steps()) {
        run(RocksDisk::default(), steps);
    }
}
