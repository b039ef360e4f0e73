//! A subscriber's session on the node that serves its access port.

use std::net::Ipv4Addr;

use net_types::{BitRate, IfName, InterfaceAddress4, Mac, Name, Prefix4, Vid};
use serde::{Deserialize, Serialize};

/// All that a node needs to know of a subscriber; every choice has been made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    pub subscriber: Name,
    pub port: IfName,
    pub tags: AccessTags,
    /// Packets pass only while this is true.
    pub active: bool,
    /// The only source MAC address that is accepted; without it, the one that DHCP learned last.
    pub mac: Option<Mac>,
    /// What DHCP leases: the subscriber's address and its on-link prefix length.
    pub lease: InterfaceAddress4,
    /// The office's address on the subscriber's link: router, DHCP server identifier, answered for by ARP.
    pub gateway: Ipv4Addr,
    /// Addresses that the subscriber may send from: `lease` alone with NAT, else the routed subnet.
    pub network: Prefix4,
    /// Resolvers handed out by DHCP.
    pub dns_servers: Vec<Ipv4Addr>,
    pub lease_seconds: u32,
    /// The subscriber's share of a public address; without it, `network` is routed as it is.
    pub nat: Option<Nat>,
    pub rate_up: Option<RateLimit>,
    pub rate_down: Option<RateLimit>,
}

/// The pair of tags that tells a subscriber's frames on its access port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessTags {
    pub s_vid: Vid,
    pub c_vid: Vid,
}

/// A port block of a public address (RFC 7422): `ports` consecutive ports, a power of two of at least 64,
/// from `first_port`, a multiple of 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nat {
    pub address: Ipv4Addr,
    pub first_port: u16,
    pub ports: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    pub rate: BitRate,
    /// Burst tolerance in microseconds at that rate.
    pub burst_us: u32,
}
