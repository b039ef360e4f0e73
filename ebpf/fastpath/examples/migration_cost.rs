//! How long it takes to carry the sessions of an office over to maps of another layout, and back: each subscriber with a
//! NAT mapping in use.
//!
//! ```sh
//! cargo run --release --example migration_cost -p fastpath [SUBSCRIBERS]
//! ```

use std::{path::PathBuf, process::Command, time::Instant};

use fastpath::{Fastpath, Migration, Options, ProgramOf, Sizes, change_over, subscribers};
use node_state::{NodeState, Resource};

/// The programs of an agent of another version.
static PROBE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.o"));
const ACCESS_MAC: [u8; 6] = [0x02, 0xac, 0, 0, 0, 1];

const RESOURCES: [&str; 3] = [
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
    r#"{"kind":"route","prefix":"100.64.0.0/10","target":"pool"}"#,
    r#"{"kind":"route","prefix":"198.18.0.0/24","target":"natPool"}"#,
];

fn ip(line: &str) {
    let done = Command::new("ip").args(line.split(' ')).status().expect("ip; apt-get install iproute2");
    assert!(done.success(), "ip {line}");
}

fn state(population: u32) -> NodeState {
    let sessions = (0..population).map(|n| {
        let (s_vid, c_vid) = subscribers::tags(n);
        let address = subscribers::address(n);
        let mac = subscribers::mac(n).map(|byte| format!("{byte:02x}")).join(":");
        let (external, first_port) = subscribers::external(n);
        format!(
            r#"{{"kind":"session","subscriber":"s{n}","port":"access0","tags":{{"sVid":{s_vid},"cVid":{c_vid}}},"state":"active","mac":"{mac}","lease":"{address}/10","gateway":"100.64.0.1","network":"{address}/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":{{"address":"{external}","firstPort":{first_port},"ports":64}},"rateUp":null,"rateDown":null}}"#
        )
    });
    let texts = RESOURCES.iter().map(|text| (*text).to_owned()).chain(sessions);
    texts.map(|text| Resource::decode(text.as_bytes()).expect("a resource")).collect()
}

/// A first packet, which makes a mapping though no route leads on.
fn frame(n: u32) -> Vec<u8> {
    let (s_vid, c_vid) = subscribers::tags(n);
    let mut frame = [&ACCESS_MAC[..], &subscribers::mac(n)].concat();
    for word in [0x88a8, s_vid, 0x8100, c_vid, 0x0800] {
        frame.extend(word.to_be_bytes());
    }
    let mut header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0].to_vec();
    header.extend(subscribers::address(n).octets());
    header.extend([192, 0, 9, 9]);
    let sum: u32 = header.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).expect("folded");
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    frame.extend(header);
    frame.extend([0x13, 0x88, 0, 53, 0, 8, 0, 0]);
    frame
}

struct Pins(PathBuf);

impl Drop for Pins {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tell(way: &str, migration: &Migration, all: std::time::Duration) {
    println!(
        "{way}: {} sessions, {} mappings; {all:?} in all, of which {:?} until all was carried over, {:?} of it from the first port's swap",
        migration.sessions, migration.mappings, migration.took, migration.swap_took
    );
}

fn main() {
    let population: u32 =
        std::env::args().nth(1).map_or(100_000, |number| number.parse().expect("a number of subscribers"));
    // SAFETY: no conditions.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "a network namespace takes root");
    let mac = ACCESS_MAC.map(|byte| format!("{byte:02x}")).join(":");
    ip(&format!("link add access0 address {mac} mtu 1508 type veth peer name home0 mtu 1508"));
    ip("link set access0 up");
    ip("link set home0 up");
    let pins = Pins(format!("/sys/fs/bpf/wc-migration-cost-{}", std::process::id()).into());
    let sizes = Sizes {
        sessions: population + 1,
        home_units: population + 32,
        line_pages: population.div_ceil(4000) + 1,
        nat_addresses: 513,
        fib_pages: 16_384,
        fib6_pages: 16,
    };
    let options = Options { pin_dir: pins.0.clone(), sizes };
    let mut fastpath = Fastpath::open(&options).expect("opens");
    let desired = state(population);
    for (key, done) in fastpath.reconcile(&desired) {
        done.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    // SAFETY: a string with its NUL.
    let ifindex = unsafe { libc::if_nametoindex(c"access0".as_ptr()) };
    for n in 0..population {
        fastpath.run_once(ProgramOf::AccessPorts, ifindex, &frame(n)).expect("runs");
    }
    drop(fastpath);
    let began = Instant::now();
    let there = change_over(&options, PROBE).expect("changes over").expect("of another layout");
    tell("there", &there, began.elapsed());
    let began = Instant::now();
    let mut fastpath = Fastpath::open(&options).expect("opens");
    let took = began.elapsed();
    tell("back", fastpath.migration().expect("of another layout"), took);
    let began = Instant::now();
    fastpath.reconcile(&desired);
    println!("then made as desired, with {} writes, in {:?}", fastpath.writes(), began.elapsed());
}
