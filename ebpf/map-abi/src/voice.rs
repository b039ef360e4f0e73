//! Voice: packets between a home and the operator's voice platform, a class of their own with a rate of its own.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Burst, Rate};

/// Prefixes of voice platforms of a node at most.
pub const VOICE_PREFIXES_MAX: u32 = 64;

/// What a subscriber has of voice; a line of its session, which no other packet touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Voice {
    /// What is above it is not voice, but the bulk of the subscriber's packets; each way.
    pub rate: Rate,
    pub burst: Burst,
    pub spare: u16,
    /// Theoretical arrival times of the policers, in 2^-6 ns of the monotonic clock.
    pub up_arrival_q6: u64,
    pub down_arrival_q6: u64,
    pub up_packets: u64,
    pub up_bytes: u64,
    pub down_packets: u64,
    pub down_bytes: u64,
    pub spare_word: u64,
}

/// How voice is marked, as `Settings::voice` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VoiceMarks {
    /// Both ways: the upper six bits of the second byte of an IPv4 header (RFC 2474).
    pub dscp: u8,
    /// On the line, of 0 to 7 (PCP: IEEE 802.1Q).
    pub priority: u8,
}

impl VoiceMarks {
    pub const fn to_bits(self) -> u64 {
        self.dscp as u64 & 63 | (self.priority as u64 & 7) << 8
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "six and three bits")]
    pub const fn from_bits(bits: u64) -> Self {
        Self { dscp: bits as u8 & 63, priority: (bits >> 8) as u8 & 7 }
    }
}
