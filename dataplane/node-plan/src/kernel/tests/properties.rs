//! Whatever was there: every step of a plan can be done, the plan after it is empty, and what is not ours is as before.

use std::collections::{BTreeMap, BTreeSet};

use net_types::{BroadcastLimit, InterfaceAddress4, ReversePath, Tpid};
use node_state::{Link, Port, PortRole, Route, Route6, Route6Target, RouteTarget};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::{model::Kernel, *};

const LINKS: [&str; 6] = ["access0", "core0", "wc-lo0", "wc-lo1", "wc-x", "wcx0"];
const ADDRESSES: [&str; 7] = [
    "192.0.2.2/30",
    "192.0.2.1/30",
    "10.1.0.1/24",
    "10.1.0.2/24",
    "10.1.0.1/16",
    "10.1.0.3/24",
    "10.9.9.9/32",
];
const PREFIXES: [&str; 5] =
    ["0.0.0.0/0", "198.51.100.0/24", "10.1.0.0/24", "203.0.113.8/29", "100.64.0.0/16"];
const PREFIXES6: [&str; 3] = ["::/0", "2001:db8:100::/48", "2001:db8:8000::/36"];
const BRIDGE: ObservedKind = ObservedKind::Bridge { vlan_aware: false };
const GATEWAY6: &str = "fe80::1";
const GATEWAYS: [&str; 4] = ["192.0.2.1", "10.1.0.9", "10.1.0.1", "203.0.113.1"];

fn observed() -> impl Strategy<Value = Observed> {
    let links = subsequence(LINKS.to_vec(), 0..=6).prop_flat_map(|names| {
        names
            .into_iter()
            .enumerate()
            .map(|(index, name)| {
                let group = select(vec![0, OWN_GROUP, OWN_GROUP]);
                (
                    group,
                    1400u32..1600,
                    any::<bool>(),
                    select(vec![BRIDGE, BRIDGE, ObservedKind::Veth { peer: None }]),
                )
                    .prop_map(move |(group, mtu, up, kind)| {
                        let index = u32::try_from(index).expect("few") + 2;
                        ObservedLink { kind, mtu, up, ..link(name, index, group) }
                    })
            })
            .collect::<Vec<_>>()
    });
    let protocol = || select(vec![OWN_PROTOCOL, OWN_PROTOCOL, 0, 4]);
    let address = (select(LINKS.to_vec()), select(ADDRESSES.to_vec()), protocol());
    let target = prop_oneof![
        2 => Just(ObservedTarget::Blackhole),
        4 => (select(GATEWAYS.to_vec()), select(LINKS.to_vec())).prop_map(|(to, link)| via(to, link)),
        1 => select(LINKS.to_vec()).prop_map(|link| ObservedTarget::Other { links: [name(link)].into(), kind: 1 }),
    ];
    let route = (select(PREFIXES.to_vec()), target, protocol(), select(vec![0u32, 0, 7])).prop_map(
        |(prefix, target, protocol, metric)| ObservedRoute { metric, ..route(prefix, target, protocol) },
    );
    let target6 = prop_oneof![
        2 => Just(ObservedTarget6::Blackhole),
        2 => select(LINKS.to_vec()).prop_map(|link| ObservedTarget6::Via {
            gateway: GATEWAY6.parse().expect("legal"),
            link: name(link)
        }),
        1 => select(LINKS.to_vec()).prop_map(|link| ObservedTarget6::Other { links: [name(link)].into(), kind: 1 }),
    ];
    let route6 = (select(PREFIXES6.to_vec()), target6, protocol(), select(vec![OWN_METRIC6, 7])).prop_map(
        |(prefix, target, protocol, metric)| ObservedRoute6 { metric, ..route6(prefix, target, protocol) },
    );
    let parts = (links, vec(address, 0..8), vec(route, 0..8), vec(route6, 0..4));
    parts.prop_map(|(links, addresses, routes, routes6)| {
        let there: BTreeSet<&IfName> = links.iter().map(|link| &link.name).collect();
        // One address is only once on a link, whoever put it there.
        let addresses: BTreeMap<_, _> = addresses
            .into_iter()
            .filter(|(link, ..)| there.contains(&name(link)))
            .map(|(link, text, protocol)| ((link, text), address_of(link, text, protocol)))
            .collect();
        let uses_only_there = |route: &ObservedRoute| {
            LINKS.iter().all(|link| !route.uses(&name(link)) || there.contains(&name(link)))
        };
        Observed {
            addresses: addresses.into_values().collect(),
            routes: routes.into_iter().filter(uses_only_there).collect(),
            routes6: routes6
                .into_iter()
                .filter(|route| {
                    LINKS.iter().all(|link| !route.goes_with(&[name(link)]) || there.contains(&name(link)))
                })
                .collect(),
            links: links.into_iter().collect(),
            ..Observed::default()
        }
    })
}

fn address_of(link: &str, text: &str, protocol: u8) -> ObservedAddress {
    address(link, text, protocol)
}

fn wanted() -> impl Strategy<Value = NodeState> {
    let addresses = || {
        subsequence(ADDRESSES.to_vec(), 0..=3).prop_map(|texts| {
            texts
                .into_iter()
                .map(|text| text.parse().expect("legal"))
                .collect::<BTreeSet<InterfaceAddress4>>()
        })
    };
    let port = move |port: &'static str, role: PortRole| {
        option::of((1400u16..1600, addresses()).prop_map(move |(mtu, addresses)| {
            Resource::Port(Port { name: name(port), role, mtu, addresses, reverse_path: ReversePath::Off })
        }))
    };
    let own = move |link: &'static str| {
        option::of((1400u16..1600, addresses()).prop_map(move |(mtu, addresses)| {
            Resource::Link(Link { addresses, ..Link::new(name(link), LinkKind::Bridge, mtu) })
        }))
    };
    let target = prop_oneof![
        Just(RouteTarget::Pool),
        Just(RouteTarget::NatPool),
        (select(GATEWAYS.to_vec()), select(LINKS[..2].to_vec())).prop_map(|(gateway, port)| {
            RouteTarget::Via { gateway: gateway.parse().expect("legal"), port: name(port) }
        }),
    ];
    let route = (select(PREFIXES.to_vec()), target).prop_map(|(prefix, target)| {
        Resource::Route(Route { prefix: prefix.parse().expect("legal"), target })
    });
    let target6 = prop_oneof![
        Just(Route6Target::Pool),
        select(LINKS[..2].to_vec()).prop_map(|port| Route6Target::Via {
            gateway: GATEWAY6.parse().expect("legal"),
            port: name(port)
        }),
    ];
    let route6 = (select(PREFIXES6.to_vec()), target6).prop_map(|(prefix, target)| {
        Resource::Route6(Route6 { prefix: prefix.parse().expect("legal"), target })
    });
    let route = prop_oneof![2 => route, 1 => route6];
    let access = PortRole::Access {
        outer_tpid: Tpid::Dot1q,
        priority_from_dscp: false,
        dscp_from_priority: false,
        broadcast_limit: BroadcastLimit::default(),
    };
    let links = (port("access0", access), port("core0", PortRole::Core), own("wc-lo0"), own("wc-lo1"));
    (links, vec(route, 0..8))
        .prop_map(|((a, b, c, d), routes)| [a, b, c, d].into_iter().flatten().chain(routes).collect())
}

/// What must be as before: all that is not ours and does not stand on a link of ours that may go, but for the MTU and state
/// of ports that the desired state speaks of.
fn foreign(state: &Observed, desired: &NodeState) -> Observed {
    let mut links: Vec<_> = state.links.iter().filter(|link| !is_own_link(link)).cloned().collect();
    for link in links.iter_mut().filter(|link| desired.ports.contains_key(&link.name)) {
        (link.mtu, link.up) = (0, false);
    }
    let own: Vec<_> =
        state.links.iter().filter(|link| is_own_link(link)).map(|link| link.name.clone()).collect();
    let addresses =
        state.addresses.iter().filter(|a| !a.is_own() && !own.contains(&a.link)).cloned().collect();
    let stands = |route: &ObservedRoute| own.iter().any(|link| route.uses(link));
    let routes = state.routes.iter().filter(|r| !r.is_own() && !stands(r)).cloned().collect();
    let stays = |route: &&ObservedRoute6| !route.is_own() && !route.goes_with(&own);
    let routes6 = state.routes6.iter().filter(stays).cloned().collect();
    Observed { links: links.into_iter().collect(), addresses, routes, routes6, ..Observed::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_leads_where_it_says_and_harms_nobody(observed in observed(), desired in wanted()) {
        let first = plan(&observed, &desired);
        let mut kernel = Kernel::new(observed.clone());
        for step in &first.steps {
            if let Err(error) = kernel.apply(&step.op) {
                // The kernel takes some things along by itself, as it takes an interface's routes with its last address.
                let removes =
                    matches!(step.op, Op::DeleteRoute(_) | Op::DeleteRoute6(_) | Op::DeleteAddress { .. });
                prop_assert!(removes, "{}: {} in\n{}", error, step, first);
            }
        }
        let second = plan(&kernel.state, &desired);
        prop_assert!(second.is_empty(), "first:\n{}second:\n{}", first, second);
        prop_assert_eq!(&first.problems, &second.problems);
        prop_assert_eq!(foreign(&observed, &desired), foreign(&kernel.state, &desired), "{}", first);
    }
}
