//! A prefix whose addresses are given to the subscribers of a node.

use std::{net::Ipv4Addr, ops::RangeInclusive};

use net_types::{Name, Prefix, Prefix4};
use serde::{Deserialize, Serialize};

use crate::{
    BasicStatus, Fault, Kind, KindName, Object, Reference,
    document::check,
    values::{is_unicast, is_unicast6},
};

pub type AddressPool = Object<AddressPoolSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressPoolSpec {
    pub node: Name,
    pub purpose: Purpose,
    /// Of IPv6 with the purposes `link6` and `delegated6`, of IPv4 with the others.
    pub prefix: Prefix,
    /// The office's address on the links of the pool's subscribers; only and always with the purpose `subscriber`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// Ports that each subscriber gets of a public address; only with the purpose `nat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports_per_subscriber: Option<u16>,
    /// Ports at the end of each public address that are no subscriber's own, and are lent in blocks of
    /// `portsPerSubscriber` to those whose own are all in use (see the bundle's `overflowBlocks`); none unless said, and
    /// only with the purpose `nat`. What subscribers have in there already stays theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_ports: Option<u16>,
    /// The length of the prefix that each subscriber is delegated, 56 unless said; only with the purpose `delegated6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegated_length: Option<u8>,
    /// How long a DHCP lease from this pool holds; not with the purpose `nat`. What is delegated is leased for as long
    /// as the subscriber's link, so not with `delegated6` either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// Inside addresses, leased to subscribers behind NAT.
    Subscriber,
    /// Public addresses whose ports are shared out (RFC 7422).
    Nat,
    /// Public subnets, routed to subscribers as they are.
    Routed,
    /// IPv6: each subscriber's link gets a /64.
    Link6,
    /// IPv6: each subscriber's router is delegated a prefix.
    Delegated6,
}

pub type AddressPoolStatus = BasicStatus;

impl Purpose {
    /// Prefix lengths that a pool of this purpose may have.
    pub const fn lengths(self) -> RangeInclusive<u8> {
        match self {
            Self::Subscriber | Self::Routed => 8..=30,
            Self::Nat => 8..=32,
            Self::Link6 | Self::Delegated6 => 16..=64,
        }
    }

    pub const fn is_ipv6(self) -> bool {
        matches!(self, Self::Link6 | Self::Delegated6)
    }
}

impl AddressPoolSpec {
    pub const PORTS_PER_SUBSCRIBER: u16 = 256;
    /// From a home's smallest size to its largest.
    pub const PORTS_RANGE: RangeInclusive<u16> = 64..=1024;
    /// What hosts need to make themselves addresses (RFC 4291, section 2.5.1).
    pub const LINK_LENGTH: u8 = 64;
    /// What RFC 6177 has in mind for a home.
    pub const DELEGATED_LENGTH: u8 = 56;
    /// From a large site to a single link.
    pub const DELEGATED_LENGTHS: RangeInclusive<u8> = 48..=64;
    /// Half of an address.
    pub const OVERFLOW_PORTS_MAX: u16 = 1 << 15;
    pub const LEASE_SECONDS: u32 = 3600;
    /// A minute, and a week.
    pub const LEASE_SECONDS_RANGE: RangeInclusive<u32> = 60..=604_800;

    pub fn ports_per_subscriber(&self) -> u16 {
        self.ports_per_subscriber.unwrap_or(Self::PORTS_PER_SUBSCRIBER)
    }

    pub fn overflow_ports(&self) -> u16 {
        self.overflow_ports.unwrap_or(0)
    }

    /// The first of the ports that are lent; `None`: none are.
    pub fn first_overflow_port(&self) -> Option<u16> {
        match self.overflow_ports() {
            0 => None,
            ports => Some(u16::MAX - ports + 1),
        }
    }

    pub fn delegated_length(&self) -> u8 {
        self.delegated_length.unwrap_or(Self::DELEGATED_LENGTH)
    }

    pub fn lease_seconds(&self) -> u32 {
        self.lease_seconds.unwrap_or(Self::LEASE_SECONDS)
    }

    fn validate_prefix(&self, faults: &mut Vec<Fault>) {
        let is_ipv6 = matches!(self.prefix, Prefix::V6(_));
        let lengths = self.purpose.lengths();
        if is_ipv6 != self.purpose.is_ipv6() {
            let family = if self.purpose.is_ipv6() { "IPv6" } else { "IPv4" };
            faults.push(Fault::new("/spec/prefix", format!("the prefix of such a pool is of {family}")));
        } else if !lengths.contains(&self.prefix.len()) {
            let rule = format!("the prefix of such a pool is /{} to /{}", lengths.start(), lengths.end());
            faults.push(Fault::new("/spec/prefix", rule));
        } else if !is_unicast_prefix(self.prefix) {
            faults.push(Fault::new("/spec/prefix", "not a prefix of unicast addresses"));
        } else if let Prefix::V4(prefix) = self.prefix {
            self.validate_gateway(prefix, faults);
        } else if self.gateway.is_some() {
            faults.push(Fault::new("/spec/gateway", "only a subscriber pool has a gateway"));
        }
    }

    fn validate_gateway(&self, prefix: Prefix4, faults: &mut Vec<Fault>) {
        let last = prefix.size() - 1;
        match (self.purpose, self.gateway) {
            (Purpose::Subscriber, None) => {
                faults.push(Fault::new("/spec/gateway", "a subscriber pool needs a gateway"));
            }
            (Purpose::Subscriber, Some(gateway)) => match prefix.offset_of(gateway) {
                Some(offset) if offset != 0 && offset != last => {}
                Some(_) => faults.push(Fault::new("/spec/gateway", "the network or broadcast address")),
                None => faults.push(Fault::new("/spec/gateway", format!("{gateway} is not in {prefix}"))),
            },
            (_, Some(_)) => {
                faults.push(Fault::new("/spec/gateway", "only a subscriber pool has a gateway"));
            }
            (_, None) => {}
        }
    }

    fn validate_overflow(&self, faults: &mut Vec<Fault>) {
        let Some(ports) = self.overflow_ports else { return };
        let at = "/spec/overflowPorts";
        if self.purpose != Purpose::Nat {
            faults.push(Fault::new(at, "only a NAT pool lends ports"));
        } else if ports > Self::OVERFLOW_PORTS_MAX || ports % self.ports_per_subscriber().max(1) != 0 {
            let (each, most) = (self.ports_per_subscriber(), Self::OVERFLOW_PORTS_MAX);
            faults.push(Fault::new(at, format!("a multiple of portsPerSubscriber ({each}), at most {most}")));
        }
    }

    fn validate_delegated(&self, faults: &mut Vec<Fault>) {
        let at = "/spec/delegatedLength";
        match (self.purpose, self.delegated_length) {
            (Purpose::Delegated6, Some(length)) if !Self::DELEGATED_LENGTHS.contains(&length) => {
                check::within(faults, at, &length, &Self::DELEGATED_LENGTHS);
            }
            (Purpose::Delegated6, _) if self.delegated_length() < self.prefix.len() => {
                let rule = format!("a /{} does not fit into {}", self.delegated_length(), self.prefix);
                faults.push(Fault::new(at, rule));
            }
            (Purpose::Delegated6, _) | (_, None) => {}
            (_, Some(_)) => faults.push(Fault::new(at, "only a delegated6 pool delegates prefixes")),
        }
    }
}

fn is_unicast_prefix(prefix: Prefix) -> bool {
    match prefix {
        Prefix::V4(prefix) => is_unicast(prefix.network()) || prefix.network() == Ipv4Addr::UNSPECIFIED,
        Prefix::V6(prefix) => is_unicast6(prefix.network()),
    }
}

impl Kind for AddressPoolSpec {
    const KIND: KindName = KindName::AddressPool;
    type Status = AddressPoolStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.validate_prefix(&mut faults);
        if let Some(ports) = self.ports_per_subscriber {
            if self.purpose != Purpose::Nat {
                faults.push(Fault::new("/spec/portsPerSubscriber", "only a NAT pool shares out ports"));
            } else if !ports.is_power_of_two() || !Self::PORTS_RANGE.contains(&ports) {
                let rule = "a power of two between 64 and 1024";
                faults.push(Fault::new("/spec/portsPerSubscriber", rule));
            }
        }
        self.validate_overflow(&mut faults);
        self.validate_delegated(&mut faults);
        if let Some(seconds) = self.lease_seconds {
            let at = "/spec/leaseSeconds";
            match self.purpose {
                Purpose::Nat => faults.push(Fault::new(at, "a NAT pool leases nothing")),
                Purpose::Delegated6 => {
                    let rule =
                        "what is delegated is leased for as long as the link: say it of the link6 pool";
                    faults.push(Fault::new(at, rule));
                }
                Purpose::Subscriber | Purpose::Routed | Purpose::Link6 => {
                    if !Self::LEASE_SECONDS_RANGE.contains(&seconds) {
                        let (from, to) = (Self::LEASE_SECONDS_RANGE.start(), Self::LEASE_SECONDS_RANGE.end());
                        faults.push(Fault::new(at, format!("between {from} and {to}")));
                    }
                }
            }
        }
        faults
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference::new("/spec/node", KindName::Node, &self.node)]
    }
}
