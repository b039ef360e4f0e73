//! What a full table of IPv6 costs: `cargo run --release -p node-plan --example full_table6 [ROUTES]`.
//!
//! Lengths are spread roughly as in the Internet's table (about half /48, an eighth /32), the longer ones inside the
//! allocations of some thousand operators.

mod random;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv6Addr,
    time::{Duration, Instant},
};

use map_abi::FibTarget;
use net_types::Prefix6;
use node_plan::forwarding::Fib6;

use random::Random;

/// Parts of a hundred prefixes that have this length.
const LENGTHS: [(u8, u32); 8] = [(29, 5), (32, 13), (36, 6), (40, 9), (44, 10), (46, 4), (47, 3), (48, 50)];

/// Operators with an allocation (/29) of their own.
const ALLOCATIONS: u32 = 20_000;

impl Random {
    fn prefix(&mut self) -> Prefix6 {
        let len = self.length(&LENGTHS, 100, 48);
        // Registries hand out of a few /12s and /16s (2400::/12, 2a00::/12, …).
        let operator = self.below(ALLOCATIONS);
        let registry = [0x2001_u128, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00][operator as usize % 6];
        let allocation = registry << 112 | u128::from(operator) << 99;
        let inside = u128::from(self.next()) << 64 & (u128::MAX >> 29);
        let address = (allocation | inside) & (u128::MAX << (128 - len));
        Prefix6::new(Ipv6Addr::from_bits(address), len).expect("masked")
    }
}

fn main() {
    let wanted: usize = std::env::args().nth(1).map_or(230_000, |text| text.parse().expect("a number"));
    let mut random = Random(1);
    let mut prefixes = BTreeSet::new();
    while prefixes.len() < wanted {
        prefixes.insert(random.prefix());
    }
    let target = |n: u32| Some(FibTarget::new(FibTarget::KIND_NEXT_HOP, n));
    let mut fib = Fib6::new(1 << 20, BTreeMap::new());
    let start = Instant::now();
    for prefix in &prefixes {
        fib.set_route(*prefix, target(1 + random.below(8))).expect("pages enough");
    }
    println!(
        "{wanted} routes put in one by one in {:?}: {} pages of 1 KiB",
        start.elapsed(),
        fib.pages_in_use()
    );
    let prefixes: Vec<Prefix6> = prefixes.into_iter().collect();
    let mut times: Vec<Duration> = (0..10_000)
        .map(|_| {
            let which = random.below(u32::try_from(prefixes.len()).expect("few")) as usize;
            let new = random.below(9);
            let start = Instant::now();
            fib.set_route(prefixes[which], (new > 0).then(|| target(new)).flatten()).expect("pages enough");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("one change: median {:?}, 99 % {:?}, max {:?}", times[5000], times[9900], times[9999]);
    let default = Prefix6::new(Ipv6Addr::UNSPECIFIED, 0).expect("a legal length");
    for what in ["comes", "moves"] {
        let start = Instant::now();
        let ops = fib.set_route(default, target(if what == "comes" { 10 } else { 11 })).expect("no page");
        println!("the default route {what}: {} operations in {:?}", ops.len(), start.elapsed());
    }
}
