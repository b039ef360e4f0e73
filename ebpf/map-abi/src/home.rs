//! A subscriber's home: all that an ordinary packet of its reads and writes.
//!
//! A home is a record of `2^order` units of 1 KiB: a line for each direction and one for IPv6, then NAT mappings. What a
//! firewall remembers is a record of the same sizes, and of lines of flows only. Records lie in chunks
//! that the kernel takes from its slab allocator, which are in its linear mapping with large pages: so a packet that
//! comes out of nowhere costs one trip to memory and no walk through page tables. (Arrays of more than 32 KiB are in
//! pages of 4 KiB: with a million subscribers that costs 200 ns more.) Chunks come as the office grows.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::RulesRef;

/// Bytes of a cache line.
pub const LINE_BYTES: usize = 64;
/// Lines of a unit, which is 1 KiB.
pub const LINES_PER_UNIT: u32 = 16;
/// Units of a chunk, which together with the kernel's own header stays below 32 KiB, the most that is not `vmalloc`ed.
pub const UNITS_PER_CHUNK: u32 = 31;
/// Indices of units that a chunk takes: the last of them is no unit.
pub const UNIT_INDICES_PER_CHUNK: u32 = 32;
/// Lines of a chunk.
pub const LINES_PER_CHUNK: u32 = LINES_PER_UNIT * UNITS_PER_CHUNK;
/// The binary logarithm of the units of the largest home: 1024 ports, in 16 KiB.
pub const HOME_ORDER_MAX: u32 = 4;
/// Lines of a home before its mappings: `Up`, `Down` and `Six`.
pub const HEADER_LINES: u32 = 3;

/// `HOMES[chunk][0]`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Chunk {
    /// The kernel places the value 8 bytes before a line begins (`offsetof(struct bpf_array, value)` is 312 on Linux 6.18).
    pub pad: u64,
    pub lines: [Line; LINES_PER_CHUNK as usize],
}

/// A line, whatever is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Line {
    pub words: [u64; LINE_BYTES / 8],
}

/// The first line of a home: what a packet from the subscriber needs.
///
/// User space changes the words of the configuration, each with one store, and never those that the kernel counts
/// in; so a change of rate disturbs neither counters nor tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Up {
    #[cfg(layout_probe)]
    pub meter: Meter,
    /// The subscriber's MAC address in the first six bytes as on the wire, `flags` in the last two (little
    /// endian): one store changes both.
    pub mac: [u8; 6],
    pub flags: u16,
    /// A source address must lie in this network. With NAT, the subscriber's one address.
    pub network: [u8; 4],
    /// With NAT, the public address.
    pub external: [u8; 4],
    /// First external port of the port block (host order).
    pub first_port: u16,
    /// Length of `network`'s prefix.
    pub prefix_len: u8,
    pub spare: u8,
    pub limits: Limits,
    #[cfg(not(layout_probe))]
    pub meter: Meter,
}

/// The second line of a home: what a packet to the subscriber needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Down {
    #[cfg(layout_probe)]
    pub meter: Meter,
    /// As in `Up`.
    pub mac: [u8; 6],
    pub flags: u16,
    /// Control information of the outer and the inner tag, ready to be pushed.
    pub s_tci: [u8; 2],
    pub c_tci: [u8; 2],
    /// With NAT, the address that takes the place of the public one.
    pub network: [u8; 4],
    pub owner: Owner,
    pub limits: Limits,
    #[cfg(not(layout_probe))]
    pub meter: Meter,
}

/// The third line of a home: what packets of IPv6 need besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Six {
    /// The upper half of the link's prefix, a /64.
    pub link: [u8; 8],
    /// The upper half of the delegated prefix.
    pub delegated: [u8; 8],
    /// The length of the delegated prefix, 1 to 64; 0: there is none.
    pub delegated_len: u8,
    /// Bits of `line6`; 0: the line has no IPv6.
    pub is_on: u8,
    /// 0: user space is to be told when there is no place for one more NAT mapping. Not 0: it has been, or need not be.
    pub told_full: u16,
    /// Where the firewall's flows are, of both families; none: what comes in need not be an answer.
    pub flows: HomeRef,
    /// By which rules flows may begin, of both families.
    pub rules: RulesRef,
    /// The first of the further port blocks that flows may be in; of one of these, the next.
    pub overflow: HomeRef,
    /// Of a further port block (`flags::OVERFLOW`), the home that it is of.
    pub home: HomeRef,
    pub spare_words: [u64; 3],
}

/// The session that a home is of, an index of `SESSIONS`, in the low 24 bits, and the index of its access port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Owner(u32);

impl Owner {
    const SESSION_BITS: u32 = 24;
    pub const SESSION_MAX: u32 = (1 << Self::SESSION_BITS) - 1;

    /// `session` must be at most `SESSION_MAX`.
    pub const fn new(session: u32, port: u8) -> Self {
        Self(session & Self::SESSION_MAX | (port as u32) << Self::SESSION_BITS)
    }

    #[inline(always)]
    pub const fn session(self) -> u32 {
        self.0 & Self::SESSION_MAX
    }

    #[inline(always)]
    pub const fn port(self) -> u32 {
        self.0 >> Self::SESSION_BITS
    }
}

/// The rates of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Limits {
    pub committed_burst: Burst,
    pub peak_burst: Burst,
    /// What is above it is marked to be dropped first. No limit: nothing is marked.
    pub committed: Rate,
    /// What is above it is dropped.
    pub peak: Rate,
}

/// What one direction has used up: written by the kernel only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Meter {
    #[cfg(layout_probe)]
    pub bytes: u64,
    /// Theoretical arrival times of the two policers, in 2^-6 ns of the monotonic clock.
    pub committed_arrival_q6: u64,
    pub peak_arrival_q6: u64,
    #[cfg(not(layout_probe))]
    pub bytes: u64,
    pub packets: u64,
}

/// Nanoseconds a byte takes, times 2^16; 0: no limit. 122 kbit/s to 100 Gbit/s within 0.01 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Rate(pub u32);

/// Burst tolerance (ITU-T I.371, annex A), in units of 2^16 ns: up to 4.29 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Burst(pub u16);

impl Rate {
    pub const UNLIMITED: Self = Self(0);
    const Q: u64 = 1 << 16;

    /// From 123 000 bits per second on; a slower rate is rounded up to that.
    pub const fn of(bits_per_second: u64) -> Self {
        let ns_per_byte_q16 = (8_000_000_000 * Self::Q + bits_per_second / 2) / bits_per_second;
        let bounded = if ns_per_byte_q16 > u32::MAX as u64 { u32::MAX as u64 } else { ns_per_byte_q16 };
        #[expect(clippy::cast_possible_truncation, reason = "bounded in the line above")]
        Self(bounded as u32)
    }

    /// Bits per second, to three digits, for it is kept as its reciprocal; `None`: unlimited.
    pub fn bits_per_second(self) -> Option<u64> {
        let exact = (8_000_000_000 * Self::Q).checked_div(u64::from(self.0))?;
        let unit = 10_u64.pow(exact.checked_ilog10().unwrap_or(0).saturating_sub(2));
        Some((exact + unit / 2) / unit * unit)
    }
}

impl Burst {
    const NS_LOG2: u32 = 16;

    /// Rounded up, for too little is worse than too much; the longest is 4.29 s.
    pub const fn of_us(microseconds: u32) -> Self {
        let units = (microseconds as u64 * 1000).div_ceil(1 << Self::NS_LOG2);
        #[expect(clippy::cast_possible_truncation, reason = "bounded right there")]
        Self(if units > u16::MAX as u64 { u16::MAX } else { units as u16 })
    }

    /// In 2^-6 ns.
    #[inline(always)]
    pub const fn q6(self) -> u64 {
        (self.0 as u64) << (Self::NS_LOG2 + 6)
    }
}

/// Bits of `Up::flags` and `Down::flags`.
pub mod flags {
    /// Packets pass.
    pub const ACTIVE: u16 = 1 << 0;
    /// Addresses and ports are translated.
    pub const NAT: u16 = 1 << 1;
    /// `mac` holds the subscriber's address (configured or learned by DHCP).
    pub const MAC_KNOWN: u16 = 1 << 2;
    /// What comes in by IPv4 must belong to a flow that the firewall knows. (Of IPv6, `Six::flows` says so.)
    pub const FIREWALL: u16 = 1 << 3;
    /// Where packets do not pass: those from and to the walled garden do, if the node has one.
    pub const GARDEN: u16 = 1 << 4;
    /// Flows begin by `Six::rules`.
    pub const RULES: u16 = 1 << 5;
    /// `mac` was configured, and is not DHCP's to change. Of no matter to packets.
    pub const MAC_FIXED: u16 = 1 << 6;
    /// This is no home but a further port block of one, of the same form: in `Up` its address and first port count, in
    /// `Down` its owner, in `Six` the next one and the home.
    pub const OVERFLOW: u16 = 1 << 7;
    /// The firewall knows a flow of IPv4 by the other end's address, whatever its port: address-dependent filtering (RFC
    /// 4787, section 5).
    pub const BY_ADDRESS: u16 = 1 << 8;
    /// One to one NAT (RFC 3022, section 2.1): `external` stands for `network`, an address, and ports stay as they are.
    pub const ONE_TO_ONE: u16 = 1 << 9;
    /// What goes to resolvers is looked into (parental control).
    pub const DNS: u16 = 1 << 10;
    /// Packets from and to the voice platforms (`VOICE`) are a class of their own.
    pub const VOICE: u16 = 1 << 11;
    /// What goes to destinations in `NAT_EXEMPT`, and comes from them to `network`, is not translated.
    pub const NAT_EXEMPT: u16 = 1 << 12;
    /// Besides `network`, other networks lead here, and packets may come from them.
    pub const NETWORKS: u16 = 1 << 13;
}

/// Bits of `Six::is_on`.
pub mod line6 {
    /// The line has IPv6.
    pub const ON: u8 = 1 << 0;
    /// Besides the link's and the delegated prefix, other networks lead here, and packets may come from them.
    pub const NETWORKS: u8 = 1 << 1;
}

/// Where a home is, and how large: the index of its first unit in the low 28 bits, its order in the high four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct HomeRef(u32);

/// Where the mappings of 64 ports are: their unit in the low 28 bits, which unit of its home that is in the high four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct PortsRef(u32);

const UNIT_BITS: u32 = 28;
/// The highest index of a unit.
pub const UNIT_MAX: u32 = (1 << UNIT_BITS) - 1;

impl HomeRef {
    /// No home.
    pub const NONE: Self = Self(0);
    /// Several homes, told apart by station addresses (`SHARED`): of an order that no home has.
    pub const SHARED: Self = Self(u32::MAX << UNIT_BITS);

    pub const fn new(unit: u32, order: u32) -> Option<Self> {
        if unit == 0 || unit > UNIT_MAX || order > HOME_ORDER_MAX {
            return None;
        }
        Some(Self(unit | order << UNIT_BITS))
    }

    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub const fn is_shared(self) -> bool {
        self.0 == Self::SHARED.0
    }

    /// Index of the first unit.
    #[inline(always)]
    pub const fn unit(self) -> u32 {
        self.0 & UNIT_MAX
    }

    /// The binary logarithm of the number of units.
    #[inline(always)]
    pub const fn order(self) -> u32 {
        self.0 >> UNIT_BITS
    }

    pub const fn units(self) -> u32 {
        1 << self.order()
    }

    /// The mappings of the home's ports from 64 `n` on.
    pub const fn ports(self, n: u32) -> PortsRef {
        PortsRef((self.unit() + n) | (n << UNIT_BITS))
    }

    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> u32 {
        self.0
    }
}

impl PortsRef {
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub const fn unit(self) -> u32 {
        self.0 & UNIT_MAX
    }

    /// Which of its home's units it is.
    #[inline(always)]
    pub const fn number(self) -> u32 {
        self.0 >> UNIT_BITS
    }

    /// The first unit of the home.
    #[inline(always)]
    pub const fn home(self) -> u32 {
        self.unit().wrapping_sub(self.number())
    }

    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> u32 {
        self.0
    }
}
