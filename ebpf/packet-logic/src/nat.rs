//! Network address and port translation: endpoint-independent mapping and filtering (RFC 4787, RFC 5382, RFC 5508).
//!
//! A mapping is found by the inside port in one of two buckets of its subscriber's home. It is looked for in
//! the second only if the first ever overflowed, so that an established flow costs one cache line. Mappings age
//! without timers: one that ran out is ignored, and its place taken when it is needed.
//!
//! Two first packets of one flow on two CPUs at once may make two mappings; the one that lookups do not find runs out.

use core::ptr::NonNull;

use map_abi::{
    ENTRIES_PER_BLOCK, ENTRIES_PER_BUCKET, HEADER_LINES, LINES_PER_UNIT, NatEntry, PortsRef, entry_state,
};

use crate::{
    frame::opaque_number,
    home::Home,
    live::field,
    parse::{ICMP, TCP, tcp_flags},
};

/// Idle times in units of 2^30 ns, rounded up.
mod idle_q30 {
    const fn seconds(seconds: u64) -> u64 {
        let ticks = (seconds * 1_000_000_000).div_ceil(1 << 30);
        assert!(ticks < 1 << 16, "a place of the table");
        ticks
    }

    /// RFC 4787, REQ-5: at least two minutes, five recommended.
    pub(super) const UDP: u64 = seconds(300);
    /// RFC 5382, REQ-5: at least two hours and four minutes.
    pub(super) const TCP_ESTABLISHED: u64 = seconds(7440);
    /// RFC 5382, REQ-5: at least four minutes.
    pub(super) const TCP_TRANSITORY: u64 = seconds(240);
    /// RFC 5508, REQ-2: at least 60 seconds.
    pub(super) const ICMP: u64 = seconds(60);
}

/// The key of a mapping: the inside port or, for ICMP, the identifier.
#[inline(always)]
pub(crate) fn key(protocol: u8, port: u16) -> u32 {
    u32::from(protocol) << 16 | u32::from(port)
}

/// A time of the monotonic clock in the unit of `NatEntry::last_seen_q30`.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "wraps after 146 years")]
fn q30(ns: u64) -> u32 {
    (ns >> 30) as u32
}

/// The first of a bucket's entries.
type Bucket = NonNull<NatEntry>;

/// A mapping in use.
#[derive(Clone, Copy)]
pub(crate) struct Mapping {
    bucket: Bucket,
    position: u32,
    /// How far its port is from the first one of the port block.
    pub(crate) offset: u32,
}

/// What a new mapping is made for.
#[derive(Clone, Copy)]
pub(crate) struct Remote {
    pub(crate) address: u32,
    /// As it lies in the packet.
    pub(crate) port: u16,
}

#[inline(always)]
fn entry_of(bucket: Bucket, position: u32) -> NonNull<NatEntry> {
    // SAFETY: the position is less than four, and a bucket has four entries.
    unsafe { bucket.add((position % ENTRIES_PER_BUCKET) as usize) }
}

/// A home's lines of mappings.
#[derive(Clone, Copy)]
pub(crate) struct Mappings {
    pub(crate) home: Home,
    /// The binary logarithm of the home's units.
    pub(crate) order: u32,
    /// Of the recent clock.
    pub(crate) now_ns: u64,
}

/// How many lines of mappings a home has.
#[inline(always)]
fn lines(order: u32) -> u32 {
    (LINES_PER_UNIT << (order & 7)) - HEADER_LINES
}

/// Ports 2n and 2n + 1 share their lines, so that RTP and RTCP can stay together.
#[inline(always)]
fn hash(key: u32) -> u32 {
    (key >> 1).wrapping_mul(0x9e37_79b1)
}

/// The line that a key belongs in.
#[inline(always)]
fn first_choice(key: u32, order: u32) -> u32 {
    HEADER_LINES + scaled(hash(key), lines(order))
}

/// The line that it goes to if that is full, which is another one: lines from the first choice on move up by one. (A sign
/// bit says what a comparison would.)
#[inline(always)]
fn second_choice(key: u32, order: u32, first: u32) -> u32 {
    let hash = hash(key);
    let second = HEADER_LINES + scaled((hash ^ (hash >> 15)).wrapping_mul(0x85eb_ca6b), lines(order) - 1);
    second + ((opaque_number(first.wrapping_sub(second + 1)) >> 31) ^ 1)
}

/// A hash as a number below `limit`, evenly (Lemire, "Fast random integer generation in an interval", 2019).
#[inline(always)]
fn scaled(hash: u32, limit: u32) -> u32 {
    ((u64::from(hash) * u64::from(limit)) >> 32) as u32
}

/// How long a mapping may be idle: a table of four, and no branches, which the verifier would follow for each entry of two
/// buckets.
#[inline(always)]
fn idle_max_q30(key: u32, state: u8) -> u32 {
    const TABLE: u64 = idle_q30::UDP
        | idle_q30::ICMP << 16
        | idle_q30::TCP_TRANSITORY << 32
        | idle_q30::TCP_ESTABLISHED << 48;
    let is_tcp = is_equal(key >> 16, TCP.into());
    let is_icmp = is_equal(key >> 16, ICMP.into());
    let is_established = is_equal(state.into(), entry_state::ESTABLISHED.into());
    let which = is_icmp + is_tcp * 2 + (is_tcp & is_established);
    #[expect(clippy::cast_possible_truncation, reason = "16 bits of the table are what is wanted")]
    let idle = (TABLE >> (which * 16)) as u32 & 0xffff;
    idle
}

/// How long a mapping has left; negative: it ran out. Signed, for another CPU's clock may be a tick ahead.
#[inline(always)]
#[expect(clippy::cast_possible_wrap, reason = "a difference")]
fn remaining_q30(key: u32, state: u8, last_seen_q30: u32, now_q30: u32) -> i32 {
    idle_max_q30(key, state).wrapping_sub(now_q30.wrapping_sub(last_seen_q30)) as i32
}

#[inline(always)]
fn is_expired(key: u32, state: u8, last_seen_q30: u32, now_q30: u32) -> bool {
    remaining_q30(key, state, last_seen_q30, now_q30) < 0
}

macro_rules! entry {
    ($bucket:expr, $position:expr, $field:ident) => {
        field!(entry_of($bucket, $position), $field)
    };
}

/// Bit `n`: position `n` has the key. Without branches, as in `available`.
#[inline(always)]
fn having(bucket: Bucket, key: u32) -> u32 {
    let mut bits = 0;
    for position in 0..ENTRIES_PER_BUCKET {
        bits |= is_equal(entry!(bucket, position, key).get(), key) << position;
    }
    bits
}

/// 1 if two keys, which have 24 bits, are equal, else 0.
#[inline(always)]
fn is_equal(one: u32, other: u32) -> u32 {
    opaque_number((one ^ other).wrapping_sub(1)) >> 31
}

/// Has the line that the mapping of `key` is most likely in fetched, so that waiting for it overlaps with waiting for
/// the home's first. To be called before the first atomic operation, behind which no load can start.
#[inline(always)]
pub(crate) fn touch(mappings: Mappings, key: u32) {
    if let Some(bucket) = mappings.home.bucket(first_choice(key, mappings.order)) {
        let _ = entry!(bucket, 0, key).get();
    }
}

/// The mapping of `key`, if there is one that did not run out.
#[inline(always)]
pub(crate) fn existing(mappings: Mappings, key: u32) -> Option<Mapping> {
    let mut line = first_choice(key, mappings.order);
    let mut bucket = mappings.home.bucket(line)?;
    let mut bits = having(bucket, key);
    if bits == 0 && entry!(bucket, 0, overflow).get() != 0 {
        line = second_choice(key, mappings.order, line);
        bucket = mappings.home.bucket(line)?;
        bits = having(bucket, key);
    }
    if bits == 0 {
        return None;
    }
    let position = nibble(LOWEST, bits);
    let mapping = Mapping { bucket, position, offset: line * ENTRIES_PER_BUCKET + position };
    let last_seen = entry!(bucket, position, last_seen_q30).get();
    let expired = is_expired(key, mapping.state(), last_seen, q30(mappings.now_ns));
    if expired { None } else { Some(mapping) }
}

/// The mapping of `key` for a packet that goes out, made if need be. `None`: every place is taken.
///
/// A mapping that was made is looked up like any other: so the verifier follows the many ways of making one to their
/// end, and not each to the program's.
#[inline(always)]
pub(crate) fn outbound(mappings: Mappings, key: u32, remote: Remote) -> Option<Mapping> {
    let now = q30(mappings.now_ns);
    let mut found = existing(mappings, key);
    if found.is_none() && claim(mappings, key, remote, now) {
        found = existing(mappings, key);
    }
    let mapping = found?;
    let seen = entry!(mapping.bucket, mapping.position, last_seen_q30);
    if seen.get() != now {
        seen.set(now);
    }
    Some(mapping)
}

/// Bit `n`: position `n` of the bucket is free or ran out. An entry that ran out and has the wanted key comes alone,
/// so that a key is never twice in a bucket.
///
/// Written without branches (a sign bit says what a comparison would), since the verifier would follow each of the
/// 2^8 outcomes for two buckets to the end of the program.
#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "the sign bit is what is wanted")]
fn available(bucket: Bucket, wanted: u32, now: u32) -> u32 {
    let mut bits = 0;
    let mut own = 0;
    for position in 0..ENTRIES_PER_BUCKET {
        let key = entry!(bucket, position, key).get();
        let state = entry!(bucket, position, state).get();
        let remaining = remaining_q30(key, state, entry!(bucket, position, last_seen_q30).get(), now) as u32;
        let free_or_expired = opaque_number(key.wrapping_sub(1) | remaining) >> 31;
        bits |= free_or_expired << position;
        own |= is_equal(key, wanted) << position;
    }
    if own == 0 { bits } else { own }
}

/// Nibble `n`: how many bits are set in `n`.
const ONES: u64 = 0x4332_3221_3221_2110;
/// Nibble `n`: the lowest bit that is set in `n`.
const LOWEST: u64 = 0x0102_0103_0102_0100;

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a nibble is what is wanted")]
fn nibble(table: u64, n: u32) -> u32 {
    (table >> ((n & 15) * 4)) as u32 & 15
}

/// Prefers a port with the parity of the inside one (RFC 4787, REQ-4), the emptier bucket before that.
#[inline(always)]
fn choose(bits: u32, key: u32) -> u32 {
    let same_parity = bits & if key & 1 == 0 { 0b0101 } else { 0b1010 };
    nibble(LOWEST, if same_parity == 0 { bits } else { same_parity })
}

/// Makes a mapping; false: every place is taken.
#[inline(always)]
fn claim(mappings: Mappings, key: u32, remote: Remote, now: u32) -> bool {
    let first = first_choice(key, mappings.order);
    let second = second_choice(key, mappings.order, first);
    let (Some(first), Some(second)) = (mappings.home.bucket(first), mappings.home.bucket(second)) else {
        return false;
    };
    let first_bits = available(first, key, now);
    let second_bits = available(second, key, now);
    let takes_second = nibble(ONES, second_bits) > nibble(ONES, first_bits);
    let (bucket, bits) = if takes_second { (second, second_bits) } else { (first, first_bits) };
    if bits == 0 {
        return false;
    }
    let mut position = choose(bits, key);
    if !take(bucket, position, key, now) {
        // Another CPU was quicker; one more try is enough for as many CPUs as may meet in one subscriber's bucket.
        let rest = bits & !(1 << position);
        position = choose(rest, key);
        if rest == 0 || !take(bucket, position, key, now) {
            return false;
        }
    }
    if takes_second {
        entry!(first, 0, overflow).set(1);
    }
    entry!(bucket, position, state).set(entry_state::NEW);
    entry!(bucket, position, remote).set(remote.address.to_ne_bytes());
    entry!(bucket, position, remote_port).set(remote.port.to_ne_bytes());
    true
}

/// The time is stored before the key, so that nobody takes the new mapping for one that ran out.
#[inline(always)]
fn take(bucket: Bucket, position: u32, key: u32, now: u32) -> bool {
    let old = entry!(bucket, position, key).get();
    if old != 0
        && old != key
        && !is_expired(
            old,
            entry!(bucket, position, state).get(),
            entry!(bucket, position, last_seen_q30).get(),
            now,
        )
    {
        return false;
    }
    entry!(bucket, position, last_seen_q30).set(now);
    entry!(bucket, position, key).replace(old, key)
}

/// The mapping that stands for an outside port, and its inside port; `ports` are the 64 that the port is among, and `home`
/// is where they lead to.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the lower half of the key")]
pub(crate) fn inbound(
    home: Home,
    ports: PortsRef,
    port: u16,
    protocol: u8,
    now_ns: u64,
) -> Option<(Mapping, u16)> {
    let offset = ports.number() * ENTRIES_PER_BLOCK + u32::from(port) % ENTRIES_PER_BLOCK;
    let line = offset / ENTRIES_PER_BUCKET;
    if line < HEADER_LINES {
        return None;
    }
    let bucket = home.bucket(line)?;
    let position = offset % ENTRIES_PER_BUCKET;
    let key = entry!(bucket, position, key).get();
    let mapping = Mapping { bucket, position, offset };
    let last_seen = entry!(bucket, position, last_seen_q30).get();
    let expired = is_expired(key, mapping.state(), last_seen, q30(now_ns));
    if key >> 16 != u32::from(protocol) || expired { None } else { Some((mapping, key as u16)) }
}

impl Mapping {
    #[inline(always)]
    fn state(self) -> u8 {
        entry!(self.bucket, self.position, state).get()
    }

    #[inline(always)]
    fn set_state(self, state: u8) {
        entry!(self.bucket, self.position, state).set(state);
    }

    /// A packet with these TCP flags went out.
    #[inline(always)]
    pub(crate) fn saw_outbound_tcp(self, flags: u8) {
        if flags & (tcp_flags::FIN | tcp_flags::RST) != 0 {
            self.set_state(entry_state::CLOSING);
        } else if flags & tcp_flags::SYN != 0 && self.state() == entry_state::CLOSING {
            self.set_state(entry_state::NEW);
        }
    }

    /// A packet with these TCP flags came in. Only what goes out keeps a mapping alive (RFC 4787, REQ-6).
    #[inline(always)]
    pub(crate) fn saw_inbound_tcp(self, flags: u8) {
        if flags & (tcp_flags::FIN | tcp_flags::RST) != 0 {
            self.set_state(entry_state::CLOSING);
        } else if self.state() == entry_state::NEW {
            self.set_state(entry_state::ESTABLISHED);
        }
    }
}
