//! From an access port and a pair of tags to a session.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Ports a node can have; also the size of the redirect map.
pub const MAX_PORTS: u32 = 64;

/// Entries of `SVID_PAGES` a port takes: one per 12-bit S-VID.
pub const SVIDS_PER_PORT: u32 = 4096;

/// Interface indexes below this one can be ports; the size of `PORTS`.
pub const IFINDEX_LIMIT: u32 = 1 << 16;

/// `PORTS[ifindex]`: which port of the node an interface is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct PortEntry {
    /// The interface's own address: what a frame to be routed is sent to.
    pub mac: [u8; 6],
    /// Index of the port, below `MAX_PORTS`, plus one; 0: not a port of ours.
    pub index_plus_one: u16,
}

/// `PORT_LINKS[index]`: a port by its index, which stays the same for as long as the node has a port of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct PortLink {
    /// The interface's own address.
    pub mac: [u8; 6],
    /// Largest IPv4 packet the port takes.
    pub mtu: u16,
    /// The interface that the program is attached to; 0: none.
    pub ifindex: u32,
    /// One of `port_role`; 0: the index is free.
    pub role: u16,
    /// EtherType of the outer tag that an access port sends.
    pub outer_tpid: [u8; 2],
    /// The interface's name, NUL-padded.
    pub name: [u8; 16],
    pub spare: [u64; 4],
}

/// What a port is for: values of `PortLink::role`.
pub mod port_role {
    pub const ACCESS: u16 = 1;
    pub const CORE: u16 = 2;
}

/// `CVID_PAGES[page]`: the sessions of one S-VID of one port, by C-VID.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct CvidPage {
    pub entries: [AccessEntry; 4096],
}

/// Where a session and its NAT state are; both at once, so that the two cache misses overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct AccessEntry {
    /// Index into `SESSIONS`; 0: no such session.
    pub slot: u32,
    pub nat: NatRef,
}

/// A run of `2^n` blocks in `NAT_BLOCKS`: the index of the first in the low 28 bits, `n` in the high four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct NatRef(u32);

impl NatRef {
    /// No NAT.
    pub const NONE: Self = Self(0);
    const BLOCK_BITS: u32 = 28;
    /// The largest run: all of the ports of an address.
    pub const ORDER_MAX: u32 = 10;

    pub const fn new(first_block: u32, order: u32) -> Option<Self> {
        if first_block == 0 || first_block >> Self::BLOCK_BITS != 0 || order > Self::ORDER_MAX {
            return None;
        }
        Some(Self(first_block | order << Self::BLOCK_BITS))
    }

    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub const fn first_block(self) -> u32 {
        self.0 & ((1 << Self::BLOCK_BITS) - 1)
    }

    /// Binary logarithm of the number of blocks.
    #[inline(always)]
    pub const fn order(self) -> u32 {
        self.0 >> Self::BLOCK_BITS
    }

    /// The number of blocks.
    #[inline(always)]
    pub const fn blocks(self) -> u32 {
        1 << self.order()
    }

    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> u32 {
        self.0
    }
}
