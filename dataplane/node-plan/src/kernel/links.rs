//! Links: ours are made and removed, ports are only set up.

mod bridge_ports;
mod order;
mod strays;

use std::collections::{BTreeMap, BTreeSet};

use net_types::{IfName, InterfaceAddress4};
use node_state::{Link, LinkKind, NodeState, Port, Resource, ResourceKey};

use super::{
    MTU_MIN, NodePlan, Observed, ObservedKind, ObservedLink, Op, OwnLinkName, Why, device_mtu, is_own_link,
};

/// The links that will be there and that desired addresses and routes may stand on.
pub(super) struct Links {
    pub(super) usable: BTreeMap<IfName, Usable>,
    /// Links of ours that this plan removes, with what stands on them.
    pub(super) removed: Vec<IfName>,
}

pub(super) struct Usable {
    pub(super) key: ResourceKey,
    pub(super) addresses: Vec<InterfaceAddress4>,
    mtu: u32,
}

pub(super) fn plan(observed: &Observed, desired: &NodeState, plan: &mut NodePlan) -> Links {
    let mut links = Links { usable: BTreeMap::new(), removed: Vec::new() };
    strays::plan(observed, desired, &mut links, plan);
    for port in desired.ports.values() {
        plan_port(observed, port, &mut links, plan);
    }
    let mut made = BTreeSet::new();
    for link in order::parents_first(desired) {
        plan_link((observed, desired), link, &mut made, &mut links, plan);
    }
    for link in desired.links.values().filter(|link| links.usable.contains_key(&link.name)) {
        bridge_ports::plan((observed, desired), link, &links, plan);
    }
    links
}

/// `made` are links that the steps so far make.
fn plan_link<'a>(
    (observed, desired): (&Observed, &NodeState),
    wanted: &'a Link,
    made: &mut BTreeSet<&'a IfName>,
    links: &mut Links,
    plan: &mut NodePlan,
) {
    let key = Resource::Link(wanted.clone()).key();
    let mtu = u32::from(wanted.mtu);
    let Some(name) = OwnLinkName::new(&wanted.name) else {
        let text =
            format!("{} does not begin with {}, as a link of ours must", wanted.name, Link::OWN_PREFIX);
        return plan.problem(Why::Wanted(key), text);
    };
    if wanted.mtu < MTU_MIN {
        return plan.problem(Why::Wanted(key), mtu_too_small(wanted.mtu));
    }
    if let Some(text) = fault(wanted, links) {
        return plan.problem(Why::Wanted(key), text);
    }
    match observed.link(&wanted.name).filter(|_| !links.removed.contains(&wanted.name)) {
        Some(found) if !is_own_link(found) => {
            let text = format!("there is a link {name} already, which is not ours: rename or remove it");
            return plan.problem(Why::Wanted(key), text);
        }
        Some(found) if !is_kind(observed, found, &wanted.kind) => {
            let text = format!("{name} is not a {}, and has to stay", wanted.kind);
            return plan.problem(Why::Wanted(key), text);
        }
        Some(found) => {
            if found.makes_link_local && !has_host(wanted) {
                plan.want(&key, Op::NoLinkLocal { link: wanted.name.clone() });
            }
            set_up(found, mtu, &key, plan);
        }
        None => {
            // A pair is made at once, for the one that comes first.
            let peer = peer(wanted);
            if peer.is_none_or(|peer| !made.contains(peer)) {
                let peer_mtu =
                    peer.map(|peer| desired.links.get(peer).map_or(wanted.mtu, |peer| peer.mtu).into());
                plan.want(&key, Op::CreateLink { name, kind: wanted.kind.clone(), mtu, peer_mtu });
            }
            made.insert(&wanted.name);
            if !has_host(wanted) {
                plan.want(&key, Op::NoLinkLocal { link: wanted.name.clone() });
            }
            plan.want(&key, Op::SetUp { link: wanted.name.clone() });
        }
    }
    let addresses = wanted.addresses.iter().copied().collect();
    links.usable.insert(wanted.name.clone(), Usable { key, addresses, mtu });
}

/// Why the link cannot be, whatever the kernel has.
fn fault(wanted: &Link, links: &Links) -> Option<String> {
    if !wanted.flood.is_empty() && !matches!(wanted.kind, LinkKind::Vxlan { .. }) {
        return Some("it is no VXLAN, and has nobody to send copies to (flood)".into());
    }
    let parent = wanted.parent()?;
    let Some(Usable { mtu, .. }) = links.usable.get(parent) else {
        return Some(format!("{parent}, which it stands on, is neither a port nor a link that can be there"));
    };
    let is_larger = u32::from(wanted.mtu) > *mtu;
    is_larger.then(|| format!("its MTU is {}, more than {mtu} of {parent}, which it stands on", wanted.mtu))
}

/// Whether the node itself is to be reached by the link. Else it has no link-local address either, by which whoever is on
/// the network could reach it.
fn has_host(link: &Link) -> bool {
    match link.kind {
        LinkKind::Vlan { .. } => link.bridge.is_none(),
        _ => !link.addresses.is_empty(),
    }
}

fn peer(link: &Link) -> Option<&IfName> {
    match &link.kind {
        LinkKind::Veth { peer } => Some(peer),
        _ => None,
    }
}

fn plan_port(observed: &Observed, port: &Port, links: &mut Links, plan: &mut NodePlan) {
    let key = Resource::Port(port.clone()).key();
    let Some(found) = observed.link(&port.name) else {
        let text = format!("this node has no interface {}", port.name);
        return plan.problem(Why::Wanted(key), text);
    };
    if is_own_link(found) {
        let text = format!("{} is a link of ours; a port is an interface that is there already", port.name);
        return plan.problem(Why::Wanted(key), text);
    }
    if port.mtu < MTU_MIN {
        return plan.problem(Why::Wanted(key), mtu_too_small(port.mtu));
    }
    let mtu = device_mtu(port);
    set_up(found, mtu, &key, plan);
    let addresses = port.addresses.iter().copied().collect();
    links.usable.insert(port.name.clone(), Usable { key, addresses, mtu });
}

fn set_up(found: &ObservedLink, mtu: u32, key: &ResourceKey, plan: &mut NodePlan) {
    if found.mtu != mtu {
        plan.want(key, Op::SetMtu { link: found.name.clone(), from: found.mtu, to: mtu });
    }
    if !found.up {
        plan.want(key, Op::SetUp { link: found.name.clone() });
    }
}

fn mtu_too_small(mtu: u16) -> String {
    format!("MTU {mtu} is less than {MTU_MIN}, the least that IPv4 works with")
}

/// Whether a link is what is wanted, but for what can be changed.
fn is_kind(observed: &Observed, link: &ObservedLink, wanted: &LinkKind) -> bool {
    match (wanted, &link.kind) {
        (LinkKind::Bridge, ObservedKind::Bridge { vlan_aware }) => !vlan_aware,
        (LinkKind::VlanAwareBridge, ObservedKind::Bridge { vlan_aware }) => *vlan_aware,
        (LinkKind::Vlan { parent, id, tpid }, ObservedKind::Vlan { id: found, tpid: found_tpid }) => {
            observed.link(parent).is_some_and(|parent| link.stands_on == Some(parent.index))
                && (id.get(), tpid.ethertype()) == (*found, *found_tpid)
        }
        (LinkKind::Vxlan { vni, local, port }, ObservedKind::Vxlan(found)) => {
            (vni.get(), Some(*local), *port, false) == (found.vni, found.local, found.port, found.is_learning)
        }
        (LinkKind::Veth { .. }, ObservedKind::Veth { .. }) | (LinkKind::Tap, ObservedKind::Tap) => true,
        _ => false,
    }
}
