//! Leases a CPU-second: those of an office with 100,000 subscribers, and Kea's, under the same load of perfdhcp.
//!
//! Counted are the server's process, with what the kernel does in its system calls, and the office's program on the access
//! port, which answers homes that it knows, by the kernel's own statistics; of neither server what it takes to bring a
//! frame to it, nor, of an answer out of the kernel, to bring it away. The first round is not counted: in it the office
//! gets to know its homes' devices, and Kea gives its leases for the first time. perfdhcp speaks as a relay does, without
//! tags; what stands between it and the office makes each of its clients one of its own, on the line with its number. Kea
//! keeps its leases in a file that it does not sync (memfile, its default), while the agent syncs its before it answers.

mod kea;
mod line;
mod perfdhcp;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};

use self::kea::Kea;
use crate::{
    cpu,
    figure::Figure,
    namespace::Namespace,
    office::{self, FULL},
    whole::Office,
};

/// The first of them is not counted.
const ROUNDS: usize = 4;
/// The program of access ports, which all others are reached from.
const PROGRAM: &str = "access";
/// Clients, each on a line of its own.
pub(crate) const CLIENTS: u32 = 4000;
/// The gateway's address, which is also Kea's.
pub(crate) const SERVER: &str = "100.64.0.1";
/// Where perfdhcp is, as a relay: an address that is nobody's.
pub(crate) const RELAY: &str = "100.127.255.254";

pub(crate) fn run() -> Result<Vec<Figure>> {
    let root = std::env::var_os("WIRECENTER_KEA").context("WIRECENTER_KEA says where Kea is unpacked")?;
    let root = PathBuf::from(root);
    let load_before = cpu::load()?;

    let rival = Namespace::new("kea")?;
    let rivals_clients = clients(&rival)?;
    rival.ip("address add 100.64.0.1/10 dev server0")?;
    let kea = Kea::start(&root, &rival)?;

    let ours = Namespace::new("lines")?;
    let own_clients = clients(&ours)?;
    line::make(&ours)?;
    let mut office = Office::up_on(Some(line::ACCESS.parse()?))?;
    office::batches(&office.lab()?.socket(), 0..FULL)?;
    let agent = office.wait_serving(0)?.pid;
    let carrying = line::carry(&ours);

    let _statistics = cpu::Statistics::enable()?;
    let (mut first, mut own, mut keas) = (Vec::new(), Vec::new(), Vec::new());
    let (mut own_lost, mut keas_lost, mut in_kernel) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (namespace, pid, rates, lost) in [
            (&own_clients, agent, &mut own, &mut own_lost),
            (&rivals_clients, kea.pid(), &mut keas, &mut keas_lost),
        ] {
            let is_own = pid == agent;
            let used = || -> Result<[u64; 2]> {
                let in_kernel = if is_own { cpu::Statistics::of_program(PROGRAM, pid)? } else { 0 };
                Ok([cpu::of_process(pid)?, in_kernel])
            };
            let before = used()?;
            let done = perfdhcp::run(&root, namespace)?;
            let after = used()?;
            let spent = [0, 1].map(|of| Duration::from_nanos(after[of] - before[of]).as_secs_f64());
            let rate = f64::from(done.leases) / spent.iter().sum::<f64>();
            if round > 0 {
                if is_own {
                    in_kernel.push(1e6 * spent[1] / f64::from(done.leases));
                }
                rates.push(rate);
                lost.push(100.0 - 100.0 * f64::from(done.leases) / f64::from(done.started));
            } else if is_own {
                first.push(rate);
            }
        }
    }
    carrying.stop()?;
    office.down()?;
    let ratios = own.iter().zip(&keas).map(|(own, kea)| own / kea).collect();
    Ok(vec![
        Figure::of("machine.load", "", vec![load_before, cpu::load()?]),
        Figure::of("dhcp.agent", "leases/CPU-s", first),
        Figure::of("dhcp.office", "leases/CPU-s", own),
        Figure::of("dhcp.office.program", "us/lease", in_kernel),
        Figure::of("dhcp.office.unfinished", "%", own_lost),
        Figure::of("dhcp.kea", "leases/CPU-s", keas),
        Figure::of("dhcp.kea.unfinished", "%", keas_lost),
        Figure::of("dhcp.office/kea", "times", ratios),
    ])
}

/// A namespace for perfdhcp, with an interface whose other end is where the server or the lines are.
fn clients(of: &Namespace) -> Result<Namespace> {
    let clients = Namespace::new(&format!("{}-clients", of.name().rsplit('-').next().unwrap_or_default()))?;
    of.ip(&format!(
        "link add server0 address 02:fd:00:00:00:02 type veth peer name perf0 address 02:fd:00:00:00:01 netns {}",
        clients.name()
    ))?;
    for (namespace, name) in [(of, "server0"), (&clients, "perf0")] {
        namespace.exec("ethtool", &["-K", name, "tx", "off"])?;
        namespace.ip(&format!("link set {name} up"))?;
    }
    clients.ip(&format!("address add {RELAY}/10 dev perf0"))?;
    clients.ip(&format!("neigh add {SERVER} lladdr 02:fd:00:00:00:02 dev perf0"))?;
    Ok(clients)
}
