//! The forwarding table in the maps: reading what is there, writing what should be.

use std::{collections::BTreeMap, net::Ipv4Addr, ops::Range};

use map_abi::FibTarget;
use node_plan::forwarding::{Fib, FibOp};

use crate::{mapped::Writer, tables::Tables};

const SLASH24S: u32 = 1 << 24;

impl Tables {
    fn root_entry(&self, slash24: u32) -> *mut u32 {
        let line = self.fib_root.at(slash24 >> 4);
        // SAFETY: inside the line, by the mask.
        unsafe { core::ptr::addr_of_mut!((*line).entries).cast::<u32>().add((slash24 & 15) as usize) }
    }

    fn page_entry(&self, page: u32, entry: u32) -> *mut u32 {
        let page = self.fib_pages.at(page);
        // SAFETY: inside the page, by the mask.
        unsafe { core::ptr::addr_of_mut!((*page).entries).cast::<u32>().add((entry & 255) as usize) }
    }

    fn root_target(&self, slash24: u32) -> FibTarget {
        // SAFETY: aligned, and inside the mapping.
        FibTarget::from_bits(unsafe { crate::mapped::Word::load(self.root_entry(slash24)) })
    }

    /// What the maps say of an address.
    pub(crate) fn lookup(&self, address: Ipv4Addr) -> FibTarget {
        let address = address.to_bits();
        let target = self.root_target(address >> 8);
        if target.kind() != FibTarget::KIND_PAGE || target.index() >= self.fib_pages.len() {
            return target;
        }
        // SAFETY: aligned, and inside the mapping.
        FibTarget::from_bits(unsafe {
            crate::mapped::Word::load(self.page_entry(target.index(), address & 255))
        })
    }

    /// The pages that the root points to, by /24.
    pub(crate) fn held_fib_pages(&self) -> BTreeMap<u32, u32> {
        (0..SLASH24S)
            .filter_map(|slash24| {
                let target = self.root_target(slash24);
                (target.kind() == FibTarget::KIND_PAGE).then(|| (slash24, target.index()))
            })
            .collect()
    }

    pub(crate) fn write_fib(&self, writer: &mut Writer, ops: &[FibOp]) {
        for op in ops {
            match op {
                FibOp::Page { page, entries } => self.write_page(writer, *page, entries),
                FibOp::Root { slash24s, target } => self.write_root(writer, slash24s.clone(), *target),
            }
        }
    }

    /// Makes the whole table what `fib` says.
    pub(crate) fn sync_fib(&self, writer: &mut Writer, fib: &Fib) {
        for (_, page, entries) in fib.pages() {
            self.write_page(writer, page, entries);
        }
        for (slash24s, target) in fib.root() {
            self.write_root(writer, slash24s, target);
        }
    }

    fn write_page(&self, writer: &mut Writer, page: u32, entries: &[FibTarget; 256]) {
        for (entry, target) in (0..).zip(entries) {
            // SAFETY: aligned, and inside a mapping for writing.
            unsafe { writer.put(self.page_entry(page, entry), target.to_bits()) };
        }
    }

    fn write_root(&self, writer: &mut Writer, slash24s: Range<u32>, target: FibTarget) {
        for slash24 in slash24s {
            // SAFETY: aligned, and inside a mapping for writing.
            unsafe { writer.put(self.root_entry(slash24), target.to_bits()) };
        }
    }
}
