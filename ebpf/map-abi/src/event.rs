//! What happened in the kernel, over the ring buffer `EVENTS`. No packet waits for it: what finds no room is counted, and
//! the packet goes on.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One record of `EVENTS`: a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct EventRecord {
    /// When it happened, in nanoseconds of the monotonic clock.
    pub time_ns: u64,
    /// An `EventKind`.
    pub kind: u32,
    /// The session; 0: none.
    pub session: u32,
    /// As the kind says; what a kind does not use is zero.
    pub payload: [u64; 6],
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// A NAT mapping was made. The payload is a `NatFlow`.
    MappingMade = 1,
    /// A NAT mapping ran out, at that time; told when its place is taken by another. The payload is a `NatFlow`.
    MappingEnded = 2,
    /// There was no place for a NAT mapping in any port block of the session. Told once, until user space wants to hear it
    /// again (`Six::told_full`). No payload.
    PortsExhausted = 3,
}

impl EventKind {
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            1 => Some(Self::MappingMade),
            2 => Some(Self::MappingEnded),
            3 => Some(Self::PortsExhausted),
            _ => None,
        }
    }
}

/// A NAT mapping, and the remote end that it was made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct NatFlow {
    pub inside: [u8; 4],
    pub external: [u8; 4],
    pub remote: [u8; 4],
    /// Ports as they lie in a packet; of ICMP, identifiers, and no remote one.
    pub inside_port: [u8; 2],
    pub external_port: [u8; 2],
    pub remote_port: [u8; 2],
    /// IP protocol number.
    pub protocol: u8,
    pub spare: [u8; 5],
}

impl NatFlow {
    /// As a record carries it; what is left over is `zero`.
    #[inline(always)]
    pub fn payload(self, zero: u64) -> [u64; 6] {
        let [a, b, c]: [u64; 3] = zerocopy::transmute!(self);
        [a, b, c, zero, zero, zero]
    }

    pub fn of_payload([a, b, c, ..]: [u64; 6]) -> Self {
        zerocopy::transmute!([a, b, c])
    }
}

/// Which events are told: bits of `Settings::events`.
pub mod events {
    /// NAT mappings that are made, and those that make way for them.
    pub const MAPPINGS: u64 = 1 << 0;
}

/// What found no room in a ring buffer: the index of its counter in `LOSSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Loss {
    /// Records of `EVENTS`.
    Event,
    /// Records of `PUNTS`.
    Punt,
}

impl Loss {
    pub const COUNT: u32 = 2;
}
