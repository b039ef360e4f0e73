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

fn oracle(prefixes: &BTreeMap<Prefix6, FibTarget>, address: u128) -> FibTarget {
    let address = Ipv6Addr::from_bits(address);
    let best = prefixes.iter().filter(|(p, _)| p.contains(address)).max_by_key(|(p, _)| p.len());
    best.map_or(FibTarget::DEFAULT, |(_, target)| *target)
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
    fn fib6_is_a_longest_prefix_match(
        steps in prop::collection::vec((some_prefix(), prop::option::weighted(0.7, 1..50_u32)), 1..25),
        probes in prop::collection::vec(any::<u128>(), 20),
    ) {
        let mut fib = Fib6::new(4096, BTreeMap::new());
        let mut table = Table { root: BTreeMap::new(), pages: BTreeMap::new() };
        let mut prefixes = BTreeMap::new();
        for (prefix, target) in steps {
            let ops = if let Some(number) = target {
                let target = FibTarget::new(FibTarget::KIND_SESSION, number);
                prefixes.insert(prefix, target);
                fib.insert(prefix, target).expect("pages enough")
            } else {
                prefixes.remove(&prefix);
                fib.remove(prefix)
            };
            table.apply(ops);
            let edges = prefixes.keys().flat_map(|prefix| {
                let first = prefix.network().to_bits();
                let last = first | !bits(prefix.len());
                [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
            });
            for address in edges.chain(probes.iter().copied()) {
                prop_assert_eq!(table.lookup(address), oracle(&prefixes, address), "{}", Ipv6Addr::from_bits(address));
            }
        }
        // Built anew over the pages that it has, the table is the same, each page where it was.
        let held: BTreeMap<PageKey, u32> = fib.pages.iter().map(|(key, page)| (*key, page.index)).collect();
        let mut again = Fib6::new(4096, held.clone());
        for (prefix, target) in &prefixes {
            again.insert(*prefix, *target).expect("pages enough");
        }
        again.settle();
        let kept: BTreeMap<PageKey, u32> = again.pages.iter().map(|(key, page)| (*key, page.index)).collect();
        prop_assert_eq!(kept, held);
        let mut whole = Table { root: BTreeMap::new(), pages: BTreeMap::new() };
        whole.apply(again.all());
        for address in probes {
            prop_assert_eq!(whole.lookup(address), oracle(&prefixes, address));
        }
        // And nothing is left of prefixes that are all gone.
        for prefix in prefixes.keys() {
            table.apply(fib.remove(*prefix));
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
