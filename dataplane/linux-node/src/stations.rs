//! Forwarding entries of VXLANs, and neighbours on bridges, that somebody wrote down.

use std::{collections::BTreeSet, net::IpAddr};

use net_types::{IfName, Mac};
use node_plan::kernel::{
    OWN_GROUP, OWN_PROTOCOL, ObservedKind, ObservedLink, ObservedNeighbour, ObservedStation,
};
use rtnetlink::{
    packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE},
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState},
    },
};

use crate::{Error, Netlink, execute::gone, observe::Names};

type Written = (BTreeSet<ObservedStation>, BTreeSet<ObservedNeighbour>);

impl Netlink {
    /// Those on links with our mark; where there is no such link, nothing is read.
    pub(crate) async fn observe_stations(&self, links: &BTreeSet<ObservedLink>) -> Result<Written, Error> {
        let named = |is_of: fn(&ObservedKind) -> bool| -> Names {
            let ours = links.iter().filter(|link| link.group == OWN_GROUP && is_of(&link.kind));
            ours.map(|link| (link.index, link.name.clone())).collect()
        };
        let vxlans = named(|kind| matches!(kind, ObservedKind::Vxlan(_)));
        let bridges = named(|kind| matches!(kind, ObservedKind::Bridge { .. }));
        let (mut stations, mut neighbours) = (BTreeSet::new(), BTreeSet::new());
        if !vxlans.is_empty() {
            let all = self.dump_neighbours("read stations", AddressFamily::Bridge).await?;
            stations = all.iter().filter_map(|message| station(message, &vxlans)).collect();
        }
        if !bridges.is_empty() {
            let all = self.dump_neighbours("read neighbours", AddressFamily::Unspec).await?;
            neighbours = all.iter().filter_map(|message| neighbour(message, &bridges)).collect();
        }
        Ok((stations, neighbours))
    }

    async fn dump_neighbours(
        &self,
        doing: &str,
        family: AddressFamily,
    ) -> Result<Vec<NeighbourMessage>, Error> {
        let mut request = NeighbourMessage::default();
        request.header.family = family;
        let all = self.dump(doing, RouteNetlinkMessage::GetNeighbour(request)).await?;
        let found = all.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewNeighbour(message) => Some(message),
            _ => None,
        });
        Ok(found.collect())
    }

    pub(crate) async fn set_station(
        &self,
        doing: &str,
        (link, mac): (&IfName, Mac),
        remote: IpAddr,
    ) -> Result<(), Error> {
        let message = self.station(doing, (link, Some(mac)), remote).await?;
        self.change(doing, RouteNetlinkMessage::NewNeighbour(message), NLM_F_CREATE | NLM_F_REPLACE).await
    }

    pub(crate) async fn add_flood(&self, doing: &str, link: &IfName, remote: IpAddr) -> Result<(), Error> {
        let message = self.station(doing, (link, None), remote).await?;
        self.change(doing, RouteNetlinkMessage::NewNeighbour(message), NLM_F_CREATE | NLM_F_APPEND).await
    }

    pub(crate) async fn remove_station(
        &self,
        doing: &str,
        place: (&IfName, Option<Mac>),
        remote: IpAddr,
    ) -> Result<(), Error> {
        let message = self.station(doing, place, remote).await?;
        gone(self.change(doing, RouteNetlinkMessage::DelNeighbour(message), 0).await)
    }

    async fn station(
        &self,
        doing: &str,
        (link, mac): (&IfName, Option<Mac>),
        remote: IpAddr,
    ) -> Result<NeighbourMessage, Error> {
        let mut message = NeighbourMessage::default();
        message.header.family = AddressFamily::Bridge;
        message.header.ifindex = self.index(doing, link).await?;
        message.header.state = NeighbourState::Permanent;
        message.header.flags = NeighbourFlags::Own;
        let octets = mac.map_or([0; 6], Mac::octets);
        message.attributes = vec![
            NeighbourAttribute::LinkLayerAddress(octets.to_vec()),
            NeighbourAttribute::Destination(remote.into()),
        ];
        Ok(message)
    }

    pub(crate) async fn set_neighbour(
        &self,
        doing: &str,
        (link, address): (&IfName, IpAddr),
        mac: Mac,
    ) -> Result<(), Error> {
        let mut message = self.bridge_neighbour(doing, link, address).await?;
        message.header.state = NeighbourState::Permanent;
        message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.octets().to_vec()));
        message.attributes.push(NeighbourAttribute::Protocol(OWN_PROTOCOL.into()));
        self.change(doing, RouteNetlinkMessage::NewNeighbour(message), NLM_F_CREATE | NLM_F_REPLACE).await
    }

    pub(crate) async fn remove_neighbour(
        &self,
        doing: &str,
        link: &IfName,
        address: IpAddr,
    ) -> Result<(), Error> {
        let message = self.bridge_neighbour(doing, link, address).await?;
        gone(self.change(doing, RouteNetlinkMessage::DelNeighbour(message), 0).await)
    }

    async fn bridge_neighbour(
        &self,
        doing: &str,
        link: &IfName,
        address: IpAddr,
    ) -> Result<NeighbourMessage, Error> {
        let mut message = NeighbourMessage::default();
        message.header.family = match address {
            IpAddr::V4(_) => AddressFamily::Inet,
            IpAddr::V6(_) => AddressFamily::Inet6,
        };
        message.header.ifindex = self.index(doing, link).await?;
        message.attributes = vec![NeighbourAttribute::Destination(address.into())];
        Ok(message)
    }
}

fn station(message: &NeighbourMessage, vxlans: &Names) -> Option<ObservedStation> {
    let is_written = message.header.state == NeighbourState::Permanent
        && message.header.flags.contains(NeighbourFlags::Own);
    let link = vxlans.get(&message.header.ifindex).filter(|_| is_written)?;
    let (mut octets, mut remote) = (None::<[u8; 6]>, None);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::LinkLayerAddress(found) => octets = found.as_slice().try_into().ok(),
            NeighbourAttribute::Destination(found) => remote = address(found),
            _ => {}
        }
    }
    let mac = match octets? {
        [0, 0, 0, 0, 0, 0] => None,
        octets => Some(Mac::new(octets).ok()?),
    };
    Some(ObservedStation { link: link.clone(), mac, remote: remote? })
}

fn neighbour(message: &NeighbourMessage, bridges: &Names) -> Option<ObservedNeighbour> {
    let is_written = message.header.state == NeighbourState::Permanent;
    let link = bridges.get(&message.header.ifindex).filter(|_| is_written)?;
    let (mut mac, mut destination) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::LinkLayerAddress(octets) => {
                mac = <[u8; 6]>::try_from(octets.as_slice()).ok().and_then(|octets| Mac::new(octets).ok());
            }
            NeighbourAttribute::Destination(found) => destination = address(found),
            _ => {}
        }
    }
    Some(ObservedNeighbour { link: link.clone(), address: destination?, mac: mac? })
}

/// Where a message is of the family of bridges, the library leaves addresses as they are.
fn address(found: &NeighbourAddress) -> Option<IpAddr> {
    match found {
        NeighbourAddress::Inet(address) => Some(IpAddr::V4(*address)),
        NeighbourAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        NeighbourAddress::Other(bytes) => {
            let four = <[u8; 4]>::try_from(bytes.as_slice()).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(bytes.as_slice()).map(IpAddr::from)).ok()
        }
        _ => None,
    }
}
