//! A query: its one question, and what lists the name is on (RFC 1035, section 4.1).

use core::ptr::NonNull;

use map_abi::{DNS_LOOKED_AT, DnsScratch, LISTED_LABELS_MAX, NameHash};

use crate::{
    Packet, Tables,
    frame::opaque_size,
    live::{Field, field},
    sheet::Sheet,
};

/// Where the question begins.
const NAME_AT: usize = 12;
/// Bytes of a name (RFC 1035, section 2.3.4), the root's among them.
const NAME_MAX: usize = 255;
const LABEL_MAX: u8 = 63;
/// Labels of the longest name.
const LABELS_MAX: usize = 128;
const PLACE_MASK: usize = 511;
/// Type and class.
const QUESTION_TAIL: usize = 4;
/// The owner, type, class, extended code and length of an OPT record (RFC 6891, section 6.1.2).
const OPT_LEN: usize = 11;
/// And with the extended error in it.
const ANSWERED_OPT_LEN: usize = OPT_LEN + 6;
/// What an OPT record begins with: the root, and type 41.
const OPT: u32 = u32::from_ne_bytes([0, 0, 41, 0]);
const OPT_MASK: u32 = u32::from_ne_bytes([255, 255, 255, 0]);

mod flag {
    /// In the third byte: an answer.
    pub(super) const ANSWER: u8 = 0x80;
    /// The opcode, and that recursion is desired.
    pub(super) const KEPT: u8 = 0x79;
    /// In the fourth byte: checking is disabled (RFC 4035, section 3.2.2).
    pub(super) const CHECKING_DISABLED: u8 = 0x10;
    pub(super) const RECURSION_AVAILABLE: u8 = 0x80;
    pub(super) const NXDOMAIN: u8 = 3;
}

/// A query whose message is, or comes to be, in the scratch memory.
#[derive(Clone, Copy)]
pub(super) struct Query {
    scratch: NonNull<DnsScratch>,
    sheet: Sheet,
}

impl Query {
    #[inline(always)]
    pub(super) fn new(scratch: NonNull<DnsScratch>) -> Self {
        Self { scratch, sheet: Sheet::query(scratch) }
    }

    #[inline(always)]
    fn place(self) -> Field<u64> {
        field!(self.scratch, task.place)
    }

    /// Bytes of the message that are in the scratch memory.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    fn len(self) -> usize {
        field!(self.scratch, task.message_len).get() as usize & PLACE_MASK
    }

    /// Where the name ends, its root's byte included.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    fn name_end(self) -> usize {
        self.place().get() as usize & PLACE_MASK
    }

    /// Copies the message, of which nothing remains if it is none.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a place in a packet")]
    pub(super) fn load<P: Packet>(self, packet: &P) {
        let kept = field!(self.scratch, task.message_len);
        let len = kept.get();
        if len > DNS_LOOKED_AT as u64 {
            kept.set(DNS_LOOKED_AT as u64);
        }
        let at = field!(self.scratch, task.message_at).get() as usize;
        // SAFETY: the scratch memory is larger.
        let is_there = len != 0 && unsafe { packet.load(at, self.sheet.at(0), self.len()) };
        if !is_there {
            kept.set(0);
        }
    }

    /// Walks over the name, and finds the categories of it and of its parent domains.
    #[inline(always)]
    pub(super) fn look_up<T: Tables>(self, tables: &T) {
        let (is_read, found) = (field!(self.scratch, task.is_read), field!(self.scratch, task.found));
        is_read.set(0);
        found.set(0);
        let is_whole = self.len() >= NAME_AT + 1 + QUESTION_TAIL && self.walk();
        if is_whole && self.hash(tables).is_some() {
            is_read.set(1);
        }
    }

    /// Whether it is a query with one question whose name is spelt out.
    #[inline(always)]
    pub(super) fn is_read(self) -> bool {
        let is_query = self.sheet.get::<u8>(2) & flag::ANSWER == 0;
        let has_one = self.sheet.get::<u16>(4) == 1_u16.to_be();
        let is_read = field!(self.scratch, task.is_read).get() != 0;
        is_read && is_query && has_one && self.name_end() + QUESTION_TAIL <= self.len()
    }

    /// The categories that are blocked, a bit each.
    #[inline(always)]
    pub(super) fn hits(self) -> u64 {
        field!(self.scratch, task.found).get() & field!(self.scratch, task.blocked).get()
    }

    /// Notes where each label begins and the name ends; false: it is too long, compressed, or not all there.
    #[inline(always)]
    fn walk(self) -> bool {
        self.clear_borders();
        self.place().set(NAME_AT as u64);
        for _ in 0..LABELS_MAX {
            let at = self.name_end();
            if at >= self.len() || at >= NAME_AT + NAME_MAX {
                return false;
            }
            let label = self.sheet.get::<u8>(at);
            if label > LABEL_MAX {
                return false;
            }
            self.place().set((at + 1 + usize::from(label)) as u64);
            if label == 0 {
                return true;
            }
            self.border(at).set(1);
        }
        false
    }

    /// Hashes the name from its end on, and looks it up at each border; `None`: there is no key.
    #[inline(always)]
    fn hash<T: Tables>(self, tables: &T) -> Option<()> {
        let settings = tables.settings()?;
        let key = [field!(settings, hash_key[0]).get(), field!(settings, hash_key[1]).get()];
        let labels = field!(self.scratch, task.labels);
        let found = field!(self.scratch, task.found);
        labels.set(0);
        let mut hash = NameHash::new(key);
        // The root's byte is not in the hash.
        let first = self.name_end().wrapping_sub(2);
        for n in 0..NAME_MAX {
            let at = first.wrapping_sub(n) & PLACE_MASK;
            if at < NAME_AT || labels.get() >= u64::from(LISTED_LABELS_MAX) {
                break;
            }
            hash = hash.after(self.sheet.get::<u8>(at));
            if self.border(at).get() != 0 {
                labels.set(labels.get() + 1);
                found.set(found.get() | tables.listed(hash.value()));
            }
        }
        Some(())
    }

    /// Which of the blocked categories is the first.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    pub(super) fn first(self) -> u32 {
        let (rest, first) = (field!(self.scratch, task.found), field!(self.scratch, task.first));
        rest.set(self.hits());
        first.set(0);
        for half in [32_u32, 16, 8, 4, 2, 1] {
            if rest.get() & ((1 << half) - 1) == 0 {
                rest.set(rest.get() >> half);
                first.set(first.get() + u64::from(half));
            }
        }
        first.get() as u32 & 63
    }

    /// Makes the answer out of the question.
    ///
    /// No SOA record goes with it, so that nobody keeps it (RFC 2308, section 5): when the name is no longer blocked, it is
    /// there.
    #[inline(always)]
    pub(super) fn answer(self) {
        let sheet = self.sheet;
        let end = self.name_end() + QUESTION_TAIL;
        // The first record after the question, and that there are no others than additional ones.
        let has_opt = end + OPT_LEN <= self.len()
            && sheet.get::<u32>(6) == 0
            && sheet.get::<u16>(10) != 0
            && sheet.get::<u32>(end) & OPT_MASK == OPT;
        sheet.put(2, sheet.get::<u8>(2) & flag::KEPT | flag::ANSWER);
        let checking = sheet.get::<u8>(3) & flag::CHECKING_DISABLED;
        sheet.put(3, checking | flag::RECURSION_AVAILABLE | flag::NXDOMAIN);
        sheet.put(6, 0_u32);
        let len = field!(self.scratch, task.message_len);
        if has_opt {
            sheet.put(10, 1_u16.to_be());
            // A payload of 1232 bytes, and the extended error 17, "Filtered": as the one who asks has it (RFC 8914).
            sheet.put(end, u64::from_ne_bytes([0, 0, 41, 0x04, 0xd0, 0, 0, 0]));
            sheet.put(end + 8, u64::from_ne_bytes([0, 0, 6, 0, 15, 0, 2, 0]));
            sheet.put(end + 16, 17_u8);
            len.set((end + ANSWERED_OPT_LEN) as u64);
        } else {
            sheet.put(10, 0_u16);
            len.set(end as u64);
        }
        // For the sum, which is of whole words.
        sheet.put(self.len(), 0_u64);
    }

    #[inline(always)]
    fn border(self, at: usize) -> Field<u8> {
        field!(self.scratch, borders[opaque_size(at) & PLACE_MASK])
    }

    #[inline(always)]
    fn clear_borders(self) {
        // SAFETY: a part of a live map value, which is aligned and as long.
        let words = unsafe { core::ptr::addr_of_mut!((*self.scratch.as_ptr()).borders) }.cast::<u64>();
        for word in 0..512 / 8 {
            // SAFETY: there are as many.
            unsafe { words.add(word).write_volatile(0) };
        }
    }
}
