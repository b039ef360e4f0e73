//! A subscriber's firewall rules: a record like a home, written by user space as a whole and then put in the place of the
//! one before with one store, so that no packet sees half of them.
//!
//! ```text
//! line 0               RuleDefaults
//! lines 1 to n         Rule, in order
//! lines c + 1 and on   names, NUL-padded; c = rules_capacity(order)
//! ```

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{HomeRef, LINES_PER_UNIT};

/// Rules of a subscriber at most.
pub const RULES_MAX: u32 = 31;

/// How many rules a record of `2^order` units holds.
pub const fn rules_capacity(order: u32) -> u32 {
    (LINES_PER_UNIT << order) / 2 - 1
}

/// Line 0: flows that no rule was about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct RuleDefaults {
    pub hits_in: u64,
    pub hits_out: u64,
    pub spare_words: [u64; 6],
}

/// One rule. Only `hits` is written by the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Rule {
    /// Addresses as they lie in packets, those of IPv4 mapped into IPv6 (RFC 4291, section 2.5.5.2).
    pub source: [u64; 2],
    pub destination: [u64; 2],
    /// How many bits of each word of `source` count.
    pub source_bits: [u8; 2],
    pub destination_bits: [u8; 2],
    pub protocol: u8,
    /// The bits of `protocol` that count: all or none.
    pub protocol_mask: u8,
    /// Of `rule_bits`.
    pub bits: u8,
    pub spare: u8,
    pub source_ports: [u16; 2],
    /// First and last, in host order; all of them for protocols that have none.
    pub destination_ports: [u16; 2],
    /// Flows that it was the first rule to be about.
    pub hits: u64,
    pub spare_word: u64,
}

/// Bits of `Rule::bits`.
pub mod rule_bits {
    /// The flow may be; else it may not.
    pub const ALLOW: u8 = 1 << 0;
    /// About flows that begin inside; else about those that begin outside.
    pub const OUT: u8 = 1 << 1;
    /// Not about IPv4, whose addresses a short prefix of IPv6 would have among its own.
    pub const V6: u8 = 1 << 2;
}

/// Where the rules are: the record in the low half, how many there are in the byte after it, and then their generation,
/// 1 to 127: flows that were let through by other rules are looked at anew. 0: there never were any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct RulesRef(u64);

impl RulesRef {
    /// There never were any.
    pub const NONE: Self = Self(0);
    pub const GENERATION_MAX: u8 = 127;

    /// `record` may be none if `count` is 0.
    pub const fn new(record: HomeRef, count: u8, generation: u8) -> Self {
        Self(record.to_bits() as u64 | (count as u64) << 32 | (generation as u64) << 40)
    }

    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    pub const fn record(self) -> HomeRef {
        HomeRef::from_bits(self.0 as u32)
    }

    #[inline(always)]
    pub const fn count(self) -> u32 {
        (self.0 >> 32) as u32 & 0xff
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a byte is what is wanted")]
    pub const fn generation(self) -> u8 {
        (self.0 >> 40) as u8 & Self::GENERATION_MAX
    }

    pub const fn to_bits(self) -> u64 {
        self.0
    }
}
