//! A subscriber's session.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `SESSIONS[slot]`: four cache lines, of which a packet touches one.
///
/// User space writes configuration fields in place, each with one aligned store, and never the fields that the
/// kernel counts in; so a change of rate disturbs neither counters nor tokens.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct Session {
    pub up: Direction,
    pub down: Direction,
    pub cold: Cold,
    /// The subscriber's name, NUL-padded, for diagnostics that work with the agent down.
    pub name: [u8; 64],
}

/// What a packet in one direction needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Direction {
    /// The subscriber's MAC address in the first six bytes as on the wire, `flags` in the last two (little
    /// endian): one store changes both.
    pub mac: [u8; 6],
    pub flags: u16,
    /// The subscriber's network: up, a source address must lie in it. With NAT, its one address.
    pub network: [u8; 4],
    pub netmask: [u8; 4],
    /// Up: the external address, with NAT. Down: the outer tag, ready to be pushed (TPID, TCI).
    pub external_or_outer_tag: [u8; 4],
    /// Up: the gateway's address, which ARP answers for. Down: the inner tag, ready to be pushed (TPID, TCI).
    pub gateway_or_inner_tag: [u8; 4],
    /// First external port of the port block (host order).
    pub first_port: u16,
    /// Index of the access port.
    pub port: u16,
    /// Not used.
    pub spare: u32,
    pub policer: Policer,
    /// Theoretical arrival time of the policer, in 2^-6 ns of the monotonic clock.
    pub arrival_q6: u64,
    pub bytes: u64,
    pub packets: u64,
}

/// A token bucket as a generic cell rate algorithm (ITU-T I.371, annex A): one time instead of tokens and a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Policer {
    /// Nanoseconds a byte takes, times 2^16; 0: no limit. 122 kbit/s to 100 Gbit/s within 0.01 %.
    pub ns_per_byte_q16: u32,
    /// Burst tolerance in nanoseconds.
    pub burst_ns: u32,
}

/// What no ordinary packet touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Cold {
    /// Hash of the session's desired state and of what of its port went in, so that a restarted agent knows what it
    /// need not write again. 0 while the session is being written; stored last.
    pub version: u64,
    /// Packets dropped on the way up and down.
    pub drops_up: u64,
    pub drops_down: u64,
    /// Theoretical arrival time of the policer for packets to user space, in 2^-6 ns.
    pub punt_arrival_q6: u64,
    pub nat: crate::NatRef,
    pub s_vid: u16,
    pub c_vid: u16,
    /// The address that DHCP leases.
    pub address: [u8; 4],
    /// 1: the slot is taken, and `name`, `nat` and the tags tell by what. Stored before anything points to the slot, and
    /// cleared after nothing does any more.
    pub in_use: u32,
    pub spare: [u64; 2],
}

/// Bits of `Direction::flags`.
pub mod flags {
    /// Packets pass.
    pub const ACTIVE: u16 = 1 << 0;
    /// Addresses and ports are translated.
    pub const NAT: u16 = 1 << 1;
    /// `mac` holds the subscriber's address (configured or learned by DHCP).
    pub const MAC_KNOWN: u16 = 1 << 2;
}

impl Policer {
    /// No limit.
    pub const UNLIMITED: Self = Self { ns_per_byte_q16: 0, burst_ns: 0 };
    const Q: u64 = 1 << 16;

    /// `bits_per_second` from 123 000 on; a slower rate is rounded up to that.
    pub const fn new(bits_per_second: u64, burst_ns: u32) -> Self {
        let ns_per_byte_q16 = (8_000_000_000 * Self::Q + bits_per_second / 2) / bits_per_second;
        let bounded = if ns_per_byte_q16 > u32::MAX as u64 { u32::MAX as u64 } else { ns_per_byte_q16 };
        #[expect(clippy::cast_possible_truncation, reason = "bounded in the line above")]
        Self { ns_per_byte_q16: bounded as u32, burst_ns }
    }
}
