//! A server of the office: its ports, its addresses and the way upstream.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use jiff::Timestamp;
use net_types::{
    BroadcastLimit, Collector, IfName, InterfaceAddress4, Name, Prefix4, Prefix6, ReversePath, Tpid,
};
use serde::{Deserialize, Serialize};

use super::{NodeGarden, NodeVoice};
use crate::{
    Condition, Fault, Kind, KindName, Object, Pointer, Reference, document::check, values::is_unicast,
};

pub type Node = Object<NodeSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSpec {
    /// The node's own address, on no link: the source of its ICMP errors.
    pub loopback: Ipv4Addr,
    pub ports: Vec<NodePort>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<NodeRoute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes6: Vec<NodeRoute6>,
    /// What subscribers that are suspended or unauthenticated reach; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub garden: Option<NodeGarden>,
    /// The voice platforms; without them, `bundle.voice` means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<NodeVoice>,
    /// Destinations that see the own addresses of subscribers with `bundle.natExempt`, which NAT translates for all others:
    /// networks of the operator that know the way back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub nat_exempt: BTreeSet<Prefix4>,
    /// Who is told which subscriber had which public port when; without it, nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_log: Option<NodeNatLog>,
    /// Where the node stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodePort {
    pub name: IfName,
    pub role: PortRole,
    /// The outer tag's protocol identifier; on access ports only, 0x88a8 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer_tpid: Option<Tpid>,
    /// Whether the priority of frames to the lines (PCP) is the class that their packets are marked with (the class selector:
    /// RFC 2474, section 4.2.2), which whoever sent them has chosen; on access ports only. Else it is 0, but for voice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub priority_from_dscp: bool,
    /// Whether packets from the lines are marked with the priority of their outer tag (PCP; the class selector of that number,
    /// and 0 without a tag), whatever mark they come with; on access ports only. Else they keep what their sender has
    /// chosen, but for the mark of voice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dscp_from_priority: bool,
    /// How many broadcast and multicast frames a subscriber may send in a second (ARP, DHCP, neighbour discovery and whatever
    /// else its devices say to all), of which twice as many may come at once; on access ports only, 100 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast_limit: Option<BroadcastLimit>,
    /// Largest IP packet on the port; on an access port without its tags.
    #[serde(default = "default_mtu")]
    pub mtu: u16,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<InterfaceAddress4>,
    /// Whether sources of packets to subscribers are checked against the routes; of a core port only.
    #[serde(default, skip_serializing_if = "ReversePath::is_off")]
    pub reverse_path: ReversePath,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PortRole {
    /// Subscribers are behind it, told apart by their tags.
    Access,
    /// The way to the upstream router.
    Core,
}

/// A route of the node, by a neighbour on one of its core ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeRoute {
    pub prefix: Prefix4,
    pub via: Ipv4Addr,
}

/// A route of IPv6. A core port has the link-local address that Linux gives it and no other, so a neighbour on it is
/// named by its own link-local one, which says nothing of the port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeRoute6 {
    pub prefix: Prefix6,
    pub via: Ipv6Addr,
    pub port: IfName,
}

/// The node's NAT log: IPFIX over UDP, with the events of RFC 8158.
///
/// A subscriber's block of ports is told of when the kernel has it and when it has it no more, which says whose a public
/// port was at any time. UDP may lose what is told: the sequence numbers of IPFIX show the collector that it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeNatLog {
    pub collector: Collector,
    /// Tells the office's nodes apart at the collector (RFC 7011, section 3.1), from 1 on; the loopback address as a number
    /// unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub observation_domain: Option<u32>,
    /// Also tells of each NAT mapping, with the destination that it was made for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_flow: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeStatus {
    pub observed_generation: u64,
    /// Whether the node's agent holds a stream to the controller.
    pub connected: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// The revision of the intent that the node was last given.
    pub generation: u64,
    /// The revision that is in the node's kernel.
    pub programmed_generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

fn default_mtu() -> u16 {
    1500
}

impl NodeSpec {
    pub const PORTS_MAX: usize = 64;
    pub const PORT_ADDRESSES_MAX: usize = 16;
    pub const ROUTES_MAX: usize = 1024;
    pub const NAT_EXEMPT_MAX: usize = 64;
    /// The smallest MTU of an IPv4 link that carries full DHCP messages (RFC 2131, section 2).
    pub const MTU_MIN: u16 = 576;
    /// What native XDP takes on one page without fragments, less two tags.
    pub const MTU_MAX: u16 = 3498;

    pub fn port(&self, name: &IfName) -> Option<&NodePort> {
        self.ports.iter().find(|port| port.name == *name)
    }

    /// The core port on whose link `neighbour` is; of several, the one with the longest prefix.
    pub fn port_towards(&self, neighbour: Ipv4Addr) -> Option<&NodePort> {
        let cores = self.ports.iter().filter(|port| port.role == PortRole::Core);
        let links = cores.flat_map(|port| port.addresses.iter().map(move |address| (port, address)));
        let on_link = links.filter(|(_, address)| address.is_on_link(neighbour));
        on_link.max_by_key(|(_, address)| address.prefix_len()).map(|(port, _)| port)
    }

    fn validate_port(&self, i: usize, port: &NodePort, faults: &mut Vec<Fault>) {
        let at = Pointer::from("/spec/ports").at(i);
        if self.ports[..i].iter().any(|other| other.name == port.name) {
            faults.push(Fault::new(at.at("name"), format!("there are two ports {}", port.name)));
        }
        if port.name.as_str().starts_with("wc-") {
            faults.push(Fault::new(at.at("name"), "names that begin with \"wc-\" are the agent's own links"));
        }
        if !(Self::MTU_MIN..=Self::MTU_MAX).contains(&port.mtu) {
            let rule = format!("an MTU lies between {} and {}", Self::MTU_MIN, Self::MTU_MAX);
            faults.push(Fault::new(at.at("mtu"), rule));
        }
        if port.addresses.len() > Self::PORT_ADDRESSES_MAX {
            let rule = format!("at most {} addresses on a port", Self::PORT_ADDRESSES_MAX);
            faults.push(Fault::new(at.at("addresses"), rule));
        }
        match port.role {
            PortRole::Core if port.outer_tpid.is_some() => {
                faults.push(Fault::new(at.at("outerTpid"), "only an access port has tags"));
            }
            PortRole::Core if port.priority_from_dscp => {
                faults.push(Fault::new(at.at("priorityFromDscp"), "only an access port has tags"));
            }
            PortRole::Core if port.dscp_from_priority => {
                faults.push(Fault::new(at.at("dscpFromPriority"), "only an access port has tags"));
            }
            PortRole::Core if port.broadcast_limit.is_some() => {
                faults.push(Fault::new(at.at("broadcastLimit"), "only an access port has subscribers"));
            }
            PortRole::Access if !port.addresses.is_empty() => {
                let rule =
                    "an access port has no addresses: the pools' gateways are on every subscriber's link";
                faults.push(Fault::new(at.at("addresses"), rule));
            }
            PortRole::Access if !port.reverse_path.is_off() => {
                let rule =
                    "only of a core port: what comes in by an access port has its subscriber's address";
                faults.push(Fault::new(at.at("reversePath"), rule));
            }
            PortRole::Core | PortRole::Access => {}
        }
        for (j, address) in port.addresses.iter().enumerate() {
            if !is_unicast(address.address()) {
                faults.push(Fault::new(at.at("addresses").at(j), "not a unicast address"));
            }
        }
    }

    fn validate_route(&self, i: usize, route: &NodeRoute, faults: &mut Vec<Fault>) {
        let at = Pointer::from("/spec/routes").at(i);
        if self.routes[..i].iter().any(|other| other.prefix == route.prefix) {
            faults.push(Fault::new(at.at("prefix"), format!("there are two routes to {}", route.prefix)));
        }
        let own = self.ports.iter().flat_map(|port| &port.addresses).any(|own| own.address() == route.via);
        if own || self.port_towards(route.via).is_none() {
            let rule = format!("{} is no neighbour on the link of a core port's address", route.via);
            faults.push(Fault::new(at.at("via"), rule));
        }
    }

    fn validate_route6(&self, i: usize, route: &NodeRoute6, faults: &mut Vec<Fault>) {
        let at = Pointer::from("/spec/routes6").at(i);
        if self.routes6[..i].iter().any(|other| other.prefix == route.prefix) {
            faults.push(Fault::new(at.at("prefix"), format!("there are two routes to {}", route.prefix)));
        }
        if !route.via.is_unicast_link_local() {
            faults.push(Fault::new(at.at("via"), "not a link-local address (fe80::/10)"));
        }
        if self.port(&route.port).is_none_or(|port| port.role != PortRole::Core) {
            faults.push(Fault::new(at.at("port"), format!("{} is not a core port of the node", route.port)));
        }
    }
}

impl Kind for NodeSpec {
    const KIND: KindName = KindName::Node;
    type Status = NodeStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !is_unicast(self.loopback) {
            faults.push(Fault::new("/spec/loopback", "not a unicast address"));
        }
        if self.ports.is_empty() || self.ports.len() > Self::PORTS_MAX {
            faults.push(Fault::new("/spec/ports", format!("a node has 1 to {} ports", Self::PORTS_MAX)));
        }
        for (at, count) in [("/spec/routes", self.routes.len()), ("/spec/routes6", self.routes6.len())] {
            check::at_most(&mut faults, &at.into(), count, Self::ROUTES_MAX, "routes");
        }
        for (i, port) in self.ports.iter().enumerate().take(Self::PORTS_MAX) {
            self.validate_port(i, port, &mut faults);
        }
        for (i, route) in self.routes.iter().enumerate().take(Self::ROUTES_MAX) {
            self.validate_route(i, route, &mut faults);
        }
        for (i, route) in self.routes6.iter().enumerate().take(Self::ROUTES_MAX) {
            self.validate_route6(i, route, &mut faults);
        }
        if let Some(garden) = &self.garden {
            garden.validate(&"/spec/garden".into(), &mut faults);
        }
        if let Some(voice) = &self.voice {
            voice.validate(&"/spec/voice".into(), &mut faults);
        }
        let exempt = Pointer::from("/spec/natExempt");
        check::at_most(&mut faults, &exempt, self.nat_exempt.len(), Self::NAT_EXEMPT_MAX, "prefixes");
        for (i, _) in self.nat_exempt.iter().enumerate().filter(|(_, prefix)| prefix.len() == 0) {
            faults.push(Fault::new(exempt.at(i), "not everything is exempt"));
        }
        if self.nat_log.as_ref().is_some_and(|log| log.observation_domain == Some(0)) {
            // RFC 7011, section 3.1.
            let rule = "0 stands for no domain in particular: it is from 1 to 4294967295";
            faults.push(Fault::new("/spec/natLog/observationDomain", rule));
        }
        faults
    }

    fn references(&self) -> Vec<Reference> {
        self.site.iter().map(|site| Reference::new("/spec/site", KindName::Site, site)).collect()
    }
}
