//! Links: ours are made and removed, ports are only set up.

use std::collections::BTreeMap;

use net_types::{IfName, InterfaceAddress4};
use node_state::{Link, LinkKind, NodeState, Port, Resource, ResourceKey};

use super::{MTU_MIN, NodePlan, Observed, ObservedLink, Op, OwnLinkName, Why, device_mtu, is_own_link};

/// The links that will be there and that desired addresses and routes may stand on.
pub(super) struct Links {
    pub(super) usable: BTreeMap<IfName, Usable>,
    /// Links of ours that this plan removes, with what stands on them.
    pub(super) removed: Vec<IfName>,
}

pub(super) struct Usable {
    pub(super) key: ResourceKey,
    pub(super) addresses: Vec<InterfaceAddress4>,
}

pub(super) fn plan(observed: &Observed, desired: &NodeState, plan: &mut NodePlan) -> Links {
    let mut links = Links { usable: BTreeMap::new(), removed: Vec::new() };
    for link in observed.links.iter().filter(|link| is_own_link(link)) {
        let keep = desired.links.get(&link.name).is_some_and(|wanted| is_kind(link, wanted.kind));
        if let Some(name) = OwnLinkName::new(&link.name).filter(|_| !keep) {
            plan.clear(Op::DeleteLink { name, index: link.index });
            links.removed.push(link.name.clone());
        }
    }
    for link in desired.links.values() {
        plan_link(observed, link, &mut links, plan);
    }
    for port in desired.ports.values() {
        plan_port(observed, port, &mut links, plan);
    }
    links
}

fn plan_link(observed: &Observed, wanted: &Link, links: &mut Links, plan: &mut NodePlan) {
    let key = Resource::Link(wanted.clone()).key();
    let Some(name) = OwnLinkName::new(&wanted.name) else {
        let text =
            format!("{} does not begin with {}, as a link of ours must", wanted.name, Link::OWN_PREFIX);
        return plan.problem(Why::Wanted(key), text);
    };
    let mtu = u32::from(wanted.mtu);
    match observed.link(&wanted.name).filter(|_| !links.removed.contains(&wanted.name)) {
        Some(found) if !is_own_link(found) => {
            let text = format!("there is a link {name} already, which is not ours: rename or remove it");
            return plan.problem(Why::Wanted(key), text);
        }
        _ if wanted.mtu < MTU_MIN => return plan.problem(Why::Wanted(key), mtu_too_small(wanted.mtu)),
        Some(found) => set_up(found, mtu, &key, plan),
        None => {
            plan.want(&key, Op::CreateLink { name, kind: wanted.kind, mtu });
            plan.want(&key, Op::SetUp { link: wanted.name.clone() });
        }
    }
    let addresses = wanted.addresses.iter().copied().collect();
    links.usable.insert(wanted.name.clone(), Usable { key, addresses });
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
    set_up(found, device_mtu(port), &key, plan);
    let addresses = port.addresses.iter().copied().collect();
    links.usable.insert(port.name.clone(), Usable { key, addresses });
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

fn is_kind(link: &ObservedLink, kind: LinkKind) -> bool {
    match kind {
        LinkKind::Bridge => link.kind == "bridge",
    }
}
