//! Routes of IPv6: understanding, making and removing them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv6Addr,
};

use net_types::{IfName, Prefix6};
use node_plan::kernel::{OWN_METRIC6, OWN_PROTOCOL, ObservedRoute6, ObservedTarget6};
use node_state::{Route6, Route6Target};
use rtnetlink::{
    packet_core::{NLM_F_CREATE, NLM_F_EXCL},
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType},
    },
};

use crate::{Error, Netlink, execute::gone};

/// The device of every route that leads nowhere (`ip6_route_info_create()` gives it to them).
const NOWHERE: &str = "lo";

impl Netlink {
    pub(crate) async fn add_route6(&self, doing: &str, route: &Route6) -> Result<(), Error> {
        let mut message = message(route.prefix, OWN_METRIC6);
        match &route.target {
            Route6Target::Pool => message.header.kind = RouteType::BlackHole,
            Route6Target::Via { gateway, port } => {
                message.header.kind = RouteType::Unicast;
                message.attributes.push(RouteAttribute::Gateway(RouteAddress::Inet6(*gateway)));
                message.attributes.push(RouteAttribute::Oif(self.index(doing, port).await?));
            }
        }
        self.change(doing, RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL).await
    }

    /// Removes a route of ours; protocol, metric and device in the request keep others from matching
    /// (`ip6_route_del()`, which does not look at the type).
    pub(crate) async fn delete_route6(&self, doing: &str, old: &ObservedRoute6) -> Result<(), Error> {
        let mut message = message(old.prefix, old.metric);
        let nowhere = || NOWHERE.parse::<IfName>().ok();
        let link = match &old.target {
            ObservedTarget6::Via { gateway, link } => {
                message.attributes.push(RouteAttribute::Gateway(RouteAddress::Inet6(*gateway)));
                Some(link.clone())
            }
            ObservedTarget6::Blackhole => nowhere(),
            ObservedTarget6::Other { links, .. } if links.len() == 1 => links.first().cloned(),
            ObservedTarget6::Other { .. } => None,
        };
        if let Some(link) = link {
            match self.index(doing, &link).await {
                Ok(index) => message.attributes.push(RouteAttribute::Oif(index)),
                // The route has gone with its device.
                Err(error) => return gone(Err(error)),
            }
        }
        gone(self.change(doing, RouteNetlinkMessage::DelRoute(message), 0).await)
    }
}

fn message(prefix: Prefix6, metric: u32) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    message.header.destination_prefix_length = prefix.len();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = OWN_PROTOCOL.into();
    message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet6(prefix.network())));
    message.attributes.push(RouteAttribute::Priority(metric));
    message
}

/// A route of the main table, as it is compared with what is wanted.
pub(crate) fn observed(message: &RouteMessage, names: &BTreeMap<u32, IfName>) -> Option<ObservedRoute6> {
    let mut table = u32::from(message.header.table);
    let mut destination = Ipv6Addr::UNSPECIFIED;
    let (mut gateway, mut metric, mut plain) = (None, 0, true);
    let mut links = BTreeSet::new();
    let mut use_link = |index: u32| links.extend(names.get(&index).cloned());
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Destination(RouteAddress::Inet6(address)) => destination = *address,
            RouteAttribute::Gateway(RouteAddress::Inet6(address)) => gateway = Some(*address),
            RouteAttribute::Priority(number) => metric = *number,
            RouteAttribute::Oif(index) => use_link(*index),
            RouteAttribute::MultiPath(hops) => {
                plain = false;
                for hop in hops {
                    use_link(hop.interface_index);
                }
            }
            // Every route has these, whoever made it.
            RouteAttribute::CacheInfo(_) | RouteAttribute::Preference(_) => {}
            _ => plain = false,
        }
    }
    if table != u32::from(RouteHeader::RT_TABLE_MAIN) {
        return None;
    }
    let target = match (message.header.kind, gateway, links.first()) {
        (RouteType::Unicast, Some(gateway), Some(link)) if plain => {
            ObservedTarget6::Via { gateway, link: link.clone() }
        }
        (RouteType::BlackHole, None, _) if plain => ObservedTarget6::Blackhole,
        (kind, ..) => ObservedTarget6::Other { links, kind: kind.into() },
    };
    Some(ObservedRoute6 {
        prefix: Prefix6::new(destination, message.header.destination_prefix_length).ok()?,
        metric,
        protocol: message.header.protocol.into(),
        target,
    })
}
