//! Prefixes expanded into the two levels of the forwarding table, and what changes in them when a prefix does.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    ops::{Bound, Range},
};

use map_abi::FibTarget;
use net_types::Prefix4;

use super::Runs;

/// How a prefix's addresses are painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FibPaint {
    /// All alike.
    Flat(FibTarget),
    /// Public addresses for NAT, each with an index of its own, counted from this one.
    NatPool { first_index: u32 },
}

/// One thing to write, in the order given: a page is filled before the root points to it, and is free for another use
/// only after the root does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FibOp {
    /// The entries of these /24s (the upper 24 bits of an address) become this.
    Root { slash24s: Range<u32>, target: FibTarget },
    /// A page becomes this.
    Page { page: u32, entries: Box<[FibTarget; 256]> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FibError {
    #[error("the forwarding table has no page left for {0}, whose /24 has routes to more than one place")]
    Full(Prefix4),
}

/// The forwarding table that a set of prefixes amounts to.
#[derive(Clone, Debug)]
pub struct Fib {
    prefixes: BTreeMap<Prefix4, FibPaint>,
    /// By /24: its page and what is in it.
    pages: BTreeMap<u32, (u32, Box<[FibTarget; 256]>)>,
    free_pages: Runs,
}

const SLASH24S: u32 = 1 << 24;

impl Fib {
    /// An empty table with pages 1 to `page_limit - 1`.
    pub fn new(page_limit: u32) -> Self {
        Self { prefixes: BTreeMap::new(), pages: BTreeMap::new(), free_pages: Runs::new(page_limit) }
    }

    /// The table of these prefixes, in which a /24 has the page that `held` names if it needs one. Prefixes that there
    /// is no page for are left out and returned.
    pub fn build(
        page_limit: u32,
        held: &BTreeMap<u32, u32>,
        prefixes: impl IntoIterator<Item = (Prefix4, FibPaint)>,
    ) -> (Self, Vec<FibError>) {
        let mut fib = Self::new(page_limit);
        let mut errors = Vec::new();
        for (prefix, paint) in prefixes {
            let first = prefix.network().to_bits() >> 8;
            if needs_pages(prefix, paint) {
                let wanted = page_count(prefix);
                let missing = (first..first + wanted).filter(|slash24| !fib.pages.contains_key(slash24));
                let missing: Vec<u32> = missing.collect();
                let mut taken = Vec::new();
                for slash24 in &missing {
                    let kept = held.get(slash24).copied().filter(|&page| fib.free_pages.take_at(page, 0));
                    // A page that is still held by another /24 must not be given away: it is read until that one's
                    // root entry changes.
                    let page = kept.or_else(|| fib.take_page_not_in(held));
                    if let Some(page) = page {
                        taken.push((*slash24, page));
                    }
                }
                if taken.len() < missing.len() {
                    for (_, page) in taken {
                        fib.free_pages.release(page, 0);
                    }
                    errors.push(FibError::Full(prefix));
                    continue;
                }
                for (slash24, page) in taken {
                    fib.pages.insert(slash24, (page, Box::new([FibTarget::DEFAULT; 256])));
                }
            }
            fib.prefixes.insert(prefix, paint);
        }
        let slash24s: Vec<u32> = fib.pages.keys().copied().collect();
        for slash24 in slash24s {
            let entries = fib.painted_page(slash24);
            if let Some((_, current)) = fib.pages.get_mut(&slash24) {
                *current = entries;
            }
        }
        (fib, errors)
    }

    fn take_page_not_in(&mut self, held: &BTreeMap<u32, u32>) -> Option<u32> {
        let mut passed_over = Vec::new();
        let found = loop {
            match self.free_pages.take(0) {
                Some(page) if held.values().any(|&other| other == page) => passed_over.push(page),
                other => break other,
            }
        };
        // Better a page that was another's than none.
        let found = found.or_else(|| passed_over.pop());
        for page in passed_over {
            self.free_pages.release(page, 0);
        }
        found
    }

    pub fn get(&self, prefix: Prefix4) -> Option<FibPaint> {
        self.prefixes.get(&prefix).copied()
    }

    /// The pages in use: the /24, its page, what is in it.
    pub fn pages(&self) -> impl Iterator<Item = (u32, u32, &[FibTarget; 256])> {
        self.pages.iter().map(|(slash24, (page, entries))| (*slash24, *page, &**entries))
    }

    /// The whole root as runs of equal entries, in order and without gaps.
    pub fn root(&self) -> Vec<(Range<u32>, FibTarget)> {
        self.painted_root(0..SLASH24S)
    }

    /// Puts a prefix in, or paints one anew.
    pub fn insert(&mut self, prefix: Prefix4, paint: FibPaint) -> Result<Vec<FibOp>, FibError> {
        let before = self.prefixes.insert(prefix, paint);
        if before == Some(paint) {
            return Ok(Vec::new());
        }
        let mut new_pages = Vec::new();
        if needs_pages(prefix, paint) {
            let first = prefix.network().to_bits() >> 8;
            for slash24 in first..first + page_count(prefix) {
                if self.pages.contains_key(&slash24) {
                    continue;
                }
                if let Some(page) = self.free_pages.take(0) {
                    self.pages.insert(slash24, (page, Box::new([FibTarget::DEFAULT; 256])));
                    new_pages.push(slash24);
                    continue;
                }
                for slash24 in new_pages {
                    if let Some((page, _)) = self.pages.remove(&slash24) {
                        self.free_pages.release(page, 0);
                    }
                }
                match before {
                    Some(paint) => self.prefixes.insert(prefix, paint),
                    None => self.prefixes.remove(&prefix),
                };
                return Err(FibError::Full(prefix));
            }
        }
        Ok(self.repaint(prefix))
    }

    /// Takes a prefix out.
    pub fn remove(&mut self, prefix: Prefix4) -> Vec<FibOp> {
        if self.prefixes.remove(&prefix).is_none() { Vec::new() } else { self.repaint(prefix) }
    }

    /// Paints what lies in `prefix` anew: pages first, then the root, then pages that nobody needs any more are freed.
    fn repaint(&mut self, prefix: Prefix4) -> Vec<FibOp> {
        let first = prefix.network().to_bits() >> 8;
        let slash24s = first..first + page_count(prefix);
        let mut ops = Vec::new();
        let paged: Vec<u32> = self.pages.range(slash24s.clone()).map(|(slash24, _)| *slash24).collect();
        let mut unneeded = Vec::new();
        for slash24 in paged {
            let entries = self.painted_page(slash24);
            if entries.iter().all(|entry| *entry == entries[0]) && !self.is_paged_by_a_prefix(slash24) {
                unneeded.push(slash24);
                continue;
            }
            if let Some((page, current)) = self.pages.get_mut(&slash24)
                && *current != entries
            {
                ops.push(FibOp::Page { page: *page, entries: entries.clone() });
                *current = entries;
            }
        }
        for slash24 in unneeded {
            if let Some((page, _)) = self.pages.remove(&slash24) {
                self.free_pages.release(page, 0);
            }
        }
        ops.extend(
            self.painted_root(slash24s)
                .into_iter()
                .map(|(slash24s, target)| FibOp::Root { slash24s, target }),
        );
        ops
    }

    /// Whether a prefix longer than 24 bits, or a NAT pool, makes this /24 need a page.
    fn is_paged_by_a_prefix(&self, slash24: u32) -> bool {
        let network = Ipv4Addr::from_bits(slash24 << 8);
        let Ok(whole) = Prefix4::new(network, 24) else { return false };
        let inside = self.within(whole).any(|(prefix, paint)| needs_pages(*prefix, *paint));
        inside || self.all_covering(whole).any(|(_, paint)| matches!(paint, FibPaint::NatPool { .. }))
    }

    /// Prefixes inside `prefix`, itself included, outer ones before those inside them.
    fn within(&self, prefix: Prefix4) -> impl Iterator<Item = (&Prefix4, &FibPaint)> {
        self.prefixes
            .range((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(other, _)| prefix.contains(other.network()))
            .filter(move |(other, _)| prefix.contains_prefix(**other))
    }

    /// The longest prefix that `prefix` lies in, other than itself.
    fn covering(&self, prefix: Prefix4) -> Option<(Prefix4, FibPaint)> {
        self.all_covering(prefix).next()
    }

    /// The prefixes that `prefix` lies in, other than itself, the longest first.
    fn all_covering(&self, prefix: Prefix4) -> impl Iterator<Item = (Prefix4, FibPaint)> {
        (0..prefix.len()).rev().filter_map(move |len| {
            let mask = if len == 0 { 0 } else { u32::MAX << (32 - len) };
            let outer = Prefix4::new(Ipv4Addr::from_bits(prefix.network().to_bits() & mask), len).ok()?;
            self.prefixes.get(&outer).map(|paint| (outer, *paint))
        })
    }

    fn painted_page(&self, slash24: u32) -> Box<[FibTarget; 256]> {
        let first = slash24 << 8;
        let mut entries = Box::new([FibTarget::DEFAULT; 256]);
        let Ok(whole) = Prefix4::new(Ipv4Addr::from_bits(first), 24) else { return entries };
        let covering = self.covering(whole);
        let layers = covering.iter().map(|(prefix, paint)| (prefix, paint)).chain(self.within(whole));
        for (prefix, paint) in layers {
            let network = prefix.network().to_bits();
            let from = network.max(first);
            let len = u32::try_from(prefix.size().min(256)).unwrap_or(256);
            for address in from..=from + (len - 1) {
                entries[(address & 255) as usize] = target_at(*paint, address - network);
            }
        }
        entries
    }

    fn painted_root(&self, slash24s: Range<u32>) -> Vec<(Range<u32>, FibTarget)> {
        let mut runs = Vec::new();
        let mut cursor = slash24s.start;
        // A stack of the prefixes that the cursor is in: where each ends, and what it paints.
        let base = Prefix4::new(Ipv4Addr::from_bits(slash24s.start << 8), prefix_len_of(&slash24s));
        let Ok(base) = base else { return runs };
        let flat = |paint: FibPaint| match paint {
            FibPaint::Flat(target) => target,
            // Every /24 of a pool has a page, which is painted over this.
            FibPaint::NatPool { .. } => FibTarget::BLACKHOLE,
        };
        let outermost = self.covering(base).map_or(FibTarget::DEFAULT, |(_, paint)| flat(paint));
        let mut stack = vec![(slash24s.end, outermost)];
        let mut paged = self.pages.range(slash24s.clone()).peekable();
        let mut emit = |cursor: &mut u32, to: u32, target: FibTarget| {
            while *cursor < to {
                let next_page = paged.peek().map_or(to, |(slash24, _)| **slash24).min(to);
                if *cursor < next_page {
                    push_run(&mut runs, *cursor..next_page, target);
                    *cursor = next_page;
                } else if let Some((slash24, (page, _))) = paged.next() {
                    push_run(&mut runs, *slash24..slash24 + 1, FibTarget::new(FibTarget::KIND_PAGE, *page));
                    *cursor = slash24 + 1;
                }
            }
        };
        for (prefix, paint) in self.within(base).filter(|(prefix, _)| prefix.len() <= 24) {
            let start = prefix.network().to_bits() >> 8;
            while let Some(&(end, target)) = stack.last()
                && end <= start
            {
                emit(&mut cursor, end, target);
                stack.pop();
            }
            if let Some(&(_, target)) = stack.last() {
                emit(&mut cursor, start, target);
            }
            stack.push((start + page_count(*prefix), flat(*paint)));
        }
        while let Some((end, target)) = stack.pop() {
            emit(&mut cursor, end, target);
        }
        runs
    }
}

fn push_run(runs: &mut Vec<(Range<u32>, FibTarget)>, slash24s: Range<u32>, target: FibTarget) {
    match runs.last_mut() {
        Some((last, same)) if *same == target && last.end == slash24s.start => last.end = slash24s.end,
        _ => runs.push((slash24s, target)),
    }
}

/// The length of the prefix that this range of /24s is.
fn prefix_len_of(slash24s: &Range<u32>) -> u8 {
    u8::try_from(24 - (slash24s.end - slash24s.start).ilog2()).unwrap_or(24)
}

/// How many /24s a prefix touches.
fn page_count(prefix: Prefix4) -> u32 {
    u32::try_from((prefix.size() >> 8).max(1)).unwrap_or(SLASH24S)
}

fn needs_pages(prefix: Prefix4, paint: FibPaint) -> bool {
    prefix.len() > 24 || matches!(paint, FibPaint::NatPool { .. })
}

fn target_at(paint: FibPaint, offset: u32) -> FibTarget {
    match paint {
        FibPaint::Flat(target) => target,
        FibPaint::NatPool { first_index } => FibTarget::new(FibTarget::KIND_NAT, first_index + offset),
    }
}
