//! Links of virtual networks: from what one state led to, and others' hands in it, to another state.

use std::collections::BTreeSet;

use net_types::{Mac, Tpid};
use node_state::{BridgePort, Link, PortVlan, Station};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::{model::Kernel, *};

const LINKS: [&str; 8] = ["wc-a", "wc-b", "wc-br0", "wc-br1", "wc-p0", "wc-p1", "wc-vx0", "wc-vx1"];
const UNDERLAY: [&str; 3] = ["10.0.0.1", "10.0.0.2", "2001:db8::7"];

fn kind() -> impl Strategy<Value = LinkKind> {
    let vlan = (select([&LINKS[..3], &["core0", "nowhere"]].concat()), 1_u16..3, any::<bool>());
    let tunnel = (1_u32..3, select(UNDERLAY.to_vec()), select(vec![4789_u16, 8472]));
    prop_oneof![
        2 => Just(LinkKind::Bridge),
        2 => Just(LinkKind::VlanAwareBridge),
        3 => vlan.prop_map(|(parent, id, is_provider)| LinkKind::Vlan {
            parent: name(parent),
            id: id.try_into().expect("legal"),
            tpid: if is_provider { Tpid::Dot1ad } else { Tpid::Dot1q },
        }),
        3 => tunnel.prop_map(|(vni, local, port)| LinkKind::Vxlan {
            vni: vni.try_into().expect("legal"),
            local: local.parse().expect("legal"),
            port,
        }),
        1 => Just(LinkKind::Tap),
    ]
}

fn bridge_port() -> impl Strategy<Value = BridgePort> {
    let vlans = (subsequence(vec![1_u16, 2, 3], 0..=3), any::<bool>());
    (select(LINKS[1..5].to_vec()), vlans, any::<bool>(), any::<bool>()).prop_map(
        |(bridge, (ids, has_untagged), isolated, learning)| {
            let vlans = ids.iter().enumerate().map(|(n, id)| PortVlan {
                id: (*id).try_into().expect("legal"),
                untagged: n == 0 && has_untagged,
            });
            BridgePort { vlans: vlans.collect(), isolated, learning, ..BridgePort::of(name(bridge)) }
        },
    )
}

/// A state that a planner would ask for: only a bridge has ports, and no bridge is one.
fn wanted() -> impl Strategy<Value = NodeState> {
    let link = |text: &'static str| {
        let flood = btree_set(select(UNDERLAY.to_vec()), 0..3);
        option::weighted(0.7, (kind(), 1400_u16..1420, option::of(bridge_port()), flood)).prop_map(
            move |parts| {
                parts.map(|(kind, mtu, bridge, flood)| {
                    let kind = match text {
                        "wc-p0" => LinkKind::Veth { peer: name("wc-p1") },
                        "wc-p1" => LinkKind::Veth { peer: name("wc-p0") },
                        _ => kind,
                    };
                    let is_vxlan = matches!(kind, LinkKind::Vxlan { .. });
                    let flood =
                        flood.iter().filter(|_| is_vxlan).map(|to| to.parse().expect("legal")).collect();
                    Link { bridge, flood, ..Link::new(name(text), kind, mtu) }
                })
            },
        )
    };
    let station = (select(LINKS.to_vec()), 1_u8..4, select(UNDERLAY.to_vec()), btree_set(1_u8..5, 0..3));
    (LINKS.map(link), vec(station, 0..6)).prop_map(|(links, stations)| {
        let bare = desired(&[ACCESS, CORE]);
        let mut state: NodeState = bare.resources().collect();
        links.into_iter().flatten().for_each(|link| state.insert(Resource::Link(link)));
        let is_bridge = |link: &Link| matches!(link.kind, LinkKind::Bridge | LinkKind::VlanAwareBridge);
        let bridges: BTreeSet<IfName> =
            state.links.values().filter(|link| is_bridge(link)).map(|link| link.name.clone()).collect();
        let aware: BTreeSet<IfName> = state
            .links
            .values()
            .filter(|link| link.kind == LinkKind::VlanAwareBridge)
            .map(|link| link.name.clone())
            .collect();
        for link in state.links.values_mut() {
            let is_one = bridges.contains(&link.name);
            link.bridge = link.bridge.take().filter(|port| !is_one && bridges.contains(&port.bridge));
            if let Some(port) = link.bridge.as_mut().filter(|port| !aware.contains(&port.bridge)) {
                port.vlans.clear();
            }
        }
        for (link, number, remote, addresses) in stations {
            state.insert(Resource::Station(Station {
                link: name(link),
                mac: Mac::new([2, 0, 0, 0, 0, number]).expect("legal"),
                remote: remote.parse().expect("legal"),
                addresses: addresses.iter().map(|host| [192, 0, 2, *host].into()).collect(),
            }));
        }
        state
    })
}

/// What others do to links meanwhile.
#[derive(Clone, Debug)]
enum Hand {
    Delete(&'static str),
    Down(&'static str),
    OffBridge(&'static str),
    Learning(&'static str),
    /// A link of theirs that stands on one.
    StandOn(&'static str),
    ForgetStations,
    Unmark(&'static str),
}

fn hand() -> impl Strategy<Value = Hand> {
    let link = || select(LINKS.to_vec());
    prop_oneof![
        2 => link().prop_map(Hand::Delete),
        1 => link().prop_map(Hand::Down),
        1 => link().prop_map(Hand::OffBridge),
        1 => link().prop_map(Hand::Learning),
        1 => link().prop_map(Hand::StandOn),
        1 => Just(Hand::ForgetStations),
        // Of a pair, one end goes with the other.
        1 => select([&LINKS[..4], &LINKS[6..]].concat()).prop_map(Hand::Unmark),
    ]
}

fn lay(kernel: &mut Kernel, hand: &Hand) {
    let found = |kernel: &Kernel, link: &str| kernel.state.link(&name(link)).cloned();
    match hand {
        Hand::Delete(link) => found(kernel, link).into_iter().for_each(|link| kernel.delete(link.index)),
        Hand::Down(link) => drop(kernel.change(&name(link), |link| link.up = false)),
        Hand::OffBridge(link) => drop(kernel.change(&name(link), |link| {
            (link.bridge, link.port_flags) = (None, None);
            link.vlans.clear();
        })),
        Hand::Learning(link) => drop(kernel.change(&name(link), |link| {
            if let Some(flags) = &mut link.port_flags {
                flags.learning ^= true;
            }
        })),
        Hand::StandOn(on) => {
            if let Some(on) = found(kernel, on) {
                let theirs = link(&format!("x-{}", on.index), on.index + 100, 0);
                kernel.state.links.insert(ObservedLink { stands_on: Some(on.index), ..theirs });
            }
        }
        Hand::ForgetStations => kernel.state.stations.clear(),
        Hand::Unmark(link) => drop(kernel.change(&name(link), |link| link.group = 0)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn networks_come_to_be_as_they_should_whatever_was_done_to_them(
        before in wanted(),
        hands in vec(hand(), 0..4),
        after in wanted(),
    ) {
        let mut kernel = Kernel::new(bare());
        for step in &plan(&kernel.state, &before).steps {
            let done = kernel.apply(&step.op);
            prop_assert!(done.is_ok(), "{}: {:?}", step, done);
        }
        for hand in &hands {
            lay(&mut kernel, hand);
        }
        let theirs = |kernel: &Kernel| -> Vec<ObservedLink> {
            let others = kernel.state.links.iter().filter(|link| !is_own_link(link));
            // The kernel keeps their MTU below that of what they stand on.
            others
                .filter(|link| !matches!(link.name.as_str(), "access0" | "core0"))
                .map(|link| ObservedLink { mtu: 0, ..link.clone() })
                .collect()
        };
        let others = theirs(&kernel);
        let first = plan(&kernel.state, &after);
        for step in &first.steps {
            let done = kernel.apply(&step.op);
            // A link that cannot be as large as it should while somebody else's hand holds what it stands on.
            prop_assert!(done.is_ok() || !first.problems.is_empty(), "{}: {:?} in\n{}", step, done, first);
        }
        let second = plan(&kernel.state, &after);
        let is_steady = second.is_empty() || !first.problems.is_empty();
        prop_assert!(is_steady, "first:\n{}second:\n{}", first, second);
        prop_assert_eq!(others, theirs(&kernel), "{}", first);
    }
}
