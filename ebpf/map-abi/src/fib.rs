//! The forwarding table: DIR-24-8 (Gupta, Lin, `McKeown`, "Routing Lookups in Hardware at Memory Access Speeds", 1998).
//!
//! `FIB_ROOT` has an entry for each /24, sixteen to a cache line; one whose addresses differ points to a page of 256.
//! The same table answers "who owns this address" downstream and "where does this go" upstream.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Lines of `FIB_ROOT`: 2^24 entries of four bytes.
pub const FIB_ROOT_LINES: u32 = 1 << 20;

/// `FIB_ROOT[a >> 12]`: the entries of sixteen consecutive /24s.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct FibLine {
    pub entries: [FibTarget; 16],
}

/// `FIB_PAGES[page]`: the addresses of one /24.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct FibPage {
    pub entries: [FibTarget; 256],
}

/// Lines of `FIB6_ROOT`: the entries of the 2^16 /16s.
///
/// IPv6 has the same table with more levels: an entry of `FIB6_ROOT` or of a page leads to a page for the next eight
/// bits if the addresses below it differ.
pub const FIB6_ROOT_LINES: u32 = 1 << 12;
/// Pages from an entry of `FIB6_ROOT` to a single address.
pub const FIB6_LEVELS: u32 = 14;

/// What an address leads to: a kind in the high four bits, an index in the low 28.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct FibTarget(u32);

impl FibTarget {
    const INDEX_BITS: u32 = 28;
    pub const INDEX_MAX: u32 = (1 << Self::INDEX_BITS) - 1;

    /// Nothing more specific: the default route, `SETTINGS.default_route`, applies.
    pub const KIND_DEFAULT: u32 = 0;
    /// Index into `NEXT_HOPS`.
    pub const KIND_NEXT_HOP: u32 = 1;
    /// A public address shared by port blocks: index into `NAT_PORTS`.
    pub const KIND_NAT: u32 = 2;
    /// A subscriber's own address: the first unit of its home.
    pub const KIND_SESSION: u32 = 3;
    /// An address of the node itself.
    pub const KIND_LOCAL: u32 = 4;
    /// A pool address that nobody holds.
    pub const KIND_BLACKHOLE: u32 = 5;
    /// Index into `FIB_PAGES`, or `FIB6_PAGES`; in a page only in IPv6's.
    pub const KIND_PAGE: u32 = 6;
    /// Several next hops, a flow keeping to one: index into `NEXT_HOP_GROUPS`.
    pub const KIND_GROUP: u32 = 7;
    /// Out by an interface that is no port of the office: the kernel's to forward.
    pub const KIND_KERNEL: u32 = 8;

    pub const DEFAULT: Self = Self(0);
    pub const LOCAL: Self = Self(Self::KIND_LOCAL << Self::INDEX_BITS);
    pub const BLACKHOLE: Self = Self(Self::KIND_BLACKHOLE << Self::INDEX_BITS);
    pub const KERNEL: Self = Self(Self::KIND_KERNEL << Self::INDEX_BITS);

    /// `index` must be at most `INDEX_MAX`.
    pub const fn new(kind: u32, index: u32) -> Self {
        assert!(kind <= Self::KIND_KERNEL && index <= Self::INDEX_MAX);
        Self(kind << Self::INDEX_BITS | index)
    }

    #[inline(always)]
    pub const fn kind(self) -> u32 {
        self.0 >> Self::INDEX_BITS
    }

    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0 & Self::INDEX_MAX
    }

    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub const fn to_bits(self) -> u32 {
        self.0
    }
}

/// `NEXT_HOPS[index]`: the Ethernet header and the port of a neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct NextHop {
    /// All zero while the neighbour is not resolved.
    pub destination: [u8; 6],
    /// Index of the port (a key of `REDIRECT`).
    pub port: u16,
    pub source: [u8; 6],
    /// Largest IPv4 packet the link takes.
    pub mtu: u16,
    /// The neighbour's address, an IPv4 one mapped into IPv6 (RFC 4291, section 2.5.5.2); no packet needs it, a restarted
    /// agent does.
    pub gateway: [u8; 16],
}

/// Next hops that a node can have, index 0 included.
pub const MAX_NEXT_HOPS: u32 = 256;

/// Slots of a group of next hops: a flow's hash picks one.
pub const GROUP_SLOTS: usize = 64;

/// Members of a group at most; each has a slot at least.
pub const MAX_GROUP_MEMBERS: usize = 16;

/// Groups of next hops that a node can have, index 0, which none has, included.
pub const MAX_NEXT_HOP_GROUPS: u32 = 1024;

/// `NEXT_HOP_GROUPS[index]`: two cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct NextHopGroup {
    /// Indices into `NEXT_HOPS`; 0: the kernel's to forward, as with `KIND_KERNEL`.
    pub slots: [u16; GROUP_SLOTS],
}

/// `SETTINGS[0]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Settings {
    /// `MAP_ABI_VERSION` of whoever made the maps.
    pub abi_version: u32,
    /// Where the default route of IPv4 leads to; of kind `KIND_DEFAULT`: there is none. IPv6's is in its table.
    pub default_route: FibTarget,
    /// Random, so that nobody outside can tell which flows hash alike. Chosen when the maps are made.
    pub hash_key: [u64; 2],
    /// 1: the node has a walled garden, and `GARDEN` and `RESOLVERS` say what is in it.
    pub garden: u64,
    /// How voice is marked: the bits of `VoiceMarks`.
    pub voice: u64,
    /// Which events are told; bits of `events`.
    pub events: u64,
}
