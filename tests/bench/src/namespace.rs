//! Network namespaces of a benchmark.

use std::{fs::File, process::Command};

use anyhow::{Context, Result, ensure};
use net_types::Mac;
use nix::{net::if_::if_nametoindex, sched::CloneFlags};

use crate::dataplane::{ACCESS_MAC, CORE_MAC};

/// A namespace by its name, which goes when it is dropped.
pub(crate) struct Namespace(String);

impl Namespace {
    pub(crate) fn new(system: &str) -> Result<Self> {
        let name = format!("wc-bench-{system}");
        // What a run that was killed has left.
        let _ = Command::new("ip").args(["netns", "del", &name]).output();
        run("ip", &["netns", "add", &name])?;
        let namespace = Self(name);
        namespace.ip("link set lo up")?;
        namespace.exec("sysctl", &["-qw", "net.ipv6.conf.default.disable_ipv6=1"])?;
        Ok(namespace)
    }

    /// With two veth pairs: frames come in at one, and what is sent on leaves by the other.
    pub(crate) fn with_ports(system: &str) -> Result<Self> {
        let namespace = Self::new(system)?;
        for (port, peer, mac) in [("access0", "home0", ACCESS_MAC), ("core0", "up0", CORE_MAC)] {
            let mac = Mac::new(mac)?;
            namespace
                .ip(&format!("link add {port} address {mac} mtu 1508 type veth peer name {peer} mtu 1508"))?;
            namespace.ip(&format!("link set {port} up"))?;
            namespace.ip(&format!("link set {peer} up"))?;
        }
        Ok(namespace)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The arguments of a command of `ip`, separated by spaces.
    pub(crate) fn ip(&self, arguments: &str) -> Result<()> {
        let arguments: Vec<&str> = ["-n", &self.0].into_iter().chain(arguments.split(' ')).collect();
        run("ip", &arguments)
    }

    pub(crate) fn exec(&self, program: &str, arguments: &[&str]) -> Result<()> {
        run("ip", &[&["netns", "exec", &self.0, program], arguments].concat())
    }

    /// Brings the calling thread into the namespace of that name, for good.
    pub(crate) fn join(name: &str) -> Result<()> {
        let namespace = File::open(format!("/run/netns/{name}"))?;
        nix::sched::setns(namespace, CloneFlags::CLONE_NEWNET).context("entering a namespace")
    }

    /// Does something in the namespace, on a thread of its own.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let entered = || {
            Self::join(&self.0)?;
            work()
        };
        let done = std::thread::scope(|scope| scope.spawn(entered).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = run("ip", &["netns", "del", &self.0]) {
            eprintln!("{error:#}");
        }
    }
}

pub(crate) fn index(interface: &str) -> Result<u32> {
    if_nametoindex(interface).with_context(|| format!("interface {interface}"))
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let done = Command::new(program).args(arguments).output();
    let done = done.with_context(|| format!("{program} (cargo xtask setup installs it)"))?;
    let text = arguments.join(" ");
    ensure!(done.status.success(), "{program} {text}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
