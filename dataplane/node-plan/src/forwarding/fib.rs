//! Prefixes expanded into the two levels of the forwarding table, and what changes in them when a prefix does.

mod prefixes;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::Range,
};

use map_abi::FibTarget;
use net_types::Prefix4;

use self::prefixes::{Layer, Prefixes, Top};
use super::Runs;

/// How the addresses of one of the office's own prefixes are painted.
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
    Page { page: u32, entries: Box<Entries> },
}

/// What the addresses of a /24 lead to.
type Entries = [FibTarget; 256];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FibError {
    #[error("the forwarding table has no page left for {0}, whose /24 has routes to more than one place")]
    Full(Prefix4),
}

/// The forwarding table that the office's own prefixes and its routes amount to.
///
/// The longest prefix that holds an address decides, and the office's own come before all routes: a route learned for
/// half a pool does not take that half away.
#[derive(Clone, Debug)]
pub struct Fib {
    prefixes: Prefixes,
    /// By /24: its page and what is in it.
    pages: BTreeMap<u32, (u32, Box<Entries>)>,
    free_pages: Runs,
}

const SLASH24S: u32 = 1 << 24;

impl Fib {
    /// An empty table with pages 1 to `page_limit - 1`.
    pub fn new(page_limit: u32) -> Self {
        Self { prefixes: Prefixes::default(), pages: BTreeMap::new(), free_pages: Runs::new(page_limit) }
    }

    /// The table of these prefixes and routes, in which a /24 has the page that `held` names if it needs one. What
    /// there is no page for is left out and returned.
    pub fn build(
        page_limit: u32,
        held: &BTreeMap<u32, u32>,
        own: impl IntoIterator<Item = (Prefix4, FibPaint)>,
        routes: impl IntoIterator<Item = (Prefix4, FibTarget)>,
    ) -> (Self, Vec<FibError>) {
        let mut fib = Self { prefixes: Prefixes::new(own, routes), ..Self::new(page_limit) };
        let held_pages: BTreeSet<u32> = held.values().copied().collect();
        let everything = Prefix4::new(Ipv4Addr::UNSPECIFIED, 0).expect("a legal length");
        let with_pages: Vec<Top> =
            fib.prefixes.within(everything).filter(|top| needs_pages(top.prefix, Some(top.paint))).collect();
        // The office's own come first.
        let (own, routes): (Vec<Top>, Vec<Top>) =
            with_pages.into_iter().partition(|top| top.layer == Layer::Own);
        let mut errors = Vec::new();
        for top in own.into_iter().chain(routes) {
            let take = |free: &mut Runs, slash24: u32| {
                let kept = held.get(&slash24).copied().filter(|&page| free.take_at(page, 0));
                // A page that is still held by another /24 must not be given away: it is read until that one's
                // root entry changes.
                kept.or_else(|| take_page_not_in(free, &held_pages))
            };
            if fib.take_pages(top.prefix, take).is_none() {
                fib.prefixes.set_own(top.prefix, None);
                if needs_pages(top.prefix, None) {
                    fib.prefixes.set_route(top.prefix, None);
                }
                errors.push(FibError::Full(top.prefix));
            }
        }
        let Self { prefixes, pages, .. } = &mut fib;
        prefixes.sweep(0..SLASH24S, |slash24s, top| {
            for (slash24, (_, entries)) in pages.range_mut(slash24s) {
                *entries = painted_page(prefixes, *slash24, top);
            }
        });
        (fib, errors)
    }

    /// How one of the office's own prefixes is painted.
    pub fn get(&self, prefix: Prefix4) -> Option<FibPaint> {
        self.prefixes.own(prefix)
    }

    /// Where the route of just that prefix leads to.
    pub fn route(&self, prefix: Prefix4) -> Option<FibTarget> {
        self.prefixes.route(prefix)
    }

    /// The pages in use: the /24, its page, what is in it.
    pub fn pages(&self) -> impl Iterator<Item = (u32, u32, &Entries)> {
        self.pages.iter().map(|(slash24, (page, entries))| (*slash24, *page, &**entries))
    }

    /// The whole root as runs of equal entries, in order and without gaps.
    pub fn root(&self) -> Vec<(Range<u32>, FibTarget)> {
        let mut runs = Vec::new();
        self.prefixes.sweep(0..SLASH24S, |slash24s, top| {
            let mut from = slash24s.start;
            for (slash24, (page, _)) in self.pages.range(slash24s.clone()) {
                push_run(&mut runs, from..*slash24, root_target(top));
                push_run(&mut runs, *slash24..slash24 + 1, FibTarget::new(FibTarget::KIND_PAGE, *page));
                from = slash24 + 1;
            }
            push_run(&mut runs, from..slash24s.end, root_target(top));
        });
        runs
    }

    /// Puts one of the office's own prefixes in, or paints one anew.
    pub fn insert(&mut self, prefix: Prefix4, paint: FibPaint) -> Result<Vec<FibOp>, FibError> {
        let before = self.prefixes.set_own(prefix, Some(paint));
        if before == Some(paint) {
            return Ok(Vec::new());
        }
        if needs_pages(prefix, Some(paint)) && self.take_pages(prefix, |free, _| free.take(0)).is_none() {
            self.prefixes.set_own(prefix, before);
            return Err(FibError::Full(prefix));
        }
        Ok(self.repaint(prefix, Layer::Own))
    }

    /// Takes one of the office's own prefixes out.
    pub fn remove(&mut self, prefix: Prefix4) -> Vec<FibOp> {
        if self.prefixes.set_own(prefix, None).is_none() {
            return Vec::new();
        }
        self.repaint(prefix, Layer::Own)
    }

    /// Puts a route in, leads one elsewhere, or takes it out.
    ///
    /// For want of a page, a route that is there already may be changed, but none be put in.
    pub fn set_route(&mut self, prefix: Prefix4, target: Option<FibTarget>) -> Result<Vec<FibOp>, FibError> {
        let before = self.prefixes.set_route(prefix, target);
        if before == target {
            return Ok(Vec::new());
        }
        let needs_pages = target.is_some() && needs_pages(prefix, None);
        if needs_pages && self.take_pages(prefix, |free, _| free.take(0)).is_none() {
            self.prefixes.set_route(prefix, before);
            return Err(FibError::Full(prefix));
        }
        Ok(self.repaint(prefix, Layer::Route))
    }

    /// Gives each /24 of a prefix a page, or none of them if there are not enough.
    fn take_pages(
        &mut self,
        prefix: Prefix4,
        mut take: impl FnMut(&mut Runs, u32) -> Option<u32>,
    ) -> Option<()> {
        let mut taken = Vec::new();
        for slash24 in slash24s(prefix).filter(|slash24| !self.pages.contains_key(slash24)) {
            let Some(page) = take(&mut self.free_pages, slash24) else {
                for (_, page) in taken {
                    self.free_pages.release(page, 0);
                }
                return None;
            };
            taken.push((slash24, page));
        }
        let blank = || Box::new([NEW_PAGE; 256]);
        self.pages.extend(taken.into_iter().map(|(slash24, page)| (slash24, (page, blank()))));
        Some(())
    }

    /// Paints anew what a change of `prefix` changed: pages first, then the root, then pages that nobody needs any more
    /// are freed.
    fn repaint(&mut self, changed: Prefix4, layer: Layer) -> Vec<FibOp> {
        let Self { prefixes, pages, free_pages } = self;
        let (mut page_ops, mut runs, mut unneeded) = (Vec::new(), Vec::new(), Vec::new());
        let around = prefixes.covering(changed);
        let is_affected = |top: Option<Top>| match layer {
            Layer::Own => top.is_none_or(|top| top.layer == Layer::Route || !is_inside(top.prefix, changed)),
            Layer::Route => match top {
                Some(top) if top.layer == Layer::Own => false,
                Some(top) if top.prefix == changed => true,
                top => top == around,
            },
        };
        prefixes.sweep(slash24s(changed), |slash24s, top| {
            let is_affected = is_affected(top);
            // Of a prefix inside a /24, it is the page that changes.
            let is_root_affected = is_affected && changed.len() <= 24;
            let mut flat = |slash24s: Range<u32>| {
                if is_root_affected {
                    push_run(&mut runs, slash24s, root_target(top));
                }
            };
            let mut from = slash24s.start;
            let mut others = Vec::new();
            for (slash24, (page, current)) in pages.range_mut(slash24s.clone()) {
                flat(from..*slash24);
                from = slash24 + 1;
                if layer == Layer::Route && !is_affected && changed.len() <= 24 {
                    continue;
                }
                let entries = painted_page(prefixes, *slash24, top);
                if entries.iter().all(|entry| *entry == entries[0]) && !is_paged(prefixes, *slash24) {
                    unneeded.push((*slash24, *page));
                    others.push((*slash24, entries[0]));
                } else if *current != entries {
                    if current[0] == NEW_PAGE {
                        others.push((*slash24, FibTarget::new(FibTarget::KIND_PAGE, *page)));
                    }
                    page_ops.push(FibOp::Page { page: *page, entries: entries.clone() });
                    *current = entries;
                }
            }
            flat(from..slash24s.end);
            for (slash24, target) in others {
                push_run(&mut runs, slash24..slash24 + 1, target);
            }
        });
        for (slash24, page) in unneeded {
            pages.remove(&slash24);
            free_pages.release(page, 0);
        }
        page_ops.extend(runs.into_iter().map(|(slash24s, target)| FibOp::Root { slash24s, target }));
        page_ops
    }
}

/// What no address leads to: in a page that was not painted yet.
const NEW_PAGE: FibTarget = FibTarget::new(FibTarget::KIND_PAGE, 0);

fn take_page_not_in(free: &mut Runs, held: &BTreeSet<u32>) -> Option<u32> {
    let mut passed_over = Vec::new();
    let found = loop {
        match free.take(0) {
            Some(page) if held.contains(&page) => passed_over.push(page),
            other => break other,
        }
    };
    // Better a page that was another's than none.
    let found = found.or_else(|| passed_over.pop());
    for page in passed_over {
        free.release(page, 0);
    }
    found
}

/// Whether a prefix longer than 24 bits, or a NAT pool, makes this /24 need a page.
fn is_paged(prefixes: &Prefixes, slash24: u32) -> bool {
    let whole = whole(slash24);
    prefixes.within(whole).any(|top| top.prefix.len() > 24) || prefixes.is_in_nat_pool(whole)
}

/// The page of a /24 that `top` paints where no longer prefix does.
fn painted_page(prefixes: &Prefixes, slash24: u32, top: Option<Top>) -> Box<Entries> {
    let first = slash24 << 8;
    let mut entries = Box::new([FibTarget::DEFAULT; 256]);
    let mut paint = |top: Top| {
        let network = top.prefix.network().to_bits();
        let from = network.max(first);
        let len = u32::try_from(top.prefix.size().min(256)).expect("at most 256");
        for address in from..=from + (len - 1) {
            entries[(address & 255) as usize] = target_at(top.paint, address - network);
        }
    };
    let inside = |layer: Layer| {
        let longer = prefixes.within(whole(slash24)).filter(|top| top.prefix.len() > 24);
        longer.filter(move |top| top.layer == layer)
    };
    let is_own = top.is_some_and(|top| top.layer == Layer::Own);
    top.into_iter().for_each(&mut paint);
    if !is_own {
        inside(Layer::Route).for_each(&mut paint);
    }
    inside(Layer::Own).for_each(&mut paint);
    entries
}

fn push_run(runs: &mut Vec<(Range<u32>, FibTarget)>, slash24s: Range<u32>, target: FibTarget) {
    match runs.last_mut() {
        _ if slash24s.is_empty() => {}
        Some((last, same)) if *same == target && last.end == slash24s.start => last.end = slash24s.end,
        _ => runs.push((slash24s, target)),
    }
}

fn whole(slash24: u32) -> Prefix4 {
    Prefix4::new(Ipv4Addr::from_bits(slash24 << 8), 24).expect("no host bits")
}

/// The /24s that a prefix touches.
fn slash24s(prefix: Prefix4) -> Range<u32> {
    let first = prefix.network().to_bits() >> 8;
    first..first + slash24_count(prefix)
}

fn slash24_count(prefix: Prefix4) -> u32 {
    u32::try_from((prefix.size() >> 8).max(1)).expect("at most 2^24")
}

fn is_inside(inner: Prefix4, outer: Prefix4) -> bool {
    inner.len() > outer.len() && outer.contains_prefix(inner)
}

fn needs_pages(prefix: Prefix4, paint: Option<FibPaint>) -> bool {
    prefix.len() > 24 || matches!(paint, Some(FibPaint::NatPool { .. }))
}

fn root_target(top: Option<Top>) -> FibTarget {
    match top.map(|top| top.paint) {
        None => FibTarget::DEFAULT,
        Some(FibPaint::Flat(target)) => target,
        // Every /24 of a pool has a page, which is painted over this.
        Some(FibPaint::NatPool { .. }) => FibTarget::BLACKHOLE,
    }
}

fn target_at(paint: FibPaint, offset: u32) -> FibTarget {
    match paint {
        FibPaint::Flat(target) => target,
        FibPaint::NatPool { first_index } => FibTarget::new(FibTarget::KIND_NAT, first_index + offset),
    }
}
