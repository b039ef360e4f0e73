//! Links: what the kernel says of them, and what it is told to make them.

mod bridge_ports;
mod create;
mod tap;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use net_types::{IfName, Mac};
use node_plan::kernel::{ObservedKind, ObservedLink, ObservedVxlan, PortFlags};
use node_state::PortVlan;
use rtnetlink::packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{
        AfSpecBridge, AfSpecInet6, AfSpecUnspec, BridgeVlanInfoFlags, In6AddrGenMode, InfoBridge,
        InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoVlan, InfoVxlan, LinkAttribute, LinkExtentMask,
        LinkFlags, LinkInfo, LinkMessage,
    },
};

use crate::{Error, Netlink};

impl Netlink {
    pub(crate) async fn observe_links(&self) -> Result<BTreeSet<ObservedLink>, Error> {
        let all = self.dump("read links", RouteNetlinkMessage::GetLink(LinkMessage::default())).await?;
        let mut links: Vec<ObservedLink> = all
            .iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewLink(message) => link(message),
                _ => None,
            })
            .collect();
        if links.iter().any(|link| matches!(link.kind, ObservedKind::Bridge { vlan_aware: true })) {
            let mut vlans = self.observe_vlans().await?;
            for link in &mut links {
                link.vlans = vlans.remove(&link.index).unwrap_or_default();
            }
        }
        Ok(links.into_iter().collect())
    }

    /// By the index of a bridge's port.
    async fn observe_vlans(&self) -> Result<BTreeMap<u32, BTreeSet<PortVlan>>, Error> {
        let mut request = LinkMessage::default();
        request.header.interface_family = AddressFamily::Bridge;
        request.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Brvlan]));
        let all = self.dump("read VLANs of bridges", RouteNetlinkMessage::GetLink(request)).await?;
        let mut vlans: BTreeMap<u32, BTreeSet<PortVlan>> = BTreeMap::new();
        for message in &all {
            let RouteNetlinkMessage::NewLink(message) = message else { continue };
            vlans.entry(message.header.index).or_default().extend(port_vlans(message));
        }
        Ok(vlans)
    }
}

fn port_vlans(message: &LinkMessage) -> impl Iterator<Item = PortVlan> {
    let specs = message.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::AfSpecBridge(specs) => Some(specs),
        _ => None,
    });
    specs.flatten().filter_map(|spec| match spec {
        AfSpecBridge::VlanInfo(info) => {
            let untagged = info.flags.contains(BridgeVlanInfoFlags::Untagged | BridgeVlanInfoFlags::Pvid);
            Some(PortVlan { id: info.vid.try_into().ok()?, untagged })
        }
        _ => None,
    })
}

pub(crate) fn link(message: &LinkMessage) -> Option<ObservedLink> {
    let mut name: Option<IfName> = None;
    let (mut mac, mut group, mut mtu) = (None, 0, 0);
    let (mut below, mut is_elsewhere, mut bridge) = (None, false, None);
    let mut infos: &[LinkInfo] = &[];
    let mut makes_link_local = false;
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = text.parse().ok(),
            LinkAttribute::Address(octets) => {
                mac = <[u8; 6]>::try_from(octets.as_slice()).ok().and_then(|octets| Mac::new(octets).ok());
            }
            LinkAttribute::Group(number) => group = *number,
            LinkAttribute::Mtu(bytes) => mtu = *bytes,
            LinkAttribute::Link(index) => below = Some(*index),
            LinkAttribute::LinkNetNsId(_) => is_elsewhere = true,
            LinkAttribute::Controller(index) => bridge = Some(*index).filter(|index| *index != 0),
            LinkAttribute::LinkInfo(found) => infos = found,
            LinkAttribute::AfSpecUnspec(specs) => makes_link_local = specs.iter().any(is_generating),
            _ => {}
        }
    }
    let below = below.filter(|index| !is_elsewhere && *index != 0 && *index != message.header.index);
    let kind = kind(infos, below);
    let is_pair = matches!(kind, ObservedKind::Veth { .. });
    Some(ObservedLink {
        name: name?,
        index: message.header.index,
        mac,
        kind,
        group,
        mtu,
        up: message.header.flags.contains(LinkFlags::Up),
        stands_on: below.filter(|_| !is_pair),
        bridge,
        port_flags: port_flags(infos),
        vlans: BTreeSet::new(),
        makes_link_local,
    })
}

fn is_generating(spec: &AfSpecUnspec) -> bool {
    let AfSpecUnspec::Inet6(attributes) = spec else { return false };
    attributes
        .iter()
        .any(|attribute| matches!(attribute, AfSpecInet6::AddrGenMode(mode) if *mode != In6AddrGenMode::None))
}

fn kind(infos: &[LinkInfo], below: Option<u32>) -> ObservedKind {
    let (mut name, mut data) = (None, None);
    for info in infos {
        match info {
            LinkInfo::Kind(kind) => name = Some(kind),
            LinkInfo::Data(found) => data = Some(found),
            _ => {}
        }
    }
    match (name, data) {
        (Some(InfoKind::Bridge), Some(InfoData::Bridge(data))) => {
            let vlan_aware = data.iter().any(|one| matches!(one, InfoBridge::VlanFiltering(true)));
            ObservedKind::Bridge { vlan_aware }
        }
        (Some(InfoKind::Vlan), Some(InfoData::Vlan(data))) => {
            let (mut id, mut tpid) = (0, 0x8100);
            for one in data {
                match one {
                    InfoVlan::Id(found) => id = *found,
                    InfoVlan::Protocol(found) => tpid = u16::from(*found),
                    _ => {}
                }
            }
            ObservedKind::Vlan { id, tpid }
        }
        (Some(InfoKind::Vxlan), Some(InfoData::Vxlan(data))) => ObservedKind::Vxlan(vxlan(data)),
        (Some(InfoKind::Veth), _) => ObservedKind::Veth { peer: below },
        (Some(InfoKind::Tun), _) => ObservedKind::Tap,
        (name, _) => ObservedKind::Other(name.map(ToString::to_string).unwrap_or_default()),
    }
}

fn vxlan(data: &[InfoVxlan]) -> ObservedVxlan {
    let mut found = ObservedVxlan { vni: 0, local: None, port: 0, is_learning: false };
    for one in data {
        match one {
            InfoVxlan::Id(vni) => found.vni = *vni,
            InfoVxlan::Local(address) => found.local = Some(IpAddr::V4(*address)),
            InfoVxlan::Local6(address) => found.local = Some(IpAddr::V6(*address)),
            InfoVxlan::Port(port) => found.port = *port,
            InfoVxlan::Learning(is) => found.is_learning = *is,
            _ => {}
        }
    }
    found
}

fn port_flags(infos: &[LinkInfo]) -> Option<PortFlags> {
    let data = infos.iter().find_map(|info| match info {
        LinkInfo::PortData(InfoPortData::BridgePort(data)) => Some(data),
        _ => None,
    })?;
    let mut flags = PortFlags { isolated: false, learning: false, suppress: false };
    for one in data {
        match one {
            InfoBridgePort::Isolated(is) => flags.isolated = *is,
            InfoBridgePort::Learning(is) => flags.learning = *is,
            InfoBridgePort::NeighSupress(is) => flags.suppress = *is,
            _ => {}
        }
    }
    Some(flags)
}
