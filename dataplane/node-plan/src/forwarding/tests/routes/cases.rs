//! Single situations.

use std::net::Ipv4Addr;

use map_abi::{FibTarget, GROUP_SLOTS, MAX_GROUP_MEMBERS, MAX_NEXT_HOP_GROUPS, MAX_NEXT_HOPS};
use net_types::Prefix4;

use super::{super::super::*, gateway, hop, model::Maps};

/// A table with ports 1 and 2 on the interfaces of those numbers, and the maps it is carried out on.
struct Office {
    table: RouteTable,
    maps: Maps,
}

impl Office {
    fn new() -> Self {
        let mut office = Self { table: RouteTable::new(&Held::default()), maps: Maps::default() };
        let ops = office.table.set_ports([(1, 1), (2, 2)].into());
        office.maps.apply(ops);
        office
    }

    fn tell(&mut self, event: RouteEvent) -> Vec<RouteOp> {
        let ops = self.table.apply(event);
        self.maps.apply(ops.clone());
        ops
    }

    fn put(&mut self, prefix: &str, target: KernelTarget) -> Vec<RouteOp> {
        self.tell(RouteEvent::Route { route: route(prefix, target), placed: Placed::Instead })
    }

    fn target(&self, prefix: &str) -> FibTarget {
        self.maps.routes[&prefix.parse::<Prefix4>().expect("a prefix")]
    }

    /// The one next hop of a route.
    fn neighbour(&self, prefix: &str) -> Neighbour {
        let target = self.target(prefix);
        assert_eq!(target.kind(), FibTarget::KIND_NEXT_HOP);
        self.maps.next_hops[&u16::try_from(target.index()).expect("few next hops")]
    }

    fn slots(&self, prefix: &str) -> GroupSlots {
        let target = self.target(prefix);
        assert_eq!(target.kind(), FibTarget::KIND_GROUP);
        self.maps.groups[&u16::try_from(target.index()).expect("few groups")]
    }
}

fn route(prefix: &str, target: KernelTarget) -> KernelRoute {
    let prefix = RoutePrefix::V4(prefix.parse().expect("a prefix"));
    KernelRoute { prefix, tos: 0, metric: 20, protocol: 186, target }
}

fn hops<const N: usize>(hops: [(u8, u32); N]) -> KernelTarget {
    KernelTarget::Hops(hops.into_iter().map(|(host, ifindex)| hop(host, ifindex)).collect())
}

#[test]
fn routes_by_the_same_ways_share_them() {
    let mut office = Office::new();
    office.put("10.0.0.0/8", hops([(1, 1), (2, 2)]));
    let ops = office.put("10.9.0.0/16", hops([(1, 1), (2, 2)]));
    assert_eq!(ops.len(), 1, "the route, and neither next hops nor a group: {ops:?}");
    assert_eq!(office.target("10.0.0.0/8"), office.target("10.9.0.0/16"));
    office.put("10.8.0.0/16", hops([(2, 2)]));
    let by_one = office.target("10.8.0.0/16");
    assert_eq!(by_one.kind(), FibTarget::KIND_NEXT_HOP, "one way needs no group");
    assert_eq!(office.maps.next_hops.len(), 2);
}

#[test]
fn a_route_out_of_no_port_leads_to_the_kernel() {
    let mut office = Office::new();
    office.put("10.1.0.0/16", hops([(1, 7)]));
    assert_eq!(office.target("10.1.0.0/16"), FibTarget::KERNEL);
    let on_link = KernelHop { gateway: None, ..hop(0, 1) };
    office.put("192.0.2.0/24", KernelTarget::Hops(vec![on_link]));
    assert_eq!(
        office.target("192.0.2.0/24"),
        FibTarget::KERNEL,
        "each host of a subnet is a neighbour of its own"
    );
    office.put("10.2.0.0/16", hops([(1, 1), (1, 7)]));
    let slots = office.slots("10.2.0.0/16");
    assert_eq!(slots, [0; GROUP_SLOTS], "the neighbour is not resolved, so the kernel has all");
    let ops = office.table.set_resolved(&Neighbour { address: gateway(1), port: 1 }, true);
    office.maps.apply(ops);
    let slots = office.slots("10.2.0.0/16");
    assert_eq!(slots.iter().filter(|slot| **slot == 0).count(), GROUP_SLOTS / 2);
    let ops = office.table.set_ports([(7, 3)].into());
    office.maps.apply(ops);
    let by_new_port = Neighbour { address: gateway(1), port: 3 };
    assert_eq!(office.neighbour("10.1.0.0/16"), by_new_port, "a port comes");
    assert_eq!(office.target("10.2.0.0/16").kind(), FibTarget::KIND_GROUP, "and others go");
}

#[test]
fn a_gateway_may_be_of_the_other_family() {
    let mut office = Office::new();
    let address = "fe80::1".parse().expect("an address");
    office.put("10.0.0.0/8", KernelTarget::Hops(vec![KernelHop { gateway: Some(address), ..hop(0, 1) }]));
    let neighbours: Vec<_> = office.table.next_hops().map(|(_, neighbour)| neighbour).collect();
    assert_eq!(neighbours, [Neighbour { address, port: 1 }]);
}

#[test]
fn flows_stay_when_a_route_names_one_way_less() {
    let mut office = Office::new();
    office.put("10.0.0.0/8", hops([(1, 1), (2, 1), (3, 2)]));
    let third = office.maps.next_hops.iter().find(|(_, neighbour)| neighbour.address == gateway(3));
    let gone = *third.expect("it is one of the ways").0;
    let before = office.slots("10.0.0.0/8");
    office.put("10.0.0.0/8", hops([(1, 1), (2, 1)]));
    let after = office.slots("10.0.0.0/8");
    for (before, after) in before.iter().zip(after) {
        assert!(*before == after || *before == gone);
    }
    assert_eq!(office.maps.next_hops.len(), 2, "nobody leads to the third any more");
}

#[test]
fn an_object_that_changes_rewrites_no_route() {
    let mut office = Office::new();
    for (id, ifindex) in [(1, 1), (2, 2), (3, 1)] {
        let host = u8::try_from(id).expect("small");
        office.tell(RouteEvent::NextHop { id, object: NextHopObject::Hop(hop(host, ifindex)) });
    }
    let group = |members: &[u32]| RouteEvent::NextHop {
        id: 10,
        object: NextHopObject::Group(members.iter().map(|id| (*id, 1)).collect()),
    };
    office.tell(group(&[1, 2, 3]));
    for n in 0..100 {
        office.put(&format!("10.{n}.0.0/16"), KernelTarget::Object(10));
    }
    let ops = office.tell(group(&[1, 3]));
    assert!(
        matches!(ops.as_slice(), [RouteOp::Group { .. }, RouteOp::NextHop { neighbour: None, .. }]),
        "{ops:?}"
    );
    let ops = office.tell(group(&[1]));
    assert!(!ops.iter().any(|op| matches!(op, RouteOp::Route { .. })), "{ops:?}");
    // The kernel takes the routes away with the object, and says nothing of them.
    office.tell(RouteEvent::NextHopGone { id: 10 });
    assert!(office.maps.routes.is_empty() && office.maps.next_hops.is_empty());
}

#[test]
fn the_next_best_route_takes_over() {
    let mut office = Office::new();
    let better = KernelRoute { metric: 10, ..route("10.0.0.0/8", hops([(1, 1)])) };
    office.put("10.0.0.0/8", KernelTarget::Blackhole);
    office.tell(RouteEvent::Route { route: better.clone(), placed: Placed::First });
    assert_eq!(office.target("10.0.0.0/8").kind(), FibTarget::KIND_NEXT_HOP);
    let via = Neighbour { address: gateway(9), port: 2 };
    let prefix = "10.0.0.0/8".parse().expect("a prefix");
    let ops = office.table.set_office_route(prefix, Some(via));
    office.maps.apply(ops);
    assert_eq!(office.neighbour("10.0.0.0/8"), via, "the office's own is followed, whatever the metric");
    let ops = office.table.set_office_route(prefix, None);
    office.maps.apply(ops);
    office.tell(RouteEvent::RouteGone(better));
    assert_eq!(office.target("10.0.0.0/8"), FibTarget::BLACKHOLE);
}

#[test]
fn what_there_is_no_room_for_goes_by_the_kernel_until_there_is() {
    let mut office = Office::new();
    let by = |n: u32| {
        let gateway = Ipv4Addr::from_bits(0x0a00_0000 + n).into();
        KernelTarget::Hops(vec![KernelHop { gateway: Some(gateway), ..hop(0, 1) }])
    };
    for n in 1..MAX_NEXT_HOPS {
        office.put(&format!("100.64.{n}.0/24"), by(n));
    }
    assert!(office.table.problems().is_empty());
    office.put("10.0.0.0/8", by(MAX_NEXT_HOPS));
    assert_eq!(office.target("10.0.0.0/8"), FibTarget::KERNEL);
    assert_eq!(office.table.problems(), [(RouteProblem::NextHopsFull, 1)].into());
    office.tell(RouteEvent::RouteGone(route("100.64.7.0/24", by(7))));
    assert_eq!(office.target("10.0.0.0/8").kind(), FibTarget::KIND_NEXT_HOP);
    assert!(office.table.problems().is_empty());
}

#[test]
fn one_way_takes_all_flows_while_there_is_no_room_for_a_group() {
    let mut office = Office::new();
    let pairs = (1..=60_u8).flat_map(|one| (1..one).map(move |other| [(one, 1), (other, 1)]));
    let limit = u16::try_from(MAX_NEXT_HOP_GROUPS).expect("few groups");
    for (n, pair) in (1..=limit).zip(pairs) {
        let [high, low] = n.to_be_bytes();
        office.put(&format!("10.{high}.{low}.0/24"), hops(pair));
    }
    let [high, low] = limit.to_be_bytes();
    let last = format!("10.{high}.{low}.0/24");
    assert_eq!(office.target(&last).kind(), FibTarget::KIND_NEXT_HOP);
    assert_eq!(office.table.problems(), [(RouteProblem::GroupsFull, 1)].into());
    // Both of its neighbours are used by others still: it is a group that becomes free.
    office.tell(RouteEvent::RouteGone(route("10.0.1.0/24", hops([(2, 1), (1, 1)]))));
    assert_eq!(office.target(&last).kind(), FibTarget::KIND_GROUP);
    assert!(office.table.problems().is_empty());
}

#[test]
fn a_group_has_no_more_members_than_its_slots_are_good_for() {
    let mut office = Office::new();
    let many = u8::try_from(MAX_GROUP_MEMBERS + 4).expect("few");
    office.put("10.0.0.0/8", KernelTarget::Hops((1..=many).map(|host| hop(host, 1)).collect()));
    assert_eq!(office.maps.next_hops.len(), MAX_GROUP_MEMBERS);
    assert_eq!(office.table.problems(), [(RouteProblem::TooManyMembers, 1)].into());
}

#[test]
fn an_agent_that_starts_anew_finds_everything_in_its_place() {
    let mut office = Office::new();
    office.put("10.0.0.0/8", hops([(5, 1)]));
    office.put("10.1.0.0/16", hops([(1, 1), (2, 1), (3, 2)]));
    office.put("10.2.0.0/16", hops([(2, 1), (3, 2)]));
    // Slots that depend on what happened before.
    office.put("10.1.0.0/16", hops([(1, 1), (2, 1)]));
    office.put("10.1.0.0/16", hops([(1, 1), (2, 1), (3, 2)]));
    let maps = &office.maps;
    let groups = office.table.groups().map(|(index, slots)| (index, *slots)).collect();
    let next_hops = maps.next_hops.iter().map(|(index, neighbour)| (*neighbour, *index)).collect();
    let mut next = RouteTable::new(&Held { next_hops, groups });
    next.set_ports([(1, 1), (2, 2)].into());
    next.apply(RouteEvent::DumpBegins);
    // In another order than they came in.
    let targets = [hops([(2, 1), (3, 2)]), hops([(1, 1), (2, 1), (3, 2)]), hops([(5, 1)])];
    for (prefix, target) in ["10.2.0.0/16", "10.1.0.0/16", "10.0.0.0/8"].into_iter().zip(targets) {
        next.apply(RouteEvent::Route { route: route(prefix, target), placed: Placed::Found });
    }
    next.apply(RouteEvent::DumpEnds);
    assert!(next.routes().eq(maps.routes.iter().map(|(prefix, target)| (*prefix, *target))));
    assert!(next.groups().all(|(index, slots)| maps.groups[&index] == *slots));
}
