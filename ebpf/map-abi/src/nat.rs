//! NAT mappings (RFC 4787, RFC 5382, RFC 5508; deterministic port blocks as in RFC 7422).
//!
//! A subscriber owns a run of consecutive external ports, and the external port of a mapping is the position of its
//! entry in the subscriber's home: no table leads back, and no log is needed to tell who used a port. The ports in whose
//! places the home's header lies are not given out.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{HEADER_LINES, LINES_PER_UNIT, PortsRef};

/// Ports, and so entries, of a block.
pub const ENTRIES_PER_BLOCK: u32 = 64;
/// Entries of a bucket: one cache line.
pub const ENTRIES_PER_BUCKET: u32 = 4;
/// Well-known ports (0 to 1023) are never given out (RFC 6056, section 3.2, leaves them alone too).
pub const FIRST_NAT_PORT: u16 = 1024;
/// Groups of 64 ports that an address has.
pub const PORT_GROUPS_PER_ADDRESS: usize = 1024;

/// Prefixes in `NAT_EXEMPT` at most.
pub const NAT_EXEMPT_PREFIXES_MAX: u32 = 64;

/// One mapping; written by the kernel only, but for those of `entry_state::FORWARD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct NatEntry {
    /// See `mapping_key`; 0: free.
    pub key: u32,
    /// The remote address that was first talked to.
    pub remote: [u8; 4],
    /// The remote port that was first talked to; of a `FORWARD`, which of the block's ports it is, as it lies in memory.
    pub remote_port: [u8; 2],
    #[cfg(layout_probe)]
    pub overflow: u8,
    /// One of `entry_state`.
    pub state: u8,
    /// In the first entry of a bucket, 1: some key of this bucket had to go to its second choice.
    #[cfg(not(layout_probe))]
    pub overflow: u8,
    /// When a packet last went out, in 2^30 ns (1.07 s) of the monotonic clock: a shift, where seconds are a division.
    pub last_seen_q30: u32,
}

pub mod entry_state {
    /// Only packets from inside were seen.
    pub const NEW: u8 = 0;
    /// Packets passed both ways.
    pub const ESTABLISHED: u8 = 1;
    /// TCP: a FIN or RST was seen.
    pub const CLOSING: u8 = 2;
    /// A port forward: it does not run out and gives way to nothing. Where it does not lie in its own port's place, it is
    /// there for packets from inside to find, and there is another one in that place.
    pub const FORWARD: u8 = 3;
}

/// Idle times of entries in units of 2^30 ns, rounded up.
pub mod idle_q30 {
    const fn seconds(seconds: u64) -> u64 {
        let ticks = (seconds * 1_000_000_000).div_ceil(1 << 30);
        assert!(ticks < 1 << 16, "a place of the table");
        ticks
    }

    /// RFC 4787, REQ-5: at least two minutes, five recommended.
    pub const UDP: u64 = seconds(300);
    /// RFC 5382, REQ-5: at least two hours and four minutes.
    pub const TCP_ESTABLISHED: u64 = seconds(7440);
    /// RFC 5382, REQ-5: at least four minutes.
    pub const TCP_TRANSITORY: u64 = seconds(240);
    /// RFC 5508, REQ-2: at least 60 seconds.
    pub const ICMP: u64 = seconds(60);
}

/// The key of a mapping: the protocol, and the inside port or, for ICMP, the identifier. Of a home with several devices,
/// which of its addresses that is of, counted from the first, in the top byte (`of_device`).
#[inline(always)]
pub const fn mapping_key(protocol: u8, port: u16) -> u32 {
    (protocol as u32) << 16 | port as u32
}

/// The same of one of a home's devices; `device`: below `DEVICES_MAX`.
#[inline(always)]
pub const fn of_device(key: u32, device: u32) -> u32 {
    key | device << DEVICE_SHIFT
}

const DEVICE_SHIFT: u32 = 24;

/// Which of its home's devices a mapping is of, by its key.
#[inline(always)]
pub const fn mapping_device(key: u32) -> u32 {
    key >> DEVICE_SHIFT
}

/// Ports 2n and 2n + 1 share their lines, so that RTP and RTCP can stay together.
#[inline(always)]
pub const fn mapping_hash(key: u32) -> u32 {
    (key >> 1).wrapping_mul(0x9e37_79b1)
}

/// The line of a home of `2^order` units that a mapping belongs in, if there is room.
pub const fn mapping_line(key: u32, order: u32) -> u32 {
    let lines = (LINES_PER_UNIT << order) - HEADER_LINES;
    HEADER_LINES + ((mapping_hash(key) as u64 * lines as u64) >> 32) as u32
}

/// `NAT_PORTS[address index][0]`: where the mappings of each group of 64 ports of a public address are. Like homes, in the
/// kernel's large pages; an address that nobody has a port of needs none.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct NatPorts {
    /// By `port / 64`.
    pub groups: [PortsRef; PORT_GROUPS_PER_ADDRESS],
}

/// `FRAGMENTS` (LRU): from a fragment that comes from the core to the home that its first fragment was for. Aligned, since
/// the kernel wants it so where the key is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct FragmentKey {
    pub source: [u8; 4],
    pub destination: [u8; 4],
    pub identification: [u8; 2],
    pub protocol: u8,
    pub spare: [u8; 5],
}

/// `FRAGMENTS6` (LRU): the same for IPv6, where a firewall let the first fragment in. In words, since the kernel wants them
/// aligned where the key is made.
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
pub struct FragmentKey6 {
    /// Addresses as they lie in the packet.
    pub source: [u64; 2],
    pub destination: [u64; 2],
    pub identification: u32,
    pub spare: u32,
}
