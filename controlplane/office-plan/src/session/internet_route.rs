//! What is routed to the subscriber, and may come from it: of the service that provides `internet-route`.

use std::net::Ipv4Addr;

use net_types::Prefix4;
use xos_model::{InternetRoute, Link};

use super::NoSession;

pub(super) struct Route {
    pub(super) network: Prefix4,
    pub(super) more_networks: Vec<Prefix4>,
    pub(super) nat_address: Option<Ipv4Addr>,
}

pub(super) fn of(link: &Link<'_>) -> Result<Route, NoSession> {
    let status = &link.subscriber.status;
    let host = || status.addresses.or(status.address.map(Prefix4::host));
    let InternetRoute { subnet, more_subnets, public_address, .. } = InternetRoute::of(link);
    let network = subnet.or_else(host).ok_or(NoSession::Unallocated)?;
    Ok(Route { network, more_networks: more_subnets.to_vec(), nat_address: public_address })
}
