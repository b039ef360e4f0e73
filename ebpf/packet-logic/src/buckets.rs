//! Lines of four entries that come and go: NAT mappings, and a firewall's flows.
//!
//! An entry is found by its key in one of two lines. It is looked for in the second only if the first ever overflowed,
//! so that an established flow costs one cache line. Entries age without timers: one that ran out is ignored, and its
//! place taken when it is needed.
//!
//! Two first packets of one flow on two CPUs at once may make two entries; the one that lookups do not find runs out.

use core::{mem::offset_of, ptr::NonNull};

use map_abi::{ENTRIES_PER_BUCKET, NatEntry, entry_state, idle_q30};

use crate::{
    frame::opaque_number,
    home::Home,
    live::{Field, field, value},
    parse::{ICMP, ICMP6, TCP, tcp_flags},
};

/// Where `state` is in the second word of an entry.
pub(crate) const STATE_SHIFT: usize = (offset_of!(NatEntry, state) - 8) * 8;

/// A time of the monotonic clock in the unit of `last_seen_q30`.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "wraps after 146 years")]
pub(crate) fn q30(ns: u64) -> u32 {
    (ns >> 30) as u32
}

/// What is in the two words of an entry. State, the mark of an overflow and the time are in the same places in all.
pub(crate) trait Kind: Copy {
    /// The key that an entry's first word begins with.
    fn key(first: u64) -> u64;
    /// 1 if an entry with that first word has the key, else 0; without branches, as all that is done for each entry of two
    /// lines: the verifier would follow each to the end of the program.
    fn is_key(first: u64, key: u64) -> u32;
    /// The IP protocol that says how long an entry may be idle.
    fn protocol(first: u64, second: u64) -> u32;
    /// Puts a key in place of another, unless it has changed.
    fn replace(first: Field<u64>, old: u64, new: u64) -> bool;
}

/// Lines of entries, some of a home's or all of a record's.
#[derive(Clone, Copy)]
pub(crate) struct Buckets<K> {
    pub(crate) home: Home,
    /// Before which no line is one of entries.
    pub(crate) first_line: u32,
    pub(crate) lines: u32,
    /// Of the recent clock.
    pub(crate) now_ns: u64,
    pub(crate) kind: core::marker::PhantomData<K>,
}

/// An entry in use.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    at: NonNull<NatEntry>,
    /// How many entries of the record come before it, those in whose places other lines lie included.
    pub(crate) offset: u32,
}

/// An entry that was made, and what was in its place.
#[derive(Clone, Copy)]
pub(crate) struct Claimed {
    /// As in `Entry`.
    pub(crate) offset: u32,
    pub(crate) replaced: Replaced,
}

/// The words of an entry that another took the place of.
#[derive(Clone, Copy)]
pub(crate) struct Replaced {
    pub(crate) first: u64,
    pub(crate) second: u64,
}

/// The first of a line's entries.
type Bucket = NonNull<NatEntry>;

#[inline(always)]
fn entry_of(bucket: Bucket, position: u32) -> Bucket {
    // SAFETY: the position is less than four, and a line has four entries.
    unsafe { bucket.add((position % ENTRIES_PER_BUCKET) as usize) }
}

#[inline(always)]
fn first_word(entry: Bucket) -> Field<u64> {
    value(entry.cast())
}

#[inline(always)]
fn second_word(entry: Bucket) -> Field<u64> {
    // SAFETY: an entry has two words.
    value(unsafe { entry.cast::<u64>().add(1) })
}

/// A hash as a number below `limit`, evenly (Lemire, "Fast random integer generation in an interval", 2019).
#[inline(always)]
fn scaled(hash: u32, limit: u32) -> u32 {
    ((u64::from(hash) * u64::from(limit)) >> 32) as u32
}

/// 1 if two numbers that differ by less than 2^31 are equal, else 0. A sign bit says what a comparison would.
#[inline(always)]
pub(crate) fn is_equal(one: u32, other: u32) -> u32 {
    opaque_number((one ^ other).wrapping_sub(1)) >> 31
}

/// How long an entry has left; negative: it ran out, which a port forward never does. Signed, for another CPU's clock may be a tick ahead.
#[inline(always)]
#[expect(
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "a difference, of parts of a word"
)]
fn remaining_q30<K: Kind>(first: u64, second: u64, now_q30: u32) -> i32 {
    const TABLE: u64 = idle_q30::UDP
        | idle_q30::ICMP << 16
        | idle_q30::TCP_TRANSITORY << 32
        | idle_q30::TCP_ESTABLISHED << 48;
    let protocol = K::protocol(first, second);
    let state = (second >> STATE_SHIFT) as u32 & 0xff;
    let is_tcp = is_equal(protocol, TCP.into());
    let is_icmp = is_equal(protocol, ICMP.into()) | is_equal(protocol, ICMP6.into());
    let is_established = is_equal(state, entry_state::ESTABLISHED.into());
    let which = is_icmp + is_tcp * 2 + (is_tcp & is_established);
    let idle_max = (TABLE >> (which * 16)) as u32 & 0xffff;
    let last_seen = (second >> 32) as u32;
    let stays = is_equal(state, entry_state::FORWARD.into());
    (idle_max.wrapping_sub(now_q30.wrapping_sub(last_seen)) & !(stays << 31)) as i32
}

/// Bit `n`: position `n` has the key.
#[inline(always)]
fn having<K: Kind>(bucket: Bucket, key: u64) -> u32 {
    let mut bits = 0;
    for position in 0..ENTRIES_PER_BUCKET {
        bits |= K::is_key(first_word(entry_of(bucket, position)).get(), key) << position;
    }
    bits
}

/// Bit `n`: position `n` of the line is free or ran out. An entry that ran out and has the wanted key comes alone, so
/// that a key is never twice in a line.
#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "the sign bit is what is wanted")]
fn available<K: Kind>(bucket: Bucket, wanted: u64, now: u32) -> u32 {
    let mut bits = 0;
    let mut own = 0;
    for position in 0..ENTRIES_PER_BUCKET {
        let entry = entry_of(bucket, position);
        let (first, second) = (first_word(entry).get(), second_word(entry).get());
        let is_free = K::is_key(first, 0);
        let ran_out = opaque_number(remaining_q30::<K>(first, second, now) as u32) >> 31;
        bits |= (is_free | ran_out) << position;
        own |= K::is_key(first, wanted) << position;
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

/// Prefers an even or odd place after the key (RFC 4787, REQ-4: of ports), if there is one.
#[inline(always)]
fn choose(bits: u32, key: u64) -> u32 {
    let same_parity = bits & if key & 1 == 0 { 0b0101 } else { 0b1010 };
    nibble(LOWEST, if same_parity == 0 { bits } else { same_parity })
}

impl<K: Kind> Buckets<K> {
    /// The line that a key with this hash belongs in.
    #[inline(always)]
    fn first_choice(self, hash: u32) -> u32 {
        self.first_line + scaled(hash, self.lines)
    }

    /// The line that it goes to if that is full, which is another one: lines from the first choice on move up by one. (A
    /// sign bit says what a comparison would.)
    #[inline(always)]
    fn second_choice(self, hash: u32, first: u32) -> u32 {
        let second = scaled((hash ^ (hash >> 15)).wrapping_mul(0x85eb_ca6b), self.lines - 1);
        let second = self.first_line + second;
        second + ((opaque_number(first.wrapping_sub(second + 1)) >> 31) ^ 1)
    }

    /// The entry of `key`, if there is one that did not run out.
    #[inline(always)]
    pub(crate) fn existing(self, key: u64, hash: u32) -> Option<Entry> {
        let mut line = self.first_choice(hash);
        let mut bucket = self.home.bucket(line)?;
        let mut bits = having::<K>(bucket, key);
        if bits == 0 && field!(bucket, overflow).get() != 0 {
            line = self.second_choice(hash, line);
            bucket = self.home.bucket(line)?;
            bits = having::<K>(bucket, key);
        }
        if bits == 0 {
            return None;
        }
        let position = nibble(LOWEST, bits);
        let entry = Entry { at: entry_of(bucket, position), offset: line * ENTRIES_PER_BUCKET + position };
        entry.is_good::<K>(self.now_ns).then_some(entry)
    }

    /// Whether `claim` would find a place.
    #[inline(always)]
    pub(crate) fn has_room(self, key: u64, hash: u32) -> bool {
        let now = q30(self.now_ns);
        let first_line = self.first_choice(hash);
        let lines = [first_line, self.second_choice(hash, first_line)];
        let mut bits = 0;
        for line in lines {
            if let Some(bucket) = self.home.bucket(line) {
                bits |= available::<K>(bucket, key, now);
            }
        }
        bits != 0
    }

    /// Makes an entry, whose kind's `fill` writes what it has beside its key; `None`: every place is taken.
    #[inline(always)]
    pub(crate) fn claim(self, key: u64, hash: u32, fill: impl FnOnce(NonNull<NatEntry>)) -> Option<Claimed> {
        let now = q30(self.now_ns);
        let first_line = self.first_choice(hash);
        let second_line = self.second_choice(hash, first_line);
        let (first, second) = (self.home.bucket(first_line)?, self.home.bucket(second_line)?);
        let first_bits = available::<K>(first, key, now);
        let second_bits = available::<K>(second, key, now);
        // The emptier line.
        let takes_second = nibble(ONES, second_bits) > nibble(ONES, first_bits);
        let (bucket, bits) = if takes_second { (second, second_bits) } else { (first, first_bits) };
        if bits == 0 {
            return None;
        }
        let mut position = choose(bits, key);
        let mut replaced = words(entry_of(bucket, position));
        if !take::<K>(entry_of(bucket, position), replaced, key, now) {
            // Another CPU was quicker; one more try is enough for as many CPUs as may meet in one subscriber's line.
            let rest = bits & !(1 << position);
            position = choose(rest, key);
            replaced = words(entry_of(bucket, position));
            if rest == 0 || !take::<K>(entry_of(bucket, position), replaced, key, now) {
                return None;
            }
        }
        if takes_second {
            field!(first, overflow).set(1);
        }
        let entry = entry_of(bucket, position);
        field!(entry, state).set(entry_state::NEW);
        fill(entry);
        let line = if takes_second { second_line } else { first_line };
        Some(Claimed { offset: line * ENTRIES_PER_BUCKET + position, replaced })
    }
}

#[inline(always)]
fn words(entry: Bucket) -> Replaced {
    Replaced { first: first_word(entry).get(), second: second_word(entry).get() }
}

/// The time is stored before the key, so that nobody takes the new entry for one that ran out.
#[inline(always)]
fn take<K: Kind>(entry: Bucket, Replaced { first, second }: Replaced, key: u64, now: u32) -> bool {
    let old = K::key(first);
    if old != 0 && old != key && remaining_q30::<K>(first, second, now) >= 0 {
        return false;
    }
    field!(entry, last_seen_q30).set(now);
    K::replace(first_word(entry), first, key)
}

impl Replaced {
    /// When it ran out, for the recent clock's `now_ns`, to about a second.
    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "it is not negative where it is used")]
    pub(crate) fn ended_ns<K: Kind>(self, now_ns: u64) -> u64 {
        let remaining = remaining_q30::<K>(self.first, self.second, q30(now_ns));
        let overdue = if remaining < 0 { remaining.wrapping_neg() as u64 } else { 0 };
        now_ns.saturating_sub(overdue << 30)
    }
}

impl Entry {
    /// What stands for no entry where there must be something.
    #[inline(always)]
    pub(crate) fn none(home: Home) -> Self {
        Self { at: home.up().cast(), offset: 0 }
    }

    /// The entry at a position of a line; `offset` as in the field.
    #[inline(always)]
    pub(crate) fn at(bucket: NonNull<NatEntry>, offset: u32) -> Self {
        Self { at: entry_of(bucket, offset), offset }
    }

    #[inline(always)]
    pub(crate) fn place(self) -> NonNull<NatEntry> {
        self.at
    }

    /// Gives the place away, unless it has another key meanwhile, of 64 bits.
    #[inline(always)]
    pub(crate) fn forget(self, key: u64) {
        first_word(self.at).replace(key, 0);
    }

    #[inline(always)]
    pub(crate) fn first_word(self) -> u64 {
        first_word(self.at).get()
    }

    #[inline(always)]
    pub(crate) fn second_word(self) -> u64 {
        second_word(self.at).get()
    }

    /// Whether the entry did not run out.
    #[inline(always)]
    pub(crate) fn is_good<K: Kind>(self, now_ns: u64) -> bool {
        remaining_q30::<K>(self.first_word(), second_word(self.at).get(), q30(now_ns)) >= 0
    }

    /// A packet went out.
    #[inline(always)]
    pub(crate) fn saw_outbound(self, now_ns: u64) {
        let (seen, now) = (field!(self.at, last_seen_q30), q30(now_ns));
        if seen.get() != now {
            seen.set(now);
        }
    }

    #[inline(always)]
    pub(crate) fn state(self) -> u8 {
        field!(self.at, state).get()
    }

    #[inline(always)]
    fn set_state(self, state: u8) {
        field!(self.at, state).set(state);
    }

    /// A connection ends, if it is one: a port forward serves many.
    #[inline(always)]
    fn close(self) {
        if self.state() != entry_state::FORWARD {
            self.set_state(entry_state::CLOSING);
        }
    }

    /// A packet with these TCP flags went out.
    #[inline(always)]
    pub(crate) fn saw_outbound_tcp(self, flags: u8) {
        if flags & (tcp_flags::FIN | tcp_flags::RST) != 0 {
            self.close();
        } else if flags & tcp_flags::SYN != 0 && self.state() == entry_state::CLOSING {
            self.set_state(entry_state::NEW);
        }
    }

    /// A packet with these TCP flags came in. Only what goes out keeps an entry alive (RFC 4787, REQ-6).
    #[inline(always)]
    pub(crate) fn saw_inbound_tcp(self, flags: u8) {
        if flags & (tcp_flags::FIN | tcp_flags::RST) != 0 {
            self.close();
        } else if self.state() == entry_state::NEW {
            self.set_state(entry_state::ESTABLISHED);
        }
    }
}
