//! What is routed to the subscriber, and may come from it: of the service that provides `internet-route`.

use std::net::Ipv4Addr;

use net_types::{Prefix, Prefix4, Prefix6};
use xos_model::{InternetRoute, Link};

use super::NoSession;

pub(super) struct Route {
    pub(super) network: Prefix4,
    pub(super) more_networks: Vec<Prefix4>,
    pub(super) more_networks6: Vec<Prefix6>,
    pub(super) nat_address: Option<Ipv4Addr>,
}

pub(super) fn of(link: &Link<'_>) -> Result<Route, NoSession> {
    let host = || link.subscriber.status.address.map(Prefix4::host);
    let InternetRoute { subnet, more_subnets, public_address, .. } = InternetRoute::of(link);
    let network = subnet.or_else(host).ok_or(NoSession::Unallocated)?;
    let (mut more_networks, mut more_networks6) = (Vec::new(), Vec::new());
    for subnet in more_subnets {
        match *subnet {
            Prefix::V4(subnet) => more_networks.push(subnet),
            Prefix::V6(subnet) => more_networks6.push(subnet),
        }
    }
    Ok(Route { network, more_networks, more_networks6, nat_address: public_address })
}
