//! Where the stations of virtual networks are: forwarding entries of our VXLANs, and neighbours on their bridges. On links of
//! ours all that somebody wrote down is ours; what the kernel learned is left to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use net_types::{IfName, Mac};
use node_state::{NodeState, Resource, ResourceKey, Station};

use super::{
    NodePlan, Observed, ObservedKind, ObservedLink, ObservedNeighbour, Op, Why, is_own_link, links::Links,
};

pub(super) fn plan(observed: &Observed, desired: &NodeState, links: &Links, plan: &mut NodePlan) {
    let mut places: BTreeMap<(&IfName, Mac), (IpAddr, ResourceKey)> = BTreeMap::new();
    let mut neighbours: BTreeMap<(&IfName, IpAddr), (Mac, ResourceKey)> = BTreeMap::new();
    for station in desired.stations.values() {
        let key = Resource::Station(station.clone()).key();
        match bridge_of(desired, links, station) {
            Err(text) => plan.problem(Why::Wanted(key), text),
            Ok(bridge) => {
                places.insert((&station.link, station.mac), (station.remote, key.clone()));
                for address in &station.addresses {
                    let Some(bridge) = bridge else { continue };
                    if let Some((other, _)) =
                        neighbours.insert((bridge, *address), (station.mac, key.clone()))
                    {
                        let text = format!("{address} is {other}'s already");
                        plan.problem(Why::Wanted(key.clone()), text);
                    }
                }
            }
        }
    }
    let removed: BTreeSet<&IfName> = links.removed.iter().collect();
    let ours: BTreeMap<&IfName, &ObservedLink> = observed
        .links
        .iter()
        .filter(|link| is_own_link(link) && !removed.contains(&link.name))
        .map(|link| (&link.name, link))
        .collect();
    plan_flood(observed, desired, links, plan);
    let held: BTreeMap<(&IfName, Mac), IpAddr> = observed
        .stations
        .iter()
        .filter(|held| ours.contains_key(&held.link))
        .filter_map(|held| Some(((&held.link, held.mac?), held.remote)))
        .collect();
    for ((link, mac), remote) in held.iter().filter(|(place, _)| !places.contains_key(place)) {
        plan.clear(Op::RemoveStation { link: (*link).clone(), mac: Some(*mac), remote: *remote });
    }
    for ((link, mac), (remote, key)) in &places {
        if held.get(&(*link, *mac)) != Some(remote) {
            plan.want(key, Op::SetStation { link: (*link).clone(), mac: *mac, remote: *remote });
        }
    }
    let held: BTreeMap<(&IfName, IpAddr), Mac> = observed
        .neighbours
        .iter()
        .filter(|held| ours.get(&held.link).is_some_and(|link| is_bridge(link)))
        .map(|ObservedNeighbour { link, address, mac }| ((link, *address), *mac))
        .collect();
    for ((link, address), mac) in held.iter().filter(|(place, _)| !neighbours.contains_key(place)) {
        plan.clear(Op::RemoveNeighbour { link: (*link).clone(), address: *address, mac: *mac });
    }
    for ((link, address), (mac, key)) in &neighbours {
        if held.get(&(*link, *address)) != Some(mac) {
            plan.want(key, Op::SetNeighbour { link: (*link).clone(), address: *address, mac: *mac });
        }
    }
}

/// To which nodes each VXLAN sends what is for all.
fn plan_flood(observed: &Observed, desired: &NodeState, links: &Links, plan: &mut NodePlan) {
    let mut held: BTreeMap<&IfName, BTreeSet<IpAddr>> = BTreeMap::new();
    for station in observed.stations.iter().filter(|station| station.mac.is_none()) {
        held.entry(&station.link).or_default().insert(station.remote);
    }
    let none = BTreeSet::new();
    for (link, usable) in
        desired.links.values().filter_map(|link| Some((link, links.usable.get(&link.name)?)))
    {
        let held = held.get(&link.name).filter(|_| !links.removed.contains(&link.name)).unwrap_or(&none);
        for remote in held.difference(&link.flood) {
            let link = link.name.clone();
            plan.want(&usable.key, Op::RemoveStation { link, mac: None, remote: *remote });
        }
        for remote in link.flood.difference(held) {
            plan.want(&usable.key, Op::AddFlood { link: link.name.clone(), remote: *remote });
        }
    }
}

/// The bridge that a station's VXLAN is a port of; an error: it has no such VXLAN.
fn bridge_of<'a>(
    desired: &'a NodeState,
    links: &Links,
    station: &Station,
) -> Result<Option<&'a IfName>, String> {
    let link = desired.links.get(&station.link).filter(|link| links.usable.contains_key(&link.name));
    match link {
        Some(link) if matches!(link.kind, node_state::LinkKind::Vxlan { .. }) => {
            Ok(link.bridge.as_ref().map(|port| &port.bridge))
        }
        _ => Err(format!("{} is no VXLAN that can be there", station.link)),
    }
}

fn is_bridge(link: &ObservedLink) -> bool {
    matches!(link.kind, ObservedKind::Bridge { .. })
}
