//! IPv6 prefixes expanded into the levels of the forwarding table, and what changes in them when a prefix does.
//!
//! The root has an entry for each /16, a page one for each of the 256 next longer prefixes of eight bits more. There
//! is a page below a prefix only while a longer one lies in it.

mod prefixes;

use std::{
    collections::{BTreeMap, HashMap},
    ops::{Range, RangeInclusive},
};

use map_abi::FibTarget;
use net_types::Prefix6;

use self::prefixes::{Layer, NOTHING, Paint, Prefixes, bits};
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

/// What the prefixes next below another lead to, and what paints each of them.
#[derive(Clone, Debug)]
struct Entries {
    targets: Box<[FibTarget]>,
    ranks: Box<[u16]>,
}

#[derive(Clone, Debug)]
struct Page {
    index: u32,
    /// How many prefixes need it.
    users: u32,
    entries: Entries,
}

/// What is changed and has to be written.
#[derive(Debug, Default)]
struct Changed {
    pages: Vec<PageKey>,
    roots: Vec<u32>,
}

/// The forwarding table that the office's own prefixes and its routes amount to.
///
/// As with IPv4's, the longest prefix that holds an address decides, and the office's own come before all routes. A table
/// of routes that is too large leaves a quarter of the pages to subscribers.
#[derive(Clone, Debug)]
pub struct Fib6 {
    prefixes: Prefixes,
    root: Entries,
    /// By address, then level, so that those inside a prefix lie side by side.
    pages: BTreeMap<(u128, u8), Page>,
    free_pages: Runs,
    /// Routes take no page beyond so many: the rest is for the office's own.
    pages_for_routes: usize,
    /// Pages that are in the maps already, and are to be where they are.
    held: HashMap<PageKey, u32>,
}

/// The lengths below which a prefix of that length needs pages.
fn levels(len: u8) -> impl DoubleEndedIterator<Item = u8> {
    (ROOT_BITS..len).step_by(PAGE_BITS.into())
}

/// Which entry of the page below `/level` an address falls into.
fn entry_of(address: u128, level: u8) -> usize {
    (address >> (128 - level - PAGE_BITS) & 255) as usize
}

impl Entries {
    fn new(count: usize, paint: Paint) -> Self {
        Self { targets: vec![paint.target; count].into(), ranks: vec![paint.rank; count].into() }
    }

    /// Whether that is news.
    fn set(&mut self, entry: usize, paint: Paint) -> bool {
        self.ranks[entry] = paint.rank;
        std::mem::replace(&mut self.targets[entry], paint.target) != paint.target
    }
}

/// The entries of a page below `/level` that a prefix has a say in.
fn entries_of(prefix: Prefix6, level: u8) -> Range<usize> {
    if prefix.len() <= level {
        return 0..256;
    }
    let first = entry_of(prefix.network().to_bits(), level);
    first..first + (1 << (level + PAGE_BITS).saturating_sub(prefix.len()))
}

/// The /16s that a prefix has a say in.
fn slash16s(prefix: Prefix6) -> Range<usize> {
    let first = (prefix.network().to_bits() >> 112) as usize;
    first..first + (1 << ROOT_BITS.saturating_sub(prefix.len()))
}

impl Fib6 {
    /// An empty table with pages 1 to `page_limit - 1`, of which those in `held` are to be used as they are in use.
    pub fn new(page_limit: u32, held: BTreeMap<PageKey, u32>) -> Self {
        let mut free_pages = Runs::new(page_limit);
        let held = held.into_iter().filter(|(_, page)| free_pages.take_at(*page, 0)).collect();
        Self {
            prefixes: Prefixes::default(),
            root: Entries::new(1 << ROOT_BITS, NOTHING),
            pages: BTreeMap::new(),
            free_pages,
            pages_for_routes: page_limit as usize / 4 * 3,
            held,
        }
    }

    /// All that is to be in the table is in it: pages that were held and are not needed are free.
    pub fn settle(&mut self) {
        for (_, page) in std::mem::take(&mut self.held) {
            self.free_pages.release(page, 0);
        }
    }

    /// How the office's own prefix is painted.
    pub fn get(&self, prefix: Prefix6) -> Option<FibTarget> {
        self.prefixes.get(Layer::Own, prefix)
    }

    /// Puts one of the office's own prefixes in, or paints it anew.
    pub fn insert(&mut self, prefix: Prefix6, target: FibTarget) -> Result<Vec<Fib6Op>, Fib6Full> {
        self.set(Layer::Own, prefix, Some(target))
    }

    /// Takes one of the office's own prefixes out.
    pub fn remove(&mut self, prefix: Prefix6) -> Vec<Fib6Op> {
        self.set(Layer::Own, prefix, None).unwrap_or_default()
    }

    /// Puts a route in, leads one elsewhere, or takes it out.
    pub fn set_route(&mut self, prefix: Prefix6, target: Option<FibTarget>) -> Result<Vec<Fib6Op>, Fib6Full> {
        self.set(Layer::Route, prefix, target)
    }

    fn set(
        &mut self,
        layer: Layer,
        prefix: Prefix6,
        target: Option<FibTarget>,
    ) -> Result<Vec<Fib6Op>, Fib6Full> {
        let before = self.prefixes.get(layer, prefix);
        if before == target {
            return Ok(Vec::new());
        }
        let mut changed = Changed::default();
        if before.is_none() {
            self.take_pages(layer, prefix, &mut changed)?;
        }
        self.prefixes.set(layer, prefix, target);
        if target.is_none() {
            self.release_pages(prefix, &mut changed);
        }
        self.paint(layer, prefix, target, &mut changed);
        Ok(self.written(changed))
    }

    /// Sees to it that a prefix has its pages, each filled with what was true of all below it.
    fn take_pages(&mut self, layer: Layer, prefix: Prefix6, changed: &mut Changed) -> Result<(), Fib6Full> {
        let address = prefix.network().to_bits();
        let needed =
            levels(prefix.len()).filter(|level| !self.pages.contains_key(&(address & bits(*level), *level)));
        let needed = needed.count();
        if layer == Layer::Route && needed > 0 && self.pages.len() + needed > self.pages_for_routes {
            return Err(Fib6Full(prefix));
        }
        let mut new = Vec::new();
        for level in levels(prefix.len()) {
            let base = address & bits(level);
            if self.pages.contains_key(&(base, level)) {
                continue;
            }
            let index = self.held.remove(&(level, base)).or_else(|| self.free_pages.take(0));
            let Some(index) = index else {
                for (_, index) in new {
                    self.free_pages.release(index, 0);
                }
                return Err(Fib6Full(prefix));
            };
            new.push((level, index));
        }
        for (level, index) in new {
            let base = address & bits(level);
            let entries = Entries::new(256, self.prefixes.best(address, level));
            self.pages.insert((base, level), Page { index, users: 0, entries });
            self.set_entry_before(level, base, Paint::page(index), changed);
            changed.pages.push((level, base));
        }
        self.count(prefix, 1);
        Ok(())
    }

    /// Gives up the pages that only this prefix needed.
    fn release_pages(&mut self, prefix: Prefix6, changed: &mut Changed) {
        self.count(prefix, -1);
        let address = prefix.network().to_bits();
        for level in levels(prefix.len()) {
            let base = address & bits(level);
            if self.pages.get(&(base, level)).is_some_and(|page| page.users == 0)
                && let Some(page) = self.pages.remove(&(base, level))
            {
                self.free_pages.release(page.index, 0);
                self.set_entry_before(level, base, self.prefixes.best(base, level), changed);
            }
        }
    }

    fn count(&mut self, prefix: Prefix6, one: i32) {
        let address = prefix.network().to_bits();
        for level in levels(prefix.len()) {
            if let Some(page) = self.pages.get_mut(&(address & bits(level), level)) {
                page.users = page.users.saturating_add_signed(one);
            }
        }
    }

    /// Has the entry that is before a page become this.
    fn set_entry_before(&mut self, level: u8, base: u128, paint: Paint, changed: &mut Changed) {
        if level == ROOT_BITS {
            let slash16 = (base >> 112) as usize;
            self.root.set(slash16, paint);
            changed.roots.push(u32::try_from(slash16).expect("16 bits"));
            return;
        }
        let before = level - PAGE_BITS;
        if let Some(page) = self.pages.get_mut(&(base & bits(before), before)) {
            page.entries.set(entry_of(base, before), paint);
            changed.pages.push((before, base & bits(before)));
        }
    }

    /// Paints a prefix where nothing more important does, or, where it is gone, what lay under it.
    fn paint(&mut self, layer: Layer, prefix: Prefix6, target: Option<FibTarget>, changed: &mut Changed) {
        let address = prefix.network().to_bits();
        let new = Paint::new(layer, prefix.len(), target.unwrap_or(FibTarget::DEFAULT));
        let Self { prefixes, pages, root, .. } = self;
        let under = prefixes.under(prefix, layer);
        let repaint = |entries: &mut Entries, entry: usize, at: u128, len: u8| {
            let was = entries.ranks[entry];
            let is = match under {
                _ if target.is_some() && was <= new.rank => new,
                _ if target.is_some() || was != new.rank => return false,
                Some(under) => under,
                // Of routes under what was the office's own, there may be several.
                None => prefixes.best(at, len),
            };
            entries.set(entry, is)
        };
        let mut go = |base: u128, level: u8, page: &mut Page| {
            let mut is_changed = false;
            for entry in entries_of(prefix, level) {
                let at = base | (entry as u128) << (128 - level - PAGE_BITS);
                is_changed |= repaint(&mut page.entries, entry, at, level + PAGE_BITS);
            }
            if is_changed {
                changed.pages.push((level, base));
            }
        };
        for level in levels(prefix.len()) {
            let base = address & bits(level);
            if let Some(page) = pages.get_mut(&(base, level)) {
                go(base, level, page);
            }
        }
        let last = address | !bits(prefix.len());
        let inside = pages.range_mut((address, prefix.len())..=(last, u8::MAX));
        for ((base, level), page) in inside.filter(|((_, level), _)| *level >= prefix.len()) {
            go(*base, *level, page);
        }
        if prefix.len() <= ROOT_BITS {
            for slash16 in slash16s(prefix) {
                if repaint(root, slash16, (slash16 as u128) << 112, ROOT_BITS) {
                    changed.roots.push(u32::try_from(slash16).expect("16 bits"));
                }
            }
        }
    }

    /// What is to be written, the innermost first.
    fn written(&self, changed: Changed) -> Vec<Fib6Op> {
        let Changed { mut pages, mut roots } = changed;
        pages.sort_unstable_by(|one, other| other.cmp(one));
        pages.dedup();
        roots.sort_unstable();
        roots.dedup();
        let pages = pages.into_iter().filter_map(|(level, base)| {
            let page = self.pages.get(&(base, level))?;
            let entries = page.entries.targets.clone().try_into().ok()?;
            Some(Fib6Op::Page { page: page.index, entries })
        });
        let mut ops: Vec<Fib6Op> = pages.collect();
        let mut run: Option<(RangeInclusive<u32>, FibTarget)> = None;
        for slash16 in roots {
            let target = self.root.targets[slash16 as usize];
            run = Some(match run {
                Some((slash16s, same)) if same == target && slash16s.end() + 1 == slash16 => {
                    (*slash16s.start()..=slash16, target)
                }
                other => {
                    ops.extend(other.map(|(slash16s, target)| Fib6Op::Root { slash16s, target }));
                    (slash16..=slash16, target)
                }
            });
        }
        ops.extend(run.map(|(slash16s, target)| Fib6Op::Root { slash16s, target }));
        ops
    }

    /// All of the table: what a map that holds anything must become.
    pub fn all(&self) -> Vec<Fib6Op> {
        let pages = self.pages.keys().map(|(base, level)| (*level, *base)).collect();
        self.written(Changed { pages, roots: (0..1 << ROOT_BITS).collect() })
    }

    /// How many pages are in use.
    pub fn pages_in_use(&self) -> usize {
        self.pages.len()
    }
}

#[cfg(test)]
mod tests;
