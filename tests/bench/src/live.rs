//! Packets a CPU-second from one veth to another, generator and sink included: the fast path beside a bare redirect, the
//! kernel's own forwarding, and Open vSwitch in user space, which do the same for the same subscribers.
//!
//! The generator runs an XDP program on frames that the kernel makes (`BPF_F_TEST_XDP_LIVE_FRAMES`) and sends them into
//! a veth; the sink is an XDP program that counts and drops. All systems take turns in each round. A frame says in its
//! payload whose it is, so that the sink knows the address it must have; one that does not come, or comes with another,
//! does not count, and what is lost is reported. The kernel and Open vSwitch get frames without tags, which is less work.

mod kernel;
mod ovs;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use fastpath::{Arrived, Fastpath, Options, Wire, WireOptions};
use net_types::Mac;

use self::ovs::Switch;
use crate::{
    cpu,
    dataplane::{ACCESS_MAC, GATEWAY_MAC, Pins, sizes, state},
    figure::Figure,
    namespace::{Namespace, index},
};

const ROUNDS: usize = 9;
/// How many subscribers those have that are compared with rivals.
const SHARED: u32 = 10_000;
/// Frames of a round.
const FRAMES: u32 = 400_000;
/// The same for what takes ten times as long.
const FEWER_FRAMES: u32 = 40_000;
/// How long nothing more must come until all that comes has come.
const QUIET: Duration = Duration::from_millis(200);

/// Something that takes frames from one veth to another.
struct System {
    name: String,
    frames: u32,
    /// Packets a CPU-second, and the share of frames that was lost, of each round.
    rates: Vec<f64>,
    losses: Vec<f64>,
    wire: Wire,
    work: Work,
    /// Last: it must not go before those that are in it.
    namespace: Namespace,
}

enum Work {
    Bare,
    Kernel,
    /// Whose maps and pins go when it is dropped.
    Office {
        _fastpath: Box<Fastpath>,
        _pins: Pins,
    },
    Switch(Switch),
}

pub(crate) fn run() -> Result<Vec<Figure>> {
    let load_before = cpu::load()?;
    let mut systems = vec![System::bare()?];
    for (population, label) in [(1_000, "1k"), (SHARED, "10k"), (100_000, "100k")] {
        systems.push(System::office(population, label).with_context(|| format!("{label} subscribers"))?);
    }
    systems.push(System::kernel().context("the kernel's own forwarding")?);
    let root =
        std::env::var_os("WIRECENTER_OVS").context("WIRECENTER_OVS says where Open vSwitch is unpacked")?;
    systems.push(System::ovs(Path::new(&root)).context("Open vSwitch")?);
    for system in &mut systems {
        system.introduce().with_context(|| system.name.clone())?;
    }
    for round in 0..ROUNDS {
        for system in &mut systems {
            system.measure(round).with_context(|| system.name.clone())?;
        }
    }
    for system in &systems {
        system.verify()?;
    }
    let mut figures = vec![Figure::of("machine.load", "", vec![load_before, cpu::load()?])];
    for system in &systems {
        figures.push(Figure::of(format!("live.{}", system.name), "packets/CPU-s", system.rates.clone()));
        figures.push(Figure::of(format!("live.{}.lost", system.name), "%", system.losses.clone()));
    }
    for (system, rival, unit) in [
        ("office.1k", "bare", "%"),
        ("office.100k", "bare", "%"),
        ("office.10k", "kernel.10k", "times"),
        ("office.10k", "ovs.10k", "times"),
    ] {
        figures.push(ratio(&systems, system, rival, unit)?);
    }
    Ok(figures)
}

/// Of one system's rate to another's in the same round.
fn ratio(systems: &[System], system: &str, rival: &str, unit: &'static str) -> Result<Figure> {
    let times = if unit == "%" { 100.0 } else { 1.0 };
    let rates = |name: &str| {
        let system = systems.iter().find(|system| system.name == name);
        Ok::<_, anyhow::Error>(&system.context("a system")?.rates)
    };
    let ratios = rates(system)?.iter().zip(rates(rival)?).map(|(own, rival)| times * own / rival).collect();
    Ok(Figure::of(format!("live.{system}/{rival}"), unit, ratios))
}

impl System {
    fn new(
        name: String,
        namespace: Namespace,
        (subscribers, is_tagged, is_translated): (u32, bool, bool),
        work: impl FnOnce(&Namespace, &mut Wire) -> Result<Work>,
    ) -> Result<Self> {
        let mut wire = namespace.enter(|| {
            Ok(Wire::new(&WireOptions {
                from: index("home0")?,
                to_mac: ACCESS_MAC,
                sink: "up0",
                subscribers,
                is_tagged,
                is_translated,
            })?)
        })?;
        let work = work(&namespace, &mut wire)?;
        let frames = if matches!(work, Work::Switch(_)) { FEWER_FRAMES } else { FRAMES };
        let (rates, losses) = (Vec::new(), Vec::new());
        Ok(Self { name, frames, rates, losses, wire, work, namespace })
    }

    fn bare() -> Result<Self> {
        let namespace = Namespace::with_ports("bare")?;
        Self::new("bare".to_owned(), namespace, (SHARED, true, false), |namespace, wire| {
            namespace.enter(|| Ok(wire.attach_bare("access0", index("core0")?)?))?;
            Ok(Work::Bare)
        })
    }

    fn office(population: u32, label: &str) -> Result<Self> {
        let namespace = Namespace::with_ports(&format!("office-{label}"))?;
        let name = format!("office.{label}");
        Self::new(name, namespace, (population, true, true), |namespace, _| {
            let pins = Pins::new(label);
            let desired = state(population)?;
            let options = Options { pin_dir: pins.dir().to_owned(), sizes: sizes(population) };
            let fastpath = namespace.enter(|| {
                let mut fastpath = Fastpath::open(&options)?;
                for (key, outcome) in fastpath.reconcile(&desired) {
                    outcome.with_context(|| key.to_string())?;
                }
                let router = Mac::new(GATEWAY_MAC)?;
                fastpath.set_next_hop([192, 0, 2, 1].into(), &"core0".parse()?, Some(router))?;
                Ok(fastpath)
            })?;
            Ok(Work::Office { _fastpath: Box::new(fastpath), _pins: pins })
        })
    }

    fn kernel() -> Result<Self> {
        let namespace = Namespace::with_ports("kernel")?;
        Self::new("kernel.10k".to_owned(), namespace, (SHARED, false, true), |namespace, _| {
            kernel::configure(namespace, SHARED)?;
            Ok(Work::Kernel)
        })
    }

    fn ovs(root: &Path) -> Result<Self> {
        let namespace = Namespace::with_ports("ovs")?;
        Self::new("ovs.10k".to_owned(), namespace, (SHARED, false, true), |namespace, _| {
            namespace.exec("ethtool", &["-K", "access0", "gro", "on"])?;
            Ok(Work::Switch(Switch::start(root, namespace, SHARED)?))
        })
    }

    /// A first frame of every subscriber, which need not arrive.
    fn introduce(&mut self) -> Result<()> {
        self.wire.introduce()?;
        self.settle(Arrived::default())?;
        Ok(())
    }

    fn measure(&mut self, round: usize) -> Result<()> {
        let before = self.wire.arrived()?;
        let cpu_before = self.cpu_ns()?;
        self.wire.send(self.frames, u32::try_from(round)?.wrapping_add(1).wrapping_mul(0x9e37_79b9))?;
        let sent = Arrived { all: before.all + u64::from(self.frames), right: 0 };
        let after = self.settle(sent)?;
        let cpu_s = Duration::from_nanos(self.cpu_ns()? - cpu_before).as_secs_f64();
        let (all, right) = (after.all - before.all, after.right - before.right);
        ensure!(right == all, "{} of {all} frames came from another address than they should", all - right);
        ensure!(all > 0, "no frame came");
        let all = f64::from(u32::try_from(all)?);
        self.rates.push(all / cpu_s);
        self.losses.push(100.0 - 100.0 * all / f64::from(self.frames));
        Ok(())
    }

    /// Waits until all frames have come, or none comes any more.
    fn settle(&self, expected: Arrived) -> Result<Arrived> {
        let mut arrived = self.wire.arrived()?;
        let mut changed = Instant::now();
        while arrived.all != expected.all && changed.elapsed() < QUIET {
            std::thread::sleep(Duration::from_millis(2));
            let now = self.wire.arrived()?;
            if now != arrived {
                (arrived, changed) = (now, Instant::now());
            }
        }
        Ok(arrived)
    }

    /// What the sink cannot see was done too.
    fn verify(&self) -> Result<()> {
        match self.work {
            Work::Kernel => kernel::verify(&self.namespace, self.wire.arrived()?.all),
            Work::Bare | Work::Office { .. } | Work::Switch(_) => Ok(()),
        }
    }

    fn cpu_ns(&self) -> Result<u64> {
        let switch = if let Work::Switch(switch) = &self.work { switch.cpu_ns()? } else { 0 };
        Ok(cpu::of_sender()? + switch)
    }
}
