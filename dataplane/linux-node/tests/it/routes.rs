//! The kernel's routes as they are told, with iproute2 to make them.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use linux_node::{Netlink, RouteNews};
use net_types::{Mac, Prefix4, Prefix6};
use node_plan::{
    forwarding::{KernelHop, KernelRoute, KernelTarget, NextHopObject, Placed, RouteEvent, RoutePrefix},
    kernel::{OWN_PROTOCOL, plan},
};
use node_state::{NodeState, Resource, Route, RouteTarget};

use crate::{
    follower::{Follower, two_links},
    support::{in_new_namespace, ip, ip_batch},
};

/// `RTPROT_BOOT`, which iproute2 gives to routes.
const BOOT: u8 = 3;

fn prefix(text: &str) -> Prefix4 {
    text.parse().expect("a prefix")
}

#[test]
fn routes_of_every_kind_are_told_as_they_are() {
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        for line in [
            "nexthop add id 7 via 192.0.2.7 dev a",
            "nexthop add id 8 via 198.51.100.8 dev b",
            "nexthop add id 9 blackhole",
            "nexthop add id 70 group 7/8,3",
            "route add 10.1.0.0/16 via 192.0.2.9 metric 5",
            "route add 10.1.0.0/16 via 192.0.2.8 metric 4 proto 186",
            "route add 10.2.0.0/16 nexthop via 192.0.2.2 weight 2 nexthop via 198.51.100.2",
            "route add 10.3.0.0/16 nhid 70",
            "route add 10.4.0.0/16 nhid 9",
            "route add blackhole 10.5.0.0/16",
            "route add unreachable 10.6.0.0/16",
            "route add prohibit 10.7.0.0/16",
            "route add throw 10.8.0.0/16",
            "route add 10.9.0.0/16 via inet6 2001:db8::9 dev a",
            "route add 10.10.0.0/16 via 192.0.2.9 tos 0x10",
            "route add 10.11.0.0/16 encap ip id 1 dst 192.0.2.99 via 192.0.2.9 dev a",
            "route add blackhole 10.12.0.0/16 proto 87",
            "route add 10.13.0.0/16 via 192.0.2.9 table 100",
            "route add default via 192.0.2.9",
            "-6 route add 2001:db8:1::/48 via 2001:db8::2",
        ] {
            ip(line);
        }
        let mut follower = Follower::new(&[a, b]);
        follower.follow_until(|follower| follower.dumps() == 1).await;
        let told = |wanted: &RouteEvent| {
            assert!(
                follower.told.contains(&RouteNews::Route(wanted.clone())),
                "{wanted:?} of {:?}",
                follower.told
            );
        };
        let hop = |address: &str, ifindex: u32, weight: u32| KernelHop {
            gateway: address.parse().ok(),
            ifindex,
            weight,
        };
        let route = |text: &str, target: KernelTarget| KernelRoute {
            prefix: RoutePrefix::V4(prefix(text)),
            tos: 0,
            metric: 0,
            protocol: BOOT,
            target,
        };
        let by = |address: &str| KernelTarget::Hops(vec![hop(address, a, 1)]);
        let direct = KernelHop { gateway: None, ifindex: a, weight: 1 };
        let routes = [
            KernelRoute { metric: 5, ..route("10.1.0.0/16", by("192.0.2.9")) },
            KernelRoute { metric: 4, protocol: 186, ..route("10.1.0.0/16", by("192.0.2.8")) },
            route("10.2.0.0/16", KernelTarget::Hops(vec![hop("192.0.2.2", a, 2), hop("198.51.100.2", b, 1)])),
            route("10.3.0.0/16", KernelTarget::Object(70)),
            route("10.4.0.0/16", KernelTarget::Object(9)),
            route("10.5.0.0/16", KernelTarget::Blackhole),
            route("10.6.0.0/16", KernelTarget::Unreachable),
            route("10.7.0.0/16", KernelTarget::Prohibit),
            route("10.8.0.0/16", KernelTarget::Other),
            route("10.9.0.0/16", by("2001:db8::9")),
            KernelRoute { tos: 0x10, ..route("10.10.0.0/16", by("192.0.2.9")) },
            route("10.11.0.0/16", KernelTarget::Hops(vec![direct.clone()])),
            KernelRoute { protocol: OWN_PROTOCOL, ..route("10.12.0.0/16", KernelTarget::Blackhole) },
            route("0.0.0.0/0", by("192.0.2.9")),
            KernelRoute { protocol: 2, ..route("192.0.2.0/24", KernelTarget::Hops(vec![direct])) },
            KernelRoute {
                prefix: RoutePrefix::V6("2001:db8:1::/48".parse().expect("a prefix")),
                metric: 1024,
                ..route("0.0.0.0/0", by("2001:db8::2"))
            },
        ];
        for route in &routes {
            told(&RouteEvent::Route { route: route.clone(), placed: Placed::Found });
            assert_eq!(route.is_own(), route.protocol == OWN_PROTOCOL);
        }
        told(&RouteEvent::NextHop { id: 7, object: NextHopObject::Hop(hop("192.0.2.7", a, 1)) });
        told(&RouteEvent::NextHop { id: 9, object: NextHopObject::Blackhole });
        told(&RouteEvent::NextHop { id: 70, object: NextHopObject::Group(vec![(7, 1), (8, 3)]) });
        let ways = follower.ways();
        let fate = |text: &str| ways.get(&prefix(text)).cloned();
        let by = |text: &[&str]| Some(text.iter().map(|way| (*way).to_owned()).collect::<BTreeSet<_>>());
        assert_eq!(fate("10.1.0.0/16"), by(&[&format!("192.0.2.8 on {a}")]));
        assert_eq!(fate("10.3.0.0/16"), by(&[&format!("192.0.2.7 on {a}"), &format!("198.51.100.8 on {b}")]));
        let by_b = format!("198.51.100.8 on {b}");
        let slots = &follower.slots()[&prefix("10.3.0.0/16")];
        assert_eq!(slots.iter().filter(|way| **way == by_b).count(), 48, "three quarters of 64");
        assert_eq!(fate("10.4.0.0/16"), by(&["nowhere"]));
        assert_eq!(fate("10.9.0.0/16"), by(&[&format!("2001:db8::9 on {a}")]));
        for text in ["10.6.0.0/16", "10.7.0.0/16", "10.8.0.0/16", "10.11.0.0/16", "192.0.2.0/24"] {
            assert_eq!(fate(text), by(&["kernel"]), "{text}");
        }
        for text in ["10.10.0.0/16", "10.12.0.0/16", "10.13.0.0/16"] {
            assert_eq!(fate(text), None, "{text}");
        }
    });
}

#[test]
fn routes_of_ipv6_of_every_kind_lead_where_the_kernel_does() {
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        for line in [
            "nexthop add id 7 via 2001:db8::7 dev a",
            "nexthop add id 8 via fe80::8 dev b",
            "nexthop add id 70 group 7/8,3",
            "-6 route add 2001:db8:1::/48 via 2001:db8::2",
            "-6 route append 2001:db8:1::/48 via fe80::2 dev b",
            "-6 route add 2001:db8:1::/48 via 2001:db8::9 metric 2000",
            "-6 route add 2001:db8:2::/48 nhid 70",
            "-6 route add blackhole 2001:db8:3::/48",
            "-6 route add unreachable 2001:db8:4::/48",
            "-6 route add prohibit 2001:db8:5::/48",
            "-6 route add 2001:db8:6::/48 dev a",
            "-6 route add 2001:db8:7::/48 via 2001:db8::2 table 100",
            "-6 route add blackhole 2001:db8:8::/48 proto 87",
            "-6 route add default via fe80::1 dev b",
        ] {
            ip(line);
        }
        let mut follower = Follower::new(&[a, b]);
        follower.follow_until(|follower| follower.dumps() == 1).await;
        let ways = follower.ways6();
        let fate = |text: &str| ways.get(&text.parse::<Prefix6>().expect("a prefix")).cloned();
        let by = |text: &[&str]| Some(text.iter().map(|way| (*way).to_owned()).collect::<BTreeSet<_>>());
        let (by_a, by_b) = (|host: &str| format!("{host} on {a}"), |host: &str| format!("{host} on {b}"));
        assert_eq!(fate("2001:db8:1::/48"), by(&[&by_a("2001:db8::2"), &by_b("fe80::2")]));
        assert_eq!(fate("2001:db8:2::/48"), by(&[&by_a("2001:db8::7"), &by_b("fe80::8")]));
        assert_eq!(fate("2001:db8:3::/48"), by(&["nowhere"]));
        for text in ["2001:db8:4::/48", "2001:db8:5::/48", "2001:db8:6::/48", "2001:db8::/64"] {
            assert_eq!(fate(text), by(&["kernel"]), "{text}");
        }
        for text in ["2001:db8:7::/48", "2001:db8:8::/48", "fe80::/64", "ff00::/8"] {
            assert_eq!(fate(text), None, "{text}");
        }
        assert_eq!(fate("::/0"), by(&[&by_b("fe80::1")]));
        assert_eq!(fate("2001:db8::1/128"), by(&["here"]), "the node's own address");
        // And each as it comes and goes.
        ip("addr add 2001:db8:b::7/64 dev b nodad");
        ip("addr del 2001:db8::1/64 dev a");
        ip("-6 route del 2001:db8:1::/48 via 2001:db8::2");
        // The kernel puts an address to use a moment after it is told of it.
        let new = "2001:db8:b::7/128".parse().expect("a prefix");
        follower.follow_until(|follower| follower.routes6.contains_key(&new)).await;
        follower.follow().await;
        let ways = follower.ways6();
        let fate = |text: &str| ways.get(&text.parse::<Prefix6>().expect("a prefix")).cloned();
        assert_eq!(fate("2001:db8:1::/48"), by(&[&by_b("fe80::2")]));
        assert_eq!((fate("2001:db8:b::7/128"), fate("2001:db8::1/128")), (by(&["here"]), None));
    });
}

#[test]
fn a_full_table_of_ipv6_is_read_whole_and_what_a_plan_does_not_need_is_not_kept() {
    const ROUTES: u32 = 200_000;
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        let line = |n: u32| {
            let prefix = Ipv6Addr::from_bits((0x2400_0000 + u128::from(n)) << 80);
            format!("route add {prefix}/48 via 2001:db8::{} proto 186", 2 + n % 8)
        };
        ip_batch("-6", &(0..ROUTES).map(line).collect::<Vec<_>>());
        ip("-6 route add blackhole 2001:db8:100::/40 proto 87");
        let mut follower = Follower::new(&[a, b]);
        follower.follow_until(|follower| follower.dumps() == 1).await;
        let learned = follower.slots6().values().filter(|slots| slots[0].starts_with("2001:db8::")).count();
        assert_eq!((learned, follower.next_hops.len()), (ROUTES as usize, 8));
        let netlink = Netlink::connect().expect("connected");
        let observed = netlink.observe_for(&NodeState::default()).await.expect("observed");
        assert_eq!(observed.routes6.len(), 1, "the office's own");
    });
}

#[test]
fn what_the_kernel_takes_away_silently_is_noticed() {
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        ip("route add 10.0.0.0/8 via 192.0.2.2");
        ip("route add 10.1.0.0/16 nexthop via 192.0.2.2 nexthop via 198.51.100.2");
        let mut follower = Follower::new(&[a, b]);
        follower.follow().await;
        ip("link set dev a down");
        follower.follow().await;
        assert!(!follower.ways().contains_key(&prefix("10.0.0.0/8")));
        let left = &follower.ways()[&prefix("10.1.0.0/16")];
        assert_eq!(*left, [format!("198.51.100.2 on {b}")].into());
        ip("link set dev a up");
        follower.follow().await;
        assert!(!follower.ways().contains_key(&prefix("10.0.0.0/8")), "it does not come back by itself");
    });
}

#[test]
fn a_table_too_large_to_be_told_change_by_change_is_read_whole() {
    const ROUTES: u32 = 200_000;
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        let mut follower = Follower::new(&[a, b]);
        follower.follow().await;
        let dumps = follower.dumps();
        let line = |n: u32| {
            format!("route add {}/24 via 192.0.2.{}", Ipv4Addr::from_bits((n + 0x1000) << 8), 2 + n % 8)
        };
        ip_batch("", &(0..ROUTES).map(line).collect::<Vec<_>>());
        // Nobody read meanwhile, and the socket could not hold it all.
        follower.told.clear();
        follower.follow().await;
        assert!(follower.dumps() > 0, "after {dumps}");
        assert_eq!(follower.routes.len(), ROUTES as usize + 2, "and the links' own subnets");
        assert_eq!(follower.next_hops.len(), 8);
        // A second dump tells nothing new.
        follower.feed.dump_again();
        let (dumps, routes) = (follower.dumps(), follower.routes.clone());
        follower.follow_until(|follower| follower.dumps() > dumps).await;
        assert_eq!(follower.routes, routes);
    });
}

#[test]
fn of_a_large_table_only_what_a_plan_needs_is_observed() {
    in_new_namespace(async || {
        two_links().await;
        ip("nexthop add id 7 via 198.51.100.7 dev b");
        let line = |n: u32| {
            let by = if n.is_multiple_of(2) { "via 192.0.2.2" } else { "nhid 7" };
            format!("route add {}/24 {by}", Ipv4Addr::from_bits((0x1000 + n) << 8))
        };
        ip_batch("", &(0..20_000).map(line).collect::<Vec<_>>());
        ip("route add blackhole 10.1.0.0/16 proto 87");
        ip("route add blackhole 10.2.0.0/16 metric 7");
        let pool = |text: &str| Resource::Route(Route { prefix: prefix(text), target: RouteTarget::Pool });
        let desired: NodeState = [pool("10.2.0.0/16"), pool("10.3.0.0/16")].into_iter().collect();
        let netlink = Netlink::connect().expect("connected");
        let observed = netlink.observe_for(&desired).await.expect("observed");
        let prefixes: BTreeSet<Prefix4> = observed.routes.iter().map(|route| route.prefix).collect();
        let first = |n: u32| Prefix4::new(Ipv4Addr::from_bits((0x1000 + n) << 8), 24).expect("legal");
        // One route by each way stands for all.
        assert_eq!(prefixes, [first(0), first(1), prefix("10.1.0.0/16"), prefix("10.2.0.0/16")].into());
        let all = netlink.observe().await.expect("observed");
        assert_eq!(plan(&observed, &desired), plan(&all, &desired));
        assert_eq!(all.routes.len(), 20_000 + 2 + 2, "and the links' own subnets");
    });
}

#[test]
fn neighbours_of_both_families_are_told() {
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        ip("neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev a nud permanent");
        let mut follower = Follower::new(&[a, b]);
        follower.follow().await;
        ip("neigh add 2001:db8::2 lladdr 02:00:00:00:00:06 dev a nud reachable");
        ip("neigh del 192.0.2.2 dev a");
        follower.follow().await;
        let told: BTreeSet<(IpAddr, Option<Mac>)> = follower
            .told
            .iter()
            .filter_map(|news| match news {
                RouteNews::Neighbour { ifindex, address, mac } if *ifindex == a => Some((*address, *mac)),
                _ => None,
            })
            .collect();
        let mac = |text: &str| Some(text.parse::<Mac>().expect("a MAC"));
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for wanted in [
            (address("192.0.2.2"), mac("02:00:00:00:00:02")),
            (address("192.0.2.2"), None),
            (address("2001:db8::2"), mac("02:00:00:00:00:06")),
        ] {
            assert!(told.contains(&wanted), "{wanted:?} of {told:?}");
        }
        // A gateway of the other family is kept resolved as one of the same is.
        let netlink = Netlink::connect().expect("connected");
        let address: Ipv6Addr = "2001:db8::7".parse().expect("an address");
        netlink.keep_resolved(a, address).await.expect("asked for");
        ip("neigh replace 2001:db8::7 lladdr 02:00:00:00:00:07 dev a nud reachable");
        assert_eq!(netlink.neighbour(a, address).await.expect("asked"), mac("02:00:00:00:00:07"));
    });
}
