//! The kernel's routes of IPv6: ways, blackholes, the office's own, and where a source may come from; on the host and in the
//! kernel alike.

use std::{collections::BTreeMap, net::IpAddr};

use fastpath::{DropReason, PuntReason};
use net_types::ReversePath;
use node_plan::forwarding::{KernelHop, KernelRoute, KernelTarget, Placed, RouteEvent, RoutePrefix};
use node_state::{NodeState, Resource};

use crate::{
    routes::{Office, Way, counts, way},
    runner::Outcome,
    six::{self, address, alice, fragment, from_alice, from_bob, from_core, remote, udp},
    world::settle,
};

/// In `2606:4700::/32`, which several routers lead to.
const FAR: &str = "2606:4700::1111";
const FLOWS: u16 = 256;

/// A router by its link-local address.
fn router(n: u8) -> (IpAddr, Way) {
    (format!("fe80::{n}").parse().expect("an address"), [0x02, 0xfe, 0, 0, 6, n])
}

fn route(prefix: &str, target: KernelTarget) -> KernelRoute {
    let prefix = RoutePrefix::V6(prefix.parse().expect("a prefix"));
    KernelRoute { prefix, tos: 0, metric: 1024, protocol: 186, target }
}

fn by(office: &Office, routers: &[u8]) -> KernelTarget {
    let hop = |n: &u8| KernelHop { gateway: Some(router(*n).0), ifindex: office.world.core, weight: 1 };
    KernelTarget::Hops(routers.iter().map(hop).collect())
}

fn told(prefix: &str, target: KernelTarget) -> RouteEvent {
    RouteEvent::Route { route: route(prefix, target), placed: Placed::Instead }
}

fn put(office: &mut Office, prefix: &str, target: KernelTarget) {
    office.fastpath.apply_routes([told(prefix, target)]);
}

fn resolve(office: &mut Office, routers: &[u8], is_resolved: bool) {
    for n in routers {
        office.resolve_one(router(*n), is_resolved);
    }
}

fn an_office() -> Office {
    let mut office = Office::of(&six::office());
    office.resolve_one((six_gateway(), crate::world::GATEWAY_MAC), true);
    office
}

fn six_gateway() -> IpAddr {
    IpAddr::from(address("2001:db8:0:1::1"))
}

/// Which way each of alice's flows goes.
fn ways(office: &mut Office) -> Vec<Way> {
    let flow = |n: u16| from_alice(&udp((alice(), 1024 + n), (remote(), 53), 64, b"a"));
    let frames: Vec<Vec<u8>> = (0..FLOWS).map(flow).collect();
    office.outcomes(&frames).into_iter().map(way).collect()
}

fn to(office: &mut Office, destination: &str) -> Outcome {
    office.outcomes(&[from_alice(&udp((alice(), 1024), (address(destination), 53), 64, b"a"))]).remove(0)
}

#[test]
fn flows_of_ipv6_spread_stay_and_move_only_with_the_way_that_goes() {
    let mut office = an_office();
    let three = by(&office, &[1, 2, 3]);
    put(&mut office, "2606:4700::/32", three);
    assert_eq!(to(&mut office, FAR), Outcome::Drop(DropReason::NeighbourUnresolved, None), "none is known");
    resolve(&mut office, &[1], true);
    assert_eq!(counts(&ways(&mut office)), [(router(1).1, FLOWS.into())].into());
    resolve(&mut office, &[2, 3], true);
    let all = ways(&mut office);
    let parts: BTreeMap<Way, usize> = counts(&all);
    assert_eq!(parts.len(), 3);
    assert!(parts.values().all(|part| (40..=140).contains(part)), "{parts:?}");
    assert_eq!(ways(&mut office), all, "flows keep to their way");
    // One of them goes, as the kernel tells it: by itself.
    let second = route("2606:4700::/32", by(&office, &[2]));
    office.fastpath.apply_routes([RouteEvent::RouteGone(second)]);
    for (before, after) in all.iter().zip(ways(&mut office)) {
        assert!(*before == after || *before == router(2).1);
        assert_ne!(after, router(2).1);
    }
    // Pieces of a packet go one way, whatever their ports.
    let whole = |port: u16| udp((alice(), port), (remote(), 53), 64, &[7; 64])[40..].to_vec();
    let piece = |port: u16, offset: u16, more: bool, payload: &[u8]| {
        from_alice(&fragment(alice(), remote(), offset, more, &[payload, &port.to_be_bytes()].concat()))
    };
    let pieces: Vec<Vec<u8>> = (0..16)
        .flat_map(|n| [piece(2000 + n, 0, true, &whole(2000 + n)), piece(2000 + n, 9, false, b"rest")])
        .collect();
    let ways: Vec<Way> = office.outcomes(&pieces).into_iter().map(way).collect();
    assert_eq!(counts(&ways).len(), 1);
}

#[test]
fn the_longest_route_of_ipv6_decides_and_the_offices_own_come_first() {
    let mut office = an_office();
    assert_eq!(way(to(&mut office, FAR)), crate::world::GATEWAY_MAC, "the office's own default route");
    resolve(&mut office, &[1], true);
    let kernels = KernelTarget::Hops(vec![KernelHop { gateway: Some(router(1).0), ifindex: 1, weight: 1 }]);
    let by_one = by(&office, &[1]);
    for (prefix, target) in [
        ("2606::/16", KernelTarget::Blackhole),
        ("2606:4700::/32", kernels),
        ("2606:4700:0:1::/64", by_one.clone()),
        ("2606:4700:0:2::/64", KernelTarget::Unreachable),
        ("2606:4700:0:3::1/128", KernelTarget::Local),
        // Not the kernel's default route, nor what is learned for a part of a pool or of a subscriber's own.
        ("::/0", by_one.clone()),
        ("2001:db8:100:a::/65", by_one.clone()),
        ("2001:db8:1ff::/48", by_one),
    ] {
        put(&mut office, prefix, target);
    }
    resolve(&mut office, &[1], true);
    let dropped = |reason| Outcome::Drop(reason, None);
    assert_eq!(to(&mut office, FAR), Outcome::Pass, "behind no port of the office's");
    assert_eq!(to(&mut office, "2606:4701::1"), dropped(DropReason::Blackhole));
    assert_eq!(way(to(&mut office, "2606:4700:0:1::1")), router(1).1);
    assert_eq!(to(&mut office, "2606:4700:0:2::1"), Outcome::Pass, "the kernel says that it is unreachable");
    assert_eq!(to(&mut office, "2606:4700:0:3::1"), dropped(DropReason::ToOffice));
    assert_eq!(way(to(&mut office, "2607::1")), crate::world::GATEWAY_MAC);
    assert_eq!(to(&mut office, "2001:db8:1ff::1"), dropped(DropReason::Blackhole));
    let between = from_bob(&udp((six::bob(), 1), (alice(), 1), 64, b""));
    assert!(matches!(office.outcomes(&[between]).remove(0), Outcome::Redirect(_)), "to alice");
    // Without the office's own route, the kernel's is followed; without that, there is none.
    let remove = Resource::decode(DEFAULT.as_bytes()).expect("a route").key();
    office.fastpath.apply(&[fastpath::Change::Remove(remove)]);
    assert_eq!(way(to(&mut office, "2607::1")), router(1).1);
    let target = by(&office, &[1]);
    office.fastpath.apply_routes([RouteEvent::RouteGone(route("::/0", target))]);
    let told = Outcome::Drop(DropReason::NoRoute, Some(PuntReason::NoRoute));
    assert_eq!(to(&mut office, "2607::1"), told);
}

const DEFAULT: &str =
    r#"{"kind":"route6","prefix":"::/0","target":{"via":{"gateway":"2001:db8:0:1::1","port":"core0"}}}"#;

/// The office with a check at its core port, and no default route of its own.
fn checked(how: ReversePath) -> NodeState {
    let change = |resource: Resource| match resource {
        Resource::Port(mut port) if port.name.as_str() == "core0" => {
            port.reverse_path = how;
            Some(Resource::Port(port))
        }
        Resource::Route6(route) if route.prefix.len() == 0 => None,
        other => Some(other),
    };
    six::office().resources().filter_map(change).collect()
}

#[test]
fn sources_are_checked_by_the_kernels_routes_of_ipv6() {
    for how in [ReversePath::Loose, ReversePath::Strict] {
        let mut office = Office::of(&checked(how));
        let from = |source: &str| from_core(&udp((address(source), 53), (alice(), 5000), 64, b"a"));
        let come_in = |office: &mut Office, source: &str| {
            matches!(office.outcomes_down(&[from(source)]).remove(0), Outcome::Redirect(_))
        };
        assert!(!come_in(&mut office, FAR), "no way leads there");
        let core = by(&office, &[1]);
        put(&mut office, "2606:4700::/32", core);
        assert!(come_in(&mut office, FAR));
        let both = by(&office, &[1, 2]);
        put(&mut office, "2606:4700::/32", both);
        assert!(come_in(&mut office, FAR));
        put(&mut office, "2606:4700:1::/48", KernelTarget::Blackhole);
        assert!(!come_in(&mut office, "2606:4700:1::1"));
        let elsewhere = KernelHop { gateway: Some(router(1).0), ifindex: 1, weight: 1 };
        put(&mut office, "2606:4700:2::/48", KernelTarget::Hops(vec![elsewhere]));
        assert_eq!(come_in(&mut office, "2606:4700:2::1"), how == ReversePath::Loose);
        assert!(!come_in(&mut office, "2607::1"));
        let core = by(&office, &[2]);
        put(&mut office, "::/0", core);
        assert!(come_in(&mut office, "2607::1"));
    }
}

#[test]
fn a_new_process_that_is_told_ipv6_first_writes_none_of_it() {
    let mut office = an_office();
    let routes = [
        ("2606:4700::/32", by(&office, &[1, 2, 3])),
        ("2606:4700:1::/48", by(&office, &[2])),
        ("2607::/16", by(&office, &[1, 2])),
    ];
    let found = routes
        .map(|(prefix, target)| RouteEvent::Route { route: route(prefix, target), placed: Placed::Found });
    let all: Vec<RouteEvent> =
        [RouteEvent::DumpBegins].into_iter().chain(found).chain([RouteEvent::DumpEnds]).collect();
    assert!(office.fastpath.apply_routes(all.clone()), "there are neighbours to look for");
    resolve(&mut office, &[1, 2, 3], true);
    let before = ways(&mut office);
    let Office { world, fastpath, inspector, punts } = office;
    drop((fastpath, punts));
    let mut fastpath = world.open();
    fastpath.apply_routes(all);
    settle(&mut fastpath, &six::office());
    assert_eq!(fastpath.writes(), 0);
    let punts = fastpath.punts().expect("not taken yet");
    let mut office = Office { world, fastpath, inspector, punts };
    assert_eq!(ways(&mut office), before);
    // A process that is told of none takes them out.
    office.fastpath.apply_routes([RouteEvent::DumpBegins, RouteEvent::DumpEnds]);
    assert_eq!(counts(&ways(&mut office)), [(crate::world::GATEWAY_MAC, FLOWS.into())].into());
}
