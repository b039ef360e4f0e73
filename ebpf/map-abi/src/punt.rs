//! Packets for user space, over the ring buffer `PUNTS`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Longest frame that is handed to user space; the rest is cut off.
pub const PUNT_FRAME_MAX: usize = 1536;

/// One record of `PUNTS`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct PuntRecord {
    /// A `PuntReason`.
    pub reason: u32,
    /// Index of the port the frame came in by.
    pub port: u32,
    /// The session; 0: none.
    pub session: u32,
    /// Bytes of `frame` that count.
    pub len: u32,
    /// The frame as it was on the wire, tags included.
    pub frame: [u8; PUNT_FRAME_MAX],
}

/// Why a frame goes to user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PuntReason {
    /// A DHCPv4 message of a client.
    Dhcp = 1,
    /// A packet whose time to live ran out: an ICMP error is due.
    TtlExpired = 2,
    /// A packet too big for the next link, with DF set: an ICMP error is due.
    TooBig = 3,
    /// An ICMP echo request to the gateway address.
    GatewayEcho = 4,
    /// A message of IPv6 neighbour discovery.
    NeighbourDiscovery = 5,
    /// A DHCPv6 message of a client.
    Dhcp6 = 6,
    /// A TCP segment to port 80 of somebody outside the walled garden: a redirect to the portal is due.
    Web = 7,
    /// A TCP segment to port 443 of somebody outside the walled garden: a reset is due.
    SecureWeb = 8,
    /// A subscriber's packet to where no route leads: an ICMP error is due.
    NoRoute = 9,
}

impl PuntReason {
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            1 => Some(Self::Dhcp),
            2 => Some(Self::TtlExpired),
            3 => Some(Self::TooBig),
            4 => Some(Self::GatewayEcho),
            5 => Some(Self::NeighbourDiscovery),
            6 => Some(Self::Dhcp6),
            7 => Some(Self::Web),
            8 => Some(Self::SecureWeb),
            9 => Some(Self::NoRoute),
            _ => None,
        }
    }
}
