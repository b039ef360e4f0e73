//! What a lease from the kernel costs: nanoseconds of a DISCOVER and of a REQUEST, and how many of both a second of one CPU
//! is enough for. Each message is a call of its own (`BPF_PROG_TEST_RUN`), of a subscriber picked in turn, so that nothing
//! of its home is in the cache; what the call itself costs is measured beside it, by a frame that is dropped at once.
//!
//! ```sh
//! cargo run --example dhcp_cost -p fastpath [SUBSCRIBERS]
//! ```

use std::{path::PathBuf, process::Command, time::Duration};

use fastpath::{Fastpath, Options, ProgramOf, Sizes, subscribers};
use node_state::{NodeState, Resource};

const ACCESS_MAC: [u8; 6] = [0x02, 0xac, 0, 0, 0, 1];
const GATEWAY: [u8; 4] = [100, 64, 0, 1];
const ROUNDS: u32 = 15;
const LEASES_PER_ROUND: u32 = 2000;

const RESOURCES: [&str; 2] = [
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
    r#"{"kind":"route","prefix":"100.64.0.0/10","target":"pool"}"#,
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
        format!(
            r#"{{"kind":"session","subscriber":"s{n}","port":"access0","tags":{{"sVid":{s_vid},"cVid":{c_vid}}},"state":"active","mac":"{mac}","lease":"{address}/10","gateway":"100.64.0.1","network":"{address}/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null}}"#
        )
    });
    let texts = RESOURCES.iter().map(|text| (*text).to_owned()).chain(sessions);
    texts.map(|text| Resource::decode(text.as_bytes()).expect("a resource")).collect()
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum()
}

fn folded(sum: u32) -> [u8; 2] {
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    (!u16::try_from(sum).expect("folded")).to_be_bytes()
}

/// A broadcast message of 300 bytes with these options, as many clients send it, its checksum right.
fn frame(n: u32, options: &[u8]) -> Vec<u8> {
    let mac = subscribers::mac(n);
    let mut message = vec![0; 240];
    message[..8].copy_from_slice(&[1, 1, 6, 0, 1, 2, 3, 4]);
    message[28..34].copy_from_slice(&mac);
    message[236..].copy_from_slice(&[99, 130, 83, 99]);
    message.extend_from_slice(options);
    message.extend_from_slice(&[57, 2, 2, 64, 55, 7, 1, 3, 6, 12, 15, 28, 42, 61, 7, 1]);
    message.extend_from_slice(&mac);
    message.extend_from_slice(b"\x3c\x0audhcp 1.36\xff");
    message.resize(300, 0);
    let mut udp = vec![0, 68, 0, 67, 1, 52, 0, 0];
    udp.extend_from_slice(&message);
    let pseudo = [&[0; 4][..], &[255; 4], &[0, 17, 1, 52]].concat();
    let check = folded(sum(&pseudo) + sum(&udp));
    udp[6..8].copy_from_slice(&check);
    let mut header =
        [[0x45, 0, 1, 72].as_slice(), &[0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]].concat();
    let check = folded(sum(&header));
    header[10..12].copy_from_slice(&check);
    let (s_vid, c_vid) = subscribers::tags(n);
    let mut frame = [&[0xff; 6][..], &mac].concat();
    for word in [0x88a8, s_vid, 0x8100, c_vid, 0x0800] {
        frame.extend_from_slice(&word.to_be_bytes());
    }
    [frame, header, udp].concat()
}

/// The pins go with it.
struct Pins(PathBuf);

impl Drop for Pins {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

fn main() {
    let population: u32 = std::env::args().nth(1).map_or(100_000, |n| n.parse().expect("a number"));
    // SAFETY: no conditions; there is one thread.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "a network namespace takes root");
    let mac = ACCESS_MAC.map(|byte| format!("{byte:02x}")).join(":");
    ip(&format!("link add access0 address {mac} mtu 1508 type veth peer name home0 mtu 1508"));
    ip("link set access0 up");
    ip("link set home0 up");
    let pins = Pins(format!("/sys/fs/bpf/wc-dhcp-cost-{}", std::process::id()).into());
    let sizes = Sizes {
        sessions: population + 1,
        home_units: population + 32,
        line_pages: population.div_ceil(4000) + 1,
        nat_addresses: 1,
        fib_pages: 16_384,
        fib6_pages: 16,
    };
    let mut fastpath = Fastpath::open(&Options { pin_dir: pins.0.clone(), sizes }).expect("opens");
    for (key, done) in fastpath.reconcile(&state(population)) {
        done.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    // SAFETY: a string with its NUL.
    let ifindex = unsafe { libc::if_nametoindex(c"access0".as_ptr()) };
    let mut time = |frame: &[u8], action: u32| {
        let (done, _, took) = fastpath.time_once(ProgramOf::AccessPorts, ifindex, frame).expect("runs");
        assert_eq!(done, action, "the kernel answers");
        took
    };
    let (mut discovers, mut requests, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    let mut n = 0;
    for _ in 0..ROUNDS {
        let mut took = [Duration::ZERO; 3];
        for _ in 0..LEASES_PER_ROUND {
            // Of no order, and every subscriber in turn.
            n = (n + 61_803) % population;
            let address = subscribers::address(n).octets();
            let request = [&[53, 1, 3, 54, 4], &GATEWAY[..], &[50, 4], &address].concat();
            took[0] += time(&[0; 14], 1);
            took[1] += time(&frame(n, &[53, 1, 1]), 4);
            took[2] += time(&frame(n, &request), 4);
        }
        let ns = took.map(|took| took.as_secs_f64() * 1e9 / f64::from(LEASES_PER_ROUND));
        calls.push(ns[0]);
        discovers.push(ns[1]);
        requests.push(ns[2]);
    }
    let leases: Vec<f64> = discovers.iter().zip(&requests).map(|(one, other)| 1e9 / (one + other)).collect();
    for (name, values) in [
        ("an untagged frame, dropped", calls),
        ("DISCOVER", discovers),
        ("REQUEST", requests),
        ("leases a CPU-second", leases),
    ] {
        let (median, min, max) = median(values);
        println!("{name:<28}{median:>12.0}   ({min:.0} to {max:.0})");
    }
}
