//! New links.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::IpAddr,
};

use net_types::Tpid;
use node_plan::kernel::{OWN_GROUP, OwnLinkName};
use node_state::LinkKind;
use rtnetlink::{
    packet_core::{NLM_F_CREATE, NLM_F_EXCL},
    packet_route::{
        RouteNetlinkMessage,
        link::{
            InfoBridge, InfoData, InfoKind, InfoVeth, InfoVlan, InfoVxlan, LinkAttribute, LinkInfo,
            LinkMessage, VlanProtocol,
        },
    },
};

use crate::{Error, Netlink};

impl Netlink {
    /// Makes a link, with our mark, and down.
    pub(crate) async fn create_link(
        &self,
        doing: &str,
        (name, kind): (&OwnLinkName, &LinkKind),
        (mtu, peer_mtu): (u32, Option<u32>),
    ) -> Result<(), Error> {
        if *kind == LinkKind::Tap {
            return self.create_tap(doing, name.get(), mtu).await;
        }
        let mut message = marked(name.get().as_str(), mtu);
        if let LinkKind::Vlan { parent, .. } = kind {
            message.attributes.push(LinkAttribute::Link(self.index(doing, parent).await?));
        }
        if matches!(kind, LinkKind::Bridge | LinkKind::VlanAwareBridge) {
            message.attributes.push(LinkAttribute::Address(own_address().to_vec()));
        }
        message.attributes.push(LinkAttribute::LinkInfo(info(kind, peer_mtu.unwrap_or(mtu))));
        self.change(doing, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL).await
    }
}

fn marked(name: &str, mtu: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes =
        vec![LinkAttribute::IfName(name.into()), LinkAttribute::Mtu(mtu), LinkAttribute::Group(OWN_GROUP)];
    message
}

/// An Ethernet address that is given locally, at random. Without one of its own, a bridge has that of a port, and each time
/// another one the kernel forgets the neighbours on it that were written down (`neigh_changeaddr()`).
fn own_address() -> [u8; 6] {
    let [_, _, _, octets @ ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
    let mut address = [2; 6];
    address[1..].copy_from_slice(&octets);
    address
}

fn info(kind: &LinkKind, peer_mtu: u32) -> Vec<LinkInfo> {
    // Nobody on a network of ours asks who listens to which group: so what is for a group goes to all.
    let bridge = |mut data: Vec<InfoBridge>| {
        data.push(InfoBridge::MulticastSnooping(false));
        (InfoKind::Bridge, Some(InfoData::Bridge(data)))
    };
    let (kind, data) = match kind {
        LinkKind::Bridge => bridge(Vec::new()),
        // Without a VLAN that each port is in by itself.
        LinkKind::VlanAwareBridge => {
            bridge(vec![InfoBridge::VlanFiltering(true), InfoBridge::VlanDefaultPvid(0)])
        }
        LinkKind::Vlan { parent: _, id, tpid } => {
            let protocol = match tpid {
                Tpid::Dot1ad => VlanProtocol::Ieee8021Ad,
                Tpid::Dot1q => VlanProtocol::Ieee8021Q,
            };
            (InfoKind::Vlan, Some(InfoData::Vlan(vec![InfoVlan::Id(id.get()), InfoVlan::Protocol(protocol)])))
        }
        LinkKind::Vxlan { vni, local, port } => {
            let local = match local {
                IpAddr::V4(address) => InfoVxlan::Local(*address),
                IpAddr::V6(address) => InfoVxlan::Local6(*address),
            };
            let data =
                vec![InfoVxlan::Id(vni.get()), local, InfoVxlan::Port(*port), InfoVxlan::Learning(false)];
            (InfoKind::Vxlan, Some(InfoData::Vxlan(data)))
        }
        LinkKind::Veth { peer } => {
            let peer = marked(peer.as_str(), peer_mtu);
            (InfoKind::Veth, Some(InfoData::Veth(InfoVeth::Peer(peer))))
        }
        LinkKind::Tap => (InfoKind::Tun, None),
    };
    [LinkInfo::Kind(kind)].into_iter().chain(data.map(LinkInfo::Data)).collect()
}
