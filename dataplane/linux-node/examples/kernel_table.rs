//! What it costs to read a full table from the kernel: `cargo run -p linux-node --example kernel_table [ROUTES]`, as
//! root, with iproute2. The routes are put into a network namespace that is gone after.

use std::{io::Write, net::Ipv4Addr, process::Command, time::Instant};

use linux_node::{NetNs, Netlink, RouteNews};
use node_plan::forwarding::{Held, RouteEvent, RouteTable};

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("apt-get install -y iproute2");
    assert!(status.success(), "ip {}", arguments.join(" "));
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has a size");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

async fn read(routes: u32) {
    ip(&["link", "add", "name", "a", "type", "veth", "peer", "name", "b"]);
    ip(&["addr", "add", "192.0.2.1/24", "dev", "a"]);
    ip(&["link", "set", "dev", "a", "up"]);
    ip(&["link", "set", "dev", "b", "up"]);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    for n in 0..routes {
        let network = Ipv4Addr::from_bits(((1 << 16) + n) << 8);
        let (one, other) = (2 + n % 8, 2 + (n + 1) % 8);
        writeln!(file, "route add {network}/24 nexthop via 192.0.2.{one} nexthop via 192.0.2.{other}")
            .expect("written");
    }
    let start = Instant::now();
    ip(&["-batch", file.path().to_str().expect("a path in words")]);
    println!("{routes} routes put into the kernel by iproute2 in {:?}", start.elapsed());

    let mut table = RouteTable::new(&Held::default());
    table.set_ports([(2, 1), (3, 2)].into());
    for what in ["into an empty table", "again"] {
        let (before, start) = (resident_mib(), Instant::now());
        let mut feed = Netlink::routes().expect("subscribed");
        let (mut told, mut most) = (0, 0);
        while told == 0 || !feed.is_settled() {
            let news = feed.next().await.expect("read");
            most = most.max(news.len());
            for news in news {
                told += usize::from(matches!(news, RouteNews::Route(RouteEvent::Route { .. })));
                if let RouteNews::Route(event) = news {
                    table.apply(event);
                }
            }
        }
        println!(
            "{told} routes read {what} in {:?}, at most {most} at once, {} MiB more",
            start.elapsed(),
            resident_mib().saturating_sub(before)
        );
    }
    println!("{} next hops, {} groups", table.next_hops().count(), table.groups().count());
}

fn main() {
    let routes = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number"));
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(read(routes));
    };
    NetNs::unnamed().expect("a network namespace: run as root").run(work).expect("it was just made");
}
