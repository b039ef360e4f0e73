//! The surroundings of `packet_logic` in the kernel.

use core::ptr::{NonNull, addr_of, addr_of_mut};

use aya_ebpf::{
    bindings::xdp_action,
    helpers::{
        bpf_jiffies64, bpf_ktime_get_ns, bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_load_bytes,
        bpf_xdp_store_bytes,
    },
    maps::{Array, PerCpuArray, lpm_trie},
    programs::XdpContext,
};
use map_abi::{
    Chunk, Course, DeviceKey, DhcpProfile, DhcpScratch, DnsScratch, DropReason, End, EventRecord, FibLine,
    FibPage, FragmentKey, FragmentKey6, LeasedAddress, LinePage, Loss, NatPorts, NextHop, NextHopGroup,
    PUNT_FRAME_MAX, PortEntry, PortLink, PuntReason, PuntRecord, ResolverKey, Session, Settings, SharedKey,
    poke_table,
};
use packet_logic::{Frame, Packet, Tables, opaque_size};

use crate::maps;

pub(crate) struct Xdp(pub(crate) XdpContext);

impl Packet for Xdp {
    #[inline(always)]
    fn frame(&self) -> Frame<'_> {
        // SAFETY: the kernel's promise of every XDP context; the verifier watches over it besides.
        unsafe { Frame::new(self.0.data() as *mut u8, self.0.data_end() as *mut u8) }
    }

    #[inline(always)]
    fn move_head(&mut self, delta: i32) -> bool {
        // SAFETY: no `Frame` is left, since they borrow `self`.
        unsafe { bpf_xdp_adjust_head(self.0.ctx, delta) == 0 }
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        // SAFETY: the context is valid for as long as the program runs.
        unsafe { (*self.0.ctx).ingress_ifindex }
    }

    #[inline(always)]
    fn punt(&self, reason: PuntReason, port: u32, session: u32) -> bool {
        let Some(mut record) = maps::PUNTS.reserve::<PuntRecord>(0) else {
            count(&maps::LOSSES, Loss::Punt as u32);
            return false;
        };
        let at = record.as_mut_ptr();
        // The verifier wants a length of at least one, and Linux 6.1's learns that neither from a comparison with zero
        // nor of a number that was on the stack meanwhile, nor of one that is compared in another register than it is
        // used in: so it is reckoned right before the call, step by step. No frame is empty; one that were could not be
        // read.
        let last = opaque_size(opaque_size(self.frame().len()).wrapping_sub(1));
        let last = opaque_size(if last < PUNT_FRAME_MAX { last } else { PUNT_FRAME_MAX - 1 });
        let len = last + 1;
        // SAFETY: the record is reserved, and nothing of it is read.
        unsafe {
            if bpf_xdp_load_bytes(self.0.ctx, 0, addr_of_mut!((*at).frame).cast(), len as u32) != 0 {
                record.discard(0);
                return false;
            }
            addr_of_mut!((*at).reason).write(reason as u32);
            addr_of_mut!((*at).port).write(port);
            addr_of_mut!((*at).session).write(session);
            addr_of_mut!((*at).len).write(len as u32);
        }
        record.submit(0);
        true
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a place in a packet, and what is masked")]
    unsafe fn load(&self, at: usize, to: *mut u8, len: usize) -> bool {
        // SAFETY: the caller has room, and the verifier sees to it.
        unsafe { bpf_xdp_load_bytes(self.0.ctx, at as u32, to.cast(), copied(len) as u32) == 0 }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a place in a packet, and what is masked")]
    unsafe fn store(&mut self, at: usize, from: *const u8, len: usize) -> bool {
        // SAFETY: as in `load`; the helper only reads.
        unsafe { bpf_xdp_store_bytes(self.0.ctx, at as u32, from.cast_mut().cast(), copied(len) as u32) == 0 }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "both fit in a page")]
    fn set_len(&mut self, len: usize) -> bool {
        // The verifier subtracts pointers as a whole or not at all.
        let delta = len as i32 - opaque_size(self.frame().len()) as i32;
        // SAFETY: no `Frame` is left, since they borrow `self`.
        unsafe { bpf_xdp_adjust_tail(self.0.ctx, delta) == 0 }
    }

    #[inline(always)]
    fn redirect(&self, port: u32) -> bool {
        maps::REDIRECT.redirect(port, u64::from(xdp_action::XDP_DROP)).is_ok()
    }
}

/// A length from 1 to 1024 that the verifier knows to be one, whatever it forgot of where it came from.
#[inline(always)]
fn copied(len: usize) -> usize {
    (opaque_size(len.wrapping_sub(1)) & 1023) + 1
}

/// When the clock was read last. CPUs share it: whichever finds it a tick late reads the clock anew, and stores the
/// time before the tick, so that no other CPU takes an old time for one of this tick.
struct Clock {
    tick: u64,
    ns: u64,
}

static mut CLOCK: Clock = Clock { tick: 0, ns: 0 };

/// The key of a trie is packed: behind four bytes more, its address begins at a multiple of eight, as the verifier wants.
#[repr(C, align(8))]
struct Place {
    _pad: u32,
    key: lpm_trie::Key<[u64; 2]>,
}

pub(crate) struct Maps;

#[inline(always)]
fn count(counts: &PerCpuArray<u64>, index: u32) {
    if let Some(count) = counts.get_ptr_mut(index) {
        // SAFETY: this CPU's own counter, and XDP programs do not interrupt each other on a CPU.
        unsafe { *count += 1 };
    }
}

#[inline(always)]
fn value<T>(map: &Array<T>, index: u32) -> Option<NonNull<T>> {
    map.get_ptr_mut(index).and_then(NonNull::new)
}

impl Tables for Maps {
    #[inline(always)]
    fn port(&self, ifindex: u32) -> Option<NonNull<PortEntry>> {
        value(&maps::PORTS, ifindex)
    }

    #[inline(always)]
    fn port_link(&self, index: u32) -> Option<NonNull<PortLink>> {
        value(&maps::PORT_LINKS, index)
    }

    #[inline(always)]
    fn svid_page(&self, index: u32) -> Option<NonNull<u64>> {
        value(&maps::SVID_PAGES, index)
    }

    #[inline(always)]
    fn line_page(&self, index: u32) -> Option<NonNull<LinePage>> {
        maps::LINES.get_value_ptr_mut(index, &0).and_then(NonNull::new)
    }

    #[inline(always)]
    fn chunk(&self, index: u32) -> Option<NonNull<Chunk>> {
        maps::HOMES.get_value_ptr_mut(index, &0).and_then(NonNull::new)
    }

    #[inline(always)]
    fn session(&self, index: u32) -> Option<NonNull<Session>> {
        value(&maps::SESSIONS, index)
    }

    #[inline(always)]
    fn nat_ports(&self, index: u32) -> Option<NonNull<NatPorts>> {
        maps::NAT_PORTS.get_value_ptr_mut(index, &0).and_then(NonNull::new)
    }

    #[inline(always)]
    fn fib_line(&self, index: u32) -> Option<NonNull<FibLine>> {
        value(&maps::FIB_ROOT, index)
    }

    #[inline(always)]
    fn fib_page(&self, index: u32) -> Option<NonNull<FibPage>> {
        value(&maps::FIB_PAGES, index)
    }

    #[inline(always)]
    fn fib6_line(&self, index: u32) -> Option<NonNull<FibLine>> {
        value(&maps::FIB6_ROOT, index)
    }

    #[inline(always)]
    fn fib6_page(&self, index: u32) -> Option<NonNull<FibPage>> {
        value(&maps::FIB6_PAGES, index)
    }

    #[inline(always)]
    fn next_hop(&self, index: u32) -> Option<NonNull<NextHop>> {
        value(&maps::NEXT_HOPS, index)
    }

    #[inline(always)]
    fn next_hop_group(&self, index: u32) -> Option<NonNull<NextHopGroup>> {
        value(&maps::NEXT_HOP_GROUPS, index)
    }

    #[inline(always)]
    fn settings(&self) -> Option<NonNull<Settings>> {
        value(&maps::SETTINGS, 0)
    }

    #[inline(always)]
    fn dhcp_profile(&self, index: u32) -> Option<NonNull<DhcpProfile>> {
        value(&maps::DHCP_PROFILES, index)
    }

    #[inline(always)]
    fn dhcp_scratch(&self) -> Option<NonNull<DhcpScratch>> {
        maps::DHCP_SCRATCH.get_ptr_mut(0).and_then(NonNull::new)
    }

    #[inline(always)]
    fn dns_scratch(&self) -> Option<NonNull<DnsScratch>> {
        maps::DNS_SCRATCH.get_ptr_mut(0).and_then(NonNull::new)
    }

    #[inline(always)]
    fn listed(&self, name: u64) -> u64 {
        // SAFETY: a word, which is written whole.
        unsafe { maps::LISTED_NAMES.get(name) }.copied().unwrap_or(0)
    }

    #[inline(always)]
    fn blocked(&self, device: &DeviceKey) -> Option<u64> {
        // SAFETY: as in `listed`.
        unsafe { maps::BLOCKED.get(device) }.copied()
    }

    #[inline(always)]
    fn is_encrypted_resolver(&self, address: [u64; 2]) -> bool {
        let place = Place { _pad: 0, key: lpm_trie::Key::new(u128::BITS, address) };
        maps::ENCRYPTED_RESOLVERS.get(&place.key).is_some()
    }

    #[inline(always)]
    fn count_dns(&self, what: u32) {
        count(&maps::DNS_COUNTS, what);
    }

    #[inline(always)]
    fn shared(&self, key: &SharedKey) -> Option<u32> {
        // SAFETY: a number, which is written whole.
        unsafe { maps::SHARED.get(key).copied() }
    }

    #[inline(always)]
    fn device(&self, key: &LeasedAddress) -> Option<u64> {
        // SAFETY: an entry is replaced as a whole, and one that is reused meanwhile can only yield another device's address
        // for a packet or two, as at the moment when an address changes hands.
        unsafe { maps::DEVICES.get(key) }.map(|device| device.mac)
    }

    #[inline(always)]
    fn fragment(&self, key: &FragmentKey) -> Option<u32> {
        // SAFETY: an entry that is reused meanwhile can only yield another packet's home, as a collision of
        // identifications would.
        unsafe { maps::FRAGMENTS.get(key).copied() }
    }

    #[inline(always)]
    fn remember_fragment(&self, key: &FragmentKey, remembered: u32) {
        // A full table forgets its oldest entry; there is nothing else that can fail.
        let _ = maps::FRAGMENTS.insert(key, &remembered, 0);
    }

    #[inline(always)]
    fn fragment6(&self, key: &FragmentKey6) -> bool {
        maps::FRAGMENTS6.get_ptr(key).is_some()
    }

    #[inline(always)]
    fn remember_fragment6(&self, key: &FragmentKey6) {
        let _ = maps::FRAGMENTS6.insert(key, &1, 0);
    }

    #[inline(always)]
    fn in_garden(&self, address: [u64; 2]) -> bool {
        let place = Place { _pad: 0, key: lpm_trie::Key::new(u128::BITS, address) };
        maps::GARDEN.get(&place.key).is_some()
    }

    #[inline(always)]
    fn is_voice(&self, address: [u64; 2]) -> bool {
        let place = Place { _pad: 0, key: lpm_trie::Key::new(u128::BITS, address) };
        maps::VOICE.get(&place.key).is_some()
    }

    #[inline(always)]
    fn is_nat_exempt(&self, address: [u64; 2]) -> bool {
        let place = Place { _pad: 0, key: lpm_trie::Key::new(u128::BITS, address) };
        maps::NAT_EXEMPT.get(&place.key).is_some()
    }

    #[inline(always)]
    fn is_resolver(&self, key: &ResolverKey) -> bool {
        maps::RESOLVERS.get_ptr(key).is_some()
    }

    #[inline(always)]
    fn count_drop(&self, reason: DropReason, course: Course) {
        count(&maps::DROPS, reason.index(course));
    }

    #[inline(always)]
    fn count_end(&self, end: End, course: Course) {
        count(&maps::ENDS, end.index(course));
    }

    #[inline(always)]
    fn counter(&self, table: u16, index: u32) -> Option<NonNull<u64>> {
        let counter = match table {
            poke_table::DROPS_ADD => maps::DROPS.get_ptr_mut(index),
            poke_table::ENDS_ADD => maps::ENDS.get_ptr_mut(index),
            poke_table::LOSSES_ADD => maps::LOSSES.get_ptr_mut(index),
            poke_table::DHCP_ANSWERS_ADD => maps::DHCP_ANSWERS.get_ptr_mut(index),
            poke_table::DNS_COUNTS_ADD => maps::DNS_COUNTS.get_ptr_mut(index),
            _ => None,
        };
        counter.and_then(NonNull::new)
    }

    #[inline(always)]
    fn tell(&self, event: &EventRecord) -> bool {
        match maps::EVENTS.reserve::<EventRecord>(0) {
            Some(mut record) => {
                record.write(*event);
                record.submit(0);
                true
            }
            None => {
                count(&maps::LOSSES, Loss::Event as u32);
                false
            }
        }
    }

    #[inline(always)]
    fn count_dhcp(&self, answer: u32) {
        count(&maps::DHCP_ANSWERS, answer);
    }

    #[inline(always)]
    fn recent_ns(&self) -> u64 {
        // SAFETY: aligned words that are only ever read and written whole.
        unsafe {
            let tick = bpf_jiffies64();
            if addr_of!(CLOCK.tick).read_volatile() == tick {
                return addr_of!(CLOCK.ns).read_volatile();
            }
            let ns = bpf_ktime_get_ns();
            addr_of_mut!(CLOCK.ns).write_volatile(ns);
            addr_of_mut!(CLOCK.tick).write_volatile(tick);
            ns
        }
    }

    #[inline(always)]
    fn now_ns(&self) -> u64 {
        // SAFETY: the helper has no conditions.
        unsafe { bpf_ktime_get_ns() }
    }
}
