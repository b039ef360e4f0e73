//! The prefixes of a forwarding table, and which of them an address is painted by.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::Ipv4Addr,
    ops::{Bound, Range},
};

use map_abi::FibTarget;
use net_types::Prefix4;

use super::{FibPaint, slash24_count};

/// Two layers, each a longest prefix match: what is the office's own is painted over all routes, however long they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    map: BTreeMap<Prefix4, Layers>,
    /// How many prefixes of each length there are, by layer: lengths without any are not looked for.
    own_counts: Counts,
    route_counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Layers {
    own: Option<FibPaint>,
    route: Option<FibTarget>,
}

#[derive(Clone, Debug, Default)]
struct Counts([u32; 32], u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Own,
    Route,
}

/// What paints some addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) layer: Layer,
    pub(super) prefix: Prefix4,
    pub(super) paint: FibPaint,
}

impl Counts {
    fn of(&mut self, len: u8) -> &mut u32 {
        self.0.get_mut(usize::from(len)).unwrap_or(&mut self.1)
    }

    /// The lengths below `limit` that there are prefixes of, the longest first.
    fn lengths_below(&self, limit: u8) -> impl Iterator<Item = u8> {
        (0..limit.min(32)).rev().filter(|len| self.0[usize::from(*len)] > 0)
    }
}

impl Layers {
    fn top(self, prefix: Prefix4) -> Option<Top> {
        let own = self.own.map(|paint| Top { layer: Layer::Own, prefix, paint });
        own.or_else(|| self.route(prefix))
    }

    fn route(self, prefix: Prefix4) -> Option<Top> {
        self.route.map(|target| Top { layer: Layer::Route, prefix, paint: FibPaint::Flat(target) })
    }
}

impl Prefixes {
    pub(super) fn new(
        own: impl IntoIterator<Item = (Prefix4, FibPaint)>,
        routes: impl IntoIterator<Item = (Prefix4, FibTarget)>,
    ) -> Self {
        let routes = routes.into_iter().map(|(p, target)| (p, Layers { own: None, route: Some(target) }));
        let mut all = Self { map: routes.collect(), ..Self::default() };
        for prefix in all.map.keys() {
            *all.route_counts.of(prefix.len()) += 1;
        }
        for (prefix, paint) in own {
            all.set_own(prefix, Some(paint));
        }
        all
    }

    pub(super) fn own(&self, prefix: Prefix4) -> Option<FibPaint> {
        self.map.get(&prefix)?.own
    }

    pub(super) fn route(&self, prefix: Prefix4) -> Option<FibTarget> {
        self.map.get(&prefix)?.route
    }

    pub(super) fn set_own(&mut self, prefix: Prefix4, paint: Option<FibPaint>) -> Option<FibPaint> {
        let before = set(&mut self.map, prefix, |layers| std::mem::replace(&mut layers.own, paint));
        count(&mut self.own_counts, prefix, before.is_some(), paint.is_some());
        before
    }

    pub(super) fn set_route(&mut self, prefix: Prefix4, target: Option<FibTarget>) -> Option<FibTarget> {
        let before = set(&mut self.map, prefix, |layers| std::mem::replace(&mut layers.route, target));
        count(&mut self.route_counts, prefix, before.is_some(), target.is_some());
        before
    }

    /// What there is at each prefix inside `prefix`, itself included, outer ones before those inside them.
    pub(super) fn within(&self, prefix: Prefix4) -> impl Iterator<Item = Top> {
        self.layers_within(prefix).filter_map(|(prefix, layers)| layers.top(prefix))
    }

    fn layers_within(&self, prefix: Prefix4) -> impl Iterator<Item = (Prefix4, Layers)> {
        self.map
            .range((Bound::Included(prefix), Bound::Unbounded))
            .map(|(other, layers)| (*other, *layers))
            .take_while(move |(other, _)| prefix.contains(other.network()))
    }

    /// What paints `prefix` where nothing inside it, itself included, does.
    pub(super) fn covering(&self, prefix: Prefix4) -> Option<Top> {
        let own = self
            .own_counts
            .lengths_below(prefix.len())
            .filter_map(|len| self.map.get(&outer(prefix, len)?)?.top(outer(prefix, len)?))
            .find(|top| top.layer == Layer::Own);
        own.or_else(|| {
            self.route_counts.lengths_below(prefix.len()).find_map(|len| {
                let outer = outer(prefix, len)?;
                self.map.get(&outer)?.route(outer)
            })
        })
    }

    /// Whether a prefix that gives each address another target lies around `prefix`.
    pub(super) fn is_in_nat_pool(&self, prefix: Prefix4) -> bool {
        self.own_counts
            .lengths_below(prefix.len() + 1)
            .filter_map(|len| self.own(outer(prefix, len)?))
            .any(|paint| matches!(paint, FibPaint::NatPool { .. }))
    }

    /// Tells of each piece of `slash24s`, which is a prefix, what paints it, but for prefixes longer than 24 bits.
    pub(super) fn sweep(&self, slash24s: Range<u32>, mut piece: impl FnMut(Range<u32>, Option<Top>)) {
        let base = prefix_of(&slash24s);
        let mut cursor = slash24s.start;
        let mut tell = |to: u32, top: Option<Top>| {
            if cursor < to {
                piece(cursor..to, top);
                cursor = to;
            }
        };
        // The prefixes that the cursor is in: where each ends, and what it paints.
        let mut stack = vec![(slash24s.end, self.covering(base))];
        for (prefix, layers) in self.layers_within(base).filter(|(prefix, _)| prefix.len() <= 24) {
            let start = prefix.network().to_bits() >> 8;
            while let Some((end, top)) = stack.pop_if(|(end, _)| *end <= start) {
                tell(end, top);
            }
            let around = stack.last().and_then(|(_, top)| *top);
            let is_in_own = around.is_some_and(|top| top.layer == Layer::Own);
            let Some(top) = layers.top(prefix).filter(|top| top.layer == Layer::Own || !is_in_own) else {
                continue;
            };
            tell(start, around);
            stack.push((start + slash24_count(prefix), Some(top)));
        }
        while let Some((end, top)) = stack.pop() {
            tell(end, top);
        }
    }
}

fn set<T>(map: &mut BTreeMap<Prefix4, Layers>, prefix: Prefix4, change: impl FnOnce(&mut Layers) -> T) -> T {
    match map.entry(prefix) {
        Entry::Vacant(vacant) => {
            let mut layers = Layers::default();
            let before = change(&mut layers);
            if layers.own.is_some() || layers.route.is_some() {
                vacant.insert(layers);
            }
            before
        }
        Entry::Occupied(mut occupied) => {
            let before = change(occupied.get_mut());
            if occupied.get().own.is_none() && occupied.get().route.is_none() {
                occupied.remove();
            }
            before
        }
    }
}

fn count(counts: &mut Counts, prefix: Prefix4, was: bool, is: bool) {
    let count = counts.of(prefix.len());
    *count = *count + u32::from(is) - u32::from(was);
}

fn outer(prefix: Prefix4, len: u8) -> Option<Prefix4> {
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    Prefix4::new(Ipv4Addr::from_bits(prefix.network().to_bits() & mask), len).ok()
}

/// The prefix that this range of /24s is.
fn prefix_of(slash24s: &Range<u32>) -> Prefix4 {
    let len = 24 - (slash24s.end - slash24s.start).ilog2();
    let len = u8::try_from(len).expect("at most 2^24 of them");
    Prefix4::new(Ipv4Addr::from_bits(slash24s.start << 8), len).expect("a range of /24s that is a prefix")
}
