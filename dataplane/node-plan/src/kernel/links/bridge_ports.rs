//! Which links are ports of which bridge, and what passes there.

use std::collections::BTreeSet;

use node_state::{BridgePort, Link, LinkKind, NodeState, PortVlan, Resource};

use super::Links;
use crate::kernel::{NodePlan, Observed, ObservedLink, Op, PortFlags, Why};

pub(super) fn plan(
    (observed, desired): (&Observed, &NodeState),
    wanted: &Link,
    links: &Links,
    plan: &mut NodePlan,
) {
    let key = Resource::Link(wanted.clone()).key();
    let found = observed.link(&wanted.name).filter(|_| !links.removed.contains(&wanted.name));
    let Some(port) = &wanted.bridge else {
        if found.is_some_and(|found| found.bridge.is_some()) {
            plan.want(&key, Op::LeaveBridge { link: wanted.name.clone() });
        }
        return;
    };
    if let Some(text) = fault(desired, port, links) {
        return plan.problem(Why::Wanted(key), text);
    }
    let bridge = observed.link(&port.bridge).filter(|_| !links.removed.contains(&port.bridge));
    let held = found.filter(|found| bridge.is_some_and(|bridge| found.bridge == Some(bridge.index)));
    let flags = flags(wanted, port);
    if held.is_none() {
        plan.want(&key, Op::JoinBridge { link: wanted.name.clone(), bridge: port.bridge.clone(), flags });
    } else if held.and_then(|held| held.port_flags) != Some(flags) {
        plan.want(&key, Op::SetPortFlags { link: wanted.name.clone(), flags });
    }
    let none = BTreeSet::new();
    let vlans = held.map_or(&none, |held: &ObservedLink| &held.vlans);
    let differs = |vlan: &&PortVlan| !vlans.contains(vlan);
    for vlan in vlans.iter().filter(|vlan| !port.vlans.iter().any(|wanted| wanted.id == vlan.id)) {
        plan.want(&key, Op::RemoveVlan { link: wanted.name.clone(), vlan: *vlan });
    }
    for vlan in port.vlans.iter().filter(differs) {
        plan.want(&key, Op::AddVlan { link: wanted.name.clone(), vlan: *vlan });
    }
}

/// Why the link cannot be such a port, whatever the kernel has.
fn fault(desired: &NodeState, port: &BridgePort, links: &Links) -> Option<String> {
    let BridgePort { bridge, vlans, .. } = port;
    let found = desired.links.get(bridge).filter(|link| links.usable.contains_key(&link.name));
    match found.map(|link| &link.kind) {
        Some(LinkKind::VlanAwareBridge) => {}
        Some(LinkKind::Bridge) if vlans.is_empty() => {}
        Some(LinkKind::Bridge) => return Some(format!("{bridge} does not look at tags, and has no VLANs")),
        _ => return Some(format!("{bridge} is no bridge that can be there")),
    }
    let mut untagged = vlans.iter().filter(|vlan| vlan.untagged);
    let (one, other) = (untagged.next()?, untagged.next()?);
    Some(format!("VLANs {} and {} are both untagged: a frame without a tag is in one", one.id, other.id))
}

/// A VXLAN's port answers for stations whose addresses are known.
fn flags(link: &Link, port: &BridgePort) -> PortFlags {
    PortFlags {
        isolated: port.isolated,
        learning: port.learning,
        suppress: matches!(link.kind, LinkKind::Vxlan { .. }),
    }
}
