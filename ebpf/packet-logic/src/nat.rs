//! Network address and port translation: a mapping is found by the inside port among the lines of its subscriber's home.
//!
//! What holds of RFC 4787 (UDP), RFC 5382 (TCP) and RFC 5508 (ICMP):
//!
//! | | |
//! |---|---|
//! | 4787 REQ-1, 5382 REQ-1, 5508 REQ-1 | endpoint-independent mapping |
//! | 4787 REQ-2 | one public address for all of a subscriber's flows, further port blocks included |
//! | 4787 REQ-3 | a subscriber's ports are its own, so that no two flows share one; well-known ports are not given out |
//! | 4787 REQ-4 | parity is kept where there is a place of the same; ports 2n and 2n + 1 share their lines |
//! | 4787 REQ-5, 5382 REQ-5, 5508 REQ-2 | idle times: see `idle_q30` |
//! | 4787 REQ-6 | only what goes out keeps a mapping |
//! | 4787 REQ-8, 5382 REQ-3 | endpoint-independent filtering; with `flags::FIREWALL` address-and-port-dependent, and with `flags::BY_ADDRESS` address-dependent |
//! | 4787 REQ-9, 5382 REQ-8 | hairpinning, with the public address and port as source |
//! | 4787 REQ-10, 5382 REQ-6 | no application's payload is touched |
//! | 4787 REQ-11 | what a mapping does depends on nothing but its subscriber's settings |
//! | 4787 REQ-12, 5382 REQ-9 and REQ-10, 5508 REQ-4 to REQ-6 | ICMP errors are translated with what they quote, both ways; they neither refresh nor end a mapping |
//! | 4787 REQ-13 | a packet that is too large and must not be fragmented is answered |
//! | 5382 REQ-7 | no port serves two inside ends at a time |
//!
//! What does not hold: 4787 REQ-14 (of what comes in, a fragment that is there before its first one is dropped); 5382 REQ-4
//! in part (a SYN that comes in unasked is dropped, and no ICMP error follows); 5508 REQ-3 (an error's own checksum is kept as
//! right or wrong as it is), REQ-7 (pings do not turn back to another subscriber) and REQ-8 (no ICMP error tells of what
//! policy forbids).

use core::{marker::PhantomData, ptr::NonNull};

use map_abi::{
    ENTRIES_PER_BLOCK, ENTRIES_PER_BUCKET, HEADER_LINES, LINES_PER_UNIT, NatEntry, PortsRef, entry_state,
};

use crate::{
    buckets::{Buckets, Entry, Kind, Replaced, STATE_SHIFT, is_equal},
    home::Home,
    live::{Field, field},
};

/// `NatEntry`: its key is 32 bits, with the protocol in the third byte, and the highest bit is never set.
#[derive(Clone, Copy)]
pub(crate) struct Mapping;

impl Kind for Mapping {
    #[inline(always)]
    fn key(first: u64) -> u64 {
        first & 0xffff_ffff
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "keys have 32 bits")]
    fn is_key(first: u64, key: u64) -> u32 {
        is_equal(first as u32, key as u32)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a byte is what is wanted")]
    fn protocol(first: u64, _: u64) -> u32 {
        (first >> 16) as u32 & 0xff
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "keys have 32 bits")]
    fn replace(first: Field<u64>, old: u64, new: u64) -> bool {
        first.low_half().replace(old as u32, new as u32)
    }
}

/// The key of a mapping.
#[inline(always)]
pub(crate) fn key(protocol: u8, port: u16) -> u64 {
    u64::from(map_abi::mapping_key(protocol, port))
}

/// The same of a device of the home, by its number.
#[inline(always)]
pub(crate) fn of_device(key: u64, device: u32) -> u64 {
    key | u64::from(map_abi::of_device(0, device))
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "keys have 32 bits")]
pub(crate) fn hash(key: u64) -> u32 {
    map_abi::mapping_hash(key as u32)
}

/// The mappings of a home of `2^order` units.
#[inline(always)]
pub(crate) fn mappings(home: Home, order: u32, now_ns: u64) -> Buckets<Mapping> {
    let lines = (LINES_PER_UNIT << (order & 7)) - HEADER_LINES;
    Buckets { home, first_line: HEADER_LINES, lines, now_ns, kind: PhantomData }
}

/// What a new mapping is made for.
#[derive(Clone, Copy)]
pub(crate) struct Remote {
    pub(crate) address: u32,
    /// As it lies in the packet.
    pub(crate) port: u16,
}

impl Remote {
    /// That of a mapping that another took the place of.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "parts of words, in the places that `NatEntry` says")]
    pub(crate) fn of(replaced: Replaced) -> Self {
        Self { address: (replaced.first >> 32) as u32, port: replaced.second as u16 }
    }

    /// Writes it into a mapping that is new.
    #[inline(always)]
    pub(crate) fn fill(self, entry: NonNull<NatEntry>) {
        field!(entry, remote).set(self.address.to_ne_bytes());
        field!(entry, remote_port).set(self.port.to_ne_bytes());
    }
}

#[inline(always)]
pub(crate) fn is_forward(mapping: Entry) -> bool {
    mapping.state() == entry_state::FORWARD
}

/// Which of the block's ports a mapping stands for: that in whose place it lies, unless it is a port forward, which says.
/// Without branches, as in `buckets`.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "parts of a word")]
pub(crate) fn outside(mapping: Entry) -> u32 {
    let second = mapping.second_word();
    let says = is_equal((second >> STATE_SHIFT) as u32 & 0xff, entry_state::FORWARD.into()).wrapping_neg();
    mapping.offset ^ ((mapping.offset ^ (second as u32 & 0xffff)) & says)
}

/// The mapping that stands for an outside port, and its key; `ports` are the 64 that the port is among, and `home` is where
/// they lead to.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the lower half of the word")]
pub(crate) fn inbound(
    home: Home,
    ports: PortsRef,
    port: u16,
    protocol: u8,
    now_ns: u64,
) -> Option<(Entry, u32)> {
    let offset = ports.number() * ENTRIES_PER_BLOCK + u32::from(port) % ENTRIES_PER_BLOCK;
    let line = offset / ENTRIES_PER_BUCKET;
    if line < HEADER_LINES {
        return None;
    }
    let mapping = Entry::at(home.bucket(line)?, offset);
    let key = mapping.first_word();
    let is_this = Mapping::protocol(key, 0) == u32::from(protocol)
        && mapping.is_good::<Mapping>(now_ns)
        && outside(mapping) == offset;
    is_this.then_some((mapping, key as u32))
}
