use std::net::Ipv6Addr;

use proptest::prelude::*;

use super::*;

/// The levels as the kernel has them.
struct Table {
    root: BTreeMap<u32, FibTarget>,
    pages: BTreeMap<u32, Box<[FibTarget; 256]>>,
}

impl Table {
    fn apply(&mut self, ops: Vec<Fib6Op>) {
        for op in ops {
            match op {
                Fib6Op::Root { slash16s, target } => {
                    self.root.extend(slash16s.map(|slash16| (slash16, target)));
                }
                Fib6Op::Page { page, entries } => drop(self.pages.insert(page, entries)),
            }
        }
    }

    /// As `packet_logic` does it.
    fn lookup(&self, address: u128) -> FibTarget {
        let mut target = self.root.get(&((address >> 112) as u32)).copied().unwrap_or(FibTarget::DEFAULT);
        let mut level = ROOT_BITS;
        while target.kind() == FibTarget::KIND_PAGE {
            target = self.pages[&target.index()][entry_of(address, level)];
            level += PAGE_BITS;
        }
        target
    }
}

type Layers = BTreeMap<(bool, Prefix6), FibTarget>;

/// The office's own before all routes, and of each the longest.
fn oracle(prefixes: &Layers, address: u128) -> FibTarget {
    let address = Ipv6Addr::from_bits(address);
    let holds = prefixes.iter().filter(|((_, prefix), _)| prefix.contains(address));
    let best = holds.max_by_key(|((is_own, prefix), _)| (*is_own, prefix.len()));
    best.map_or(FibTarget::DEFAULT, |(_, target)| *target)
}

fn set(fib: &mut Fib6, (is_own, prefix): (bool, Prefix6), target: Option<FibTarget>) -> Vec<Fib6Op> {
    match target {
        Some(target) if is_own => fib.insert(prefix, target).expect("pages enough"),
        None if is_own => fib.remove(prefix),
        target => fib.set_route(prefix, target).expect("pages enough"),
    }
}

/// Prefixes that often overlap.
fn some_prefix() -> impl Strategy<Value = Prefix6> {
    (0..=128_u8, any::<u128>(), 0..4_u32).prop_map(|(len, random, near)| {
        let base = 0x2001_0db8_u128 << 96;
        let varied = random & u128::MAX.checked_shr([8, 30, 60, 110][near as usize]).unwrap_or(0);
        let address = (base ^ varied) & bits(len);
        Prefix6::new(Ipv6Addr::from_bits(address), len).expect("masked")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fib6_is_a_longest_prefix_match_in_two_layers(
        steps in prop::collection::vec((any::<bool>(), some_prefix(), prop::option::weighted(0.7, 1..50_u32)), 1..25),
        probes in prop::collection::vec(any::<u128>(), 20),
    ) {
        let mut fib = Fib6::new(4096, BTreeMap::new());
        let mut table = Table { root: BTreeMap::new(), pages: BTreeMap::new() };
        let mut prefixes = Layers::new();
        for (is_own, prefix, number) in steps {
            let target = number.map(|number| FibTarget::new(FibTarget::KIND_SESSION, number));
            match target {
                Some(target) => prefixes.insert((is_own, prefix), target),
                None => prefixes.remove(&(is_own, prefix)),
            };
            table.apply(set(&mut fib, (is_own, prefix), target));
            let edges = prefixes.keys().flat_map(|(_, prefix)| {
                let first = prefix.network().to_bits();
                let last = first | !bits(prefix.len());
                [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
            });
            for address in edges.chain(probes.iter().copied()) {
                prop_assert_eq!(table.lookup(address), oracle(&prefixes, address), "{}", Ipv6Addr::from_bits(address));
            }
        }
        // Built anew over the pages that it has, the table is the same, each page where it was.
        let pages = |fib: &Fib6| -> BTreeMap<PageKey, u32> {
            fib.pages.iter().map(|((base, level), page)| ((*level, *base), page.index)).collect()
        };
        let held = pages(&fib);
        let mut again = Fib6::new(4096, held.clone());
        for (key, target) in &prefixes {
            set(&mut again, *key, Some(*target));
        }
        again.settle();
        prop_assert_eq!(pages(&again), held);
        let mut whole = Table { root: BTreeMap::new(), pages: BTreeMap::new() };
        whole.apply(again.all());
        for address in probes {
            prop_assert_eq!(whole.lookup(address), oracle(&prefixes, address));
        }
        // And nothing is left of prefixes that are all gone.
        for key in prefixes.keys() {
            table.apply(set(&mut fib, *key, None));
        }
        prop_assert!(fib.pages.is_empty() && fib.free_pages.used() == 0);
        prop_assert!(table.root.values().all(|target| *target == FibTarget::DEFAULT));
    }
}

#[test]
fn a_full_table_says_so_and_stays_as_it_was() {
    let mut fib = Fib6::new(4, BTreeMap::new());
    let target = FibTarget::new(FibTarget::KIND_SESSION, 7);
    let prefix = |text: &str| text.parse::<Prefix6>().expect("a prefix");
    // Below /16, /24 and /32: all three.
    fib.insert(prefix("2001:db8:100::/40"), target).expect("three pages");
    let refused = prefix("2001:db9::/48");
    assert_eq!(fib.insert(refused, target), Err(Fib6Full(refused)));
    assert_eq!(fib.get(refused), None);
    assert_eq!(fib.free_pages.used(), 3);
    fib.insert(prefix("2001:db8:200::/40"), target).expect("in the same page");
    assert_eq!(fib.insert(prefix("2001:db8:200::/40"), target), Ok(Vec::new()), "nothing to write");
}

#[test]
fn routes_leave_pages_to_the_offices_own() {
    let mut fib = Fib6::new(16, BTreeMap::new());
    let target = FibTarget::new(FibTarget::KIND_NEXT_HOP, 7);
    let prefix = |text: &str| text.parse::<Prefix6>().expect("a prefix");
    let route = |n: u8| prefix(&format!("20{n:02}::/40"));
    // Three pages each, of which routes may have twelve.
    let put = |fib: &mut Fib6, n: u8| fib.set_route(route(n), Some(target));
    (1..=4).for_each(|n| drop(put(&mut fib, n).expect("pages for routes")));
    assert_eq!(put(&mut fib, 5), Err(Fib6Full(route(5))));
    put(&mut fib, 4).expect("nothing new");
    fib.set_route(prefix("2004:0:100::/40"), Some(target)).expect("in a page that is there");
    fib.insert(prefix("2001:db8::/40"), target).expect("the office's own takes what is left");
    drop(fib.set_route(route(3), None));
    assert_eq!(put(&mut fib, 5), Err(Fib6Full(route(5))), "the office's own count");
}
