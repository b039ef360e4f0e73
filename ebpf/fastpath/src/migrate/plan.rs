//! How a record of one layout becomes one of another, and what a later look at the old one changes in the new one.

use std::collections::BTreeMap;

use map_abi::layout::Keeper;

use super::{
    conversions::{Conversion, Convert},
    description::RecordLayout,
};

/// Of fields that could not be carried over: in how many records they held something.
pub(crate) type Lost = BTreeMap<String, u64>;

/// What is done with a word of eight bytes of a record that is in use already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// So much was counted.
    Add(u64),
    /// The later one counts.
    Max(u64),
    /// Unless somebody else has changed it.
    Replace { from: u64, to: u64 },
}

impl Op {
    /// The word that is to be there instead of `held`; `None`: it is as it should be.
    pub(crate) fn on(self, held: u64) -> Option<u64> {
        match self {
            Self::Add(count) => Some(held.wrapping_add(count)),
            Self::Max(value) => (value > held).then_some(value),
            Self::Replace { from, to } => (held == from && from != to).then_some(to),
        }
    }
}

#[derive(Clone, Debug)]
struct Piece {
    from: usize,
    to: usize,
    bytes: usize,
}

/// A field, or the end of one, for which there is no room.
#[derive(Clone, Debug)]
struct Gap {
    name: String,
    from: usize,
    bytes: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    old: RecordLayout,
    to_bytes: usize,
    pieces: Vec<Piece>,
    gaps: Vec<Gap>,
    converted: Vec<(usize, usize, Convert)>,
    /// By word: the keeper of the field that is all of it.
    keepers: Vec<Keeper>,
    /// Whether the kernel writes anything in it.
    pub(crate) is_alive: bool,
}

impl Plan {
    pub(crate) fn new(
        name: &str,
        old: &RecordLayout,
        new: &RecordLayout,
        conversions: &[Conversion],
    ) -> Self {
        let mut plan = Self {
            old: old.clone(),
            to_bytes: new.bytes,
            pieces: Vec::new(),
            gaps: Vec::new(),
            converted: Vec::new(),
            keepers: vec![Keeper::User; new.bytes.div_ceil(8)],
            is_alive: false,
        };
        let mut used: Vec<&str> = Vec::new();
        for field in &new.fields {
            let is_word = field.bytes == 8 && field.offset.is_multiple_of(8);
            if is_word && matches!(field.keeper, Keeper::Counter | Keeper::Latest) {
                plan.keepers[field.offset / 8] = field.keeper;
            }
            plan.is_alive |= matches!(field.keeper, Keeper::Kernel | Keeper::Counter | Keeper::Latest);
            let conversion = conversions.iter().find(|one| one.record == name && one.field == field.name);
            if let Some(conversion) = conversion.filter(|one| old.field(one.from).is_some()) {
                plan.converted.push((field.offset, field.bytes.min(8), conversion.convert));
                used.push(conversion.from);
            } else if let Some(before) = old.field(&field.name).filter(|_| field.keeper != Keeper::Anew) {
                plan.pieces.push(Piece {
                    from: before.offset,
                    to: field.offset,
                    bytes: before.bytes.min(field.bytes),
                });
            }
        }
        for field in &old.fields {
            let after = new.field(&field.name);
            let room = after.map_or(0, |after| after.bytes.min(field.bytes));
            let is_known_elsewhere = matches!(field.keeper, Keeper::User | Keeper::Anew)
                || after.is_some_and(|after| after.keeper == Keeper::Anew);
            if room < field.bytes && !is_known_elsewhere && !used.contains(&field.name.as_str()) {
                plan.gaps.push(Gap {
                    name: format!("{name}.{}", field.name),
                    from: field.offset + room,
                    bytes: field.bytes - room,
                });
            }
        }
        plan.join();
        plan
    }

    /// Pieces that follow each other in both are one.
    fn join(&mut self) {
        self.pieces.sort_unstable_by_key(|piece| piece.to);
        let mut joined: Vec<Piece> = Vec::new();
        for piece in self.pieces.drain(..) {
            match joined.last_mut() {
                Some(last) if last.to + last.bytes == piece.to && last.from + last.bytes == piece.from => {
                    last.bytes += piece.bytes;
                }
                _ => joined.push(piece),
            }
        }
        self.pieces = joined;
    }

    /// A number of an old record.
    pub(crate) fn number(&self, from: &[u8], field: &str) -> u64 {
        self.old.number(from, field)
    }

    pub(crate) fn old_bytes(&self) -> usize {
        self.old.bytes
    }

    pub(crate) fn new_bytes(&self) -> usize {
        self.to_bytes
    }

    /// `to` is all zero; both are as long as the layouts say, or nothing is done.
    pub(crate) fn convert(&self, from: &[u8], to: &mut [u8]) {
        if from.len() < self.old.bytes || to.len() < self.to_bytes {
            return;
        }
        for piece in &self.pieces {
            to[piece.to..piece.to + piece.bytes].copy_from_slice(&from[piece.from..piece.from + piece.bytes]);
        }
        for (at, bytes, convert) in &self.converted {
            let value = convert(&|field| self.old.number(from, field)).to_ne_bytes();
            to[*at..*at + bytes].copy_from_slice(&value[..*bytes]);
        }
    }

    /// Whether something may have no place.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Counts what of a record has no place.
    pub(crate) fn count_lost(&self, from: &[u8], lost: &mut Lost) {
        for gap in &self.gaps {
            if from.get(gap.from..gap.from + gap.bytes).is_some_and(|it| it.iter().any(|byte| *byte != 0)) {
                *lost.entry(gap.name.clone()).or_default() += 1;
            }
        }
    }

    /// What makes a record that was carried over at an earlier look so as it is at a later one; both converted. The last
    /// word first: where a record has a key, it comes after what it is the key of.
    pub(crate) fn ops(&self, earlier: &[u8], later: &[u8]) -> Vec<(usize, Op)> {
        let words = earlier.chunks_exact(8).zip(later.chunks_exact(8)).enumerate().rev();
        let changed = words.filter(|(_, (earlier, later))| earlier != later);
        let value = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
        changed
            .map(|(word, (earlier, later))| {
                let (from, to) = (value(earlier), value(later));
                let op = match self.keepers.get(word % self.keepers.len().max(1)) {
                    Some(Keeper::Counter) => Op::Add(to.wrapping_sub(from)),
                    Some(Keeper::Latest) => Op::Max(to),
                    _ => Op::Replace { from, to },
                };
                (word, op)
            })
            .collect()
    }
}
