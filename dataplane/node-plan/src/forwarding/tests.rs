use std::{collections::BTreeMap, net::Ipv4Addr};

use map_abi::{Burst, FibTarget, HomeRef, Limits, Rate, flags};
use net_types::{Mac, Prefix4};
use node_state::{Nat, RateLimit, Resource, SessionState};
use proptest::prelude::*;

use super::*;

fn prefix(text: &str) -> Prefix4 {
    text.parse().expect("a prefix")
}

fn session_target(slot: u32) -> FibPaint {
    FibPaint::Flat(FibTarget::new(FibTarget::KIND_SESSION, slot))
}

/// The two levels as the kernel has them, to which operations are applied.
struct Table {
    root: Vec<FibTarget>,
    pages: BTreeMap<u32, Box<[FibTarget; 256]>>,
    writes: usize,
}

/// Tests keep to 10.0.0.0/14, so that a root of 1024 entries will do.
const FIRST: u32 = 10 << 16;
const SPAN: u32 = 1024;

impl Table {
    fn new() -> Self {
        Self { root: vec![FibTarget::DEFAULT; SPAN as usize], pages: BTreeMap::new(), writes: 0 }
    }

    fn apply(&mut self, ops: Vec<FibOp>) {
        for op in ops {
            self.writes += 1;
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

/// What a longest prefix match says, done naively.
fn oracle(prefixes: &BTreeMap<Prefix4, FibPaint>, address: u32) -> FibTarget {
    let best = prefixes
        .iter()
        .filter(|(prefix, _)| prefix.contains(Ipv4Addr::from_bits(address)))
        .max_by_key(|(prefix, _)| prefix.len());
    match best {
        None => FibTarget::DEFAULT,
        Some((_, FibPaint::Flat(target))) => *target,
        Some((prefix, FibPaint::NatPool { first_index })) => {
            FibTarget::new(FibTarget::KIND_NAT, first_index + (address - prefix.network().to_bits()))
        }
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fib_is_a_longest_prefix_match(
        steps in prop::collection::vec((some_prefix(), prop::option::weighted(0.7, some_paint())), 1..25),
        probes in prop::collection::vec(0..SPAN << 8, 200),
    ) {
        let mut fib = Fib::new(4096);
        let mut table = Table::new();
        let mut prefixes = BTreeMap::new();
        for (prefix, paint) in steps {
            let ops = if let Some(paint) = paint {
                prefixes.insert(prefix, paint);
                fib.insert(prefix, paint).expect("pages enough")
            } else {
                prefixes.remove(&prefix);
                fib.remove(prefix)
            };
            table.apply(ops);
            let edges = prefixes.keys().flat_map(|p| {
                let first = p.network().to_bits();
                let last = first + u32::try_from(p.size() - 1).expect("at most /14");
                [first, last, first.saturating_sub(1), last + 1]
            });
            let everywhere = probes.iter().map(|offset| (10 << 24) + offset);
            for address in edges.chain(everywhere).filter(|a| (FIRST..FIRST + SPAN).contains(&(a >> 8))) {
                prop_assert_eq!(table.lookup(address), oracle(&prefixes, address), "{}", Ipv4Addr::from_bits(address));
            }
        }
        // Built at once, with the pages that it has, the table is the same.
        let held = fib.pages().map(|(slash24, page, _)| (slash24, page)).collect();
        let (built, errors) = Fib::build(4096, &held, prefixes.clone());
        prop_assert!(errors.is_empty());
        prop_assert_eq!(built.root(), fib.root());
        for (slash24, page, entries) in built.pages() {
            prop_assert_eq!(&*table.pages[&page], entries, "{}", slash24);
        }
        // And nothing is left of prefixes that are all gone.
        for prefix in prefixes.keys() {
            table.apply(fib.remove(*prefix));
        }
        prop_assert_eq!(fib.pages().count(), 0);
        prop_assert!(table.root.iter().all(|target| *target == FibTarget::DEFAULT));
    }

    #[test]
    fn runs_never_overlap(steps in prop::collection::vec((0..=4_u32, prop::bool::ANY), 1..200)) {
        let mut runs = Runs::new(100);
        let mut taken: Vec<(u32, u32)> = Vec::new();
        for (order, give_back) in steps {
            if give_back && !taken.is_empty() {
                let (first, order) = taken.swap_remove(taken.len() / 2);
                runs.release(first, order);
            } else if let Some(first) = runs.take(order) {
                prop_assert!(first != 0 && first % (1 << order) == 0 && first + (1 << order) <= 100);
                prop_assert!(taken.iter().all(|&(f, o)| f + (1 << o) <= first || first + (1 << order) <= f));
                taken.push((first, order));
            }
        }
        let mut again = Runs::new(100);
        for &(first, order) in &taken {
            prop_assert!(again.take_at(first, order));
            prop_assert!(!again.take_at(first, order));
        }
        prop_assert_eq!(again.used(), runs.used());
        for (first, order) in taken {
            runs.release(first, order);
        }
        prop_assert_eq!(runs.used(), 0);
        prop_assert_eq!(std::iter::from_fn(|| runs.take(0)).count(), 99);
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
    );
    assert_eq!(errors, [FibError::Full(prefix("10.0.0.0/23"))]);
    assert_eq!(built.pages().count(), 1);
}

fn alice() -> node_state::Session {
    let text = r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":1024,"ports":256},"rateUp":{"rate":"20M","burstUs":50000},"rateDown":null}"#;
    let Ok(Resource::Session(session)) = Resource::decode(text.as_bytes()) else { panic!("a session") };
    session
}

#[test]
fn a_homes_size_follows_from_the_number_of_ports() {
    let order = |first_port, ports| {
        let nat = Some(Nat { address: Ipv4Addr::LOCALHOST, first_port, ports });
        home_order(&node_state::Session { nat, ..alice() })
    };
    assert_eq!(home_order(&node_state::Session { nat: None, ..alice() }), Ok(0));
    assert_eq!(order(1024, 64), Ok(0));
    assert_eq!(order(1024, 256), Ok(2));
    assert_eq!(order(32_768, 1024), Ok(4));
    assert_eq!(order(1024, 96), Err(NatError::Ports(96)));
    assert_eq!(order(1024, 32), Err(NatError::Ports(32)));
    assert_eq!(order(1024, 2048), Err(NatError::Ports(2048)));
    assert_eq!(order(1000, 64), Err(NatError::FirstPort(1000)));
    assert_eq!(order(65_472, 128), Err(NatError::TooFar { first: 65_472, ports: 128 }));
}

#[test]
fn a_session_in_its_place() {
    let mut session = alice();
    let home = HomeRef::new(4, 2).expect("legal");
    let context = ImageContext { index: 9, port: 3, home, mac: None };
    let image = session_image(&session, &context);
    assert_eq!(image.up.flags, flags::ACTIVE | flags::NAT);
    assert_eq!((image.up.network, image.up.prefix_len), ([100, 64, 0, 2], 32));
    assert_eq!((image.up.external, image.up.first_port), ([198, 51, 100, 1], 1024));
    assert_eq!((image.down.s_tci, image.down.c_tci), ([0, 100], [0, 7]));
    assert_eq!((image.down.owner.session(), image.down.owner.port()), (9, 3));
    let limits = Limits { peak: Rate::of(20_000_000), peak_burst: Burst::of_us(50_000), ..Limits::default() };
    assert_eq!((image.up.limits, image.down.limits), (limits, Limits::default()));
    session.committed_up = Some(RateLimit { rate: "5M".parse().expect("a rate"), burst_us: 60_000 });
    let both = Limits { committed: Rate::of(5_000_000), committed_burst: Burst::of_us(60_000), ..limits };
    let image = session_image(&session, &context);
    assert_eq!((image.up.limits, image.session.limits_up), (both, both));
    assert_eq!((image.down.limits, image.session.limits_down), (Limits::default(), Limits::default()));
    assert_eq!((image.session.home, image.session.gateway), (home, [100, 64, 0, 1]));

    let version = image.session.version;
    let mac: Mac = "02:00:00:00:00:01".parse().expect("a MAC");
    let learned = session_image(&session, &ImageContext { mac: Some(mac), ..context });
    assert_eq!(learned.session.version, version, "what was learned is not what was asked for");
    assert_eq!((learned.down.mac, learned.session.mac), (mac.octets(), mac.octets()));
    let moved = session_image(&session, &ImageContext { port: 4, ..context });
    assert_ne!(moved.session.version, version);
    for state in [SessionState::Suspended, SessionState::Unauthenticated, SessionState::Quarantined] {
        session.state = state;
        assert_eq!(session_image(&session, &context).up.flags, flags::NAT, "{state:?}");
    }
}
