//! What a node needs beside its sessions.

use net_types::{IfName, InterfaceAddress4, Prefix, Prefix4};
use node_state::{
    Garden, Link, LinkKind, NatExempt, NatLog, Port, PortRole, Resource, Route, Route6, Route6Target,
    RouteTarget, Voice,
};
use xos_model::{Fault, NodeGarden, NodeSpec, NodeVoice, Pointer, Purpose};

use crate::NodePools;

/// The bridge that carries the node's loopback address.
pub const LOOPBACK_LINK: &str = "wc-lo0";
const LOOPBACK_MTU: u16 = 1500;
const _: () = assert!(NodeGarden::ALLOWED_MAX == Garden::ALLOWED_MAX, "a node takes as much as is accepted");
const _: () =
    assert!(NodeSpec::NAT_EXEMPT_MAX == NatExempt::DESTINATIONS_MAX, "a node takes as much as is accepted");
const _: () =
    assert!(NodeVoice::PLATFORMS_MAX == Voice::PLATFORMS_MAX, "a node takes as much as is accepted");

/// The node's ports, links, routes, walled garden and log, in the order in which one needs the other.
pub fn node_resources(node: &NodeSpec, pools: &NodePools) -> Vec<Resource> {
    let ports = node.ports.iter().map(|port| {
        let role = match port.role {
            xos_model::PortRole::Access => PortRole::Access {
                outer_tpid: port.outer_tpid.unwrap_or_default(),
                priority_from_dscp: port.priority_from_dscp,
                dscp_from_priority: port.dscp_from_priority,
                broadcast_limit: port.broadcast_limit.unwrap_or_default(),
            },
            xos_model::PortRole::Core => PortRole::Core,
        };
        let (name, addresses) = (port.name.clone(), port.addresses.clone());
        Resource::Port(Port { name, role, mtu: port.mtu, addresses, reverse_path: port.reverse_path })
    });
    let loopback = InterfaceAddress4::new(node.loopback, 32).expect("32 is a prefix length");
    let name: IfName = LOOPBACK_LINK.parse().expect("an interface's name");
    let link = Resource::Link(Link {
        addresses: [loopback].into(),
        ..Link::new(name, LinkKind::Bridge, LOOPBACK_MTU)
    });
    let routes = node.routes.iter().filter_map(|route| {
        let port = node.port_towards(route.via)?.name.clone();
        let target = RouteTarget::Via { gateway: route.via, port };
        Some(Resource::Route(Route { prefix: route.prefix, target }))
    });
    let routes6 = node.routes6.iter().map(|route| {
        let target = Route6Target::Via { gateway: route.via, port: route.port.clone() };
        Resource::Route6(Route6 { prefix: route.prefix, target })
    });
    let nat_log = node.nat_log.as_ref().map(|log| {
        // No other node of the office has the address, and it is not 0.
        let observation_domain = log.observation_domain.unwrap_or_else(|| node.loopback.to_bits());
        Resource::NatLog(NatLog { collector: log.collector, observation_domain, per_flow: log.per_flow })
    });
    let pools = pools.iter().map(|pool| {
        let prefix = match pool.spec.prefix {
            Prefix::V4(prefix) => prefix,
            Prefix::V6(prefix) => return Resource::Route6(Route6 { prefix, target: Route6Target::Pool }),
        };
        let is_nat = pool.spec.purpose == Purpose::Nat;
        let target = if is_nat { RouteTarget::NatPool } else { RouteTarget::Pool };
        Resource::Route(Route { prefix, target })
    });
    let garden = node.garden.iter().map(|NodeGarden { portal, allowed }| {
        Resource::Garden(Garden { portal: portal.clone(), allowed: allowed.clone() })
    });
    let voice = node.voice.iter().map(|NodeVoice { platforms, dscp, priority }| {
        Resource::Voice(Voice { platforms: platforms.clone(), dscp: *dscp, priority: *priority })
    });
    let exempt = (!node.nat_exempt.is_empty())
        .then(|| Resource::NatExempt(NatExempt { destinations: node.nat_exempt.clone() }));
    let of_node = garden.chain(voice).chain(exempt).chain(nat_log);
    ports.chain([link]).chain(routes).chain(routes6).chain(pools).chain(of_node).collect()
}

/// Where a node's own addresses and routes and its pools get in each other's way: at fields of the node.
pub fn clashes(node: &NodeSpec, pools: &NodePools) -> Vec<(Fault, net_types::Name)> {
    let mut clashes = Vec::new();
    for pool in pools.iter() {
        let mut add = |pointer: Pointer, what: String| {
            let detail = format!("{what} lies in {} of AddressPool {}", pool.spec.prefix, pool.name);
            clashes.push((Fault::new(pointer, detail), pool.name.clone()));
        };
        let prefix = match pool.spec.prefix {
            Prefix::V4(prefix) => prefix,
            Prefix::V6(prefix) => {
                for (i, route) in node.routes6.iter().enumerate() {
                    if prefix.contains_prefix(route.prefix) {
                        let at = Pointer::from("/spec/routes6").at(i).at("prefix");
                        add(at, format!("the route to {}", route.prefix));
                    }
                }
                continue;
            }
        };
        if prefix.contains(node.loopback) {
            add("/spec/loopback".into(), format!("the loopback address {}", node.loopback));
        }
        for (i, port) in node.ports.iter().enumerate() {
            for (j, address) in port.addresses.iter().enumerate() {
                if prefix.overlaps(on_link(*address)) {
                    let at = Pointer::from("/spec/ports").at(i).at("addresses").at(j);
                    add(at, format!("the link of {address} on port {}", port.name));
                }
            }
        }
        for (i, route) in node.routes.iter().enumerate() {
            if prefix.contains_prefix(route.prefix) {
                add(
                    Pointer::from("/spec/routes").at(i).at("prefix"),
                    format!("the route to {}", route.prefix),
                );
            }
        }
    }
    clashes
}

fn on_link(address: InterfaceAddress4) -> Prefix4 {
    let len = address.prefix_len();
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    let network = std::net::Ipv4Addr::from_bits(address.address().to_bits() & mask);
    Prefix4::new(network, len).expect("no bits beyond the mask")
}
