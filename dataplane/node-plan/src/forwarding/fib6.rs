//! IPv6 prefixes expanded into the levels of the forwarding table, and what changes in them when a prefix does.
//!
//! The root has an entry for each /16, a page one for each of the 256 next longer prefixes of eight bits more. There
//! is a page below a prefix only while a longer one lies in it.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv6Addr,
    ops::{Range, RangeInclusive},
};

use map_abi::FibTarget;
use net_types::Prefix6;

use super::Runs;

/// Bits of the root.
const ROOT_BITS: u8 = 16;
/// Bits of a page.
const PAGE_BITS: u8 = 8;

/// One thing to write, in the order given: a page is filled before anything points to it, and is free for another use
/// only after nothing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fib6Op {
    /// The entries of these /16s (the upper 16 bits of an address) become this.
    Root { slash16s: RangeInclusive<u32>, target: FibTarget },
    /// A page becomes this.
    Page { page: u32, entries: Box<[FibTarget; 256]> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the forwarding table of IPv6 has no page left for {0}")]
pub struct Fib6Full(pub Prefix6);

/// The prefix that a page is below: its length, and its address.
pub type PageKey = (u8, u128);

#[derive(Clone, Debug)]
struct Page {
    index: u32,
    /// How many prefixes need it.
    users: u32,
    entries: Box<[FibTarget; 256]>,
}

/// The forwarding table that a set of prefixes amounts to.
#[derive(Clone, Debug)]
pub struct Fib6 {
    prefixes: BTreeMap<Prefix6, FibTarget>,
    /// How many prefixes of each length there are.
    lengths: Box<[u32; 129]>,
    pages: HashMap<PageKey, Page>,
    free_pages: Runs,
    /// Pages that are in the maps already, and are to be where they are.
    held: BTreeMap<PageKey, u32>,
}

fn bits(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0)
}

/// The lengths below which a prefix of that length needs pages.
fn levels(len: u8) -> impl DoubleEndedIterator<Item = u8> {
    (ROOT_BITS..len).step_by(PAGE_BITS.into())
}

/// Which entry of the page below `/level` an address falls into.
fn entry_of(address: u128, level: u8) -> usize {
    (address >> (128 - level - PAGE_BITS) & 255) as usize
}

impl Fib6 {
    /// An empty table with pages 1 to `page_limit - 1`, of which those in `held` are to be used as they are in use.
    pub fn new(page_limit: u32, held: BTreeMap<PageKey, u32>) -> Self {
        let mut free_pages = Runs::new(page_limit);
        let held = held.into_iter().filter(|(_, page)| free_pages.take_at(*page, 0)).collect();
        Self {
            prefixes: BTreeMap::new(),
            lengths: Box::new([0; 129]),
            pages: HashMap::new(),
            free_pages,
            held,
        }
    }

    /// All that is to be in the table is in it: pages that were held and are not needed are free.
    pub fn settle(&mut self) {
        for (_, page) in std::mem::take(&mut self.held) {
            self.free_pages.release(page, 0);
        }
    }

    pub fn get(&self, prefix: Prefix6) -> Option<FibTarget> {
        self.prefixes.get(&prefix).copied()
    }

    pub fn prefixes(&self) -> impl Iterator<Item = (Prefix6, FibTarget)> + '_ {
        self.prefixes.iter().map(|(prefix, target)| (*prefix, *target))
    }

    /// Puts a prefix in, or paints it anew.
    pub fn insert(&mut self, prefix: Prefix6, target: FibTarget) -> Result<Vec<Fib6Op>, Fib6Full> {
        match self.prefixes.get(&prefix) {
            Some(now) if *now == target => return Ok(Vec::new()),
            Some(_) => {}
            None => self.take_pages(prefix)?,
        }
        if self.prefixes.insert(prefix, target).is_none() {
            self.lengths[usize::from(prefix.len())] += 1;
        }
        Ok(self.paint(prefix))
    }

    pub fn remove(&mut self, prefix: Prefix6) -> Vec<Fib6Op> {
        if self.prefixes.remove(&prefix).is_none() {
            return Vec::new();
        }
        self.lengths[usize::from(prefix.len())] -= 1;
        let address = prefix.network().to_bits();
        let mut gone = Vec::new();
        for level in levels(prefix.len()) {
            let key = (level, address & bits(level));
            if let Some(page) = self.pages.get_mut(&key) {
                page.users -= 1;
                if page.users == 0 {
                    gone.push(key);
                }
            }
        }
        for key in &gone {
            if let Some(page) = self.pages.remove(key) {
                self.free_pages.release(page.index, 0);
            }
        }
        self.paint(prefix)
    }

    /// Sees to it that a new prefix has its pages, each filled with what was true of all below it.
    fn take_pages(&mut self, prefix: Prefix6) -> Result<(), Fib6Full> {
        let address = prefix.network().to_bits();
        let mut new = Vec::new();
        for level in levels(prefix.len()) {
            let key = (level, address & bits(level));
            if self.pages.contains_key(&key) {
                continue;
            }
            let index = self.held.remove(&key).or_else(|| self.free_pages.take(0));
            let Some(index) = index else {
                for (key, index) in new {
                    self.pages.remove(&key);
                    self.free_pages.release(index, 0);
                }
                return Err(Fib6Full(prefix));
            };
            let entries = Box::new([self.best(address, level); 256]);
            self.pages.insert(key, Page { index, users: 0, entries });
            new.push((key, index));
        }
        for level in levels(prefix.len()) {
            if let Some(page) = self.pages.get_mut(&(level, address & bits(level))) {
                page.users += 1;
            }
        }
        Ok(())
    }

    /// What the longest prefix of an address, of at most `max_len` bits, leads to.
    fn best(&self, address: u128, max_len: u8) -> FibTarget {
        let found = (0..=max_len).rev().filter(|len| self.lengths[usize::from(*len)] != 0).find_map(|len| {
            let prefix = Prefix6::new(Ipv6Addr::from_bits(address & bits(len)), len).ok()?;
            self.prefixes.get(&prefix)
        });
        found.copied().unwrap_or(FibTarget::DEFAULT)
    }

    /// What stands for the prefix of that length and address: a page, if there is one below it.
    fn target(&self, address: u128, len: u8) -> FibTarget {
        match self.pages.get(&(len, address & bits(len))) {
            Some(page) => FibTarget::new(FibTarget::KIND_PAGE, page.index),
            None => self.best(address, len),
        }
    }

    /// Works out anew all that a prefix has a say in: pages inside it, and what leads to them; the innermost first.
    fn paint(&mut self, prefix: Prefix6) -> Vec<Fib6Op> {
        let address = prefix.network().to_bits();
        let mut ops = Vec::new();
        let mut inside: Vec<PageKey> = self
            .pages
            .keys()
            .filter(|(level, base)| *level >= prefix.len() && base & bits(prefix.len()) == address)
            .copied()
            .collect();
        inside.sort_unstable_by(|one, other| other.cmp(one));
        for key in inside {
            self.repaint(key, 0..256, &mut ops);
        }
        for level in levels(prefix.len()).rev() {
            let key = (level, address & bits(level));
            let first = entry_of(address, level);
            let wide = u32::from((level + PAGE_BITS).saturating_sub(prefix.len()));
            self.repaint(key, first..first + (1 << wide), &mut ops);
        }
        let first = u32::try_from(address >> 112).unwrap_or(0);
        let wide = u32::from(ROOT_BITS.saturating_sub(prefix.len()));
        let mut run: Option<(RangeInclusive<u32>, FibTarget)> = None;
        for slash16 in first..first + (1 << wide) {
            let target = self.target(u128::from(slash16) << 112, ROOT_BITS);
            run = Some(match run {
                Some((slash16s, same)) if same == target => (*slash16s.start()..=slash16, same),
                other => {
                    ops.extend(other.map(|(slash16s, target)| Fib6Op::Root { slash16s, target }));
                    (slash16..=slash16, target)
                }
            });
        }
        ops.extend(run.map(|(slash16s, target)| Fib6Op::Root { slash16s, target }));
        ops
    }

    fn repaint(&mut self, (level, base): PageKey, entries: Range<usize>, ops: &mut Vec<Fib6Op>) {
        let Some(page) = self.pages.get(&(level, base)) else { return };
        let mut painted = page.entries.clone();
        for entry in entries {
            let address = base | (entry as u128) << (128 - level - PAGE_BITS);
            painted[entry] = self.target(address, level + PAGE_BITS);
        }
        if let Some(page) = self.pages.get_mut(&(level, base)) {
            page.entries = painted;
            ops.push(Fib6Op::Page { page: page.index, entries: page.entries.clone() });
        }
    }

    /// All of the table: what a map that holds anything must become.
    pub fn all(&self) -> Vec<Fib6Op> {
        let mut keys: Vec<&PageKey> = self.pages.keys().collect();
        keys.sort_unstable_by(|one, other| other.cmp(one));
        let pages = keys.into_iter().filter_map(|key| self.pages.get(key));
        let pages = pages.map(|page| Fib6Op::Page { page: page.index, entries: page.entries.clone() });
        let root = (0..1 << ROOT_BITS).map(|slash16: u32| Fib6Op::Root {
            slash16s: slash16..=slash16,
            target: self.target(u128::from(slash16) << 112, ROOT_BITS),
        });
        pages.chain(root).collect()
    }
}

#[cfg(test)]
mod tests;
