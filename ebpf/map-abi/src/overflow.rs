//! Port blocks that a subscriber gets besides its own when that is full.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Most further port blocks that a subscriber has at a time.
pub const OVERFLOW_BLOCKS_MAX: u32 = 4;

/// The part of its public address that a session's further port blocks come from, and how many it may have: the first
/// group of 64 ports in the low 12 bits, the number of groups in the next 12, and the number of blocks in the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct OverflowShare(u32);

impl OverflowShare {
    /// No further blocks.
    pub const NONE: Self = Self(0);
    const BITS: u32 = 12;
    const MASK: u32 = (1 << Self::BITS) - 1;

    /// `first` and `groups` are at most 1024 together, and `blocks` at most `OVERFLOW_BLOCKS_MAX`.
    pub const fn new(first: u16, groups: u16, blocks: u8) -> Self {
        let place = first as u32 & Self::MASK | (groups as u32 & Self::MASK) << Self::BITS;
        Self(place | (blocks as u32) << (2 * Self::BITS))
    }

    /// The groups of 64 ports.
    pub const fn groups(self) -> core::ops::Range<u32> {
        let first = self.0 & Self::MASK;
        first..first + (self.0 >> Self::BITS & Self::MASK)
    }

    pub const fn blocks(self) -> u32 {
        self.0 >> (2 * Self::BITS)
    }
}
