//! What the benchmark's programs and its user space agree on; no part of the fast path.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Flows of a subscriber at most.
pub const BENCH_FLOWS_MAX: usize = 16;

/// `BENCH[0]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct BenchSettings {
    /// The first 64 bytes of a frame, in which the subscriber's part is still zero.
    pub template: [u64; 8],
    /// How many subscribers there are.
    pub subscribers: u32,
    /// Index of the program under test in `BENCH_TARGETS`.
    pub target: u32,
    /// State of the random numbers; 0: take subscribers in turn.
    pub random: u32,
    /// The next subscriber, if they are taken in turn.
    pub turn: u32,
    /// One less than the number of flows of each subscriber, a power of two of at most `BENCH_FLOWS_MAX`.
    pub flows_mask: u32,
    /// By how many bytes frames are longer than the shortest ones.
    pub padding: u32,
    /// What the sink looks for, one of `expected_source`.
    pub expected_source: u32,
    /// The first of the flows.
    pub first_flow: u32,
    /// Down: how far the external port of each flow is from the first one of a subscriber's block.
    pub port_offsets: [u32; BENCH_FLOWS_MAX],
    pub watch: Watch,
}

/// Values of `BenchSettings::expected_source`.
pub mod expected_source {
    /// The address that the subscriber sends from.
    pub const INSIDE: u32 = 0;
    /// The address that NAT puts in its place.
    pub const EXTERNAL: u32 = 1;
}

/// What the harness sees of the frames that it handed over, if it looks; each when the next one comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Watch {
    /// 1: it looks.
    pub is_on: u64,
    /// When the frame before came, by the monotonic clock; 0: there was none.
    pub last_ns: u64,
    /// The longest time between two frames.
    pub longest_gap_ns: u64,
    /// Frames that passed without a mark, with the mark that they may be dropped, and not at all.
    pub green: u64,
    pub yellow: u64,
    pub red: u64,
    /// Frames that were not green, the first and the last.
    pub not_green: [Sighting; 2],
    /// The same of those that were red.
    pub not_passed: [Sighting; 2],
}

/// A frame that something was not granted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Sighting {
    /// It was dealt with between these times.
    pub after_ns: u64,
    pub before_ns: u64,
    /// Frames that it was granted to before.
    pub granted: u64,
}

/// The subscriber with number `n` of the benchmark: everything follows from `n`.
pub mod subscriber {
    pub const FIRST_ADDRESS: u32 = 0x6440_0002;
    pub const FIRST_EXTERNAL: u32 = 0xc612_0000;
    /// One unit's: the smallest home.
    pub const PORTS: u32 = 64;
    const PER_EXTERNAL: u32 = (65_536 - 1024) / PORTS;
    const PER_S_VID: u32 = 4000;

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "good for 16 million subscribers")]
    pub const fn tags(n: u32) -> (u16, u16) {
        ((1 + n / PER_S_VID) as u16, (1 + n % PER_S_VID) as u16)
    }

    /// The lower 32 bits of its Ethernet address, after 02:00.
    #[inline(always)]
    pub const fn mac(n: u32) -> u32 {
        n + 1
    }

    #[inline(always)]
    pub const fn address(n: u32) -> u32 {
        FIRST_ADDRESS + n
    }

    /// External address and first port.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the last port block ends at 65535")]
    pub const fn external(n: u32) -> (u32, u16) {
        (FIRST_EXTERNAL + n / PER_EXTERNAL, (1024 + n % PER_EXTERNAL * PORTS) as u16)
    }
}
