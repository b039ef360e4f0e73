//! Routes of the main table.

use std::net::Ipv4Addr;

use net_types::{IfName, InterfaceAddress4};
use node_state::{NodeState, Resource, ResourceKey, Route, RouteTarget};

use super::{
    NodePlan, OWN_METRIC, Observed, ObservedRoute, ObservedTarget, Op, UnicastOrBlackhole, Why,
    addresses::{Addresses, subnet},
    links::Links,
};

pub(super) fn plan(
    observed: &Observed,
    desired: &NodeState,
    links: &Links,
    addresses: &Addresses,
    plan: &mut NodePlan,
) {
    for stray in observed.routes.iter().filter(|r| r.is_own() && !desired.routes.contains_key(&r.prefix)) {
        plan.clear(Op::DeleteRoute(stray.clone()));
    }
    for route in desired.routes.values() {
        let key = Resource::Route(route.clone()).key();
        let here: Vec<_> = observed.routes.iter().filter(|r| r.prefix == route.prefix).collect();
        let (own, mut others): (Vec<_>, Vec<_>) = here.into_iter().partition(|r| r.is_own());
        // What stands on a link of ours that goes is not in the way: it goes along.
        others.retain(|found| !found.goes_with(&links.removed));
        match target(&route.target, desired, addresses) {
            Ok(target) => plan_route(route, &key, target, &own, &others, addresses, plan),
            Err(text) => {
                plan.problem(Why::Wanted(key), text);
                for old in own {
                    plan.clear(Op::DeleteRoute(old.clone()));
                }
            }
        }
    }
}

fn plan_route(
    route: &Route,
    key: &ResourceKey,
    target: UnicastOrBlackhole,
    own: &[&ObservedRoute],
    others: &[&ObservedRoute],
    addresses: &Addresses,
    plan: &mut NodePlan,
) {
    let prefix = route.prefix;
    // A request to remove such a route could not tell it from another of ours: then all must go.
    let ambiguous = own.len() > 1 && own.iter().any(|r| matches!(r.target, ObservedTarget::Other { .. }));
    let own_here = own.iter().filter(|r| r.metric == OWN_METRIC && r.tos == 0 && !ambiguous);
    let kept = own_here.clone().find(|found| is(found, &target));
    let obstacle = obstacle(route, &target, others, addresses);
    if kept.is_some() || obstacle.is_some() {
        let gone = own.iter().filter(|found| Some(found) != kept.as_ref());
        gone.for_each(|old| plan.clear(Op::DeleteRoute((*old).clone())));
    }
    match (kept, obstacle) {
        (Some(_), _) | (None, Some(Obstacle::Same)) => {}
        (None, Some(Obstacle::Other(text))) => plan.problem(Why::Wanted(key.clone()), text),
        (None, None) => {
            // One of ours at our metric can be changed in place, without a moment in which there is none.
            let in_place = own_here.clone().next();
            let gone = own.iter().filter(|found| Some(found) != in_place.as_ref());
            gone.for_each(|old| plan.clear(Op::DeleteRoute((*old).clone())));
            plan.want(
                key,
                if in_place.is_some() {
                    Op::ReplaceRoute { prefix, target }
                } else {
                    Op::AddRoute { prefix, target }
                },
            );
        }
    }
}

enum Obstacle {
    /// Another made just the route that is wanted.
    Same,
    Other(String),
}

/// What another has put where the route would go.
fn obstacle(
    route: &Route,
    target: &UnicastOrBlackhole,
    others: &[&ObservedRoute],
    addresses: &Addresses,
) -> Option<Obstacle> {
    let connected = addresses
        .staying
        .iter()
        .find(|(_, address)| address.prefix_len() < 32 && subnet(*address) == route.prefix);
    if let Some((link, address)) = connected {
        let text = format!("{} is the subnet of {address} on {link}", route.prefix);
        return Some(Obstacle::Other(text));
    }
    // The kernel's own routes come and go with the addresses looked at above.
    let mut made = others.iter().filter(|r| r.protocol != ObservedRoute::PROTOCOL_KERNEL);
    let first = made.clone().find(|found| !is(found, target));
    match first {
        Some(found) => {
            let text = format!(
                "there is a route {found} already, which is not ours: remove it or give it another table"
            );
            Some(Obstacle::Other(text))
        }
        None => made.next().map(|_| Obstacle::Same),
    }
}

fn target(
    wanted: &RouteTarget,
    desired: &NodeState,
    addresses: &Addresses,
) -> Result<UnicastOrBlackhole, String> {
    let (gateway, port) = match wanted {
        RouteTarget::Pool | RouteTarget::NatPool => return Ok(UnicastOrBlackhole::Blackhole),
        RouteTarget::Via { gateway, port } => (*gateway, port),
    };
    if !desired.ports.contains_key(port) {
        return Err(format!("{port} is not a port of this node"));
    }
    check_gateway(gateway, port, addresses)?;
    Ok(UnicastOrBlackhole::Via { gateway, link: port.clone() })
}

/// A gateway must be a host on a subnet of the port; the kernel refuses any other (`fib_check_nh()`).
fn check_gateway(gateway: Ipv4Addr, port: &IfName, addresses: &Addresses) -> Result<(), String> {
    if addresses.of(port).any(|address| address.address() == gateway) {
        return Err(format!("{gateway} is this node's own address on {port}, not a gateway"));
    }
    if addresses.of(port).any(|address| is_neighbour(gateway, address)) {
        return Ok(());
    }
    Err(format!("{gateway} is on no subnet of {port}: give the port an address beside it"))
}

fn is_neighbour(gateway: Ipv4Addr, address: InterfaceAddress4) -> bool {
    let network = subnet(address);
    let last = network.nth(network.size() - 1);
    // In a /31 both addresses are hosts (RFC 3021).
    let reserved = network.len() < 31 && (gateway == network.network() || Some(gateway) == last);
    network.len() < 32 && network.contains(gateway) && !reserved
}

fn is(found: &ObservedRoute, target: &UnicastOrBlackhole) -> bool {
    found.tos == 0
        && match (&found.target, target) {
            (ObservedTarget::Via { gateway, link }, UnicastOrBlackhole::Via { gateway: to, link: port }) => {
                gateway == to && link == port
            }
            (ObservedTarget::Blackhole, UnicastOrBlackhole::Blackhole) => true,
            _ => false,
        }
}
