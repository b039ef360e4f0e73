//! A subscriber's session on the node that serves its access port.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use net_types::{BitRate, IfName, InterfaceAddress4, Mac, Name, Prefix4, Prefix6, Vid};
use serde::{Deserialize, Serialize};

use crate::{FirewallRule, ParentalControl};

/// All that a node needs to know of a subscriber; every choice has been made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    pub subscriber: Name,
    pub port: IfName,
    pub tags: AccessTags,
    pub state: SessionState,
    /// The only source MAC address that is accepted; without it, the one that DHCP learned last.
    pub mac: Option<Mac>,
    /// How many devices may use the line at a time (the MAC limit of TR-101), 1 to `Self::DEVICES_MAX`. Of several, each has
    /// a lease of its own, and `network` has an address for each: with `nat`, a block of 2^n addresses from `lease` on, all
    /// of which are for devices. Not with `mac`, `nat_address`, `more_networks` or `ipv6`.
    #[serde(default = "one_device", skip_serializing_if = "is_one_device")]
    pub devices: u8,
    /// What DHCP leases: the subscriber's address and its on-link prefix length; to several devices, the first of theirs.
    pub lease: InterfaceAddress4,
    /// The office's address on the subscriber's link: router, DHCP server identifier, answered for by ARP.
    pub gateway: Ipv4Addr,
    /// Addresses that the subscriber may send from: `lease` alone with NAT, or those of its devices, else the routed subnet.
    pub network: Prefix4,
    /// Resolvers handed out by DHCP.
    pub dns_servers: Vec<Ipv4Addr>,
    pub lease_seconds: u32,
    /// The subscriber's share of a public address; without it, `network` is routed as it is.
    pub nat: Option<Nat>,
    /// Where further ports of the public address come from when those of `nat` are all in use; without it, nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_overflow: Option<NatOverflow>,
    /// Who outside may answer; other than endpoint-independent only with `firewall`, for both families, and without rules.
    #[serde(default, skip_serializing_if = "NatFiltering::is_default")]
    pub nat_filtering: NatFiltering,
    /// One to one NAT: the public address that stands for that of `lease`, with all of its ports. Not with `nat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_address: Option<Ipv4Addr>,
    /// To the destinations of [`NatExempt`](crate::NatExempt), and from them, nothing is translated; only with `nat` or
    /// `nat_address`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nat_exempt: bool,
    /// Networks besides `network` that are routed to the subscriber, who may send from them; without NAT alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_networks: Vec<Prefix4>,
    pub rate_up: Option<RateLimit>,
    pub rate_down: Option<RateLimit>,
    /// What is beyond it, up to `rate_up`, is marked to be dropped first: the committed rate beside the peak rate of
    /// RFC 2698. Without it, nothing is marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_up: Option<RateLimit>,
    /// As `committed_up`, beside `rate_down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_down: Option<RateLimit>,
    /// What the line has of IPv6; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6Line>,
    /// What comes in must be an answer to what went out; without it, anything may (but for what NAT does not know).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// By which flows may begin: the first that is about a flow decides. Without one, what begins inside may be, and of
    /// what begins outside only what comes by a port forward. Only with `firewall`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewall_rules: Vec<FirewallRule>,
    /// Ports of `nat` that lead to an inside port for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port_forwards: Vec<PortForward>,
    /// Voice ([`Voice`](crate::Voice)) is a class of its own, with this limit each way beside the others; without it, it is as
    /// everything else, and so is what is above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<RateLimit>,
    /// Which names are blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parental_control: Option<ParentalControl>,
}

/// What comes for an outside port of the subscriber's block goes to an inside port, and what leaves that inside port has
/// that outside port, whoever is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortForward {
    pub protocol: PortProtocol,
    /// One of `nat`'s, but none of its head.
    pub port: u16,
    pub to_port: u16,
}

/// A protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PortProtocol {
    Tcp,
    Udp,
}

impl PortProtocol {
    /// Its number (IANA, "Assigned Internet Protocol Numbers").
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

/// A stateful firewall that lets nothing in but answers: for IPv6 as in RFC 6092, and if wanted for IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Firewall {
    /// How many flows it remembers at least: a power of two from 64 to 1024.
    pub flows: u16,
    /// Whether it stands before IPv4 too; with NAT, where nothing comes in that has no mapping, only if there are rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ipv4: bool,
}

/// How far the office lets a subscriber in. Whatever it is, addresses and ports stay the subscriber's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    /// Packets pass.
    #[default]
    Active,
    /// The office has shut the line for a time: it leads into the walled garden ([`Garden`](crate::Garden)) only.
    Suspended,
    /// Who is at the other end has yet to be found out: as `Suspended`.
    Unauthenticated,
    /// What comes from the line harms others: it has an address, and nothing passes.
    Quarantined,
}

fn one_device() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way of calling it")]
fn is_one_device(devices: &u8) -> bool {
    *devices == 1
}

impl Session {
    /// What the kernel has room for.
    pub const DEVICES_MAX: u8 = 32;

    /// Whether each device of the home has a lease of its own.
    pub fn has_devices(&self) -> bool {
        self.devices > 1
    }

    /// The addresses that devices can have, in the order in which they are given: not more than twice as many as there may be
    /// devices.
    pub fn device_addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let (first, len) = match self.nat {
            Some(_) => (self.network.network(), self.network.size()),
            None => (self.lease.address(), self.network.size().saturating_sub(1)),
        };
        let offset = self.network.offset_of(first).unwrap_or(0);
        let hosts = (offset..len).filter_map(|at| self.network.nth(at));
        hosts.filter(|host| *host != self.gateway).take(usize::from(self.devices).next_power_of_two())
    }

    /// Whether packets pass.
    pub fn is_active(&self) -> bool {
        self.state == SessionState::Active
    }

    /// Whether packets from and to the walled garden pass, where the node has one, and no others.
    pub fn is_in_garden(&self) -> bool {
        matches!(self.state, SessionState::Suspended | SessionState::Unauthenticated)
    }
}

/// The tags that tell a line's frames on its access port: both, the inner one alone (a single-tagged line), or none (the
/// untagged frames of the whole port). Written `100.7`, `7` and `untagged`.
///
/// Several sessions may be behind one port with the same tags (N:1 VLANs of TR-101, section 3.1) if each of them has its
/// `mac`, and none has another's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "AnyTags", rename_all = "camelCase")]
pub struct AccessTags {
    /// Never without `c_vid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s_vid: Option<Vid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_vid: Option<Vid>,
}

/// As they are written, unchecked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnyTags {
    #[serde(default)]
    s_vid: Option<Vid>,
    #[serde(default)]
    c_vid: Option<Vid>,
}

#[derive(Debug, thiserror::Error)]
#[error("an S-VLAN ({0}) without a C-VLAN in it")]
struct LoneServiceTag(Vid);

impl TryFrom<AnyTags> for AccessTags {
    type Error = LoneServiceTag;

    fn try_from(AnyTags { s_vid, c_vid }: AnyTags) -> Result<Self, LoneServiceTag> {
        match (s_vid, c_vid) {
            (Some(alone), None) => Err(LoneServiceTag(alone)),
            _ => Ok(Self { s_vid, c_vid }),
        }
    }
}

impl AccessTags {
    /// The outermost first.
    pub fn vids(self) -> impl Iterator<Item = Vid> {
        self.s_vid.into_iter().chain(self.c_vid)
    }
}

impl fmt::Display for AccessTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.s_vid, self.c_vid) {
            (Some(outer), Some(inner)) => write!(f, "{outer}.{inner}"),
            (Some(only), None) | (None, Some(only)) => only.fmt(f),
            (None, None) => f.write_str("untagged"),
        }
    }
}

/// IPv6 of a subscriber's line.
///
/// The office's own address on the link is the access port's link-local one ([`Mac::link_local`]): router, DHCPv6
/// server, answered for by neighbour discovery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ipv6Line {
    /// The /64 of the subscriber's link, which router advertisements say is on the link (RFC 4861, section 4.6.2).
    pub link: Prefix6,
    /// What DHCPv6 leases to a host or router on the link (IA_NA: RFC 8415, section 21.4); it lies in `link`.
    pub address: Option<Ipv6Addr>,
    /// What DHCPv6 delegates to the subscriber's router (IA_PD: RFC 8415, section 21.21), a /48 to /64 apart from `link`.
    pub delegated: Option<Prefix6>,
    /// Networks besides these that are routed to the subscriber, who may send from them: of 1 to 64 bits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_networks: Vec<Prefix6>,
    /// Whether hosts may make themselves addresses in `link` (SLAAC: RFC 4862, section 5.5.3).
    pub autonomous: bool,
    /// Resolvers, in DHCPv6 (RFC 3646, section 3) and in router advertisements (RFC 8106, section 5.1).
    pub dns_servers: Vec<Ipv6Addr>,
    /// How long, from each time they are given, addresses and prefixes are used for what is new; 0xffffffff is for
    /// ever (RFC 4861, section 4.6.2; RFC 8415, section 21.6). More than `valid_seconds` means as much as that.
    pub preferred_seconds: u32,
    /// How long they are used at all; 0xffffffff is for ever.
    pub valid_seconds: u32,
}

/// A port block of a public address (RFC 7422): `ports` consecutive ports, a power of two of at least 64,
/// from `first_port`, a multiple of 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nat {
    pub address: Ipv4Addr,
    pub first_port: u16,
    pub ports: u16,
}

/// From whom a NAT mapping lets packets in (RFC 4787, section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NatFiltering {
    /// Anybody.
    #[default]
    EndpointIndependent,
    /// Hosts that something was sent to.
    AddressDependent,
    /// Ports of hosts that something was sent to.
    AddressAndPortDependent,
}

impl NatFiltering {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way of calling it")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Ports of the address of a session's [`Nat`] that are nobody's own: `ports` consecutive ports from `first_port`, both
/// multiples of 64. The node lends them in blocks as large as the subscriber's own, at most `blocks` at a time, and takes
/// a block back when nothing has used it for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NatOverflow {
    pub first_port: u16,
    pub ports: u16,
    /// At most 4.
    pub blocks: u8,
}

impl Nat {
    /// Ports at the beginning of a block that are not given out: what a node needs of the subscriber besides lies there.
    pub const HEAD: u16 = 12;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    pub rate: BitRate,
    /// Burst tolerance in microseconds at that rate.
    pub burst_us: u32,
}
