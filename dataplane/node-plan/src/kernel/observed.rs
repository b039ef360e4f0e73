//! What the kernel was seen to have, with the marks that tell whose it is.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use net_types::{IfName, InterfaceAddress4, Mac, Prefix4, Prefix6};
use node_state::PortVlan;

use super::OWN_PROTOCOL;

/// The links, IPv4 addresses, main routing tables, stations and neighbours of one network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub links: BTreeSet<ObservedLink>,
    pub addresses: BTreeSet<ObservedAddress>,
    pub routes: BTreeSet<ObservedRoute>,
    pub routes6: BTreeSet<ObservedRoute6>,
    /// Forwarding entries of VXLANs that somebody wrote down.
    pub stations: BTreeSet<ObservedStation>,
    /// Neighbours that somebody wrote down.
    pub neighbours: BTreeSet<ObservedNeighbour>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedLink {
    pub name: IfName,
    pub index: u32,
    /// Ethernet address; `None` on links that have none, or a zero one as `lo` has.
    pub mac: Option<Mac>,
    pub kind: ObservedKind,
    /// `IFLA_GROUP`, where the mark of our links is.
    pub group: u32,
    pub mtu: u32,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Index of the link without which it cannot be (`IFLA_LINK`, but for pairs).
    pub stands_on: Option<u32>,
    /// Index of the bridge that it is a port of (`IFLA_MASTER`).
    pub bridge: Option<u32>,
    /// As a port of a bridge.
    pub port_flags: Option<PortFlags>,
    /// As a port of a VLAN-aware bridge.
    pub vlans: BTreeSet<PortVlan>,
    /// Whether the kernel gives it a link-local address of IPv6 when it is set up (`IFLA_INET6_ADDR_GEN_MODE`).
    pub makes_link_local: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedKind {
    Bridge {
        vlan_aware: bool,
    },
    Vlan {
        id: u16,
        tpid: u16,
    },
    Vxlan(ObservedVxlan),
    Veth {
        /// Index of the other end, if that is in the same network namespace.
        peer: Option<u32>,
    },
    Tap,
    /// `IFLA_INFO_KIND`; empty for a physical device.
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedVxlan {
    pub vni: u32,
    pub local: Option<IpAddr>,
    /// UDP port.
    pub port: u16,
    pub is_learning: bool,
}

/// Of a bridge's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortFlags {
    pub isolated: bool,
    pub learning: bool,
    /// The bridge answers for stations whose addresses it knows, instead of asking by this port.
    pub suppress: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedStation {
    pub link: IfName,
    /// `None`: one of those to which a copy goes of what is for all, or for whom nobody knows.
    pub mac: Option<Mac>,
    pub remote: IpAddr,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedNeighbour {
    pub link: IfName,
    pub address: IpAddr,
    pub mac: Mac,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedAddress {
    pub link: IfName,
    pub address: InterfaceAddress4,
    /// The other end, where it is not on the address's own subnet. We make no such address.
    pub peer: Option<Ipv4Addr>,
    /// `IFA_PROTO`, 0 if there is none.
    pub protocol: u8,
}

/// A route of the main table. Those that the kernel makes for an address are here too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedRoute {
    pub prefix: Prefix4,
    pub tos: u8,
    pub metric: u32,
    pub protocol: u8,
    pub target: ObservedTarget,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedTarget {
    /// A unicast route by one gateway, with no attribute that we never give.
    Via {
        gateway: Ipv4Addr,
        link: IfName,
    },
    Blackhole,
    /// Anything else: the links it goes out by, and its `rtm_type`.
    Other {
        links: BTreeSet<IfName>,
        kind: u8,
    },
}

/// A route of the main table of IPv6.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedRoute6 {
    pub prefix: Prefix6,
    pub metric: u32,
    pub protocol: u8,
    pub target: ObservedTarget6,
}

/// As [`ObservedTarget`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedTarget6 {
    Via { gateway: Ipv6Addr, link: IfName },
    Blackhole,
    Other { links: BTreeSet<IfName>, kind: u8 },
}

impl Observed {
    pub fn link(&self, name: &IfName) -> Option<&ObservedLink> {
        self.links.iter().find(|link| &link.name == name)
    }
}

impl ObservedAddress {
    pub fn is_own(&self) -> bool {
        self.protocol == OWN_PROTOCOL && self.peer.is_none()
    }
}

impl ObservedRoute {
    /// `RTPROT_KERNEL`: made and removed by the kernel along with an address.
    pub const PROTOCOL_KERNEL: u8 = 2;

    pub fn is_own(&self) -> bool {
        self.protocol == OWN_PROTOCOL
    }

    /// Whether the kernel drops this route when it drops those links.
    pub(super) fn goes_with(&self, removed: &[IfName]) -> bool {
        match &self.target {
            ObservedTarget::Via { link, .. } => removed.contains(link),
            ObservedTarget::Blackhole => false,
            ObservedTarget::Other { links, .. } => {
                !links.is_empty() && links.iter().all(|link| removed.contains(link))
            }
        }
    }

    pub(super) fn uses(&self, name: &IfName) -> bool {
        match &self.target {
            ObservedTarget::Via { link, .. } => link == name,
            ObservedTarget::Blackhole => false,
            ObservedTarget::Other { links, .. } => links.contains(name),
        }
    }
}

impl ObservedRoute6 {
    pub fn is_own(&self) -> bool {
        self.protocol == OWN_PROTOCOL
    }

    /// Whether the kernel drops this route when it drops those links.
    pub(super) fn goes_with(&self, removed: &[IfName]) -> bool {
        match &self.target {
            ObservedTarget6::Via { link, .. } => removed.contains(link),
            ObservedTarget6::Blackhole => false,
            ObservedTarget6::Other { links, .. } => {
                !links.is_empty() && links.iter().all(|link| removed.contains(link))
            }
        }
    }
}

impl fmt::Display for ObservedTarget6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Via { gateway, link } => write!(f, "via {gateway} on {link}"),
            Self::Blackhole => f.write_str("to a blackhole"),
            Self::Other { links, kind } => other(f, links, *kind),
        }
    }
}

impl fmt::Display for ObservedRoute6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, metric, protocol, target } = self;
        write!(f, "{prefix} {target} (metric {metric}, protocol {protocol})")
    }
}

fn other(f: &mut fmt::Formatter<'_>, links: &BTreeSet<IfName>, kind: u8) -> fmt::Result {
    if links.is_empty() {
        return write!(f, "with type {kind}");
    }
    let names: Vec<_> = links.iter().map(IfName::as_str).collect();
    write!(f, "out by {}", names.join(", "))
}

impl fmt::Display for ObservedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Via { gateway, link } => write!(f, "via {gateway} on {link}"),
            Self::Blackhole => f.write_str("to a blackhole"),
            Self::Other { links, kind } => other(f, links, *kind),
        }
    }
}

impl fmt::Display for ObservedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, tos, metric, protocol, target } = self;
        write!(f, "{prefix} {target} (metric {metric}, protocol {protocol}")?;
        if *tos != 0 {
            write!(f, ", tos {tos:#04x}")?;
        }
        f.write_str(")")
    }
}
