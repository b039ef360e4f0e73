//! A prefix whose addresses are given to the subscribers of a node.

use std::net::Ipv4Addr;

use net_types::{Name, Prefix4};
use serde::{Deserialize, Serialize};

use crate::{BasicStatus, Fault, Kind, KindName, Object, Reference, values::is_unicast};

pub type AddressPool = Object<AddressPoolSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressPoolSpec {
    pub node: Name,
    pub purpose: Purpose,
    pub prefix: Prefix4,
    /// The office's address on the links of the pool's subscribers; only and always with the purpose `subscriber`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// Ports that each subscriber gets of a public address; only with the purpose `nat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports_per_subscriber: Option<u16>,
    /// How long a DHCP lease from this pool holds; not with the purpose `nat`.
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
}

pub type AddressPoolStatus = BasicStatus;

impl Purpose {
    /// Prefix lengths that a pool of this purpose may have.
    pub const fn lengths(self) -> std::ops::RangeInclusive<u8> {
        match self {
            Self::Subscriber | Self::Routed => 8..=30,
            Self::Nat => 8..=32,
        }
    }
}

impl AddressPoolSpec {
    pub const PORTS_PER_SUBSCRIBER: u16 = 256;
    /// From a home's smallest size to its largest.
    pub const PORTS_RANGE: std::ops::RangeInclusive<u16> = 64..=1024;
    pub const LEASE_SECONDS: u32 = 3600;
    /// A minute, and a week.
    pub const LEASE_SECONDS_RANGE: std::ops::RangeInclusive<u32> = 60..=604_800;

    pub fn ports_per_subscriber(&self) -> u16 {
        self.ports_per_subscriber.unwrap_or(Self::PORTS_PER_SUBSCRIBER)
    }

    pub fn lease_seconds(&self) -> u32 {
        self.lease_seconds.unwrap_or(Self::LEASE_SECONDS)
    }

    fn validate_gateway(&self, faults: &mut Vec<Fault>) {
        let last = self.prefix.size() - 1;
        match (self.purpose, self.gateway) {
            (Purpose::Subscriber, None) => {
                faults.push(Fault::new("/spec/gateway", "a subscriber pool needs a gateway"));
            }
            (Purpose::Subscriber, Some(gateway)) => match self.prefix.offset_of(gateway) {
                Some(offset) if offset != 0 && offset != last => {}
                Some(_) => faults.push(Fault::new("/spec/gateway", "the network or broadcast address")),
                None => {
                    faults.push(Fault::new("/spec/gateway", format!("{gateway} is not in {}", self.prefix)));
                }
            },
            (Purpose::Nat | Purpose::Routed, Some(_)) => {
                faults.push(Fault::new("/spec/gateway", "only a subscriber pool has a gateway"));
            }
            (Purpose::Nat | Purpose::Routed, None) => {}
        }
    }
}

impl Kind for AddressPoolSpec {
    const KIND: KindName = KindName::AddressPool;
    type Status = AddressPoolStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let lengths = self.purpose.lengths();
        if !lengths.contains(&self.prefix.len()) {
            let rule = format!("the prefix of such a pool is /{} to /{}", lengths.start(), lengths.end());
            faults.push(Fault::new("/spec/prefix", rule));
        } else if !is_unicast(self.prefix.network()) && self.prefix.network() != Ipv4Addr::UNSPECIFIED {
            faults.push(Fault::new("/spec/prefix", "not a prefix of unicast addresses"));
        } else {
            self.validate_gateway(&mut faults);
        }
        if let Some(ports) = self.ports_per_subscriber {
            if self.purpose != Purpose::Nat {
                faults.push(Fault::new("/spec/portsPerSubscriber", "only a NAT pool shares out ports"));
            } else if !ports.is_power_of_two() || !Self::PORTS_RANGE.contains(&ports) {
                let rule = "a power of two between 64 and 1024";
                faults.push(Fault::new("/spec/portsPerSubscriber", rule));
            }
        }
        if let Some(seconds) = self.lease_seconds {
            if self.purpose == Purpose::Nat {
                faults.push(Fault::new("/spec/leaseSeconds", "a NAT pool leases nothing"));
            } else if !Self::LEASE_SECONDS_RANGE.contains(&seconds) {
                let (from, to) = (Self::LEASE_SECONDS_RANGE.start(), Self::LEASE_SECONDS_RANGE.end());
                faults.push(Fault::new("/spec/leaseSeconds", format!("between {from} and {to}")));
            }
        }
        faults
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference::new("/spec/node", KindName::Node, &self.node)]
    }
}
