//! What IPv6 does otherwise than IPv4 (`fib6_add_rt2node()`, `fib6_del_route()`).

use std::{collections::BTreeSet, net::IpAddr};

use map_abi::FibTarget;
use net_types::Prefix6;

use super::{
    super::super::*,
    model::{Fate, KERNEL, Maps},
};

const PREFIX: &str = "2001:db8::/32";

fn gateway(host: u8) -> IpAddr {
    format!("fe80::{host}").parse().expect("an address")
}

/// By routers of these numbers, each on the interface and port of its own number.
fn by(routers: &[u8]) -> KernelTarget {
    let hop = |n: &u8| KernelHop { gateway: Some(gateway(*n)), ifindex: u32::from(*n), weight: 1 };
    KernelTarget::Hops(routers.iter().map(hop).collect())
}

fn on_link(ifindex: u32) -> KernelTarget {
    KernelTarget::Hops(vec![KernelHop { gateway: None, ifindex, weight: 1 }])
}

fn route(metric: u32, target: KernelTarget) -> KernelRoute {
    let prefix = RoutePrefix::V6(PREFIX.parse().expect("a prefix"));
    KernelRoute { prefix, tos: 0, metric, protocol: 186, target }
}

fn told(metric: u32, target: KernelTarget, placed: Placed) -> RouteEvent {
    RouteEvent::Route { route: route(metric, target), placed }
}

fn gone(metric: u32, target: KernelTarget) -> RouteEvent {
    RouteEvent::RouteGone(route(metric, target))
}

/// Routers that are to be led to; none: the kernel.
fn ways(routers: &[u8]) -> Fate {
    let neighbour = |n: &u8| Neighbour { address: gateway(*n), port: u16::from(*n) };
    let ways: BTreeSet<Neighbour> = routers.iter().map(neighbour).collect();
    Fate::Ways(if ways.is_empty() { [KERNEL].into() } else { ways })
}

struct Office {
    table: RouteTable,
    maps: Maps,
}

impl Office {
    fn new() -> Self {
        let mut office = Self { table: RouteTable::new(&Held::default()), maps: Maps::default() };
        office.table.set_ports((1..=4).map(|n| (n, u16::try_from(n).expect("small"))).collect());
        office
    }

    fn tell(&mut self, event: RouteEvent) -> Option<Fate> {
        let ops = self.table.apply(event);
        self.maps.apply(ops);
        let prefix: Prefix6 = PREFIX.parse().expect("a prefix");
        self.maps.routes6.get(&prefix).map(|target| self.maps.fate(*target))
    }
}

#[test]
fn routes_by_gateways_are_one_of_which_each_change_tells_all() {
    use Placed::{First, Instead, Last};
    // What is told, what is led to then, and whether only a dump can say.
    let steps = [
        (told(1024, by(&[1]), First), Some(ways(&[1])), false),
        (told(1024, by(&[2, 1]), Last), Some(ways(&[1, 2])), false),
        (told(1024, by(&[1, 2]), Last), Some(ways(&[1, 2])), false),
        (told(1024, by(&[1, 2, 3]), First), Some(ways(&[1, 2, 3])), false),
        (gone(1024, by(&[2])), Some(ways(&[1, 3])), false),
        (told(1024, by(&[4]), Instead), Some(ways(&[4])), false),
        (told(512, by(&[2]), First), Some(ways(&[2])), false),
        (gone(512, by(&[2])), Some(ways(&[4])), false),
        (told(1024, by(&[3, 4]), Last), Some(ways(&[3, 4])), false),
        // What is out by an interface alone is another route, behind.
        (told(1024, on_link(1), First), Some(ways(&[3, 4])), true),
        (told(1024, by(&[1, 3, 4]), Last), Some(ways(&[1, 3, 4])), true),
        (told(1024, on_link(2), Instead), Some(ways(&[1, 3, 4])), true),
        (gone(1024, by(&[4, 3, 1])), Some(ways(&[])), true),
        (told(1024, by(&[1]), Instead), Some(ways(&[1])), false),
        (told(1024, KernelTarget::Blackhole, Instead), Some(Fate::Dropped), false),
        (gone(1024, KernelTarget::Blackhole), None, false),
        (gone(1024, by(&[1])), None, false),
    ];
    let mut office = Office::new();
    for (event, wanted, is_in_doubt) in steps {
        assert_eq!(office.tell(event.clone()), wanted, "{event:?}");
        assert_eq!(office.table.take_doubt(), is_in_doubt, "{event:?}");
    }
    assert!(office.maps.next_hops.is_empty());
}

#[test]
fn a_dump_ends_all_doubt() {
    let mut office = Office::new();
    office.tell(told(1024, on_link(1), Placed::First));
    office.tell(told(1024, by(&[1, 2]), Placed::First));
    let dump = [told(1024, by(&[1, 2]), Placed::Found), told(1024, on_link(1), Placed::Found)];
    office.tell(RouteEvent::DumpBegins);
    assert_eq!(office.tell(dump[0].clone()), Some(ways(&[1, 2])));
    office.tell(dump[1].clone());
    assert_eq!(office.tell(RouteEvent::DumpEnds), Some(ways(&[1, 2])));
    office.tell(RouteEvent::DumpBegins);
    office.tell(dump[1].clone());
    assert_eq!(office.tell(RouteEvent::DumpEnds), Some(ways(&[])), "what it does not tell of is gone");
}

#[test]
fn flows_keep_to_the_ways_that_stay() {
    let mut office = Office::new();
    office.tell(told(1024, by(&[1, 2, 3]), Placed::First));
    let slots = |office: &Office| {
        let target = *office.maps.routes6.first_key_value().expect("a route").1;
        assert_eq!(target.kind(), FibTarget::KIND_GROUP);
        office.maps.groups[&u16::try_from(target.index()).expect("few")]
    };
    let before = slots(&office);
    let second = office.maps.next_hops.iter().find(|(_, neighbour)| neighbour.port == 2);
    let second = *second.expect("it is a way").0;
    office.tell(gone(1024, by(&[2])));
    for (before, after) in before.iter().zip(slots(&office)) {
        assert!(*before == after || *before == second);
    }
}

#[test]
fn both_families_share_neighbours_and_the_offices_own_come_first() {
    let mut office = Office::new();
    let v4 = KernelRoute {
        prefix: RoutePrefix::V4("10.0.0.0/8".parse().expect("a prefix")),
        ..route(20, by(&[1]))
    };
    office.tell(RouteEvent::Route { route: v4, placed: Placed::First });
    office.tell(told(1024, by(&[1]), Placed::First));
    assert_eq!(office.maps.next_hops.len(), 1);
    let prefix = PREFIX.parse().expect("a prefix");
    let ops = office.table.set_office_route6(prefix, Some(Neighbour { address: gateway(3), port: 3 }));
    office.maps.apply(ops);
    assert_eq!(office.tell(told(1, by(&[2]), Placed::First)), Some(ways(&[3])));
    let ops = office.table.set_office_route6(prefix, None);
    office.maps.apply(ops);
    assert_eq!(office.tell(gone(1, by(&[2]))), Some(ways(&[1])));
    assert!(!office.table.take_doubt());
}

#[test]
fn an_address_of_the_nodes_own_is_that_and_what_is_not_forwarded_is_not_followed() {
    let mut office = Office::new();
    assert_eq!(office.tell(told(0, KernelTarget::Local, Placed::First)), Some(Fate::Local));
    for text in ["fe80::/64", "ff00::/8"] {
        let prefix = RoutePrefix::V6(text.parse().expect("a prefix"));
        let route = KernelRoute { prefix, ..route(256, on_link(1)) };
        office.tell(RouteEvent::Route { route, placed: Placed::First });
    }
    assert_eq!(office.maps.routes6.len(), 1);
}
