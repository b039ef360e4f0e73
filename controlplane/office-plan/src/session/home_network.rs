//! What the home gets: of the service that provides `home-network`.

use std::net::{Ipv4Addr, Ipv6Addr};

use net_types::{BitRate, InterfaceAddress4};
use node_state::{
    Firewall, FirewallRule, FlowDirection, Ipv6Line, Nat, NatFiltering, NatOverflow, ParentalControl,
    PortForward, PortProtocol, PortRange, RateLimit, RuleAction,
};
use xos_model::{
    AddressPoolSpec, Bundle, ForwardedPort, HomeNetwork, Link, NatBlock, Purpose, SubscriberIpv6,
};

use super::{NoSession, firewall, parental::parental_control};
use crate::NodePools;

/// Two of the longest untagged Ethernet frames (IEEE 802.3-2022, clause 3.2.7, without FCS and with one tag), in bits:
/// a bucket that cannot hold them would never let a full frame pass behind another.
const BURST_BITS_MIN: u64 = 2 * 1518 * 8;

/// Ten calls whose packets come at once, and those that were held up for as long.
const VOICE_BURST_MS: u32 = 100;

pub(super) struct Home {
    pub(super) lease: InterfaceAddress4,
    pub(super) gateway: Ipv4Addr,
    pub(super) dns_servers: Vec<Ipv4Addr>,
    pub(super) lease_seconds: u32,
    pub(super) nat: Option<Nat>,
    pub(super) nat_overflow: Option<NatOverflow>,
    pub(super) nat_filtering: NatFiltering,
    pub(super) nat_exempt: bool,
    pub(super) rate_up: Option<RateLimit>,
    pub(super) rate_down: Option<RateLimit>,
    pub(super) committed_up: Option<RateLimit>,
    pub(super) committed_down: Option<RateLimit>,
    pub(super) ipv6: Option<Ipv6Line>,
    pub(super) firewall: Option<Firewall>,
    pub(super) firewall_rules: Vec<FirewallRule>,
    pub(super) port_forwards: Vec<PortForward>,
    pub(super) voice: Option<RateLimit>,
    pub(super) parental_control: Option<ParentalControl>,
}

pub(super) fn of(link: &Link<'_>, pools: &NodePools) -> Result<Home, NoSession> {
    let home = HomeNetwork::of(link).map_err(|faults| {
        let fault = faults.into_iter().next().expect("a refusal has a fault");
        NoSession::Setting { service: link.service.clone(), fault }
    })?;
    let (Some(address), Some(gateway)) = (home.address, home.gateway) else {
        return Err(NoSession::Unallocated);
    };
    let no_pool = || NoSession::Pool(link.subscriber.spec.access.node.clone());
    let (len, pool) = if let Some(subnet) = link.subscriber.status.subnet {
        (subnet.len(), pools.holding_subnet(subnet))
    } else {
        let pool = pools.holding(Purpose::Subscriber, address).ok_or_else(no_pool)?;
        (pool.prefix.len(), Some(pool))
    };
    let ipv6 = match (link.subscriber.spec.bundle.ipv6, home.ipv6) {
        (false, _) => None,
        (true, None) => return Err(NoSession::Unallocated),
        (true, Some(ipv6)) => {
            let pool = pools.holding6(Purpose::Link6, ipv6.link).ok_or_else(no_pool)?;
            Some(line6(ipv6, home.dns6.into_owned(), pool.spec.lease_seconds()))
        }
    };
    let nat_filtering = filtering(&link.subscriber.spec.bundle);
    let is_filtered = nat_filtering != NatFiltering::EndpointIndependent;
    let burst_ms = home.burst_ms.unwrap_or(Bundle::BURST_MS);
    let limit = |rate: Option<BitRate>| rate.map(|rate| limit(rate, burst_ms));
    Ok(Home {
        lease: InterfaceAddress4::new(address, len).map_err(|_| no_pool())?,
        gateway,
        dns_servers: home.dns.into_owned(),
        lease_seconds: pool.map_or(AddressPoolSpec::LEASE_SECONDS, |pool| pool.spec.lease_seconds()),
        nat: home.nat.map(|nat| Nat { address: nat.address, first_port: nat.first_port, ports: nat.ports }),
        nat_overflow: home.nat.and_then(|nat| overflow(&link.subscriber.spec.bundle, nat, pools)),
        nat_filtering,
        nat_exempt: link.subscriber.spec.bundle.nat_exempt,
        rate_up: limit(home.rate_up),
        rate_down: limit(home.rate_down),
        committed_up: limit(home.committed_up),
        committed_down: limit(home.committed_down),
        firewall: firewall(home.firewall, home.nat.is_none(), is_filtered, ipv6.is_some()),
        firewall_rules: rules(home.firewall),
        port_forwards: home.port_forwards.iter().map(forward).collect(),
        voice: home.voice.map(|voice| self::limit(voice.rate, VOICE_BURST_MS)),
        parental_control: home.parental_control.map(parental_control),
        ipv6,
    })
}

fn filtering(bundle: &Bundle) -> NatFiltering {
    match bundle.nat_filtering {
        None | Some(xos_model::NatFiltering::EndpointIndependent) => NatFiltering::EndpointIndependent,
        Some(xos_model::NatFiltering::AddressDependent) => NatFiltering::AddressDependent,
        Some(xos_model::NatFiltering::AddressAndPortDependent) => NatFiltering::AddressAndPortDependent,
    }
}

/// Where further ports of the subscriber's public address come from.
fn overflow(bundle: &Bundle, nat: NatBlock, pools: &NodePools) -> Option<NatOverflow> {
    let pool = pools.holding(Purpose::Nat, nat.address)?.spec;
    let blocks = bundle.overflow_blocks.unwrap_or(Bundle::OVERFLOW_BLOCKS);
    let first_port = pool.first_overflow_port().filter(|_| blocks > 0)?;
    Some(NatOverflow { first_port, ports: pool.overflow_ports(), blocks })
}

/// An address is used for what is new until half of its time is over, so that a home that has been told of another has
/// done with it when it ends.
fn line6(ipv6: SubscriberIpv6, dns_servers: Vec<Ipv6Addr>, valid_seconds: u32) -> Ipv6Line {
    let SubscriberIpv6 { link, address, delegated } = ipv6;
    Ipv6Line {
        link,
        address: Some(address),
        delegated: Some(delegated),
        more_networks: Vec::new(),
        autonomous: true,
        dns_servers,
        preferred_seconds: valid_seconds / 2,
        valid_seconds,
    }
}

fn rules(firewall: Option<&xos_model::Firewall>) -> Vec<FirewallRule> {
    let rules = firewall.filter(|firewall| firewall.enabled).map_or(&[][..], |firewall| &firewall.rules);
    rules.iter().map(rule).collect()
}

fn rule(rule: &xos_model::FirewallRule) -> FirewallRule {
    let range = |ports: xos_model::PortRange| PortRange { first: ports.first(), last: ports.last() };
    FirewallRule {
        name: rule.name.clone(),
        direction: match rule.direction {
            xos_model::FlowDirection::In => FlowDirection::In,
            xos_model::FlowDirection::Out => FlowDirection::Out,
        },
        action: match rule.action {
            xos_model::RuleAction::Allow => RuleAction::Allow,
            xos_model::RuleAction::Deny => RuleAction::Deny,
        },
        protocol: rule.protocol.map(xos_model::RuleProtocol::number),
        source: rule.source,
        destination: rule.destination,
        source_ports: rule.source_ports.map(range),
        destination_ports: rule.destination_ports.map(range),
    }
}

fn forward(forwarded: &ForwardedPort) -> PortForward {
    let ForwardedPort { protocol, address: _, port, to_port } = *forwarded;
    let protocol = match protocol {
        xos_model::PortProtocol::Tcp => PortProtocol::Tcp,
        xos_model::PortProtocol::Udp => PortProtocol::Udp,
    };
    PortForward { protocol, port, to_port }
}

fn limit(rate: BitRate, burst_ms: u32) -> RateLimit {
    let at_least = (BURST_BITS_MIN * 1_000_000).div_ceil(rate.bits_per_second());
    let at_least = u32::try_from(at_least).expect("two frames at the lowest rate take less than a second");
    RateLimit { rate, burst_us: at_least.max(burst_ms * 1000) }
}
