//! How long it takes to order and to hand out the work of a whole office.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::{
    BackEnd, Completion, Declaration, Edge, Ended, Key, Kind, Limits, Object, Origin, Outcome, Placement,
    Relation, Scheduler, TenancyShape, scheduler::Digest,
};

const SITE: Kind = Kind::new("Site");
const SLICE: Kind = Kind::new("Slice");
const NETWORK: Kind = Kind::new("Network");
const INSTANCE: Kind = Kind::new("Instance");
const NODE: Kind = Kind::new("Node");
const SUBSCRIBER: Kind = Kind::new("Subscriber");

/// What [`bench()`] measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    pub objects: usize,
    pub edges: usize,
    /// From nothing until every object is in the graph, in its queue or waiting.
    pub order: Duration,
    /// From then until the last was handed out in its order, and its end taken in.
    pub dispatch: Duration,
    /// Calls that the back ends would have got.
    pub calls: usize,
    /// Units and edges looked at: the same on every machine.
    pub steps: u64,
}

impl Figures {
    pub fn ns_per_object(&self) -> u128 {
        (self.order + self.dispatch).as_nanos() / self.objects.max(1) as u128
    }
}

/// An office of so many objects, drawn from a seed, in an order that has nothing to do with who needs whom: 60 %
/// subscribers on nodes, the rest sites, slices with networks (of an owner, and permitted to others) and instances.
pub fn office(objects: usize, seed: u64) -> Vec<Object> {
    let mut drawn = 0;
    let mut draw = move |below: usize| {
        drawn += 1;
        let below = u128::from(below.max(1) as u64);
        usize::try_from((u128::from(Digest::new(seed).number(drawn).finish()) * below) >> 64).unwrap_or(0)
    };
    let (sites, nodes) = (objects.div_ceil(1000), objects.div_ceil(1000));
    let (slices, networks) = (objects / 20, objects / 10);
    let key = |kind: Kind, i: usize| {
        let name = format!("{}-{i}", kind.as_str().to_lowercase());
        Key::new(kind, name.parse().expect("a kind and a number make a name"))
    };
    let mut all = Vec::with_capacity(objects);
    for i in 0..objects {
        let bounds = [sites, nodes, slices, networks, objects * 6 / 10];
        let ends: Vec<usize> = bounds
            .iter()
            .scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            })
            .collect();
        let (object, edges) = match ends.iter().position(|end| i < *end) {
            Some(0) => (key(SITE, i), vec![]),
            Some(1) => (key(NODE, i - ends[0]), vec![Edge::new("site", key(SITE, draw(sites)))]),
            Some(2) => (key(SLICE, i - ends[1]), vec![Edge::new("site", key(SITE, draw(sites)))]),
            Some(3) => {
                let permitted = (0..draw(3)).map(|_| Edge::new("permittedSlices", key(SLICE, draw(slices))));
                let mut edges: Vec<_> = permitted.collect();
                edges.push(Edge::new("owner", key(SLICE, draw(slices))));
                (key(NETWORK, i - ends[2]), edges)
            }
            Some(_) => (key(SUBSCRIBER, i - ends[3]), vec![Edge::new("access.node", key(NODE, draw(nodes)))]),
            None => {
                let networks =
                    [draw(networks), draw(networks)].map(|i| Edge::new("networks", key(NETWORK, i)));
                let mut edges = vec![
                    Edge::new("slice", key(SLICE, draw(slices))),
                    Edge::new("node", key(NODE, draw(nodes))),
                ];
                edges.extend(networks);
                (key(INSTANCE, i - ends[4]), edges)
            }
        };
        let uid = format!("{}", object.name);
        all.push(Object {
            key: object,
            uid: uid.into(),
            generation: 1,
            deleting: false,
            origin: Origin::Ours,
            edges,
            records: Vec::new(),
            history: Vec::new(),
            beside: 0,
        });
    }
    for i in (1..all.len()).rev() {
        all.swap(i, draw(i + 1));
    }
    all
}

/// What the back ends of such an office declare: a cloud, and the nodes, which take objects in batches.
pub(crate) fn declarations() -> [(BackEnd, Declaration); 2] {
    let cloud = Declaration {
        relations: vec![
            Relation::new(SLICE, "site", SITE),
            Relation::new(NETWORK, "owner", SLICE),
            Relation::new(NETWORK, "permittedSlices", SLICE),
            Relation::new(INSTANCE, "slice", SLICE),
            Relation::new(INSTANCE, "networks", NETWORK).lazy(),
            Relation::new(INSTANCE, "node", NODE),
        ],
        limits: Limits { concurrent: 64, ..Limits::default() },
        ..Declaration::new([SITE, SLICE, NETWORK, INSTANCE])
    };
    let nodes = Declaration {
        relations: vec![Relation::new(SUBSCRIBER, "access.node", NODE).derived()],
        limits: Limits { concurrent: 4, batch_max: 1024, ..Limits::default() },
        ..Declaration::new([NODE, SUBSCRIBER])
    };
    [(BackEnd::new("cloud"), cloud), (BackEnd::new("nodes"), nodes)]
}

/// Puts all objects in, then does all work at once: what is measured is the scheduler alone. Everything needed must be
/// done in the end, or this panics.
pub fn bench(objects: &[Object], seed: u64) -> Figures {
    let mut scheduler = Scheduler::new(seed, Timestamp::UNIX_EPOCH, &TenancyShape::default());
    let declared = declarations();
    let back_ends = declared.map(|(name, declared)| {
        let kinds = declared.kinds.clone();
        (scheduler.add_back_end(&name, declared), kinds)
    });
    let start = Instant::now();
    scheduler.snapshot_begins();
    for object in objects {
        let acting = back_ends.iter().filter(|(_, kinds)| kinds.contains(&object.key.kind));
        let placement = Placement { acting: acting.map(|(id, _)| *id).collect(), ..Placement::default() };
        scheduler.present(object, &placement, Duration::ZERO);
    }
    scheduler.snapshot_ends(Duration::ZERO);
    let order = start.elapsed();
    let mut calls = 0;
    while let Some(batch) = scheduler.next(start.elapsed()) {
        calls += 1;
        let done =
            |ticket, generation| Completion { ticket, generation, ended: Ended::Outcome(Outcome::done()) };
        let ended = batch.works.iter().map(|work| done(work.ticket, work.operation.generation)).collect();
        scheduler.complete(batch.back_end, ended, start.elapsed());
    }
    let dispatch = start.elapsed().saturating_sub(order);
    let unsettled = scheduler.unsettled();
    assert_eq!(unsettled, 0, "everything is done in the end");
    Figures {
        objects: objects.len(),
        edges: objects.iter().map(|object| object.edges.len()).sum(),
        order,
        dispatch,
        calls,
        steps: scheduler.looked(),
    }
}
