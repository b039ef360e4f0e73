//! Reading what the kernel has.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use net_types::{IfName, InterfaceAddress4, Mac, Prefix4};
use node_plan::kernel::{Observed, ObservedAddress, ObservedLink, ObservedRoute, ObservedTarget};
use rtnetlink::packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage},
    route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType},
};

use crate::{Error, Netlink};

type Names = BTreeMap<u32, IfName>;

impl Netlink {
    /// The links, IPv4 addresses and main routing tables.
    ///
    /// Interfaces whose names [`IfName`] does not allow are left out: they can be neither ours nor a port.
    pub async fn observe(&self) -> Result<Observed, Error> {
        let all = self.dump("read links", RouteNetlinkMessage::GetLink(LinkMessage::default())).await?;
        let links: BTreeSet<ObservedLink> = all
            .iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewLink(message) => link(message),
                _ => None,
            })
            .collect();
        let names: Names = links.iter().map(|link| (link.index, link.name.clone())).collect();

        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet;
        let all = self.dump("read addresses", RouteNetlinkMessage::GetAddress(request)).await?;
        let addresses = all
            .iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewAddress(message) => address(message, &names),
                _ => None,
            })
            .collect();

        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::Inet;
        let all = self.dump("read routes", RouteNetlinkMessage::GetRoute(request)).await?;
        let routes = all
            .iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewRoute(message) => route(message, &names),
                _ => None,
            })
            .collect();
        let routes6 = self.routes6(&names).await?;
        Ok(Observed { links, addresses, routes, routes6 })
    }
}

pub(crate) fn link(message: &LinkMessage) -> Option<ObservedLink> {
    let mut name = None;
    let (mut mac, mut kind, mut group, mut mtu) = (None, String::new(), 0, 0);
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = text.parse::<IfName>().ok(),
            LinkAttribute::Address(octets) => {
                mac = <[u8; 6]>::try_from(octets.as_slice()).ok().and_then(|octets| Mac::new(octets).ok());
            }
            LinkAttribute::Group(number) => group = *number,
            LinkAttribute::Mtu(bytes) => mtu = *bytes,
            LinkAttribute::LinkInfo(infos) => {
                for info in infos {
                    if let LinkInfo::Kind(found) = info {
                        kind = found.to_string();
                    }
                }
            }
            _ => {}
        }
    }
    let up = message.header.flags.contains(LinkFlags::Up);
    Some(ObservedLink { name: name?, index: message.header.index, mac, kind, group, mtu, up })
}

fn address(message: &AddressMessage, names: &Names) -> Option<ObservedAddress> {
    let (mut local, mut remote, mut protocol) = (None, None, 0);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => local = Some(*address),
            AddressAttribute::Address(IpAddr::V4(address)) => remote = Some(*address),
            AddressAttribute::Protocol(number) => protocol = u8::from(*number),
            _ => {}
        }
    }
    let local = local.or(remote)?;
    Some(ObservedAddress {
        link: names.get(&message.header.index)?.clone(),
        address: InterfaceAddress4::new(local, message.header.prefix_len).ok()?,
        peer: remote.filter(|&peer| peer != local),
        protocol,
    })
}

fn route(message: &RouteMessage, names: &Names) -> Option<ObservedRoute> {
    let mut table = u32::from(message.header.table);
    let mut destination = Ipv4Addr::UNSPECIFIED;
    let (mut gateway, mut metric, mut plain) = (None, 0, true);
    let mut links = BTreeSet::new();
    let mut use_link = |index: u32| links.extend(names.get(&index).cloned());
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Destination(RouteAddress::Inet(address)) => destination = *address,
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => gateway = Some(*address),
            RouteAttribute::Priority(number) => metric = *number,
            RouteAttribute::Oif(index) => use_link(*index),
            RouteAttribute::MultiPath(hops) => {
                plain = false;
                for hop in hops {
                    use_link(hop.interface_index);
                }
            }
            RouteAttribute::CacheInfo(_) => {}
            _ => plain = false,
        }
    }
    if table != u32::from(RouteHeader::RT_TABLE_MAIN) {
        return None;
    }
    let target = match (message.header.kind, gateway, links.first()) {
        (RouteType::Unicast, Some(gateway), Some(link)) if plain => {
            ObservedTarget::Via { gateway, link: link.clone() }
        }
        (RouteType::BlackHole, None, None) if plain => ObservedTarget::Blackhole,
        (kind, ..) => ObservedTarget::Other { links, kind: kind.into() },
    };
    Some(ObservedRoute {
        prefix: Prefix4::new(destination, message.header.destination_prefix_length).ok()?,
        tos: message.header.tos,
        metric,
        protocol: message.header.protocol.into(),
        target,
    })
}
