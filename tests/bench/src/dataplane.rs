//! Nanoseconds per packet through the loaded programs, less those of a bare parse-and-redirect program in the same round.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use fastpath::{DropReason, Fastpath, Harness, Inspector, Options, ProgramOf, Sizes, Subject, subscribers};
use net_types::{Mac, Name};
use nix::{net::if_::if_nametoindex, sched::CloneFlags};
use node_state::{AccessTags, Nat, NodeState, RateLimit, Resource, Session, SessionState};

use crate::figure::Figure;

const POPULATIONS: [(u32, &str); 4] = [(1, "1"), (10_000, "10k"), (100_000, "100k"), (1_000_000, "1m")];
/// Of each subscriber, picked at random too.
const FLOWS: [(u32, &str); 2] = [(1, ""), (16, ".16flows")];
const ROUNDS: u32 = 15;
const PACKETS_PER_ROUND: u32 = 200_000;

pub(crate) const ACCESS_MAC: [u8; 6] = [0x02, 0xac, 0, 0, 0, 1];
pub(crate) const CORE_MAC: [u8; 6] = [0x02, 0xc0, 0, 0, 0, 1];
pub(crate) const GATEWAY_MAC: [u8; 6] = [0x02, 0xfe, 0, 0, 0, 1];

const RESOURCES: [&str; 5] = [
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
    r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
    r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
    r#"{"kind":"route","prefix":"100.64.0.0/10","target":"pool"}"#,
    r#"{"kind":"route","prefix":"198.18.0.0/19","target":"natPool"}"#,
];

/// A directory of pins that goes when it is dropped.
pub(crate) struct Pins(PathBuf);

impl Pins {
    pub(crate) fn new(label: &str) -> Self {
        Self(PathBuf::from(format!("/sys/fs/bpf/wc-bench-{label}-{}", std::process::id())))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}

pub(crate) fn run() -> Result<Vec<Figure>> {
    // A thread of its own, so that the rest of the process stays in its network namespace.
    let measured = std::thread::scope(|scope| scope.spawn(measure_all).join());
    measured.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn measure_all() -> Result<Vec<Figure>> {
    nix::sched::unshare(CloneFlags::CLONE_NEWNET).context("a network namespace takes root")?;
    for (port, peer, mac) in [("access0", "home0", ACCESS_MAC), ("core0", "up0", CORE_MAC)] {
        let mac = Mac::new(mac)?;
        ip(&format!("link add {port} address {mac} mtu 1508 type veth peer name {peer} mtu 1508"))?;
        ip(&format!("link set {port} up"))?;
        ip(&format!("link set {peer} up"))?;
    }
    let mut figures = Vec::new();
    for (population, label) in POPULATIONS {
        measure(population, label, &mut figures).with_context(|| format!("{label} subscribers"))?;
    }
    Ok(figures)
}

fn ip(arguments: &str) -> Result<()> {
    let done =
        Command::new("ip").args(arguments.split(' ')).output().context("ip (apt-get install iproute2)")?;
    ensure!(done.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

fn measure(population: u32, label: &str, figures: &mut Vec<Figure>) -> Result<()> {
    let pins = Pins::new(label);
    let mut fastpath = Fastpath::open(&Options { pin_dir: pins.0.clone(), sizes: sizes(population) })?;
    let desired = state(population)?;
    let start = Instant::now();
    let outcomes = fastpath.reconcile(&desired);
    let load_s = start.elapsed().as_secs_f64();
    for (key, outcome) in outcomes {
        outcome.with_context(|| key.to_string())?;
    }
    if population == 100_000 {
        figures.push(Figure::of("fastpath.load_s.100k", "s", vec![load_s]));
    }
    fastpath.set_next_hop([192, 0, 2, 1].into(), &"core0".parse()?, Some(Mac::new(GATEWAY_MAC)?))?;
    let access = (if_nametoindex("access0")?, ACCESS_MAC);
    let core = (if_nametoindex("core0")?, CORE_MAC);
    let mut harness = Harness::new(&mut fastpath, access, core)?;
    for (flows, suffix) in FLOWS {
        harness.prepare(population, flows)?;
        measure_flows(
            &mut harness,
            &Inspector::open(&pins.0)?,
            (population, &format!("{label}{suffix}")),
            figures,
        )?;
    }
    Ok(())
}

fn measure_flows(
    harness: &mut Harness,
    inspector: &Inspector,
    (population, label): (u32, &str),
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let passed_before = passed(inspector);
    for (which, direction) in [(ProgramOf::AccessPorts, "up"), (ProgramOf::CorePorts, "down")] {
        let mut net = Vec::new();
        for round in 0..ROUNDS {
            let seed = 0x9e37_79b9_u32.wrapping_mul(round + 1);
            let bare = harness.measure(which, Subject::Bare, population, PACKETS_PER_ROUND, seed)?;
            let whole = harness.measure(which, Subject::Whole, population, PACKETS_PER_ROUND, seed)?;
            net.push(whole - bare);
        }
        figures.push(Figure::of(format!("dataplane.{direction}.net_ns.{label}"), "ns", net));
    }
    // A packet that was dropped on the way would have been cheap.
    let expected = u64::from(ROUNDS * PACKETS_PER_ROUND) * 2;
    let went_through = passed(inspector) - passed_before;
    if went_through != expected {
        let drops: Vec<(DropReason, u64)> =
            inspector.drops()?.into_iter().filter(|(_, count)| *count > 0).collect();
        bail!("{went_through} of {expected} packets went all the way: {drops:?}");
    }
    Ok(())
}

/// Tables for that many subscribers.
pub(crate) fn sizes(population: u32) -> Sizes {
    Sizes {
        sessions: population + 1,
        home_units: population + 32,
        line_pages: population.div_ceil(4000) + 1,
        // Pools begin at a multiple of their size.
        nat_addresses: 16_385,
        fib_pages: 64,
        fib6_pages: 16,
    }
}

fn passed(inspector: &Inspector) -> u64 {
    let summary = inspector.summary();
    summary.up.packets + summary.down.packets
}

/// Households with NAT and two rates that are never reached, so that every packet is policed and none is dropped.
pub(crate) fn state(population: u32) -> Result<NodeState> {
    let mut state = NodeState::default();
    for text in RESOURCES {
        state.insert(Resource::decode(text.as_bytes())?);
    }
    let rate = RateLimit { rate: "100G".parse()?, burst_us: 1_000_000 };
    for number in 0..population {
        let (s_vid, c_vid) = subscribers::tags(number);
        let address = subscribers::address(number);
        let (external, first_port) = subscribers::external(number);
        state.insert(Resource::Session(Session {
            subscriber: format!("s{number}").parse::<Name>()?,
            port: "access0".parse()?,
            tags: AccessTags { s_vid: Some(s_vid.try_into()?), c_vid: Some(c_vid.try_into()?) },
            state: SessionState::Active,
            mac: Some(Mac::new(subscribers::mac(number))?),
            lease: net_types::InterfaceAddress4::new(address, 10)?,
            gateway: [100, 64, 0, 1].into(),
            network: net_types::Prefix4::host(address),
            dns_servers: Vec::new(),
            lease_seconds: 3600,
            nat: Some(Nat { address: external, first_port, ports: 64 }),
            rate_up: Some(rate),
            rate_down: Some(rate),
            nat_overflow: None,
            nat_filtering: node_state::NatFiltering::default(),
            nat_address: None,
            devices: 1,
            nat_exempt: false,
            more_networks: Vec::new(),
            committed_up: Some(rate),
            committed_down: Some(rate),
            ipv6: None,
            firewall: None,
            firewall_rules: Vec::new(),
            port_forwards: Vec::new(),
            voice: None,
            parental_control: None,
        }));
    }
    Ok(state)
}
