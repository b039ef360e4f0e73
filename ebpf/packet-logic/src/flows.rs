//! A firewall's memory: what came in must be an answer to what went out (RFC 6092 for IPv6).

use core::{marker::PhantomData, ptr::NonNull};

use map_abi::{FlowEntry, HomeRef, LINES_PER_UNIT, NatEntry, RulesRef, Six};

use crate::{
    Tables,
    buckets::{Buckets, Entry, Kind, is_equal},
    home::Home,
    live::{Field, field},
};

/// `FlowEntry`: its key is 64 bits, and the protocol beside it.
#[derive(Clone, Copy)]
pub(crate) struct Flow;

impl Kind for Flow {
    #[inline(always)]
    fn key(first: u64) -> u64 {
        first
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are looked at")]
    fn is_key(first: u64, key: u64) -> u32 {
        let difference = first ^ key;
        let (low, high) = (difference as u32, (difference >> 32) as u32);
        // Shifted, so that both together stay below 2^31.
        is_equal((low | high) >> 1 | (low | high) & 1, 0)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a byte is what is wanted")]
    fn protocol(_: u64, second: u64) -> u32 {
        second as u32 & 0xff
    }

    #[inline(always)]
    fn replace(first: Field<u64>, old: u64, new: u64) -> bool {
        first.replace(old, new)
    }
}

/// What a subscriber's firewall remembers; `None`: it has none.
#[inline(always)]
pub(crate) fn of<T: Tables>(tables: &T, six: NonNull<Six>, now_ns: u64) -> Option<Buckets<Flow>> {
    let record: HomeRef = field!(six, flows).get();
    if record.is_none() {
        return None;
    }
    let home = Home::find(tables, record.unit())?;
    let lines = LINES_PER_UNIT << (record.order() & 7);
    Some(Buckets { home, first_line: 0, lines, now_ns, kind: PhantomData })
}

/// Writes what a flow that is new has beside its key.
#[inline(always)]
pub(crate) fn fill(entry: NonNull<NatEntry>, protocol: u8, judged: u8) {
    let entry: NonNull<FlowEntry> = entry.cast();
    field!(entry, protocol).set(protocol);
    field!(entry, judged).set(judged);
}

/// `FlowEntry::judged`.
#[inline(always)]
pub(crate) fn judged(flow: Entry) -> u8 {
    let entry: NonNull<FlowEntry> = flow.place().cast();
    field!(entry, judged).get()
}

#[inline(always)]
pub(crate) fn set_judged(flow: Entry, judged: u8) {
    let entry: NonNull<FlowEntry> = flow.place().cast();
    field!(entry, judged).set(judged);
}

/// Whether the rules that there are let a flow through.
#[inline(always)]
pub(crate) fn is_judged(flow: Entry, rules: RulesRef) -> bool {
    judged(flow) & RulesRef::GENERATION_MAX == rules.generation()
}

/// One end of a flow: an address, as two words, and a port as it lies in the packet.
#[derive(Clone, Copy)]
pub(crate) struct End {
    pub(crate) address: [u64; 2],
    pub(crate) port: u16,
}

/// A flow between a subscriber and somebody else, whichever of them sends.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) inside: End,
    pub(crate) remote: End,
    pub(crate) protocol: u8,
}

impl End {
    /// An address of IPv4, mapped into IPv6 (RFC 4291, section 2.5.5.2).
    #[inline(always)]
    pub(crate) fn v4(address: u32, port: u16) -> Self {
        let [a, b, c, d] = address.to_ne_bytes();
        Self { address: [0, u64::from_ne_bytes([0, 0, 0xff, 0xff, a, b, c, d])], port }
    }
}

/// What a flow is known by.
#[derive(Clone, Copy)]
pub(crate) struct Print(pub(crate) u64);

impl Print {
    /// Not of cryptographic strength, but with a key that nobody outside knows, and whose results nobody outside sees.
    #[inline(always)]
    pub(crate) fn of<T: Tables>(tables: &T, ends: &Ends) -> Option<Self> {
        let Ends { inside, remote, protocol } = *ends;
        let settings = tables.settings()?;
        let ports = u64::from(inside.port) | u64::from(remote.port) << 16 | u64::from(protocol) << 32;
        let mut print = field!(settings, hash_key[0]).get();
        for word in [inside.address[0], inside.address[1], remote.address[0], remote.address[1], ports] {
            print = (print ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
            print ^= print >> 32;
        }
        print = (print ^ field!(settings, hash_key[1]).get()).wrapping_mul(0xd6e8_feb8_6659_fd93);
        print ^= print >> 32;
        // 0 is a free place.
        Some(Self(if print == 0 { 1 } else { print }))
    }

    /// Half of the bits, which are enough to choose a line by.
    #[inline(always)]
    pub(crate) fn hash(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
