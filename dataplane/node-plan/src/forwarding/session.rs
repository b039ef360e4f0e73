//! What a session looks like in its slot.

use std::net::Ipv4Addr;

use map_abi::{Direction, NatRef, Policer, flags};
use net_types::{Mac, Tpid};
use node_state::{Nat, RateLimit, Resource, Session};

/// What of a session's surroundings goes into its slot.
#[derive(Clone, Copy, Debug)]
pub struct ImageContext {
    /// Index of the access port.
    pub port: u16,
    pub outer_tpid: Tpid,
    /// The session's NAT blocks.
    pub nat: NatRef,
    /// The subscriber's address on the link, configured or learned.
    pub mac: Option<Mac>,
}

/// The configuration fields of a session's slot; counters and clocks in it are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    pub up: Direction,
    pub down: Direction,
    pub address: Ipv4Addr,
    pub s_vid: u16,
    pub c_vid: u16,
    pub nat: NatRef,
    /// What `Cold::version` becomes: a hash of the session and of its port's index; never 0.
    pub version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NatError {
    #[error("nat.ports is {0}, not a power of two of at least 64")]
    Ports(u16),
    #[error("nat.firstPort is {0}, not a multiple of 64")]
    FirstPort(u16),
    #[error("ports {first}..{first}+{ports} go beyond 65535")]
    TooFar { first: u16, ports: u16 },
}

/// The binary logarithm of the number of 64-port blocks that a session's NAT needs.
pub fn nat_order(nat: &Nat) -> Result<u32, NatError> {
    let Nat { address: _, first_port, ports } = *nat;
    if !ports.is_power_of_two() || ports < 64 {
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

/// The slot of `session` as it should be.
pub fn session_image(session: &Session, context: &ImageContext) -> Image {
    let ImageContext { port, outer_tpid, nat, mac } = *context;
    let mut bits = 0;
    if session.active {
        bits |= flags::ACTIVE;
    }
    if session.nat.is_some() {
        bits |= flags::NAT;
    }
    if mac.is_some() {
        bits |= flags::MAC_KNOWN;
    }
    let (s_vid, c_vid) = (session.tags.s_vid.get(), session.tags.c_vid.get());
    let common = Direction {
        mac: mac.map_or([0; 6], Mac::octets),
        flags: bits,
        network: session.network.network().octets(),
        netmask: session.network.netmask().octets(),
        first_port: session.nat.map_or(0, |nat| nat.first_port),
        port,
        ..Direction::default()
    };
    Image {
        up: Direction {
            external_or_outer_tag: session.nat.map_or([0; 4], |nat| nat.address.octets()),
            gateway_or_inner_tag: session.gateway.octets(),
            policer: policer(session.rate_up),
            ..common
        },
        down: Direction {
            external_or_outer_tag: tag(outer_tpid, s_vid),
            gateway_or_inner_tag: tag(Tpid::Dot1q, c_vid),
            policer: policer(session.rate_down),
            ..common
        },
        address: session.lease.address(),
        s_vid,
        c_vid,
        nat,
        version: version(session, port),
    }
}

/// A tag with priority 0, ready to be pushed.
pub fn tag(tpid: Tpid, vid: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (tpid.ethertype().to_be_bytes(), vid.to_be_bytes());
    [a, b, c, d]
}

fn policer(limit: Option<RateLimit>) -> Policer {
    limit.map_or(Policer::UNLIMITED, |limit| {
        Policer::new(limit.rate.bits_per_second(), limit.burst_us.saturating_mul(1000))
    })
}

/// Mixed so that a session on another port differs. Not the port's EtherType: that changes in all sessions at once.
fn version(session: &Session, port: u16) -> u64 {
    let content = Resource::Session(session.clone()).version().0;
    (content ^ (u64::from(port) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1)
}
