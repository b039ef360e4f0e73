//! An office of 100,000 objects. Work is counted, not timed: `examples/schedule.rs` measures.

use synchronizer::{bench, office};

/// XOS 4.0.4 tested each ordered pair of pending objects: 50 s for 1,600 before any work was done.
#[test]
fn work_grows_with_objects_and_edges_and_no_faster() {
    let mut steps_each = Vec::new();
    for objects in [1_600, 16_000, 100_000] {
        let figures = bench(&office(objects, 7), 7);
        assert_eq!(figures.objects, objects);
        let size = u64::try_from(figures.objects + figures.edges).expect("a count");
        assert!(figures.steps <= 4 * size, "{figures:?}");
        steps_each.push(figures.steps * 100 / size);
    }
    let (least, most) = (steps_each.iter().min(), steps_each.iter().max());
    assert!(most.expect("three") * 10 <= least.expect("three") * 12, "{steps_each:?}");
}

/// One object on which 50,000 stand: made once, and removed after the last of them, looking at each a few times.
#[test]
fn a_thing_on_which_everything_stands_is_no_worse() {
    use std::time::Duration;

    use jiff::Timestamp;
    use synchronizer::{
        BackEnd, Completion, Declaration, Ended, Kind, Outcome, Placement, Relation, Scheduler, TenancyShape,
    };

    use crate::support::{key, object};

    const NODE: Kind = Kind::new("Node");
    const SUBSCRIBER: Kind = Kind::new("Subscriber");
    const MANY: usize = 50_000;

    let declared = Declaration {
        relations: vec![Relation::new(SUBSCRIBER, "node", NODE)],
        ..Declaration::new([NODE, SUBSCRIBER])
    };
    let mut scheduler = Scheduler::new(1, Timestamp::UNIX_EPOCH, &TenancyShape::default());
    let here = scheduler.add_back_end(&BackEnd::new("nodes"), declared);
    let placement = Placement { acting: vec![here], ..Placement::default() };
    let node = key(NODE, "node");
    let mut objects: Vec<_> = (0..MANY)
        .map(|i| object(&key(SUBSCRIBER, &format!("home-{i}")), &[("node", &node)]))
        .chain([object(&node, &[])])
        .collect();
    scheduler.snapshot_begins();
    scheduler.snapshot_ends(Duration::ZERO);
    let mut orders = Vec::new();
    for deleting in [false, true] {
        for object in &mut objects {
            object.deleting = deleting;
            scheduler.present(object, &placement, Duration::ZERO);
        }
        while let Some(batch) = scheduler.next(Duration::ZERO) {
            let done = |ticket, generation| Completion {
                ticket,
                generation,
                ended: Ended::Outcome(Outcome::done()),
            };
            orders.extend(batch.works.iter().map(|work| work.operation.key.kind));
            let ended = batch.works.iter().map(|work| done(work.ticket, work.operation.generation));
            scheduler.complete(batch.back_end, ended.collect(), Duration::ZERO);
        }
    }
    assert_eq!(orders.len(), 2 * (MANY + 1));
    assert_eq!((orders[0], orders[2 * MANY + 1]), (NODE, NODE), "first up, last down");
    // Twice, an object and an edge each.
    let size = u64::try_from(2 * 2 * MANY).expect("a count");
    assert!(scheduler.looked() <= 4 * size, "{}", scheduler.looked());
}
