//! What a full table costs: `cargo run --release -p node-plan --example full_table [ROUTES]`.
//!
//! Lengths are spread as in the Internet's table (about 60 % /24, 1 % /16), with one in a thousand longer than /24.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use map_abi::FibTarget;
use net_types::Prefix4;
use node_plan::forwarding::{Fib, FibOp};

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

/// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from((u128::from(self.next()) * u128::from(limit)) >> 64).expect("below a u32")
    }

    /// A prefix in 1.0.0.0 to 223.255.255.255.
    fn prefix(&mut self) -> Prefix4 {
        let mut part = self.below(10_000);
        let found = LENGTHS.iter().find(|(_, parts)| {
            let is_here = part < *parts;
            part = part.wrapping_sub(*parts);
            is_here
        });
        let len = found.map_or(24, |(len, _)| *len);
        let address = (1 << 24) + self.below(223 << 24);
        Prefix4::new(Ipv4Addr::from_bits(address & (u32::MAX << (32 - len))), len).expect("masked")
    }

    fn target(&mut self) -> FibTarget {
        FibTarget::new(FibTarget::KIND_NEXT_HOP, 1 + self.below(32))
    }
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
    let routes: Vec<(Prefix4, FibTarget)> = prefixes.into_iter().map(|p| (p, random.target())).collect();
    let long: BTreeSet<u32> =
        routes.iter().filter(|(p, _)| p.len() > 24).map(|(p, _)| p.network().to_bits() >> 8).collect();
    println!("{} routes, {} pages of 1 KiB for those longer than /24", routes.len(), long.len());

    let before = resident_mib();
    let start = Instant::now();
    let (mut fib, errors) = Fib::build(1 << 16, &BTreeMap::new(), [], routes.iter().copied());
    println!("built in {:?}, {} MiB", start.elapsed(), resident_mib() - before);
    assert_eq!(errors, [], "pages enough");
    let start = Instant::now();
    let runs = fib.root().len();
    println!("root of {runs} runs worked out in {:?}", start.elapsed());

    let (mut changes, mut entries) = (Vec::new(), Vec::new());
    for _ in 0..10_000 {
        let (prefix, _) = routes[random.below(u32::try_from(routes.len()).expect("a million")) as usize];
        let target = (random.below(4) > 0).then(|| random.target());
        let start = Instant::now();
        let ops = fib.set_route(prefix, target).expect("a page");
        changes.push(start.elapsed());
        let written = |op: &FibOp| match op {
            FibOp::Root { slash24s, .. } => slash24s.len(),
            FibOp::Page { .. } => 256,
        };
        entries.push(ops.iter().map(written).sum::<usize>());
    }
    spread("one change", changes);
    println!("entries written by a change: mean {}", entries.iter().sum::<usize>() / entries.len());
}
