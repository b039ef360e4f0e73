//! The scheduler by itself, where the order of events matters to the step.

use std::time::Duration;

use jiff::Timestamp;
use synchronizer::{
    BackEnd, BackEndId, Batch, Completion, Declaration, EffectRecord, Ended, Object, Outcome, Phase,
    Placement, Record, Relation, Scheduler, TenancyShape,
};

use crate::support::{INSTANCE, NETWORK, SLICE, key, object};

const NOW: Duration = Duration::ZERO;

fn scheduler(declaration: Declaration) -> (Scheduler, BackEndId, Placement) {
    let mut scheduler = Scheduler::new(1, Timestamp::UNIX_EPOCH, &TenancyShape::default());
    let here = scheduler.add_back_end(&BackEnd::new("cloud"), declaration);
    (scheduler, here, Placement { acting: vec![here], ..Placement::default() })
}

fn done(scheduler: &mut Scheduler, batch: &Batch) {
    let done = batch.works.iter().map(|work| Completion {
        ticket: work.ticket,
        generation: work.operation.generation,
        ended: Ended::Outcome(Outcome::done()),
    });
    scheduler.complete(batch.back_end, done.collect(), NOW);
}

fn applied(object: Object) -> Object {
    let record = Record::Effect(EffectRecord {
        uid: object.uid.clone(),
        phase: Phase::Applied,
        generation: object.generation,
        basis: 0,
        handle: None,
        digest: None,
        owned: true,
        edges: object.edges.clone(),
    });
    Object { records: vec![(BackEnd::new("cloud"), record)], ..object }
}

/// Half of a snapshot looks like an office in which much is no longer needed.
#[test]
fn nothing_is_begun_before_the_snapshot_is_whole() {
    let (mut scheduler, _, placement) = scheduler(Declaration {
        relations: vec![Relation::new(INSTANCE, "networks", NETWORK).lazy()],
        ..Declaration::new([NETWORK, INSTANCE])
    });
    let net = key(NETWORK, "blue");
    scheduler.snapshot_begins();
    scheduler.present(&applied(object(&net, &[])), &placement, NOW);
    assert!(scheduler.next(NOW).is_none(), "the network is not removed: who needs it may follow");
    let instance = object(&key(INSTANCE, "vm"), &[("networks", &net)]);
    scheduler.present(&applied(instance), &placement, NOW);
    scheduler.snapshot_ends(NOW);
    assert!(scheduler.next(NOW).is_none());
    assert_eq!(scheduler.unsettled(), 0);
}

/// A look takes time; what was made meanwhile is not in it.
#[test]
fn what_was_made_during_a_look_is_not_missed_by_it() {
    let (mut scheduler, here, placement) = scheduler(Declaration::new([SLICE]));
    scheduler.snapshot_begins();
    scheduler.snapshot_ends(NOW);
    scheduler.present(&object(&key(SLICE, "alpha"), &[]), &placement, NOW);
    let batch = scheduler.next(NOW).expect("it is to be made");
    let since = scheduler.step();
    done(&mut scheduler, &batch);
    scheduler.observed(here, since, Vec::new(), NOW);
    assert!(scheduler.next(NOW).is_none());
    let since = scheduler.step();
    scheduler.observed(here, since, Vec::new(), NOW);
    assert!(scheduler.next(NOW).is_some(), "by now it should be there");
}

/// One network of thousands of slices, of which each is finished alone.
#[test]
fn an_object_that_depends_on_thousands_is_not_looked_at_from_the_start_each_time() {
    const MANY: usize = 5_000;
    let (mut scheduler, _, placement) = scheduler(Declaration {
        relations: vec![Relation::new(NETWORK, "permittedSlices", SLICE)],
        ..Declaration::new([SLICE, NETWORK])
    });
    let slices: Vec<_> = (0..MANY).map(|i| key(SLICE, &format!("slice-{i}"))).collect();
    let edges: Vec<_> = slices.iter().map(|slice| ("permittedSlices", slice)).collect();
    scheduler.snapshot_begins();
    for slice in &slices {
        scheduler.present(&object(slice, &[]), &placement, NOW);
    }
    scheduler.present(&object(&key(NETWORK, "wide"), &edges), &placement, NOW);
    scheduler.snapshot_ends(NOW);
    let mut last = None;
    while let Some(batch) = scheduler.next(NOW) {
        done(&mut scheduler, &batch);
        last = batch.works.last().map(|work| work.operation.key.kind);
    }
    assert_eq!((last, scheduler.unsettled()), (Some(NETWORK), 0));
    assert!(scheduler.looked() <= 10 * u64::try_from(MANY).expect("a count"), "{}", scheduler.looked());
}
