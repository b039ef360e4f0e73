//! The forwarding table of IPv6 in the maps: reading what is there, writing what should be.

use std::{collections::BTreeMap, ops::RangeInclusive};

use map_abi::FibTarget;
use node_plan::forwarding::{Fib6Op, PageKey};

use crate::{
    mapped::{Word, Writer},
    tables::Tables,
};

const SLASH16S: u32 = 1 << 16;

impl Tables {
    fn root6_entry(&self, slash16: u32) -> *mut u32 {
        let line = self.fib6_root.at(slash16 >> 4);
        // SAFETY: inside the line, by the mask.
        unsafe { core::ptr::addr_of_mut!((*line).entries).cast::<u32>().add((slash16 & 15) as usize) }
    }

    fn page6_entry(&self, page: u32, entry: u32) -> *mut u32 {
        let page = self.fib6_pages.at(page);
        // SAFETY: inside the page, by the mask.
        unsafe { core::ptr::addr_of_mut!((*page).entries).cast::<u32>().add((entry & 255) as usize) }
    }

    /// The pages that are in use, by the prefix that they are below.
    pub(crate) fn held_fib6_pages(&self) -> BTreeMap<PageKey, u32> {
        let mut held = BTreeMap::new();
        let page_of = |target: FibTarget| {
            (target.kind() == FibTarget::KIND_PAGE && target.index() < self.fib6_pages.len())
                .then(|| target.index())
        };
        let mut to_visit: Vec<(PageKey, u32)> = (0..SLASH16S)
            .filter_map(|slash16| {
                // SAFETY: aligned, and inside the mapping.
                let target = FibTarget::from_bits(unsafe { Word::load(self.root6_entry(slash16)) });
                Some(((16, u128::from(slash16) << 112), page_of(target)?))
            })
            .collect();
        while let Some(((level, base), page)) = to_visit.pop() {
            // A page that two places point to is nobody's, and a deeper level than an address has is none.
            if level >= 128 || held.insert((level, base), page).is_some() {
                continue;
            }
            to_visit.extend((0..256).filter_map(|entry| {
                // SAFETY: aligned, and inside the mapping.
                let target = FibTarget::from_bits(unsafe { Word::load(self.page6_entry(page, entry)) });
                let below = base | u128::from(entry).checked_shl(u32::from(120 - level)).unwrap_or(0);
                Some(((level + 8, below), page_of(target)?))
            }));
        }
        held
    }

    pub(crate) fn write_fib6(&self, writer: &mut Writer, ops: &[Fib6Op]) {
        for op in ops {
            match op {
                Fib6Op::Page { page, entries } => {
                    for (entry, target) in (0..).zip(entries.iter()) {
                        // SAFETY: aligned, and inside a mapping for writing.
                        unsafe { writer.put(self.page6_entry(*page, entry), target.to_bits()) };
                    }
                }
                Fib6Op::Root { slash16s, target } => self.write_root6(writer, slash16s.clone(), *target),
            }
        }
    }

    fn write_root6(&self, writer: &mut Writer, slash16s: RangeInclusive<u32>, target: FibTarget) {
        for slash16 in slash16s {
            // SAFETY: aligned, and inside a mapping for writing.
            unsafe { writer.put(self.root6_entry(slash16), target.to_bits()) };
        }
    }
}
