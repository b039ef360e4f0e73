//! From an access port and a pair of tags to a home.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Burst, HomeRef, Rate};

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
    /// Index of the port, below `MAX_PORTS`, plus one, and bits of `port_flags`; 0: not a port of ours.
    pub index_plus_one: u16,
}

/// Bits of `PortEntry::index_plus_one`.
pub mod port_flags {
    pub const INDEX: u16 = 0xff;
    /// What comes in for a subscriber must come from where a route leads to (RFC 3704).
    pub const LOOSE: u16 = 1 << 8;
    /// And that by this port.
    pub const STRICT: u16 = 1 << 9;
    /// It is an access port.
    pub const ACCESS: u16 = 1 << 10;
    /// What comes in is marked with the priority of its outer tag, whatever its mark.
    pub const MARK_BY_PRIORITY: u16 = 1 << 11;
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
    /// The bits of an IPv4 header's second byte that a frame to a line has as its priority (PCP: IEEE 802.1Q): the class
    /// selector's (RFC 2474, section 4.2.2), or none.
    pub priority_mask: u8,
    pub spare_byte: u8,
    /// How many broadcast and multicast frames a subscriber on an access port may send, each as a frame of
    /// `BROADCAST_LEN` bytes, whatever its length: so a rate is the nanoseconds that one takes.
    pub broadcast_burst: Burst,
    pub broadcast: Rate,
    pub spare: [u64; 3],
}

/// See `PortLink::broadcast`.
pub const BROADCAST_LEN: u64 = 1 << 16;

/// What a port is for: values of `PortLink::role`.
pub mod port_role {
    pub const ACCESS: u16 = 1;
    pub const CORE: u16 = 2;
}

/// `SHARED`: the homes of lines with the same tags (N:1 VLANs: TR-101, section 3.1), by station address. In words, since
/// the kernel wants them aligned where the key is made.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub struct SharedKey {
    /// The address in the first six bytes as on the wire, and the index of the port above it.
    pub mac_and_port: u64,
    pub c_vid: u32,
    pub s_vid: u32,
}

/// `LINES[page][0]`: the homes of one S-VID of one port, by C-VID. Like homes, in the kernel's large pages.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct LinePage {
    pub homes: [HomeRef; 4096],
}
