//! The plan as a value: steps and problems, each of which can say what it is about.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use net_types::{IfName, InterfaceAddress4, Mac, Prefix4};
use node_state::{Link, LinkKind, PortVlan, ResourceKey, Route6, Route6Target};

use super::{ObservedRoute, ObservedRoute6, PortFlags};

/// What must be done, in this order, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePlan {
    pub steps: Vec<Step>,
    pub problems: Vec<Problem>,
    /// Every desired resource that is the kernel's business: all but sessions.
    pub resources: BTreeSet<ResourceKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub op: Op,
    pub why: Why,
}

/// On whose account a step is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Wanted(ResourceKey),
    /// It is ours by its mark and nothing wants it.
    Stray,
}

/// What keeps a resource from being as it should, or a leftover of ours from going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub why: Why,
    pub text: String,
}

/// The name of a link that may be ours: the only kind of name that a link is made or removed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnLinkName(IfName);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnicastOrBlackhole {
    Via { gateway: Ipv4Addr, link: IfName },
    Blackhole,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Only a route that has our mark.
    DeleteRoute(ObservedRoute),
    /// Only a route that has our mark.
    DeleteRoute6(ObservedRoute6),
    DeleteLink {
        name: OwnLinkName,
        index: u32,
    },
    /// Made with our mark, and down.
    CreateLink {
        name: OwnLinkName,
        kind: LinkKind,
        mtu: u32,
        /// Of a pair: the other end's.
        peer_mtu: Option<u32>,
    },
    /// `IFLA_INET6_ADDR_GEN_MODE` none.
    NoLinkLocal {
        link: IfName,
    },
    JoinBridge {
        link: IfName,
        bridge: IfName,
        flags: PortFlags,
    },
    LeaveBridge {
        link: IfName,
    },
    SetPortFlags {
        link: IfName,
        flags: PortFlags,
    },
    AddVlan {
        link: IfName,
        vlan: PortVlan,
    },
    RemoveVlan {
        link: IfName,
        vlan: PortVlan,
    },
    /// In place of the one for that address, if there is one.
    SetStation {
        link: IfName,
        mac: Mac,
        remote: IpAddr,
    },
    /// One more node to which a copy goes of what is for all.
    AddFlood {
        link: IfName,
        remote: IpAddr,
    },
    /// `mac` is none of such a node.
    RemoveStation {
        link: IfName,
        mac: Option<Mac>,
        remote: IpAddr,
    },
    /// In place of the one with that address, if there is one.
    SetNeighbour {
        link: IfName,
        address: IpAddr,
        mac: Mac,
    },
    RemoveNeighbour {
        link: IfName,
        address: IpAddr,
        mac: Mac,
    },
    SetMtu {
        link: IfName,
        from: u32,
        to: u32,
    },
    SetUp {
        link: IfName,
    },
    /// `net.ipv4.conf.LINK.promote_secondaries`: without it the kernel removes, with an address, all others of its
    /// subnet that came later.
    PromoteSecondaries {
        link: IfName,
    },
    AddAddress {
        link: IfName,
        address: InterfaceAddress4,
    },
    /// Only an address that has our mark.
    DeleteAddress {
        link: IfName,
        address: InterfaceAddress4,
    },
    /// Fails if there is one for that prefix.
    AddRoute {
        prefix: Prefix4,
        target: UnicastOrBlackhole,
    },
    /// Fails if there is one for that prefix with our metric.
    AddRoute6(Route6),
    /// In place of the one route for that prefix, which is ours.
    ReplaceRoute {
        prefix: Prefix4,
        target: UnicastOrBlackhole,
    },
}

impl OwnLinkName {
    pub(super) fn new(name: &IfName) -> Option<Self> {
        name.as_str().starts_with(Link::OWN_PREFIX).then(|| Self(name.clone()))
    }

    pub fn get(&self) -> &IfName {
        &self.0
    }
}

impl Op {
    /// Where in the order of steps this belongs. What is in the way goes first; links come before what stands on
    /// them; addresses are added before others are removed, for a device that loses its last address loses its routes;
    /// routes come last, for their gateways must be on a link.
    fn rank(&self) -> u8 {
        match self {
            Self::DeleteRoute(_) | Self::DeleteRoute6(_) => 0,
            Self::DeleteLink { .. } => 1,
            // A link can have no larger frames than the one that it stands on.
            Self::SetMtu { .. } => 2,
            Self::CreateLink { .. } => 3,
            Self::NoLinkLocal { .. } => 4,
            Self::LeaveBridge { .. } => 5,
            Self::JoinBridge { .. } => 6,
            Self::SetPortFlags { .. } => 7,
            Self::RemoveVlan { .. } => 8,
            Self::AddVlan { .. } => 9,
            Self::RemoveStation { .. } | Self::RemoveNeighbour { .. } => 10,
            Self::SetStation { .. } | Self::AddFlood { .. } | Self::SetNeighbour { .. } => 11,
            Self::SetUp { .. } => 12,
            Self::PromoteSecondaries { .. } => 13,
            Self::AddAddress { .. } => 14,
            Self::DeleteAddress { .. } => 15,
            Self::AddRoute { .. } | Self::AddRoute6(_) | Self::ReplaceRoute { .. } => 16,
        }
    }
}

impl NodePlan {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) fn want(&mut self, key: &ResourceKey, op: Op) {
        self.steps.push(Step { op, why: Why::Wanted(key.clone()) });
    }

    pub(super) fn clear(&mut self, op: Op) {
        self.steps.push(Step { op, why: Why::Stray });
    }

    pub(super) fn problem(&mut self, why: Why, text: String) {
        self.problems.push(Problem { why, text });
    }

    pub(super) fn sort(&mut self) {
        self.steps.sort_by_key(|step| step.op.rank());
    }
}

impl fmt::Display for OwnLinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UnicastOrBlackhole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Via { gateway, link } => write!(f, "via {gateway} on {link}"),
            Self::Blackhole => f.write_str("to a blackhole"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeleteRoute(route) => write!(f, "remove route {route}"),
            Self::DeleteRoute6(route) => write!(f, "remove route {route}"),
            Self::DeleteLink { name, index } => write!(f, "remove link {name} (index {index})"),
            Self::CreateLink { name, kind: LinkKind::Bridge, mtu, .. } => {
                write!(f, "make bridge {name} with MTU {mtu}")
            }
            Self::CreateLink { name, kind, mtu, .. } => write!(f, "make {name}, {kind}, with MTU {mtu}"),
            Self::NoLinkLocal { link } => write!(f, "give {link} no link-local address"),
            Self::JoinBridge { link, bridge, flags } => write!(f, "make {link} a port of {bridge}{flags}"),
            Self::LeaveBridge { link } => write!(f, "take {link} off its bridge"),
            Self::SetPortFlags { link, flags } => write!(f, "make {link} a port{flags}"),
            Self::AddVlan { link, vlan } => write!(f, "let VLAN {vlan} pass {link}"),
            Self::RemoveVlan { link, vlan } => write!(f, "keep VLAN {vlan} from {link}"),
            Self::SetStation { link, mac, remote } => write!(f, "send to {mac} by {link} at {remote}"),
            Self::AddFlood { link, remote } => write!(f, "send to all by {link} at {remote} too"),
            Self::RemoveStation { link, mac: Some(mac), remote } => {
                write!(f, "do not send to {mac} by {link} at {remote}")
            }
            Self::RemoveStation { link, mac: None, remote } => {
                write!(f, "do not send to all by {link} at {remote}")
            }
            Self::SetNeighbour { link, address, mac } => write!(f, "know {address} on {link} as {mac}"),
            Self::RemoveNeighbour { link, address, mac } => {
                write!(f, "forget that {address} on {link} is {mac}")
            }
            Self::SetMtu { link, from, to } => write!(f, "set MTU of {link} from {from} to {to}"),
            Self::SetUp { link } => write!(f, "set {link} up"),
            Self::PromoteSecondaries { link } => {
                write!(f, "let other addresses of {link} outlive the one to be removed")
            }
            Self::AddAddress { link, address } => write!(f, "add {address} to {link}"),
            Self::DeleteAddress { link, address } => write!(f, "remove {address} from {link}"),
            Self::AddRoute { prefix, target } => write!(f, "add route {prefix} {target}"),
            Self::AddRoute6(Route6 { prefix, target: Route6Target::Pool }) => {
                write!(f, "add route {prefix} to a blackhole")
            }
            Self::AddRoute6(Route6 { prefix, target: Route6Target::Via { gateway, port } }) => {
                write!(f, "add route {prefix} via {gateway} on {port}")
            }
            Self::ReplaceRoute { prefix, target } => write!(f, "change route {prefix} to go {target}"),
        }
    }
}

impl fmt::Display for PortFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { isolated, learning, suppress } = *self;
        let said =
            [(isolated, ", isolated"), (!learning, ", without learning"), (suppress, ", answered for")];
        said.iter().filter(|(is, _)| *is).try_for_each(|(_, text)| f.write_str(text))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wanted(key) => write!(f, "for {key}"),
            Self::Stray => f.write_str("ours, and no longer wanted"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.op, self.why)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.why)
    }
}

impl fmt::Display for NodePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "cannot: {problem}"))
    }
}
