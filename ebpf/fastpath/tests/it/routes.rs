//! Routes of the kernel: flows that spread over several next hops, on the host and in the kernel alike.

use std::{collections::BTreeMap, net::IpAddr};

use fastpath::{DropReason, Fastpath, Inspector, Punts};
use net_types::Mac;
use node_plan::forwarding::{KernelHop, KernelRoute, KernelTarget, Placed, RouteEvent, RoutePrefix};
use node_state::NodeState;

use crate::{
    frames::{ALICE, Address, BOB, from_alice, from_bob, udp, with_header},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{World, desired, settle},
};

/// In 8.8.0.0/16, which several routers lead to.
const FAR: Address = [8, 8, 8, 8];
const FLOWS: u16 = 512;

/// The Ethernet address that a packet leaves for.
pub(crate) type Way = [u8; 6];

fn router(n: u8) -> (IpAddr, Way) {
    ([192, 0, 2, 100 + n].into(), [0x02, 0xfe, 0, 0, 1, n])
}

fn route(prefix: &str, target: KernelTarget) -> KernelRoute {
    let prefix = RoutePrefix::V4(prefix.parse().expect("a prefix"));
    KernelRoute { prefix, tos: 0, metric: 20, protocol: 186, target }
}

/// An office to which the kernel's routes are told.
pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) fastpath: Fastpath,
    pub(crate) inspector: Inspector,
    pub(crate) punts: Punts,
}

impl Office {
    fn new() -> Self {
        Self::of(&desired())
    }

    pub(crate) fn of(desired: &NodeState) -> Self {
        let world = World::new();
        let mut fastpath = world.office(desired);
        let punts = fastpath.punts().expect("not taken yet");
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        Self { world, fastpath, inspector, punts }
    }

    /// A route by routers of these numbers, out of the core port.
    fn put(&mut self, prefix: &str, routers: &[u8]) {
        let ifindex = self.world.core;
        let hop = |n: &u8| KernelHop { gateway: Some(router(*n).0), ifindex, weight: 1 };
        let route = route(prefix, KernelTarget::Hops(routers.iter().map(hop).collect()));
        self.fastpath.apply_routes([RouteEvent::Route { route, placed: Placed::Instead }]);
    }

    fn resolve(&mut self, n: u8, is_resolved: bool) {
        self.resolve_one(router(n), is_resolved);
    }

    pub(crate) fn resolve_one(&mut self, (address, mac): (IpAddr, Way), is_resolved: bool) {
        let mac = is_resolved.then(|| Mac::new(mac).expect("unicast"));
        self.fastpath.set_next_hop(address, &"core0".parse().expect("a name"), mac).expect("a port");
    }

    /// What becomes of each frame, which is the same in both places.
    pub(crate) fn outcomes(&mut self, frames: &[Vec<u8>]) -> Vec<Outcome> {
        self.outcomes_of(frames, |runner, frame| runner.up(frame))
    }

    /// The same of frames that come from the core.
    pub(crate) fn outcomes_down(&mut self, frames: &[Vec<u8>]) -> Vec<Outcome> {
        self.outcomes_of(frames, |runner, frame| runner.down(frame))
    }

    fn outcomes_of(
        &mut self,
        frames: &[Vec<u8>],
        go: impl Fn(&mut dyn Runner, &[u8]) -> Outcome,
    ) -> Vec<Outcome> {
        let interfaces = [self.world.access, self.world.core];
        let tables = snapshot(&self.world.pin_dir, interfaces, &[FAR]);
        let mut host = Host { world: &self.world, tables };
        let on_host: Vec<Outcome> = frames.iter().map(|frame| go(&mut host, frame)).collect();
        let mut kernel = Kernel {
            world: &self.world,
            fastpath: &mut self.fastpath,
            inspector: &self.inspector,
            punts: &mut self.punts,
        };
        let in_kernel: Vec<Outcome> = frames.iter().map(|frame| go(&mut kernel, frame)).collect();
        assert_eq!(on_host, in_kernel);
        on_host
    }

    /// Which way each of bob's flows goes.
    fn ways(&mut self) -> Vec<Way> {
        let flow = |n: u16| from_bob(&udp((BOB, 1024 + n), (FAR, 53), 64, b"a"));
        let frames: Vec<Vec<u8>> = (0..FLOWS).map(flow).collect();
        self.outcomes(&frames).into_iter().map(way).collect()
    }
}

pub(crate) fn way(outcome: Outcome) -> Way {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    frame[..6].try_into().expect("an Ethernet header")
}

pub(crate) fn counts(ways: &[Way]) -> BTreeMap<Way, usize> {
    let mut counts = BTreeMap::new();
    for way in ways {
        *counts.entry(*way).or_default() += 1;
    }
    counts
}

#[test]
fn flows_spread_stay_and_move_only_with_the_way_that_goes() {
    let mut office = Office::new();
    office.put("8.8.0.0/16", &[1, 2, 3]);
    let frame = from_bob(&udp((BOB, 1024), (FAR, 53), 64, b"a"));
    assert_eq!(
        office.outcomes(&[frame]),
        [Outcome::Drop(DropReason::NeighbourUnresolved, None)],
        "none of them is known"
    );
    office.resolve(1, true);
    assert_eq!(counts(&office.ways()), [(router(1).1, FLOWS.into())].into(), "the one that is known has all");
    office.resolve(2, true);
    office.resolve(3, true);
    let all = office.ways();
    let parts = counts(&all);
    assert_eq!(parts.len(), 3);
    // A third each, give or take what 64 slots and a hash of 512 flows can do.
    assert!(parts.values().all(|part| (100..=250).contains(part)), "{parts:?}");
    assert_eq!(office.ways(), all, "flows keep to their way");

    office.resolve(2, false);
    let without = office.ways();
    for (before, after) in all.iter().zip(&without) {
        assert!(before == after || *before == router(2).1);
        assert_ne!(*after, router(2).1);
    }
    office.resolve(2, true);
    // The route names one way less, as when a peer goes: again its flows move, and no others.
    let back = office.ways();
    office.put("8.8.0.0/16", &[1, 2]);
    for (before, after) in back.iter().zip(&office.ways()) {
        assert!(before == after || *before == router(3).1);
    }
    office.put("8.8.0.0/16", &[2]);
    assert_eq!(counts(&office.ways()), [(router(2).1, FLOWS.into())].into());
}

#[test]
fn pieces_of_a_packet_go_one_way_and_translation_moves_no_flow() {
    let mut office = Office::new();
    office.put("8.8.0.0/16", &[1, 2, 3]);
    (1..=3).for_each(|n| office.resolve(n, true));
    let whole = |port: u16| udp((BOB, port), (FAR, 53), 64, &[7; 64]);
    let piece = |port: u16, offset: u16, more: bool| {
        from_bob(&with_header(&whole(port), |header| {
            header.more_fragments = more;
            header.fragment_offset = etherparse::IpFragOffset::try_new(offset).expect("legal");
        }))
    };
    let pieces: Vec<Vec<u8>> =
        (0..32).flat_map(|n| [piece(2000 + n, 0, true), piece(2000 + n, 9, false)]).collect();
    let ways: Vec<Way> = office.outcomes(&pieces).into_iter().map(way).collect();
    assert_eq!(counts(&ways).len(), 1, "their ports do not count, and their addresses are the same");
    // Alice's first packet makes a mapping, which later ones have: all go the same way.
    let frames = vec![from_alice(&udp((ALICE, 5000), (FAR, 53), 64, b"a")); 3];
    let ways: Vec<Way> = office.outcomes(&frames).into_iter().map(way).collect();
    assert_eq!(counts(&ways).len(), 1);
}

#[test]
fn the_offices_own_come_first_and_what_is_behind_no_port_is_the_kernels() {
    let mut office = Office::new();
    let elsewhere = KernelHop { gateway: Some(router(1).0), ifindex: 1, weight: 1 };
    let told = |prefix: &str, target: KernelTarget| RouteEvent::Route {
        route: route(prefix, target),
        placed: Placed::Instead,
    };
    let to_far = |office: &mut Office| {
        let frame = from_bob(&udp((BOB, 1024), (FAR, 53), 64, b"a"));
        office.outcomes(&[frame]).remove(0)
    };
    assert_eq!(way(to_far(&mut office)), crate::world::GATEWAY_MAC, "the office's own default route");
    office.fastpath.apply_routes([told("8.8.0.0/16", KernelTarget::Hops(vec![elsewhere.clone()]))]);
    assert_eq!(to_far(&mut office), Outcome::Pass);
    office.fastpath.apply_routes([told("8.8.8.0/24", KernelTarget::Blackhole)]);
    assert_eq!(to_far(&mut office), Outcome::Drop(DropReason::Blackhole, None));
    // What is learned for a part of a pool takes nothing from the pool.
    office.put("203.0.113.0/25", &[1]);
    office.put("0.0.0.0/0", &[1]);
    office.resolve(1, true);
    office.fastpath.apply_routes([
        RouteEvent::RouteGone(route("8.8.8.0/24", KernelTarget::Blackhole)),
        RouteEvent::RouteGone(route("8.8.0.0/16", KernelTarget::Hops(vec![elsewhere]))),
    ]);
    assert_eq!(way(to_far(&mut office)), crate::world::GATEWAY_MAC, "not the kernel's default route");
    let pool = [203, 0, 113, 100];
    let frame = from_bob(&udp((BOB, 1024), (pool, 53), 64, b"a"));
    let interfaces = [office.world.access, office.world.core];
    let mut host =
        Host { world: &office.world, tables: snapshot(&office.world.pin_dir, interfaces, &[pool]) };
    assert_eq!(host.up(&frame), Outcome::Drop(DropReason::Blackhole, None));
}

#[test]
fn a_new_process_that_is_told_the_routes_first_writes_none_of_them() {
    let mut office = Office::new();
    let events = |office: &Office| {
        let hop = |n: u8| KernelHop { gateway: Some(router(n).0), ifindex: office.world.core, weight: 1 };
        let by = |routers: &[u8]| KernelTarget::Hops(routers.iter().map(|n| hop(*n)).collect());
        let routes = [("8.8.0.0/16", by(&[1, 2, 3])), ("9.9.9.128/25", by(&[2])), ("9.0.0.0/8", by(&[1, 2]))];
        let told = routes.map(|(prefix, target)| RouteEvent::Route {
            route: route(prefix, target),
            placed: Placed::Found,
        });
        [RouteEvent::DumpBegins].into_iter().chain(told).chain([RouteEvent::DumpEnds]).collect::<Vec<_>>()
    };
    let all = events(&office);
    assert!(office.fastpath.apply_routes(all.clone()), "there are neighbours to look for");
    (1..=3).for_each(|n| office.resolve(n, true));
    let before = office.ways();
    let Office { world, fastpath, inspector, punts } = office;
    drop((fastpath, punts));
    let mut fastpath = world.open();
    fastpath.apply_routes(all);
    settle(&mut fastpath, &desired());
    assert_eq!(fastpath.writes(), 0);
    assert!(fastpath.next_hops().iter().all(|(.., mac)| mac.is_some()));
    let punts = fastpath.punts().expect("not taken yet");
    let mut office = Office { world, fastpath, inspector, punts };
    assert_eq!(office.ways(), before);
    // A process that is told of none takes them out.
    office.fastpath.apply_routes([RouteEvent::DumpBegins, RouteEvent::DumpEnds]);
    assert_eq!(office.fastpath.next_hops().len(), 1, "the office's own");
}
