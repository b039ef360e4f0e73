//! What the packet path needs of its surroundings.

use core::ptr::NonNull;

use map_abi::{
    Chunk, Course, DeviceKey, DhcpProfile, DhcpScratch, DnsScratch, DropReason, End, EventRecord, FibLine,
    FibPage, FragmentKey, FragmentKey6, LeasedAddress, LinePage, NatPorts, NextHop, NextHopGroup, PortEntry,
    PortLink, PuntReason, ResolverKey, Session, Settings, SharedKey,
};

use crate::Frame;

/// The packet at hand.
pub trait Packet {
    /// Its bytes as they are now.
    fn frame(&self) -> Frame<'_>;

    /// Moves the start of the packet: positive cuts off that many bytes, negative makes room.
    /// False if there are not so many bytes, or not so much room.
    fn move_head(&mut self, delta: i32) -> bool;

    /// The interface it came in by.
    fn ifindex(&self) -> u32;

    /// Hands a copy to user space; false if there is no room for it.
    fn punt(&self, reason: PuntReason, port: u32, session: u32) -> bool;

    /// Copies 1 to 1024 bytes, from `at` on; false if there are not so many.
    ///
    /// # Safety
    /// `to` has room for 1024 bytes, which are not the packet's.
    unsafe fn load(&self, at: usize, to: *mut u8, len: usize) -> bool;

    /// The reverse.
    ///
    /// # Safety
    /// At `from` there are 1024 bytes, which are not the packet's.
    unsafe fn store(&mut self, at: usize, from: *const u8, len: usize) -> bool;

    /// Cuts off the packet's end, or adds zeros there; false if there is not so much room.
    fn set_len(&mut self, len: usize) -> bool;

    /// Has it leave by the port with this index; false: there is none.
    fn redirect(&self, port: u32) -> bool;
}

/// The tables of `map_abi`. Pointers are to live values, aligned as their type is, and stay good while the packet is
/// dealt with; `None` where the index does not exist.
pub trait Tables {
    fn port(&self, ifindex: u32) -> Option<NonNull<PortEntry>>;
    fn port_link(&self, index: u32) -> Option<NonNull<PortLink>>;
    fn svid_page(&self, index: u32) -> Option<NonNull<u64>>;
    fn line_page(&self, index: u32) -> Option<NonNull<LinePage>>;
    fn chunk(&self, index: u32) -> Option<NonNull<Chunk>>;
    fn session(&self, index: u32) -> Option<NonNull<Session>>;
    fn nat_ports(&self, index: u32) -> Option<NonNull<NatPorts>>;
    fn fib_line(&self, index: u32) -> Option<NonNull<FibLine>>;
    fn fib_page(&self, index: u32) -> Option<NonNull<FibPage>>;
    fn fib6_line(&self, index: u32) -> Option<NonNull<FibLine>>;
    fn fib6_page(&self, index: u32) -> Option<NonNull<FibPage>>;
    fn next_hop(&self, index: u32) -> Option<NonNull<NextHop>>;
    fn next_hop_group(&self, index: u32) -> Option<NonNull<NextHopGroup>>;
    fn settings(&self) -> Option<NonNull<Settings>>;
    fn dhcp_profile(&self, index: u32) -> Option<NonNull<DhcpProfile>>;
    /// This CPU's, which nobody else uses while the packet is dealt with.
    fn dhcp_scratch(&self) -> Option<NonNull<DhcpScratch>>;

    /// As `dhcp_scratch`.
    fn dns_scratch(&self) -> Option<NonNull<DnsScratch>>;
    /// The categories of the name with that hash, a bit each.
    fn listed(&self, name: u64) -> u64;
    /// The categories that are blocked for a device now, a bit each; `None`: nothing is said of it.
    fn blocked(&self, device: &DeviceKey) -> Option<u64>;
    /// Whether an encrypted resolver is known to be at an address (as `map_abi::mapped` has IPv4's).
    fn is_encrypted_resolver(&self, address: [u64; 2]) -> bool;
    /// Counts one of `map_abi::dns_count`.
    fn count_dns(&self, what: u32);

    /// The home of one of several lines with the same tags, as the bits of a `HomeRef`.
    fn shared(&self, key: &SharedKey) -> Option<u32>;

    /// The Ethernet address of the device that has leased an address, in the low 48 bits.
    fn device(&self, key: &LeasedAddress) -> Option<u64>;

    /// Whom the packet's first fragment was for, as the bits of a `Remembered`.
    fn fragment(&self, key: &FragmentKey) -> Option<u32>;
    fn remember_fragment(&self, key: &FragmentKey, remembered: u32);
    /// Whether the packet's first fragment was let in.
    fn fragment6(&self, key: &FragmentKey6) -> bool;
    fn remember_fragment6(&self, key: &FragmentKey6);
    /// Whether an address (as `map_abi::mapped` has IPv4's) is in the walled garden.
    fn in_garden(&self, address: [u64; 2]) -> bool;
    /// Whether an address, as in `in_garden`, is a voice platform's.
    fn is_voice(&self, address: [u64; 2]) -> bool;
    /// Whether an address, as in `in_garden`, is of a destination exempt from NAT.
    fn is_nat_exempt(&self, address: [u64; 2]) -> bool;
    fn is_resolver(&self, key: &ResolverKey) -> bool;
    fn count_drop(&self, reason: DropReason, course: Course);
    fn count_end(&self, end: End, course: Course);
    /// A counter of this CPU's; `table`: one of `map_abi::poke_table::COUNTERS`.
    fn counter(&self, table: u16, index: u32) -> Option<NonNull<u64>>;
    /// Tells user space, or counts that there was no room.
    fn tell(&self, event: &EventRecord) -> bool;
    /// Counts an answer of `map_abi::dhcp_answer`.
    fn count_dhcp(&self, answer: u32);

    /// Nanoseconds of the monotonic clock, late by a tick of the kernel's at most (10 ms), and cheap.
    fn recent_ns(&self) -> u64;
    /// Nanoseconds of the monotonic clock.
    fn now_ns(&self) -> u64;
}
