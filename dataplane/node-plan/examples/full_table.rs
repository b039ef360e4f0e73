//! What a full table costs: `cargo run --release -p node-plan --example full_table [ROUTES]`.
//!
//! Lengths are spread as in the Internet's table (about 60 % /24, 1 % /16), with one in a thousand longer than /24.

mod random;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use net_types::Prefix4;
use node_plan::forwarding::{
    Fib, FibOp, Held, KernelHop, KernelRoute, KernelTarget, Placed, RouteEvent, RouteOp, RoutePrefix,
    RouteTable,
};

use random::Random;

/// Parts of 10,000 prefixes that have this length.
const LENGTHS: [(u8, u32); 19] = [
    (8, 1),
    (10, 1),
    (11, 1),
    (12, 3),
    (13, 6),
    (14, 11),
    (15, 20),
    (16, 137),
    (17, 84),
    (18, 138),
    (19, 250),
    (20, 445),
    (21, 505),
    (22, 1150),
    (23, 1030),
    (24, 6208),
    (25, 2),
    (28, 3),
    (32, 5),
];

impl Random {
    /// A prefix in 1.0.0.0 to 223.255.255.255.
    fn prefix(&mut self) -> Prefix4 {
        let len = self.length(&LENGTHS, 10_000, 24);
        let address = (1 << 24) + self.below(223 << 24);
        Prefix4::new(Ipv4Addr::from_bits(address & (u32::MAX << (32 - len))), len).expect("masked")
    }

    /// By one to four of eight upstream routers.
    fn target(&mut self) -> KernelTarget {
        let ways = 1 + self.below(4);
        let first = self.below(8);
        let hop = |n: u32| KernelHop {
            gateway: Some(Ipv4Addr::from_bits(0xc000_0201 + (first + n) % 8).into()),
            ifindex: 1 + n % 2,
            weight: 1,
        };
        KernelTarget::Hops((0..ways).map(hop).collect())
    }
}

fn route(prefix: Prefix4, target: KernelTarget) -> KernelRoute {
    /// `RTPROT_BGP`.
    const BGP: u8 = 186;
    KernelRoute { prefix: RoutePrefix::V4(prefix), tos: 0, metric: 20, protocol: BGP, target }
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has a size");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

fn spread(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).expect("some thousands");
    println!(
        "{name}: median {:?}, mean {mean:?}, 99 % {:?}, 99.9 % {:?}, max {:?}",
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

fn main() {
    let wanted: usize = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number"));
    let mut random = Random(1);
    let mut prefixes = BTreeSet::new();
    while prefixes.len() < wanted {
        prefixes.insert(random.prefix());
    }
    let mut routes: Vec<(Prefix4, KernelTarget)> =
        prefixes.into_iter().map(|prefix| (prefix, random.target())).collect();
    let long: BTreeSet<u32> =
        routes.iter().filter(|(p, _)| p.len() > 24).map(|(p, _)| p.network().to_bits() >> 8).collect();
    println!("{} routes, {} pages of 1 KiB for those longer than /24", routes.len(), long.len());

    let (before, start) = (resident_mib(), Instant::now());
    let mut table = RouteTable::new(&Held::default());
    table.set_ports([(1, 1), (2, 2)].into());
    table.apply(RouteEvent::DumpBegins);
    for (prefix, target) in &routes {
        table.apply(RouteEvent::Route { route: route(*prefix, target.clone()), placed: Placed::Found });
    }
    table.apply(RouteEvent::DumpEnds);
    println!("route table: filled in {:?}, {} MiB", start.elapsed(), resident_mib() - before);
    println!("{} next hops, {} groups", table.next_hops().count(), table.groups().count());

    let (before, start) = (resident_mib(), Instant::now());
    let (mut fib, errors) = Fib::build(1 << 16, &BTreeMap::new(), [], table.routes());
    println!("forwarding table: built in {:?}, {} MiB", start.elapsed(), resident_mib() - before);
    assert_eq!(errors, [], "pages enough");
    let start = Instant::now();
    let runs = fib.root().len();
    println!("root of {runs} runs worked out in {:?}", start.elapsed());

    let start = Instant::now();
    table.apply(RouteEvent::DumpBegins);
    for (prefix, target) in &routes {
        let ops =
            table.apply(RouteEvent::Route { route: route(*prefix, target.clone()), placed: Placed::Found });
        assert_eq!(ops, [], "nothing new");
    }
    table.apply(RouteEvent::DumpEnds);
    println!("dump of the same routes gone through in {:?}", start.elapsed());

    let (mut changes, mut entries) = (Vec::new(), 0);
    for _ in 0..10_000 {
        let which = random.below(u32::try_from(routes.len()).expect("a million")) as usize;
        let new = random.target();
        let (prefix, old) = &mut routes[which];
        // One in four goes, and comes again.
        let events = if random.below(4) == 0 {
            let back = RouteEvent::Route { route: route(*prefix, old.clone()), placed: Placed::First };
            vec![RouteEvent::RouteGone(route(*prefix, old.clone())), back]
        } else {
            *old = new.clone();
            vec![RouteEvent::Route { route: route(*prefix, new), placed: Placed::Instead }]
        };
        for event in events {
            let start = Instant::now();
            for op in table.apply(event) {
                if let RouteOp::Route { prefix, target } = op {
                    entries +=
                        fib.set_route(prefix, target).expect("a page").iter().map(written).sum::<usize>();
                }
            }
            changes.push(start.elapsed());
        }
    }
    let mean = entries / changes.len();
    spread("one change", changes);
    println!("entries written by a change: mean {mean}");

    let start = Instant::now();
    let ops = table.apply(RouteEvent::Link { ifindex: 2, is_up: false });
    println!("a link down: {} operations in {:?}", ops.len(), start.elapsed());
}

fn written(op: &FibOp) -> usize {
    match op {
        FibOp::Root { slash24s, .. } => slash24s.len(),
        FibOp::Page { .. } => 256,
    }
}
