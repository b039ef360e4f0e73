//! Which links are ports of which bridge, and what passes there.

use std::collections::BTreeSet;

use node_state::{BridgePort, Link, LinkKind, PortVlan, Resource};

use super::Links;
use crate::kernel::{NodePlan, Observed, ObservedLink, Op, PortFlags, Why};

pub(super) fn plan(observed: &Observed, wanted: &Link, links: &Links, plan: &mut NodePlan) {
    let key = Resource::Link(wanted.clone()).key();
    let found = observed.link(&wanted.name).filter(|_| !links.removed.contains(&wanted.name));
    let Some(port) = &wanted.bridge else {
        if found.is_some_and(|found| found.bridge.is_some()) {
            plan.want(&key, Op::LeaveBridge { link: wanted.name.clone() });
        }
        return;
    };
    if port.bridge == wanted.name || !links.usable.contains_key(&port.bridge) {
        let text = format!("{} is no bridge that can be there", port.bridge);
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

/// A VXLAN's port answers for stations whose addresses are known.
fn flags(link: &Link, port: &BridgePort) -> PortFlags {
    PortFlags {
        isolated: port.isolated,
        learning: port.learning,
        suppress: matches!(link.kind, LinkKind::Vxlan { .. }),
    }
}
