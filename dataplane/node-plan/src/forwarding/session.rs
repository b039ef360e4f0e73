//! What a session looks like in the maps.

use std::hash::{Hash, Hasher};

use map_abi::{
    Burst, Down, HOME_ORDER_MAX, HomeRef, Limits, Meter, Owner, Rate, RulesRef, Six, Up, flags, line6,
};
use net_types::{Mac, Prefix6, Vid};
use node_state::{Ipv6Line, Nat, NatFiltering, RateLimit, Session};
use xxhash_rust::xxh3::Xxh3Default;
use zerocopy::FromZeros;

use super::{MORE_NETWORKS_MAX, overflow_share};

/// What of a session's surroundings goes into its home.
#[derive(Clone, Copy, Debug)]
pub struct ImageContext {
    /// Index of the session.
    pub index: u32,
    /// Index of the access port.
    pub port: u16,
    pub home: HomeRef,
    /// What the firewall remembers flows in; none: there is no firewall.
    pub flows: HomeRef,
    /// By which rules flows begin.
    pub rules: RulesRef,
    /// The subscriber's address on the link, configured or learned.
    pub mac: Option<Mac>,
}

/// The configuration of a session as the maps hold it; counters and clocks in it are zero.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    pub up: Up,
    pub down: Down,
    pub six: Six,
    /// `version` in it is what is stored last: a hash of the session and of its port's index; never 0.
    pub session: map_abi::Session,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("firewall.flows is {0}, not a power of two from 64 to 1024")]
pub struct FirewallError(u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ipv6Error {
    #[error("ipv6.link is {0}, not a /64")]
    Link(Prefix6),
    #[error("ipv6.delegated is {0}, not a prefix of 1 to 64 bits")]
    Delegated(Prefix6),
    #[error("ipv6.moreNetworks: {0} is not a prefix of 1 to 64 bits")]
    Network(Prefix6),
    #[error("ipv6.moreNetworks are {0}; at most {MORE_NETWORKS_MAX} are possible")]
    TooMany(usize),
    #[error("of ipv6, {0} and {1} overlap")]
    Overlap(Prefix6, Prefix6),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NatError {
    #[error("nat.ports is {0}, not a power of two from 64 to 1024")]
    Ports(u16),
    #[error("nat.firstPort is {0}, not a multiple of 64")]
    FirstPort(u16),
    #[error("ports {first}..{first}+{ports} go beyond 65535")]
    TooFar { first: u16, ports: u16 },
    #[error(
        "natOverflow is {ports} ports from {first} on, of which at most {blocks} blocks are lent: not multiples of 64 below 65536, or more than 4 blocks"
    )]
    Overflow { first: u16, ports: u16, blocks: u8 },
}

/// The binary logarithm of the number of units that a session's home needs: one for each 64 ports.
pub fn home_order(session: &Session) -> Result<u32, NatError> {
    session.nat.map_or(Ok(0), nat_order)
}

fn nat_order(nat: Nat) -> Result<u32, NatError> {
    let Nat { address: _, first_port, ports } = nat;
    if !ports.is_power_of_two() || !(64..=64 << HOME_ORDER_MAX).contains(&ports) {
        return Err(NatError::Ports(ports));
    }
    if first_port % 64 != 0 {
        return Err(NatError::FirstPort(first_port));
    }
    if u32::from(first_port) + u32::from(ports) > 1 << 16 {
        return Err(NatError::TooFar { first: first_port, ports });
    }
    Ok(ports.ilog2() - 6)
}

/// A session as the maps should hold it.
pub fn session_image(session: &Session, context: &ImageContext) -> Image {
    let ImageContext { index, port, home, flows, rules, mac } = *context;
    // Of several devices, none is the home's.
    let mac = mac.filter(|_| !session.has_devices());
    let bits = bits(session, rules, mac);
    let (s_vid, c_vid) = (vid(session.tags.s_vid), vid(session.tags.c_vid));
    let mac = mac.map_or([0; 6], Mac::octets);
    let network = session.network.network().octets();
    let external = session.nat.map(|nat| nat.address).or(session.nat_address);
    let external = external.map_or([0; 4], |address| address.octets());
    let first_port = session.nat.map_or(0, |nat| nat.first_port);
    // One that is not in order is refused before it comes here.
    let overflow_share = overflow_share(session).unwrap_or_default();
    let told_full = u16::from(overflow_share.blocks() == 0);
    let six = Six { told_full, ..six(session.ipv6.as_ref(), flows, rules) };
    let limits_up = limits(session.rate_up, session.committed_up);
    let limits_down = limits(session.rate_down, session.committed_down);
    Image {
        up: Up {
            mac,
            flags: bits,
            network,
            external,
            first_port,
            prefix_len: session.network.len(),
            limits: limits_up,
            ..Up::default()
        },
        down: Down {
            mac,
            flags: bits,
            s_tci: s_vid.to_be_bytes(),
            c_tci: c_vid.to_be_bytes(),
            network,
            owner: Owner::new(index, u8::try_from(port).unwrap_or(u8::MAX)),
            limits: limits_down,
            meter: Meter::default(),
        },
        six,
        session: map_abi::Session {
            version: version(session, port),
            mac,
            flags: bits,
            home,
            in_use: 1,
            port,
            first_port,
            s_vid,
            c_vid,
            address: session.lease.address().octets(),
            gateway: session.gateway.octets(),
            network,
            external,
            prefix_len: session.network.len().into(),
            limits_up,
            limits_down,
            link: six.link,
            delegated: six.delegated,
            delegated_len: six.delegated_len,
            has_ipv6: six.is_on,
            flows,
            rules,
            overflow_share,
            forwards: u16::try_from(session.port_forwards.len()).unwrap_or(u16::MAX),
            voice: session.voice.map_or_else(map_abi::Voice::default, voice),
            ..map_abi::Session::new_zeroed()
        },
    }
}

/// The flags of a session's home.
fn bits(session: &Session, rules: RulesRef, mac: Option<Mac>) -> u16 {
    let has_firewall = session.firewall.is_some_and(|firewall| firewall.ipv4);
    let has_share = session.nat.is_some();
    let conditions = [
        (session.is_active(), flags::ACTIVE),
        (session.is_in_garden(), flags::GARDEN),
        (has_share, flags::NAT),
        (mac.is_some(), flags::MAC_KNOWN),
        (session.mac.is_some(), flags::MAC_FIXED),
        (has_firewall && (!has_share || !rules.is_none()), flags::FIREWALL),
        (!rules.is_none(), flags::RULES),
        (session.voice.is_some(), flags::VOICE),
        (session.is_active() && session.parental_control.is_some(), flags::DNS),
        (session.nat_address.is_some(), flags::ONE_TO_ONE),
        (session.nat_exempt, flags::NAT_EXEMPT),
        (!session.more_networks.is_empty(), flags::NETWORKS),
        (session.has_devices(), flags::DEVICES),
        (has_share && session.nat_filtering == NatFiltering::AddressDependent, flags::BY_ADDRESS),
    ];
    conditions.into_iter().filter(|(is_so, _)| *is_so).fold(0, |bits, (_, flag)| bits | flag)
}

fn voice(limit: RateLimit) -> map_abi::Voice {
    map_abi::Voice {
        rate: Rate::of(limit.rate.bits_per_second()),
        burst: Burst::of_us(limit.burst_us),
        ..map_abi::Voice::default()
    }
}

/// The upper half of a prefix of at most 64 bits.
fn upper_half(prefix: Prefix6) -> [u8; 8] {
    let octets = prefix.network().octets();
    std::array::from_fn(|n| octets[n])
}

fn six(line: Option<&Ipv6Line>, flows: HomeRef, rules: RulesRef) -> Six {
    let Some(line) = line else { return Six { flows, rules, ..Six::default() } };
    Six {
        link: upper_half(line.link),
        delegated: line.delegated.map_or([0; 8], upper_half),
        delegated_len: line.delegated.map_or(0, Prefix6::len),
        is_on: if line.more_networks.is_empty() { line6::ON } else { line6::ON | line6::NETWORKS },
        flows,
        rules,
        ..Six::default()
    }
}

/// The binary logarithm of the number of units that a firewall's flows need, 64 in each; `None`: there is no firewall.
pub fn flows_order(session: &Session) -> Result<Option<u32>, FirewallError> {
    let Some(firewall) = session.firewall else { return Ok(None) };
    if !firewall.flows.is_power_of_two() || !(64..=64 << HOME_ORDER_MAX).contains(&firewall.flows) {
        return Err(FirewallError(firewall.flows));
    }
    Ok(Some(firewall.flows.ilog2() - 6))
}

/// Prefixes that lead to a session, and only to it: its link's, the delegated one and further ones.
pub fn prefixes6(session: &Session) -> Result<Vec<Prefix6>, Ipv6Error> {
    let Some(line) = &session.ipv6 else { return Ok(Vec::new()) };
    if line.link.len() != 64 {
        return Err(Ipv6Error::Link(line.link));
    }
    match line.delegated {
        Some(prefix) if !(1..=64).contains(&prefix.len()) => Err(Ipv6Error::Delegated(prefix)),
        delegated => with_networks6(std::iter::once(line.link).chain(delegated), &line.more_networks),
    }
}

/// These with further ones, of which no two overlap.
fn with_networks6(own: impl Iterator<Item = Prefix6>, more: &[Prefix6]) -> Result<Vec<Prefix6>, Ipv6Error> {
    if more.len() > MORE_NETWORKS_MAX {
        return Err(Ipv6Error::TooMany(more.len()));
    }
    if let Some(wrong) = more.iter().find(|network| !(1..=64).contains(&network.len())) {
        return Err(Ipv6Error::Network(*wrong));
    }
    let all: Vec<Prefix6> = own.chain(more.iter().copied()).collect();
    for (n, prefix) in all.iter().enumerate() {
        if let Some(other) = all[..n].iter().find(|other| other.overlaps(*prefix)) {
            return Err(Ipv6Error::Overlap(*prefix, *other));
        }
    }
    Ok(all)
}

/// 0: no such tag.
fn vid(vid: Option<Vid>) -> u16 {
    vid.map_or(0, Vid::get)
}

fn limits(peak: Option<RateLimit>, committed: Option<RateLimit>) -> Limits {
    let rate = |limit: RateLimit| Rate::of(limit.rate.bits_per_second());
    let burst = |limit: RateLimit| Burst::of_us(limit.burst_us);
    Limits {
        committed_burst: committed.map_or_else(Burst::default, burst),
        peak_burst: peak.map_or_else(Burst::default, burst),
        committed: committed.map_or(Rate::UNLIMITED, rate),
        peak: peak.map_or(Rate::UNLIMITED, rate),
    }
}

/// Mixed so that a session on another port differs.
/// Another build may reckon it otherwise: then sessions that are as they should be are written once more.
fn version(session: &Session, port: u16) -> u64 {
    let mut hash = Xxh3Default::new();
    (session, port).hash(&mut hash);
    hash.finish().max(1)
}
