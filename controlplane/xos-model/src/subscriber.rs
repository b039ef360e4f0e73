//! What an operator provisions: an access line and a bundle of services on it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use net_types::{BitRate, IfName, Mac, Name, Prefix, Prefix4, Prefix6, Vid};
use serde::{Deserialize, Serialize};

use crate::{
    Condition, Fault, Kind, KindName, Object, Pointer, Reference,
    document::check,
    values::{is_unicast, is_unicast6},
};

mod firewall;
mod interfaces;
mod nat;
mod networks;
mod parental_control;
mod port_forwards;
mod session_version;
mod voice;

pub use firewall::{
    Firewall, FirewallRule, FlowDirection, PortRange, PortRangeError, RuleAction, RuleProtocol,
    RuleProtocolError,
};
pub(crate) use interfaces::check_settings;
pub use interfaces::{
    ACCESS_LINE, AccessLine, HOME_NETWORK, HomeNetwork, INTERNET_ROUTE, InternetRoute, subscriber_attributes,
};
pub use nat::NatFiltering;
pub use parental_control::{BlockRule, ParentalControl, WeeklyTime};
pub use port_forwards::{ForwardedPort, PortForward, PortProtocol};
pub use session_version::SessionVersion;
pub use voice::Voice;

pub type Subscriber = Object<SubscriberSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriberSpec {
    pub access: Access,
    #[serde(default)]
    pub bundle: Bundle,
    /// The only device that may use the line, and what tells it from others with the same port and tags; without it, the
    /// device that DHCP saw last, and nobody else is behind that port with these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// A fixed inside address, in a subscriber pool of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// A fixed routed subnet, in a routed pool of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Prefix4>,
    /// The prefix length of the routed subnet to be chosen, where `subnet` names none: 30 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_length: Option<u8>,
    /// Further subnets that are routed to the home's router: of IPv4, without NAT, each of a routed pool of the node; of IPv6,
    /// with it, each of the length that a pool of the node delegates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_subnets: Vec<Prefix>,
    /// The public address of one to one NAT, in a routed pool of the node; else one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_address: Option<Ipv4Addr>,
    /// How far the subscriber is let in: `active`, unless said. Addresses stay reserved in any state.
    #[serde(default)]
    pub state: SubscriberState,
    /// By type of service: the Service that stands in for the ordinary one of that type in this subscriber's chain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<Name, Name>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SubscriberState {
    /// What the bundle says is so.
    #[default]
    Active,
    /// The office has shut the line for a time: it leads into the node's walled garden only.
    Suspended,
    /// Who is at the other end has yet to be found out: as `suspended`.
    Unauthenticated,
    /// What comes from the line harms others: nothing passes.
    Quarantined,
}

/// Where the subscriber's line ends: a port of a node, and the tags that its frames have there.
///
/// With both tags, the line is a C-VLAN in an S-VLAN; with `cVid` alone, a VLAN; with none, all of the port that is
/// untagged. Several subscribers may have the same one if the `mac` of each is given (N:1 VLANs: TR-101, section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    pub node: Name,
    pub port: IfName,
    /// The outer tag, of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s_vid: Option<Vid>,
    /// The inner tag, or the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_vid: Option<Vid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the manifest")]
pub struct Bundle {
    /// From the subscriber; no limit unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_up: Option<BitRate>,
    /// To the subscriber; no limit unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_down: Option<BitRate>,
    /// What of the way from the subscriber is not the first to be dropped where there is no room: not above `rateUp`
    /// (RFC 2698: committed beside peak information rate). Without it, all is alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_up: Option<BitRate>,
    /// The same of the way to the subscriber: not above `rateDown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_down: Option<BitRate>,
    /// How long a burst at line rate may borrow from the rate: 250 ms unless said. TCP needs it: with less, a
    /// connection with a short round trip never reaches the rate through a policer, which drops and does not queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst_ms: Option<u32>,
    /// A share of a public address; else a public subnet, routed.
    #[serde(default = "default_nat")]
    pub nat: bool,
    /// Resolvers handed out by DHCP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<Ipv4Addr>,
    /// IPv6 beside IPv4: a /64 for the link, an address in it, and a prefix for the home's router.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ipv6: bool,
    /// Resolvers handed out by DHCPv6 and router advertisements; only with `ipv6`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns6: Vec<Ipv6Addr>,
    /// What lets nothing in but answers. Unless said, IPv6 has one, and a routed subnet has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// Ports of the share of a public address that lead to a port of the home; only with `nat`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port_forwards: Vec<PortForward>,
    /// Voice apart from everything else, where the node has voice platforms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// Names that are blocked, for which devices and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parental_control: Option<ParentalControl>,
    /// How many further blocks of ports the subscriber has at most, for as long as its own is full, where the NAT pool lends
    /// some (`overflowPorts`): 1 unless said; only with `nat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_blocks: Option<u8>,
    /// From whom NAT lets packets in: `endpointIndependent` unless said, or with rules of a firewall, which are always
    /// `addressAndPortDependent`; only with `nat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_filtering: Option<NatFiltering>,
    /// A whole public address, of a routed pool, that stands for the home's own with all of its ports (RFC 3022, section
    /// 2.1), and not a share of one; only with `nat`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nat_one_to_one: bool,
    /// The destinations that its node has as `natExempt` see the home's own address, and reach it by that; only with `nat`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nat_exempt: bool,
}

impl Default for Bundle {
    fn default() -> Self {
        Self {
            rate_up: None,
            rate_down: None,
            committed_up: None,
            committed_down: None,
            burst_ms: None,
            nat: default_nat(),
            dns: Vec::new(),
            ipv6: false,
            dns6: Vec::new(),
            firewall: None,
            port_forwards: Vec::new(),
            voice: None,
            parental_control: None,
            overflow_blocks: None,
            nat_filtering: None,
            nat_one_to_one: false,
            nat_exempt: false,
        }
    }
}

fn default_nat() -> bool {
    true
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriberStatus {
    /// The generation of the spec that all of this is about.
    pub observed_generation: u64,
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// What DHCP leases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// The routed subnet, of a subscriber without NAT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Prefix4>,
    /// What else is routed to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_subnets: Vec<Prefix>,
    /// What stands for `address` outside, of a subscriber with one to one NAT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_address: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatBlock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<SubscriberIpv6>,
    /// What the port forwards of the bundle are reached by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port_forwards: Vec<ForwardedPort>,
    /// The session that the node has in its kernel, as far as it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmed: Option<SessionVersion>,
}

/// What the subscriber has of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriberIpv6 {
    /// The /64 of the link, in which hosts make themselves addresses.
    pub link: Prefix6,
    /// What DHCPv6 leases, in `link`.
    pub address: Ipv6Addr,
    /// What DHCPv6 delegates to the home's router.
    pub delegated: Prefix6,
}

/// The subscriber's share of a public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NatBlock {
    pub address: Ipv4Addr,
    pub first_port: u16,
    pub ports: u16,
}

impl SubscriberSpec {
    /// The prefix length of a subnet for one host beside the gateway.
    pub const SUBNET_LENGTH: u8 = 30;
    pub const MORE_SUBNETS_MAX: usize = 16;
    pub const SERVICES_MAX: usize = 16;
    pub const SUBNET_LENGTHS: std::ops::RangeInclusive<u8> = 8..=30;

    /// The prefix length of the routed subnet.
    pub fn subnet_length(&self) -> u8 {
        self.subnet.map(Prefix4::len).or(self.subnet_length).unwrap_or(Self::SUBNET_LENGTH)
    }
}

impl Bundle {
    pub const DNS_MAX: usize = 8;
    pub const BURST_MS: u32 = 250;
    pub const OVERFLOW_BLOCKS: u8 = 1;
    pub const OVERFLOW_BLOCKS_MAX: u8 = 4;
    pub const BURST_MS_RANGE: std::ops::RangeInclusive<u32> = 1..=2000;

    fn validate(&self, faults: &mut Vec<Fault>) {
        let at = Pointer::from("/spec/bundle");
        Self::validate_committed(self.committed_up, self.rate_up, &at.at("committedUp"), faults);
        Self::validate_committed(self.committed_down, self.rate_down, &at.at("committedDown"), faults);
        Self::validate_burst(self.burst_ms, &at.at("burstMs"), faults);
        Self::validate_dns(&self.dns, is_unicast, &at.at("dns"), faults);
        if self.ipv6 {
            Self::validate_dns(&self.dns6, is_unicast6, &at.at("dns6"), faults);
        } else if !self.dns6.is_empty() {
            faults.push(Fault::new(at.at("dns6"), "only a subscriber with IPv6 has resolvers of IPv6"));
        }
        if let Some(firewall) = &self.firewall {
            firewall.validate(&at.at("firewall"), faults);
        }
        if let Some(control) = &self.parental_control {
            control.validate(&at.at("parentalControl"), faults);
        }
        self.validate_nat(&at, faults);
        let has_ports = self.nat && !self.nat_one_to_one;
        port_forwards::validate(&self.port_forwards, has_ports, &at.at("portForwards"), faults);
    }

    fn validate_committed(
        committed: Option<BitRate>,
        rate: Option<BitRate>,
        at: &Pointer,
        faults: &mut Vec<Fault>,
    ) {
        if let (Some(committed), Some(rate)) = (committed, rate)
            && committed > rate
        {
            faults.push(Fault::new(
                at.clone(),
                format!("{committed} is above the rate that it is part of, {rate}"),
            ));
        }
    }

    fn validate_burst(burst_ms: Option<u32>, at: &Pointer, faults: &mut Vec<Fault>) {
        if burst_ms.is_some_and(|burst| !Self::BURST_MS_RANGE.contains(&burst)) {
            let (from, to) = (Self::BURST_MS_RANGE.start(), Self::BURST_MS_RANGE.end());
            faults.push(Fault::new(at.clone(), format!("between {from} and {to}")));
        }
    }

    fn validate_dns<A: Copy>(dns: &[A], is_host: fn(A) -> bool, at: &Pointer, faults: &mut Vec<Fault>) {
        if dns.len() > Self::DNS_MAX {
            faults.push(Fault::new(at.clone(), format!("at most {} resolvers", Self::DNS_MAX)));
        }
        for (i, server) in dns.iter().enumerate() {
            if !is_host(*server) {
                faults.push(Fault::new(at.at(i), "not a unicast address"));
            }
        }
    }
}

impl Kind for SubscriberSpec {
    const KIND: KindName = KindName::Subscriber;
    type Status = SubscriberStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Access { s_vid: Some(alone), c_vid: None, .. } = self.access {
            let detail =
                format!("S-VLAN {alone} has no C-VLAN in it; a single tag is a cVid without an sVid");
            faults.push(Fault::new("/spec/access/cVid", detail));
        }
        self.bundle.validate(&mut faults);
        self.validate_networks(&mut faults);
        let services = Pointer::from("/spec/services");
        check::at_most(&mut faults, &services, self.services.len(), Self::SERVICES_MAX, "services");
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let services = Pointer::from("/spec/services");
        let others = self
            .services
            .iter()
            .map(|(of, service)| Reference::new(services.at(of), KindName::Service, service));
        std::iter::once(Reference::new("/spec/access/node", KindName::Node, &self.access.node))
            .chain(others)
            .chain(self.bundle.parental_control.iter().flat_map(ParentalControl::references))
            .collect()
    }
}
