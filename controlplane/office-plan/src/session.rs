//! A subscriber's session on its node: what the services of its chain add up to.
//!
//! ```text
//! access-line    (vOLT)  port, tags, the device that may use the line         ─┐
//! home-network   (vCPE)  lease, gateway, resolvers, NAT, rates, IPv6           ├─► Session
//! internet-route (vBNG)  what is routed to the subscriber, and taken from it  ─┘
//! ```
//!
//! Which services these are, the tenancy graph says: whichever of the subscriber's chain provides such an interface. No
//! edge, no packet: where the chain leads to none, or to two, there is no session.

mod access_line;
mod home_network;
mod internet_route;
mod parental;

use net_types::Name;
use node_state::{Firewall, Ipv6Line, Session};
use xos_model::{ACCESS_LINE, Fault, Graph, HOME_NETWORK, INTERNET_ROUTE, Link, Subscriber};

use crate::NodePools;

/// IPv6 comes with a firewall (RFC 6092, recommendation 1), since no NAT stands before the subscriber's hosts.
const FIREWALL: Firewall = Firewall { flows: 256, ipv4: false };
/// For the hosts of a whole subnet.
const FIREWALL_OF_BOTH: Firewall = Firewall { flows: 1024, ipv4: true };

/// Why a subscriber has no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    #[error(
        "no service of its chain ({chain}) provides {interface}: a Tenant between services, per tenant, must lead there"
    )]
    Missing { interface: &'static str, chain: String },
    #[error("{first} and {second}, both of its chain, provide {interface}: which of them is it to be?")]
    Ambiguous { interface: &'static str, first: Name, second: Name },
    #[error("Service {service}, or the Tenant that leads to it: {fault}")]
    Setting { service: Name, fault: Fault },
    #[error("it has no address yet")]
    Unallocated,
    #[error("no pool of node {0} has the subscriber's address")]
    Pool(Name),
}

/// The session of a subscriber whose addresses have been allocated, by the services that its chain leads to.
pub fn session(subscriber: &Subscriber, graph: &Graph, pools: &NodePools) -> Result<Session, NoSession> {
    let (links, _) = graph.links(subscriber);
    let line = access_line::of(the(&links, ACCESS_LINE)?);
    let home = home_network::of(the(&links, HOME_NETWORK)?, pools)?;
    let route = internet_route::of(the(&links, INTERNET_ROUTE)?)?;
    Ok(Session {
        subscriber: subscriber.name().clone(),
        port: line.port,
        tags: line.tags,
        state: line.state,
        mac: line.mac,
        lease: home.lease,
        gateway: home.gateway,
        network: route.network,
        dns_servers: home.dns_servers,
        lease_seconds: home.lease_seconds,
        nat: home.nat,
        nat_overflow: home.nat_overflow,
        nat_filtering: home.nat_filtering,
        nat_address: route.nat_address,
        nat_exempt: home.nat_exempt,
        more_networks: route.more_networks,
        rate_up: home.rate_up,
        rate_down: home.rate_down,
        committed_up: home.committed_up,
        committed_down: home.committed_down,
        firewall: home.firewall,
        firewall_rules: home.firewall_rules,
        port_forwards: home.port_forwards,
        voice: home.voice,
        parental_control: home.parental_control,
        ipv6: home.ipv6.map(|line| Ipv6Line { more_networks: route.more_networks6, ..line }),
    })
}

/// The firewall of a home. `is_filtered`: NAT does not let in just anybody.
fn firewall(
    wanted: Option<&xos_model::Firewall>,
    is_routed: bool,
    is_filtered: bool,
    has_ipv6: bool,
) -> Option<Firewall> {
    match wanted {
        _ if is_filtered => Some(FIREWALL_OF_BOTH),
        Some(wanted) if !wanted.enabled => None,
        Some(wanted) if is_routed || !wanted.rules.is_empty() => Some(FIREWALL_OF_BOTH),
        _ => has_ipv6.then_some(FIREWALL),
    }
}

/// The one link of a chain whose service provides the interface.
fn the<'c, 'a>(chain: &'c [Link<'a>], interface: &'static str) -> Result<&'c Link<'a>, NoSession> {
    let provides = |link: &&Link<'_>| link.service_spec.provided().any(|one| one.kind.as_str() == interface);
    let mut links = chain.iter().filter(provides);
    match (links.next(), links.next()) {
        (Some(link), None) => Ok(link),
        (Some(first), Some(second)) => {
            let (first, second) = (first.service.clone(), second.service.clone());
            Err(NoSession::Ambiguous { interface, first, second })
        }
        (None, _) => {
            let names: Vec<_> = chain.iter().map(|link| link.service.as_str()).collect();
            let chain = if names.is_empty() { "which is empty".into() } else { names.join(", ") };
            Err(NoSession::Missing { interface, chain })
        }
    }
}
