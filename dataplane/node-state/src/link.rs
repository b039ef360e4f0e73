//! Links: interfaces that the agent makes.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use net_types::{IfName, InterfaceAddress4, Tpid, Vid, Vni};
use serde::{Deserialize, Serialize};

/// A link that the agent makes, and removes when it is no longer wanted.
/// Its name begins with [`Link::OWN_PREFIX`]; the agent touches no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    pub name: IfName,
    #[serde(rename = "type")]
    pub kind: LinkKind,
    pub mtu: u16,
    pub addresses: BTreeSet<InterfaceAddress4>,
    /// The bridge that it is a port of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<BridgePort>,
    /// Of a VXLAN: the nodes to which a copy of each frame goes that is for all, or for whom nobody knows (head-end
    /// replication).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub flood: BTreeSet<IpAddr>,
}

impl Link {
    /// What the name of every link of ours begins with.
    pub const OWN_PREFIX: &str = "wc-";

    /// A link of a kind, with no address, on its own.
    pub fn new(name: IfName, kind: LinkKind, mtu: u16) -> Self {
        Self { name, kind, mtu, addresses: BTreeSet::new(), bridge: None, flood: BTreeSet::new() }
    }

    /// The link that this one stands on, and without which it cannot be.
    pub fn parent(&self) -> Option<&IfName> {
        match &self.kind {
            LinkKind::Vlan { parent, .. } => Some(parent),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum LinkKind {
    /// A bridge that does not look at tags; one without ports carries the node's loopback address.
    Bridge,
    /// A bridge of which each port has VLANs of its own, and passes no other (IEEE 802.1Q).
    VlanAwareBridge,
    /// What another link has with a tag: an S-VLAN (802.1ad) on a port, say, or a C-VLAN in an S-VLAN.
    Vlan { parent: IfName, id: Vid, tpid: Tpid },
    /// An end of a VXLAN (RFC 7348). It learns nothing: where stations are, [`Station`](crate::Station)s say.
    Vxlan {
        vni: Vni,
        /// The node's own address in the underlay.
        local: IpAddr,
        /// UDP port.
        #[serde(default = "vxlan_port", skip_serializing_if = "is_vxlan_port")]
        port: u16,
    },
    /// One of a pair of interfaces. The other end, which is made with it, may be moved to wherever it is needed; where it
    /// stays on the node, it is a link too.
    Veth { peer: IfName },
    /// What a virtual machine's network card is plugged into.
    Tap,
}

/// IANA's port of VXLAN.
pub const VXLAN_PORT: u16 = 4789;

fn vxlan_port() -> u16 {
    VXLAN_PORT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way of calling it")]
fn is_vxlan_port(port: &u16) -> bool {
    *port == VXLAN_PORT
}

/// What a link is as a port of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BridgePort {
    pub bridge: IfName,
    /// Of a VLAN-aware bridge: what passes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub vlans: BTreeSet<PortVlan>,
    /// Whether it passes nothing to other such ports.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub isolated: bool,
    /// Whether the bridge learns who is behind it; a VXLAN's port need not, since stations are known.
    #[serde(default = "learns", skip_serializing_if = "Clone::clone")]
    pub learning: bool,
}

impl BridgePort {
    pub fn of(bridge: IfName) -> Self {
        Self { bridge, vlans: BTreeSet::new(), isolated: false, learning: true }
    }
}

fn learns() -> bool {
    true
}

/// A VLAN of a bridge's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortVlan {
    pub id: Vid,
    /// Whether its frames have no tag on the link, both ways. One of a port's VLANs at most.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untagged: bool,
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge => f.write_str("bridge"),
            Self::VlanAwareBridge => f.write_str("VLAN-aware bridge"),
            Self::Vlan { parent, id, tpid } => write!(f, "VLAN {id} ({tpid}) of {parent}"),
            Self::Vxlan { vni, local, port: VXLAN_PORT } => write!(f, "VXLAN {vni} from {local}"),
            Self::Vxlan { vni, local, port } => write!(f, "VXLAN {vni} from {local} port {port}"),
            Self::Veth { peer } => write!(f, "veth with {peer}"),
            Self::Tap => f.write_str("tap"),
        }
    }
}

impl fmt::Display for PortVlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.id, if self.untagged { " untagged" } else { "" })
    }
}
