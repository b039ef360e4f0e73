//! From whatever state, the kernel comes to be as desired, and what is not ours stays as it is.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use linux_node::{NetNs, Netlink};
use net_types::{BroadcastLimit, IfName, InterfaceAddress4, Prefix4, ReversePath, Tpid};
use node_plan::kernel::{
    NodePlan, OWN_GROUP, OWN_PROTOCOL, Observed, ObservedAddress, ObservedLink, ObservedRoute,
    ObservedRoute6, ObservedTarget, ObservedTarget6, Op, Step, Why, plan,
};
use node_state::{
    Link, LinkKind, NodeState, Port, PortRole, Resource, Route, Route6, Route6Target, RouteTarget,
};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::support::{ip, try_ip};

/// The node's ports, and two interfaces that are nobody's business, one of which is called almost as ours are.
const PORTS: [&str; 2] = ["access0", "core0"];
const OTHERS: [&str; 2] = ["wc-other", "wcx0"];
const OWN_LINKS: [&str; 3] = ["wc-lo0", "wc-lo1", "wc-br"];

/// Addresses of ours come from a few subnets that overlap, so that primary and secondary, same address with another
/// length, and moves from one interface to another all come up.
const ADDRESSES: [&str; 8] = [
    "192.0.2.2/30",
    "192.0.2.1/30",
    "10.1.0.1/24",
    "10.1.0.2/24",
    "10.1.0.3/24",
    "10.1.0.1/16",
    "10.9.9.9/32",
    "10.1.0.4/24",
];
/// And those of others from the same, but with hosts that the desired state never asks for.
const FOREIGN_ADDRESSES: [&str; 3] = ["10.1.0.77/24", "192.0.2.77/24", "10.7.7.7/32"];
const PREFIXES: [&str; 5] =
    ["0.0.0.0/0", "198.51.100.0/24", "203.0.113.0/24", "203.0.113.8/29", "100.64.0.0/16"];
const PREFIXES6: [&str; 3] = ["2001:db8:100::/48", "2001:db8:8000::/36", "::/0"];
const FOREIGN_PREFIXES6: [&str; 2] = ["2001:db8:200::/48", "2001:db8:8000::/40"];
const FOREIGN_PREFIXES: [&str; 3] = ["10.200.0.0/16", "203.0.113.0/25", "10.201.0.0/16"];

/// One thing that is done to the kernel behind our back.
#[derive(Clone, Debug)]
enum Mess {
    OwnLink(&'static str),
    /// Named as ours are, without the mark.
    Unmarked(&'static str),
    OwnAddress(&'static str, &'static str),
    ForeignAddress(&'static str, &'static str),
    OwnRoute(&'static str, Target, u32),
    ForeignRoute(&'static str, Target, u32),
    Down(&'static str),
    Mtu(&'static str, u16),
    /// Takes back what others did: addresses of an interface, routes, a link.
    FlushAddresses(&'static str),
    FlushRoutes,
    DeleteLink(&'static str),
}

#[derive(Clone, Debug)]
enum Target {
    Blackhole,
    Unreachable,
    Device(&'static str),
    Gateway(&'static str, &'static str),
}

fn any_link() -> impl Strategy<Value = &'static str> {
    select([&PORTS[..], &OTHERS[..], &OWN_LINKS[..2]].concat())
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Blackhole),
        Just(Target::Unreachable),
        any_link().prop_map(Target::Device),
        (select(vec!["192.0.2.1", "10.1.0.9"]), any_link()).prop_map(|(to, dev)| Target::Gateway(to, dev)),
    ]
}

/// One gateway at most, for several of one metric are one route to the kernel.
fn target6() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Blackhole),
        Just(Target::Unreachable),
        any_link().prop_map(Target::Device),
        any_link().prop_map(|dev| Target::Gateway("fe80::1", dev)),
    ]
}

fn mess() -> impl Strategy<Value = Mess> {
    let metric = || select(vec![0u32, 0, 50]);
    prop_oneof![
        2 => select(OWN_LINKS.to_vec()).prop_map(Mess::OwnLink),
        1 => select(OWN_LINKS.to_vec()).prop_map(Mess::Unmarked),
        4 => (any_link(), select(ADDRESSES.to_vec())).prop_map(|(dev, a)| Mess::OwnAddress(dev, a)),
        2 => (any_link(), select(FOREIGN_ADDRESSES.to_vec())).prop_map(|(dev, a)| Mess::ForeignAddress(dev, a)),
        4 => (select([&PREFIXES[..], &FOREIGN_PREFIXES].concat()), target(), metric())
            .prop_map(|(p, t, m)| Mess::OwnRoute(p, t, m)),
        2 => (select([&FOREIGN_PREFIXES[..], &PREFIXES[..1]].concat()), target(), metric())
            .prop_map(|(p, t, m)| Mess::ForeignRoute(p, t, m)),
        3 => (select([&PREFIXES6[..], &FOREIGN_PREFIXES6].concat()), target6(), metric())
            .prop_map(|(p, t, m)| Mess::OwnRoute(p, t, m)),
        1 => (select([&FOREIGN_PREFIXES6[..], &PREFIXES6[..1]].concat()), target6(), metric())
            .prop_map(|(p, t, m)| Mess::ForeignRoute(p, t, m)),
        1 => select(PORTS.to_vec()).prop_map(Mess::Down),
        1 => (any_link(), 1280u16..2000).prop_map(|(dev, mtu)| Mess::Mtu(dev, mtu)),
        1 => any_link().prop_map(Mess::FlushAddresses),
        1 => Just(Mess::FlushRoutes),
        1 => select(OWN_LINKS.to_vec()).prop_map(Mess::DeleteLink),
    ]
}

impl Mess {
    /// Does it, as far as the kernel lets one.
    async fn make(&self, netlink: &Netlink) {
        let route = |prefix: &str, target: &Target, metric: u32, protocol: u8| {
            let (kind, rest) = match target {
                Target::Blackhole => ("blackhole ", String::new()),
                Target::Unreachable => ("unreachable ", String::new()),
                Target::Device(dev) => ("", format!(" dev {dev}")),
                Target::Gateway(gateway, dev) => ("", format!(" via {gateway} dev {dev}")),
            };
            try_ip(&format!("route append {kind}{prefix}{rest} metric {metric} protocol {protocol}"))
        };
        // What the kernel refuses is not there: that too is a state to start from.
        let _refused = match self {
            Self::OwnLink(name) => try_ip(&format!("link add {name} group {OWN_GROUP} type bridge")),
            Self::Unmarked(name) => try_ip(&format!("link add {name} type bridge")),
            // Not every iproute2 can give an address a protocol.
            Self::OwnAddress(dev, address) => {
                let op = Op::AddAddress {
                    link: dev.parse().expect("legal"),
                    address: address.parse().expect("legal"),
                };
                let steps = vec![Step { op, why: Why::Stray }];
                netlink.execute(&NodePlan { steps, ..NodePlan::default() }).await;
                return;
            }
            Self::ForeignAddress(dev, address) => try_ip(&format!("addr add {address} dev {dev}")),
            Self::OwnRoute(prefix, target, metric) => route(prefix, target, *metric, OWN_PROTOCOL),
            Self::ForeignRoute(prefix, target, metric) => route(prefix, target, *metric, 4),
            Self::Down(dev) => try_ip(&format!("link set {dev} down")),
            Self::Mtu(dev, mtu) => try_ip(&format!("link set {dev} mtu {mtu}")),
            Self::FlushAddresses(dev) => try_ip(&format!("-4 addr flush dev {dev}")),
            Self::FlushRoutes => {
                let _none_of_ipv6 = try_ip("-6 route flush protocol 4");
                try_ip("route flush protocol 4")
            }
            Self::DeleteLink(name) => try_ip(&format!("link del {name}")),
        };
    }
}

fn addresses(from: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<InterfaceAddress4>> {
    let parse = |text: &str| text.parse().expect("legal");
    subsequence(from.to_vec(), 0..=3).prop_map(move |chosen| chosen.into_iter().map(parse).collect())
}

fn desired() -> impl Strategy<Value = NodeState> {
    let name = |text: &str| text.parse::<IfName>().expect("legal");
    let port = move |index: usize, role: PortRole| {
        (1400u16..1600, addresses(&ADDRESSES[..5])).prop_map(move |(mtu, addresses)| {
            Resource::Port(Port {
                name: name(PORTS[index]),
                role,
                mtu,
                addresses,
                reverse_path: ReversePath::Off,
            })
        })
    };
    let link = move |index: usize| {
        (1400u16..1600, addresses(&ADDRESSES[5..])).prop_map(move |(mtu, addresses)| {
            Resource::Link(Link { addresses, ..Link::new(name(OWN_LINKS[index]), LinkKind::Bridge, mtu) })
        })
    };
    let via = move |(gateway, port): (Ipv4Addr, &str)| RouteTarget::Via { gateway, port: name(port) };
    let gateways = vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(10, 1, 0, 9), Ipv4Addr::new(10, 1, 0, 1)];
    let target = prop_oneof![
        Just(RouteTarget::Pool),
        Just(RouteTarget::NatPool),
        (select(gateways), select(PORTS.to_vec())).prop_map(via),
    ];
    let route = (select(PREFIXES.to_vec()), target).prop_map(|(prefix, target)| {
        Resource::Route(Route { prefix: prefix.parse::<Prefix4>().expect("legal"), target })
    });
    let target6 = prop_oneof![
        2 => Just(Route6Target::Pool),
        1 => select(PORTS.to_vec()).prop_map(move |port| {
            Route6Target::Via { gateway: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), port: name(port) }
        }),
    ];
    let route6 = (select(PREFIXES6.to_vec()), target6).prop_map(|(prefix, target)| {
        Resource::Route6(Route6 { prefix: prefix.parse().expect("legal"), target })
    });
    let route = prop_oneof![2 => route, 1 => route6];
    let ports = (
        proptest::option::of(port(
            0,
            PortRole::Access {
                outer_tpid: Tpid::Dot1ad,
                priority_from_dscp: false,
                dscp_from_priority: false,
                broadcast_limit: BroadcastLimit::default(),
            },
        )),
        proptest::option::of(port(1, PortRole::Core)),
    );
    let links = (proptest::option::of(link(0)), proptest::option::of(link(1)), proptest::option::of(link(2)));
    (ports, links, proptest::collection::vec(route, 0..8))
        .prop_map(|((a, b), (c, d, e), routes)| [a, b, c, d, e].into_iter().flatten().chain(routes).collect())
}

/// What is not ours: all that must be as before. Ports are excepted where the desired state speaks of them, and what stands on
/// a link of ours goes with it.
#[derive(Debug, PartialEq)]
struct Foreign {
    links: Vec<ObservedLink>,
    addresses: Vec<ObservedAddress>,
    routes: Vec<ObservedRoute>,
    routes6: Vec<ObservedRoute6>,
}

fn foreign(observed: &Observed, desired: &NodeState) -> Foreign {
    let own = |name: &IfName| {
        observed
            .links
            .iter()
            .any(|l| &l.name == name && l.group == OWN_GROUP && l.name.as_str().starts_with("wc-"))
    };
    let mut links: Vec<_> = observed.links.iter().filter(|link| !own(&link.name)).cloned().collect();
    for link in links.iter_mut().filter(|link| desired.ports.contains_key(&link.name)) {
        (link.mtu, link.up) = (0, false);
    }
    let on_own = |route: &ObservedRoute| match &route.target {
        ObservedTarget::Via { link, .. } => own(link),
        ObservedTarget::Blackhole => false,
        ObservedTarget::Other { links, .. } => links.iter().any(own),
    };
    let addresses =
        observed.addresses.iter().filter(|a| a.protocol != OWN_PROTOCOL && !own(&a.link)).cloned();
    let routes = observed.routes.iter().filter(|r| {
        // The kernel's own come and go with addresses and with ports that go up.
        r.protocol != OWN_PROTOCOL && r.protocol != ObservedRoute::PROTOCOL_KERNEL && !on_own(r)
    });
    let on_own6 = |route: &ObservedRoute6| match &route.target {
        ObservedTarget6::Via { link, .. } => own(link),
        ObservedTarget6::Blackhole => false,
        ObservedTarget6::Other { links, .. } => links.iter().any(own),
    };
    let routes6 = observed.routes6.iter().filter(|r| {
        r.protocol != OWN_PROTOCOL && r.protocol != ObservedRoute::PROTOCOL_KERNEL && !on_own6(r)
    });
    Foreign {
        links,
        addresses: addresses.collect(),
        routes: routes.cloned().collect(),
        routes6: routes6.cloned().collect(),
    }
}

fn from_environment(name: &str, default: u32) -> u32 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

/// A slice of the campaign `cargo xtask campaign node-converge`.
#[test]
fn from_any_leftover_state_to_the_desired_one() {
    // Not within a runtime: proptest is not asynchronous.
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        ip("link set lo up");
        for (name, peer) in PORTS.into_iter().chain(OTHERS).zip(["p0", "p1", "p2", "p3"]) {
            ip(&format!("link add {name} type veth peer name {peer}"));
            ip(&format!("link set {peer} up"));
            ip(&format!("link set {name} up"));
        }
        // What is not ours grows over the cases, for nothing is reset between them; a case begins with what the last left.
        let netlink = runtime.block_on(async { Netlink::connect() }).expect("connected");
        let cases = from_environment("WIRECENTER_CAMPAIGN_COUNT", 200);
        let seed = from_environment("WIRECENTER_CAMPAIGN_SEED", 1);
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(
            Config { cases, failure_persistence: None, ..Config::default() },
            TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
        );
        let case = (proptest::collection::vec(mess(), 0..12), desired());
        runner
            .run(&case, |(messes, desired)| {
                runtime.block_on(async {
                    for mess in &messes {
                        mess.make(&netlink).await;
                    }
                    check(&netlink, &desired).await
                })
            })
            .unwrap_or_else(|error| panic!("{error}"));
    };
    NetNs::unnamed().expect("run the tests as root").run(work).expect("the namespace was just made");
}

async fn check(netlink: &Netlink, desired: &NodeState) -> Result<(), TestCaseError> {
    let before = netlink.observe().await.expect("observed");
    let first = plan(&before, desired);
    let outcomes = netlink.execute(&first).await;
    let after = netlink.observe().await.expect("observed");
    let second = plan(&after, desired);
    prop_assert!(second.is_empty(), "first:\n{first}outcomes: {outcomes:?}\nsecond:\n{second}");
    prop_assert_eq!(foreign(&before, desired), foreign(&after, desired), "{}", first);
    let problems: Vec<_> = first.problems.iter().map(ToString::to_string).collect();
    let failures = outcomes.resources.values().filter(|outcome| outcome.is_err()).count();
    prop_assert!(failures <= problems.len(), "{outcomes:?}: every failure was foreseen: {problems:?}");
    prop_assert_eq!(&first.problems, &second.problems);
    Ok(())
}
