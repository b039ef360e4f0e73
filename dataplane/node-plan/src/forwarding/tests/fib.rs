//! The forwarding table against a longest prefix match done naively.

use std::{collections::BTreeMap, net::Ipv4Addr};

use map_abi::FibTarget;
use net_types::Prefix4;
use proptest::prelude::*;

use super::super::*;

fn prefix(text: &str) -> Prefix4 {
    text.parse().expect("a prefix")
}

fn session_target(slot: u32) -> FibPaint {
    FibPaint::Flat(FibTarget::new(FibTarget::KIND_SESSION, slot))
}

fn next_hop(index: u32) -> FibTarget {
    FibTarget::new(FibTarget::KIND_NEXT_HOP, index)
}

/// The two levels as the kernel has them, to which operations are applied.
struct Table {
    root: Vec<FibTarget>,
    pages: BTreeMap<u32, Box<[FibTarget; 256]>>,
}

/// Tests keep to 10.0.0.0/14, so that a root of 1024 entries will do.
const FIRST: u32 = 10 << 16;
const SPAN: u32 = 1024;

impl Table {
    fn new() -> Self {
        Self { root: vec![FibTarget::DEFAULT; SPAN as usize], pages: BTreeMap::new() }
    }

    fn apply(&mut self, ops: Vec<FibOp>) {
        for op in ops {
            match op {
                FibOp::Root { slash24s, target } => {
                    for slash24 in slash24s {
                        self.root[(slash24 - FIRST) as usize] = target;
                    }
                }
                FibOp::Page { page, entries } => drop(self.pages.insert(page, entries)),
            }
        }
    }

    fn lookup(&self, address: u32) -> FibTarget {
        let target = self.root[((address >> 8) - FIRST) as usize];
        if target.kind() != FibTarget::KIND_PAGE {
            return target;
        }
        self.pages[&target.index()][(address & 255) as usize]
    }
}

type Own = BTreeMap<Prefix4, FibPaint>;
type Routes = BTreeMap<Prefix4, FibTarget>;

/// What a longest prefix match of the office's own prefixes, and then one of the routes, says; done naively.
fn oracle(own: &Own, routes: &Routes, address: u32) -> FibTarget {
    match longest(own, address) {
        Some((_, FibPaint::Flat(target))) => target,
        Some((prefix, FibPaint::NatPool { first_index })) => {
            FibTarget::new(FibTarget::KIND_NAT, first_index + (address - prefix.network().to_bits()))
        }
        None => longest(routes, address).map_or(FibTarget::DEFAULT, |(_, target)| target),
    }
}

fn longest<T: Copy>(prefixes: &BTreeMap<Prefix4, T>, address: u32) -> Option<(Prefix4, T)> {
    let around = prefixes.iter().filter(|(prefix, _)| prefix.contains(Ipv4Addr::from_bits(address)));
    around.max_by_key(|(prefix, _)| prefix.len()).map(|(prefix, found)| (*prefix, *found))
}

/// Prefixes in 10.0.0.0/14 that often overlap.
fn some_prefix() -> impl Strategy<Value = Prefix4> {
    (14..=32_u8, any::<u32>(), prop::bool::ANY).prop_map(|(len, bits, near)| {
        let within = if near { bits & 0x3ff } else { bits & 0x3_ffff };
        let address = (10 << 24 | within) & (u32::MAX << (32 - len));
        Prefix4::new(Ipv4Addr::from_bits(address), len).expect("masked")
    })
}

fn some_paint() -> impl Strategy<Value = FibPaint> {
    prop_oneof![
        4 => (1..50_u32).prop_map(session_target),
        1 => Just(FibPaint::Flat(FibTarget::BLACKHOLE)),
        1 => (0..50_u32).prop_map(|n| FibPaint::NatPool { first_index: n * 1000 }),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Own(Prefix4, Option<FibPaint>),
    Route(Prefix4, Option<FibTarget>),
}

fn some_step() -> impl Strategy<Value = Step> {
    let own = (some_prefix(), prop::option::weighted(0.7, some_paint())).prop_map(|(p, t)| Step::Own(p, t));
    let target = prop::option::weighted(0.7, (1..9_u32).prop_map(next_hop));
    prop_oneof![own, (some_prefix(), target).prop_map(|(p, t)| Step::Route(p, t))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fib_is_a_longest_prefix_match(
        steps in prop::collection::vec(some_step(), 1..30),
        probes in prop::collection::vec(0..SPAN << 8, 200),
    ) {
        let mut fib = Fib::new(4096);
        let mut table = Table::new();
        let (mut own, mut routes) = (Own::new(), Routes::new());
        for step in steps {
            let ops = match step {
                Step::Own(prefix, Some(paint)) => {
                    own.insert(prefix, paint);
                    fib.insert(prefix, paint).expect("pages enough")
                }
                Step::Own(prefix, None) => {
                    own.remove(&prefix);
                    fib.remove(prefix)
                }
                Step::Route(prefix, target) => {
                    match target {
                        Some(target) => routes.insert(prefix, target),
                        None => routes.remove(&prefix),
                    };
                    fib.set_route(prefix, target).expect("pages enough")
                }
            };
            table.apply(ops);
            let edges = own.keys().chain(routes.keys()).flat_map(|p| {
                let first = p.network().to_bits();
                let last = first + u32::try_from(p.size() - 1).expect("at most /14");
                [first, last, first.saturating_sub(1), last + 1]
            });
            let everywhere = probes.iter().map(|offset| (10 << 24) + offset);
            for address in edges.chain(everywhere).filter(|a| (FIRST..FIRST + SPAN).contains(&(a >> 8))) {
                let expected = oracle(&own, &routes, address);
                prop_assert_eq!(table.lookup(address), expected, "{}", Ipv4Addr::from_bits(address));
            }
        }
        // Built at once, with the pages that it has, the table is the same.
        let held = fib.pages().map(|(slash24, page, _)| (slash24, page)).collect();
        let (built, errors) = Fib::build(4096, &held, own.clone(), routes.clone());
        prop_assert!(errors.is_empty());
        prop_assert_eq!(built.root(), fib.root());
        for (slash24, page, entries) in built.pages() {
            prop_assert_eq!(&*table.pages[&page], entries, "{}", slash24);
        }
        // And nothing is left of prefixes that are all gone.
        for prefix in own.keys() {
            table.apply(fib.remove(*prefix));
        }
        for prefix in routes.keys() {
            table.apply(fib.set_route(*prefix, None).expect("no page needed"));
        }
        prop_assert_eq!(fib.pages().count(), 0);
        prop_assert!(table.root.iter().all(|target| *target == FibTarget::DEFAULT));
    }
}

#[test]
fn a_route_that_stays_is_not_written_again() {
    let mut fib = Fib::new(16);
    let ops = fib.insert(prefix("10.0.0.8/29"), session_target(7)).expect("room");
    assert_eq!(ops.len(), 2, "a page, and the root that points to it");
    assert_eq!(fib.insert(prefix("10.0.0.8/29"), session_target(7)), Ok(Vec::new()));
}

#[test]
fn a_full_table_says_so_and_stays_as_it_was() {
    let mut fib = Fib::new(2);
    fib.insert(prefix("10.0.0.8/29"), session_target(7)).expect("the one page");
    let pool = FibPaint::NatPool { first_index: 0 };
    for (text, paint) in [("10.0.1.8/29", session_target(8)), ("10.0.0.0/23", pool)] {
        assert_eq!(fib.insert(prefix(text), paint), Err(FibError::Full(prefix(text))));
        assert_eq!(fib.get(prefix(text)), None);
    }
    let (built, errors) = Fib::build(
        2,
        &BTreeMap::new(),
        [("10.0.0.0/23", pool), ("10.0.9.0/32", session_target(1))].map(|(p, t)| (prefix(p), t)),
        [],
    );
    assert_eq!(errors, [FibError::Full(prefix("10.0.0.0/23"))]);
    assert_eq!(built.pages().count(), 1);
}

#[test]
fn a_change_writes_what_it_changes_and_no_more() {
    let mut fib = Fib::new(16);
    for (text, index) in [("10.0.0.0/14", 1), ("10.1.0.0/16", 2), ("10.2.0.128/25", 3)] {
        fib.set_route(prefix(text), Some(next_hop(index))).expect("room");
    }
    fib.insert(prefix("10.3.0.0/16"), FibPaint::Flat(FibTarget::BLACKHOLE)).expect("room");
    let ops = fib.set_route(prefix("10.0.0.0/14"), Some(next_hop(9))).expect("room");
    let slash24 = |text: &str| prefix(text).network().to_bits() >> 8;
    let root: Vec<_> = ops
        .iter()
        .filter_map(|op| match op {
            FibOp::Root { slash24s, target } => Some((slash24s.clone(), *target)),
            FibOp::Page { .. } => None,
        })
        .collect();
    let expected =
        [slash24("10.0.0.0/16")..slash24("10.1.0.0/16"), slash24("10.2.1.0/24")..slash24("10.3.0.0/16")];
    assert_eq!(root, expected.map(|slash24s| (slash24s, next_hop(9))));
    assert_eq!(ops.len(), 3, "and the page of 10.2.0.0/24, half of which it paints");
    // What lies under one of the office's own is remembered, and not written.
    let hidden = prefix("10.3.7.0/24");
    assert_eq!(fib.set_route(hidden, Some(next_hop(4))), Ok(Vec::new()));
    let shown = fib.remove(prefix("10.3.0.0/16"));
    let at = slash24("10.3.7.0/24");
    assert!(shown.contains(&FibOp::Root { slash24s: at..at + 1, target: next_hop(4) }), "{shown:?}");
}
