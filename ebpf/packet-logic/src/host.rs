//! Packets and tables in ordinary memory: the same code, under test.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    ptr::NonNull,
};

use map_abi::{
    Chunk, Course, DeviceKey, DhcpProfile, DhcpScratch, DnsScratch, Down, DropReason, End, EventRecord,
    FibLine, FibPage, FibTarget, FragmentKey, FragmentKey6, HomeRef, LINES_PER_UNIT, Limits, Line, LinePage,
    Meter, NatPorts, NextHop, NextHopGroup, PortEntry, PortLink, PuntReason, ResolverKey, Session, Settings,
    SharedKey, Tally, UNIT_INDICES_PER_CHUNK, Up,
};
use zerocopy::{FromZeros, IntoBytes};

mod dns;

use crate::{Frame, Packet, Tables, Verdict, home::Home, live::field};
use dns::DnsTables;

/// As much room in front of a packet as XDP has (`XDP_PACKET_HEADROOM`).
const HEADROOM: usize = 256;
/// The page that a packet lies in.
const PAGE_LEN: usize = 4096;
/// See `Packet::load`.
const COPIED_MAX: usize = 1024;

/// A packet in a buffer.
pub struct HostPacket {
    buffer: RefCell<Vec<u8>>,
    start: usize,
    ifindex: u32,
    punts: RefCell<Vec<(PuntReason, u32, u32)>>,
}

impl HostPacket {
    pub fn new(frame: &[u8], ifindex: u32) -> Self {
        let mut buffer = vec![0; HEADROOM];
        buffer.extend_from_slice(frame);
        Self { buffer: RefCell::new(buffer), start: HEADROOM, ifindex, punts: RefCell::default() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.buffer.borrow()[self.start..].to_vec()
    }

    /// What went to user space: reason, port, session.
    pub fn punts(&self) -> Vec<(PuntReason, u32, u32)> {
        self.punts.borrow().clone()
    }
}

impl Packet for HostPacket {
    fn frame(&self) -> Frame<'_> {
        let mut buffer = self.buffer.borrow_mut();
        let range = buffer[self.start..].as_mut_ptr_range();
        // SAFETY: the buffer's bytes, which do not move while `self` is borrowed; nobody else refers to them meanwhile.
        unsafe { Frame::new(range.start, range.end) }
    }

    fn move_head(&mut self, delta: i32) -> bool {
        let start = self.start.checked_add_signed(delta as isize);
        match start.filter(|start| *start <= self.buffer.borrow().len()) {
            Some(start) => {
                self.start = start;
                true
            }
            None => false,
        }
    }

    fn ifindex(&self) -> u32 {
        self.ifindex
    }

    fn punt(&self, reason: PuntReason, port: u32, session: u32) -> bool {
        self.punts.borrow_mut().push((reason, port, session));
        true
    }

    unsafe fn load(&self, at: usize, to: *mut u8, len: usize) -> bool {
        let buffer = self.buffer.borrow();
        let Some(bytes) = buffer[self.start..].get(at..).and_then(|rest| rest.get(..len)) else {
            return false;
        };
        assert!((1..=COPIED_MAX).contains(&len), "the kernel's verifier would not have it");
        // SAFETY: the caller has room for as many bytes; the packet's own are elsewhere.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), len) };
        true
    }

    unsafe fn store(&mut self, at: usize, from: *const u8, len: usize) -> bool {
        let mut buffer = self.buffer.borrow_mut();
        let rest = buffer[self.start..].get_mut(at..).and_then(|rest| rest.get_mut(..len));
        let Some(bytes) = rest else { return false };
        assert!((1..=COPIED_MAX).contains(&len), "the kernel's verifier would not have it");
        // SAFETY: the caller has as many bytes; the packet's own are elsewhere.
        unsafe { from.copy_to_nonoverlapping(bytes.as_mut_ptr(), len) };
        true
    }

    fn set_len(&mut self, len: usize) -> bool {
        let has_room = len <= PAGE_LEN - HEADROOM;
        if has_room {
            self.buffer.borrow_mut().resize(self.start + len, 0);
        }
        has_room
    }

    fn redirect(&self, _port: u32) -> bool {
        true
    }
}

/// Does what the program that a verdict leads on to does; `None`: it leads on to none.
pub fn lead_on(packet: &mut HostPacket, tables: &HostTables, verdict: Verdict) -> Option<Verdict> {
    Some(match verdict {
        Verdict::Core => crate::down(packet, tables),
        Verdict::Open => crate::open(packet, tables),
        Verdict::Access => crate::up(packet, tables),
        Verdict::Access6 => crate::up6(packet, tables),
        Verdict::Open6 => crate::open6(packet, tables),
        Verdict::Rules => crate::rules(packet, tables),
        Verdict::RulesIn => crate::rules_in(packet, tables),
        Verdict::Core6 => crate::down6(packet, tables),
        Verdict::Garden => crate::garden_up(packet, tables),
        Verdict::Garden6 => crate::garden_up6(packet, tables),
        Verdict::GardenCore => crate::garden_down(packet, tables),
        Verdict::GardenCore6 => crate::garden_down6(packet, tables),
        Verdict::Overflow => crate::overflow_up(packet, tables),
        Verdict::OverflowIn => crate::overflow_down(packet, tables),
        Verdict::Dhcp => crate::dhcp(packet, tables),
        Verdict::Dns => crate::dns(packet, tables),
        Verdict::DnsName => crate::dns_name(packet, tables),
        Verdict::Link => crate::link(packet, tables),
        Verdict::Pass
        | Verdict::Redirect(_)
        | Verdict::AnsweredArp(_)
        | Verdict::AnsweredDhcp(_)
        | Verdict::AnsweredDns(_)
        | Verdict::Punted(_)
        | Verdict::Drop(_) => return None,
    })
}

/// A map: values that stay where they are.
struct Store<T>(RefCell<BTreeMap<u32, Box<T>>>);

impl<T: Copy> Store<T> {
    fn new() -> Self {
        Self(RefCell::new(BTreeMap::new()))
    }

    fn set(&self, index: u32, value: T) {
        self.0.borrow_mut().insert(index, Box::new(value));
    }

    fn get(&self, index: u32) -> Option<NonNull<T>> {
        self.0.borrow_mut().get_mut(&index).map(|value| NonNull::from(&mut **value))
    }

    /// As in an array map, where every value is there from the start.
    fn get_or(&self, index: u32, value: impl FnOnce() -> T) -> NonNull<T> {
        let mut values = self.0.borrow_mut();
        NonNull::from(&mut **values.entry(index).or_insert_with(|| Box::new(value())))
    }
}

/// The tables of `map_abi`, sparse.
pub struct HostTables {
    ports: Store<PortEntry>,
    port_links: Store<PortLink>,
    svid_pages: Store<u64>,
    line_pages: Store<LinePage>,
    chunks: Store<Chunk>,
    sessions: Store<Session>,
    nat_ports: Store<NatPorts>,
    fib_lines: Store<FibLine>,
    fib_pages: Store<FibPage>,
    fib6_lines: Store<FibLine>,
    fib6_pages: Store<FibPage>,
    next_hops: Store<NextHop>,
    next_hop_groups: Store<NextHopGroup>,
    settings: Store<Settings>,
    dhcp_profiles: Store<DhcpProfile>,
    dhcp_scratch: Store<DhcpScratch>,
    dhcp_answers: RefCell<BTreeMap<u32, u64>>,
    dns: DnsTables,
    shared: RefCell<BTreeMap<SharedKey, HomeRef>>,
    fragments: RefCell<BTreeMap<([u8; 10], u8), u32>>,
    fragments6: RefCell<BTreeSet<FragmentKey6>>,
    garden: RefCell<BTreeSet<(u128, u32)>>,
    voice: RefCell<BTreeSet<(u128, u32)>>,
    nat_exempt: RefCell<BTreeSet<(u128, u32)>>,
    resolvers: RefCell<BTreeSet<ResolverKey>>,
    tally: RefCell<Tally>,
    events: RefCell<Vec<EventRecord>>,
    now_ns: Cell<u64>,
    tick_ns: Cell<u64>,
}

macro_rules! setters {
    ($($set:ident, $field:ident: $value:ty;)*) => {
        impl HostTables {
            $(pub fn $set(&self, index: u32, value: $value) {
                self.$field.set(index, value);
            })*
        }
    };
}

setters! {
    set_port, ports: PortEntry;
    set_port_link, port_links: PortLink;
    set_svid_page, svid_pages: u64;
    set_line_page, line_pages: LinePage;
    set_chunk, chunks: Chunk;
    set_session, sessions: Session;
    set_nat_ports, nat_ports: NatPorts;
    set_fib_line, fib_lines: FibLine;
    set_fib_page, fib_pages: FibPage;
    set_fib6_line, fib6_lines: FibLine;
    set_fib6_page, fib6_pages: FibPage;
    set_next_hop, next_hops: NextHop;
    set_next_hop_group, next_hop_groups: NextHopGroup;
    set_settings, settings: Settings;
    set_dhcp_profile, dhcp_profiles: DhcpProfile;
}

impl HostTables {
    /// Empty tables, at a time of the monotonic clock.
    pub fn new(now_ns: u64) -> Self {
        Self {
            ports: Store::new(),
            port_links: Store::new(),
            svid_pages: Store::new(),
            line_pages: Store::new(),
            chunks: Store::new(),
            sessions: Store::new(),
            nat_ports: Store::new(),
            fib_lines: Store::new(),
            fib_pages: Store::new(),
            fib6_lines: Store::new(),
            fib6_pages: Store::new(),
            shared: RefCell::default(),
            fragments6: RefCell::default(),
            next_hops: Store::new(),
            next_hop_groups: Store::new(),
            settings: Store::new(),
            dhcp_profiles: Store::new(),
            dhcp_scratch: Store::new(),
            dhcp_answers: RefCell::default(),
            dns: DnsTables::new(),
            fragments: RefCell::default(),
            garden: RefCell::default(),
            voice: RefCell::default(),
            nat_exempt: RefCell::default(),
            resolvers: RefCell::default(),
            tally: RefCell::default(),
            events: RefCell::default(),
            now_ns: Cell::new(now_ns),
            tick_ns: Cell::new(1),
        }
    }

    pub fn set_shared(&self, key: SharedKey, home: HomeRef) {
        self.shared.borrow_mut().insert(key, home);
    }

    pub fn advance_ns(&self, by: u64) {
        self.now_ns.set(self.now_ns.get() + by);
    }

    /// Says which destinations are exempt from NAT, as `add_to_garden` does.
    pub fn add_nat_exempt(&self, address: [u8; 16], len: u32) {
        self.nat_exempt.borrow_mut().insert((u128::from_be_bytes(address), len));
    }

    /// Says where a voice platform is, as `add_to_garden` does.
    pub fn add_voice(&self, address: [u8; 16], len: u32) {
        self.voice.borrow_mut().insert((u128::from_be_bytes(address), len));
    }

    /// Puts a prefix into the walled garden: an address of IPv6, and how many of its bits count.
    pub fn add_to_garden(&self, address: [u8; 16], len: u32) {
        self.garden.borrow_mut().insert((u128::from_be_bytes(address), len));
    }

    pub fn add_resolver(&self, key: ResolverKey) {
        self.resolvers.borrow_mut().insert(key);
    }

    /// The recent clock is read at multiples of this only, so that it is late by up to as much.
    pub fn set_tick_ns(&self, tick_ns: u64) {
        self.tick_ns.set(tick_ns.max(1));
    }

    /// What was dropped, by reason.
    pub fn drops(&self) -> BTreeMap<DropReason, u64> {
        let tally = self.tally.borrow();
        let drops = DropReason::ALL.iter().map(|reason| (*reason, tally.drops_for(*reason)));
        drops.filter(|(_, count)| *count > 0).collect()
    }

    /// How all packets ended.
    pub fn tally(&self) -> Tally {
        self.tally.borrow().clone()
    }

    /// What was told since this was asked last.
    pub fn take_events(&self) -> Vec<EventRecord> {
        self.events.take()
    }

    /// Of `map_abi::dhcp_answer`, how many there were.
    pub fn dhcp_answers(&self) -> BTreeMap<u32, u64> {
        self.dhcp_answers.borrow().clone()
    }

    /// Puts a home with no mappings in place, in a chunk that is made if need be.
    pub fn set_home(&self, home: HomeRef, up: &Up, down: &Down) {
        let chunk = self.chunks.get_or(home.unit() / UNIT_INDICES_PER_CHUNK, Chunk::new_zeroed);
        let first = (home.unit() % UNIT_INDICES_PER_CHUNK * LINES_PER_UNIT) as usize;
        // SAFETY: a value of the store's, which nobody else refers to right now.
        let lines = unsafe { &mut (*chunk.as_ptr()).lines };
        lines[first..first + (home.units() * LINES_PER_UNIT) as usize].fill(Line::default());
        lines[first].as_mut_bytes().copy_from_slice(up.as_bytes());
        lines[first + 1].as_mut_bytes().copy_from_slice(down.as_bytes());
    }

    /// Gives a home other rates and leaves its meters as they are.
    pub fn set_limits(&self, home: HomeRef, up: Limits, down: Limits) {
        let home = Home::find(self, home.unit()).expect("a home that was set");
        field!(home.up(), limits).set(up);
        field!(home.down(), limits).set(down);
    }

    /// What was counted up in a home.
    pub fn meter_up(&self, home: HomeRef) -> Option<Meter> {
        self.meters(home).map(|[up, _]| up)
    }

    /// What was counted in a home, up and down.
    pub fn meters(&self, home: HomeRef) -> Option<[Meter; 2]> {
        let home = Home::find(self, home.unit())?;
        // SAFETY: values of the store's, which live as long as `self`.
        Some(unsafe { [home.up().read().meter, home.down().read().meter] })
    }

    /// A session as it is now.
    pub fn session_value(&self, index: u32) -> Option<Session> {
        // SAFETY: a value of the store's, which lives as long as `self`.
        self.sessions.get(index).map(|session| unsafe { session.read() })
    }
}

impl Tables for HostTables {
    fn port(&self, ifindex: u32) -> Option<NonNull<PortEntry>> {
        Some(self.ports.get_or(ifindex, PortEntry::default))
    }

    fn port_link(&self, index: u32) -> Option<NonNull<PortLink>> {
        self.port_links.get(index)
    }

    fn svid_page(&self, index: u32) -> Option<NonNull<u64>> {
        Some(self.svid_pages.get_or(index, || 0))
    }

    fn line_page(&self, index: u32) -> Option<NonNull<LinePage>> {
        self.line_pages.get(index)
    }

    fn chunk(&self, index: u32) -> Option<NonNull<Chunk>> {
        self.chunks.get(index)
    }

    fn session(&self, index: u32) -> Option<NonNull<Session>> {
        self.sessions.get(index)
    }

    fn nat_ports(&self, index: u32) -> Option<NonNull<NatPorts>> {
        self.nat_ports.get(index)
    }

    fn fib_line(&self, index: u32) -> Option<NonNull<FibLine>> {
        Some(self.fib_lines.get_or(index, || FibLine { entries: [FibTarget::DEFAULT; 16] }))
    }

    fn fib_page(&self, index: u32) -> Option<NonNull<FibPage>> {
        self.fib_pages.get(index)
    }

    fn fib6_line(&self, index: u32) -> Option<NonNull<FibLine>> {
        Some(self.fib6_lines.get_or(index, || FibLine { entries: [FibTarget::DEFAULT; 16] }))
    }

    fn fib6_page(&self, index: u32) -> Option<NonNull<FibPage>> {
        self.fib6_pages.get(index)
    }

    fn next_hop(&self, index: u32) -> Option<NonNull<NextHop>> {
        self.next_hops.get(index)
    }

    fn next_hop_group(&self, index: u32) -> Option<NonNull<NextHopGroup>> {
        self.next_hop_groups.get(index)
    }

    fn settings(&self) -> Option<NonNull<Settings>> {
        Some(self.settings.get_or(0, Settings::default))
    }

    fn dhcp_profile(&self, index: u32) -> Option<NonNull<DhcpProfile>> {
        self.dhcp_profiles.get(index)
    }

    fn dhcp_scratch(&self) -> Option<NonNull<DhcpScratch>> {
        Some(self.dhcp_scratch.get_or(0, DhcpScratch::new_zeroed))
    }

    fn shared(&self, key: &SharedKey) -> Option<u32> {
        self.shared.borrow().get(key).map(|home| home.to_bits())
    }

    fn fragment(&self, key: &FragmentKey) -> Option<u32> {
        self.fragments.borrow().get(&flat(key)).copied()
    }

    fn remember_fragment(&self, key: &FragmentKey, unit: u32) {
        self.fragments.borrow_mut().insert(flat(key), unit);
    }

    fn fragment6(&self, key: &FragmentKey6) -> bool {
        self.fragments6.borrow().contains(key)
    }

    fn remember_fragment6(&self, key: &FragmentKey6) {
        self.fragments6.borrow_mut().insert(*key);
    }

    fn in_garden(&self, address: [u64; 2]) -> bool {
        holds(&self.garden.borrow(), address)
    }

    fn is_voice(&self, address: [u64; 2]) -> bool {
        holds(&self.voice.borrow(), address)
    }

    fn is_nat_exempt(&self, address: [u64; 2]) -> bool {
        holds(&self.nat_exempt.borrow(), address)
    }

    fn is_resolver(&self, key: &ResolverKey) -> bool {
        self.resolvers.borrow().contains(key)
    }

    fn count_drop(&self, reason: DropReason, course: Course) {
        self.tally.borrow_mut().drops[reason.index(course) as usize] += 1;
    }

    /// Nothing on the host carries counters over.
    fn counter(&self, _table: u16, _index: u32) -> Option<NonNull<u64>> {
        None
    }

    fn count_end(&self, end: End, course: Course) {
        self.tally.borrow_mut().ends[end.index(course) as usize] += 1;
    }

    fn tell(&self, event: &EventRecord) -> bool {
        self.events.borrow_mut().push(*event);
        true
    }

    fn count_dhcp(&self, answer: u32) {
        *self.dhcp_answers.borrow_mut().entry(answer).or_default() += 1;
    }

    fn dns_scratch(&self) -> Option<NonNull<DnsScratch>> {
        Some(self.dns.scratch())
    }

    fn listed(&self, name: u64) -> u64 {
        self.dns.listed(name)
    }

    fn blocked(&self, device: &DeviceKey) -> Option<u64> {
        self.dns.blocked(device)
    }

    fn is_encrypted_resolver(&self, address: [u64; 2]) -> bool {
        self.dns.is_encrypted_resolver(address)
    }

    fn count_dns(&self, what: u32) {
        self.dns.count(what);
    }

    fn recent_ns(&self) -> u64 {
        let now = self.now_ns.get();
        now - now % self.tick_ns.get()
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }
}

/// Whether an address, as it lies in a packet, is in one of the prefixes.
fn holds(prefixes: &BTreeSet<(u128, u32)>, address: [u64; 2]) -> bool {
    let [upper, lower] = address.map(u64::from_be);
    let address = u128::from(upper) << 64 | u128::from(lower);
    let differs = |prefix: u128, len: u32| (prefix ^ address).leading_zeros() < len;
    prefixes.iter().any(|(prefix, len)| !differs(*prefix, *len))
}

fn flat(key: &FragmentKey) -> ([u8; 10], u8) {
    let FragmentKey {
        source: [a, b, c, d],
        destination: [e, f, g, h],
        identification: [i, j],
        protocol,
        spare: _,
    } = *key;
    ([a, b, c, d, e, f, g, h, i, j], protocol)
}
