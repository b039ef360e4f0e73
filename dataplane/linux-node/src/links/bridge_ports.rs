//! Ports of bridges.

use net_types::IfName;
use node_plan::kernel::PortFlags;
use node_state::PortVlan;
use rtnetlink::packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{
        AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags, InfoBridgePort, InfoPortData, InfoPortKind,
        LinkAttribute, LinkInfo, LinkMessage,
    },
};

use crate::{Error, Netlink};

impl Netlink {
    pub(crate) async fn join_bridge(
        &self,
        doing: &str,
        (link, bridge): (&IfName, &IfName),
        flags: PortFlags,
    ) -> Result<(), Error> {
        let bridge = self.index(doing, bridge).await?;
        self.set_link(doing, link, LinkAttribute::Controller(bridge)).await?;
        self.set_port_flags(doing, link, flags).await
    }

    pub(crate) async fn set_port_flags(
        &self,
        doing: &str,
        link: &IfName,
        flags: PortFlags,
    ) -> Result<(), Error> {
        let PortFlags { isolated, learning, suppress } = flags;
        let data = vec![
            InfoBridgePort::Isolated(isolated),
            InfoBridgePort::Learning(learning),
            InfoBridgePort::NeighSupress(suppress),
        ];
        let mut message = LinkMessage::default();
        message.header.index = self.index(doing, link).await?;
        message.attributes = vec![LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(data)),
        ])];
        self.change(doing, RouteNetlinkMessage::NewLink(message), 0).await
    }

    pub(crate) async fn add_vlan(&self, doing: &str, link: &IfName, vlan: PortVlan) -> Result<(), Error> {
        let message = self.vlan(doing, link, vlan).await?;
        self.change(doing, RouteNetlinkMessage::SetLink(message), 0).await
    }

    pub(crate) async fn remove_vlan(&self, doing: &str, link: &IfName, vlan: PortVlan) -> Result<(), Error> {
        let message = self.vlan(doing, link, vlan).await?;
        self.change(doing, RouteNetlinkMessage::DelLink(message), 0).await
    }

    async fn vlan(&self, doing: &str, link: &IfName, vlan: PortVlan) -> Result<LinkMessage, Error> {
        let untagged = BridgeVlanInfoFlags::Pvid | BridgeVlanInfoFlags::Untagged;
        let flags = if vlan.untagged { untagged } else { BridgeVlanInfoFlags::empty() };
        let mut message = LinkMessage::default();
        message.header.interface_family = AddressFamily::Bridge;
        message.header.index = self.index(doing, link).await?;
        let info = BridgeVlanInfo { flags, vid: vlan.id.get() };
        message.attributes.push(LinkAttribute::AfSpecBridge(vec![AfSpecBridge::VlanInfo(info)]));
        Ok(message)
    }
}
