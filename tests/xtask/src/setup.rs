//! What has to be on the machine, and how it gets there.
//!
//! The one place that knows package names. Everything is checked before it is installed, so that a second run is
//! instant and works without a network.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use nix::unistd::Uid;
use vm::Kernel;

use crate::workspace::{bin_dir, cargo, run, step};

/// A Debian package and what it is needed for.
struct Package(&'static str, &'static str);

const BUILD: &[Package] = &[
    Package("g++", "compiles RocksDB"),
    Package("libclang-dev", "generates the RocksDB bindings"),
    Package("rustc-web", "compiles the kernel programs: it comes with the sources of core"),
    Package("cargo-web", "builds the kernel programs"),
    Package("rust-web-src", "the sources of core"),
    Package("llvm-22-dev", "what bpf-linker is linked with"),
    Package("zlib1g-dev", "what bpf-linker is linked with"),
    Package("libzstd-dev", "what bpf-linker is linked with"),
];

const LAB: &[Package] = &[
    Package("iproute2", "network namespaces"),
    Package("iputils-ping", "ping, from the homes"),
    Package("udhcpc", "a home's DHCP client"),
    Package("isc-dhcp-client", "another home's DHCP client"),
    Package("curl", "a home's web client"),
    Package("python3-minimal", "the Internet host's web server"),
    Package("procps", "sysctl"),
];

const TESTS: &[Package] = &[
    Package("ethtool", "the tests compare interface features with it"),
    Package("bpftool", "the tests compare what is loaded and attached with it"),
    Package("frr", "the tests follow the routes that it puts into the kernel"),
    Package("nfdump", "a collector that the NAT log is sent to"),
    Package("tshark", "reads the NAT log as Wireshark does"),
    Package("sip-tester", "a telephone and the platform that it calls"),
    Package("traceroute", "shows which hops are on the ways to and from homes"),
    Package("iperf3", "what floods a line, and the stream of a call"),
    Package("dnsmasq-base", "the resolver that a subscriber in the walled garden asks"),
    Package("bind9-dnsutils", "dig, which asks for names that are blocked"),
    Package("ndisc6", "the tests ask it what it makes of router and neighbour advertisements"),
    Package("dhcpcd-base", "a DHCPv6 client that the tests lease to"),
    Package("tcpdump", "captures, when something is looked into"),
    Package("qemu-system-x86", "runs the tests on Debian 12's kernel"),
    Package("kmod", "finds that kernel's modules"),
    Package("busybox", "small tools in that machine"),
    Package("python3-venv", "places for Python programs that the tests hold things against"),
    Package("libbpf1", "what Open vSwitch is linked with"),
    Package("libcap-ng0", "what Open vSwitch is linked with"),
    Package("libnuma1", "what Open vSwitch is linked with"),
    Package("libunbound8", "what Open vSwitch is linked with"),
];

/// What the live benchmark sets beside the fast path, and how it is set up.
const LIVE: &[Package] = &[
    Package("ethtool", "interface features of the benchmark's veths"),
    Package("nftables", "the kernel's own forwarding, to compare with"),
    Package("libbpf1", "what Open vSwitch is linked with"),
    Package("libcap-ng0", "what Open vSwitch is linked with"),
    Package("libnuma1", "what Open vSwitch is linked with"),
    Package("libunbound8", "what Open vSwitch is linked with"),
];

/// A program whose figures stand beside ours. It is unpacked and not installed: installed, it would run as a service.
struct Rival {
    name: &'static str,
    packages: &'static [&'static str],
}

const ETCD: Rival = Rival { name: "etcd", packages: &["etcd-server"] };
const OPEN_VSWITCH: Rival =
    Rival { name: "Open vSwitch", packages: &["openvswitch-switch", "openvswitch-common", "libxdp1"] };

const KEA: Rival = Rival {
    name: "Kea",
    packages: &["kea-dhcp4-server", "kea-common", "kea-admin", "liblog4cplus-2.0.5", "libmariadb3"],
};

/// What Kea is linked with, beside what is unpacked with it.
const DHCP: &[Package] = &[
    Package("bpftool", "says how long programs have run"),
    Package("ethtool", "interface features of the benchmark's veths"),
    Package("libpq5", "what Kea is linked with"),
];

/// A program that cargo installs.
struct Tool {
    name: &'static str,
    version: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    /// Whether any version that is there already will do.
    any_version: bool,
}

const BPF_LINKER: Tool = Tool {
    name: "bpf-linker",
    version: "0.13.0",
    arguments: &["--no-default-features", "--features", "llvm-22"],
    environment: &[("LLVM_PREFIX", "/usr/lib/llvm-22")],
    any_version: false,
};

const TEST_TOOLS: &[Tool] = &[
    Tool { name: "cargo-nextest", version: "0.9.143", arguments: &[], environment: &[], any_version: true },
    Tool { name: "cargo-deny", version: "0.20.2", arguments: &[], environment: &[], any_version: true },
];

const FUZZ: Tool =
    Tool { name: "cargo-fuzz", version: "0.13.2", arguments: &[], environment: &[], any_version: true };

pub(crate) fn everything() -> Result<()> {
    for_build()?;
    for_lab()?;
    for_tests()
}

pub(crate) fn for_build() -> Result<()> {
    packages(BUILD)?;
    tool(&BPF_LINKER)
}

pub(crate) fn for_lab() -> Result<()> {
    ensure!(Uid::effective().is_root(), "network namespaces and XDP need root: run this as root");
    packages(LAB)
}

/// Gives back where etcd is.
pub(crate) fn for_controlplane_bench() -> Result<PathBuf> {
    Ok(unpacked(&ETCD)?.join("usr/bin/etcd"))
}

/// Gives back where Open vSwitch is.
pub(crate) fn for_live_bench() -> Result<PathBuf> {
    packages(LIVE)?;
    unpacked(&OPEN_VSWITCH)
}

/// Gives back where Kea and perfdhcp are.
pub(crate) fn for_dhcp_bench() -> Result<PathBuf> {
    packages(DHCP)?;
    unpacked(&KEA)
}

/// Where a rival's packages are unpacked, in the target folder.
fn unpacked(rival: &Rival) -> Result<PathBuf> {
    let folder = bin_dir()?.join("rivals");
    let place = folder.join(rival.packages[0]);
    if place.exists() {
        return Ok(place);
    }
    step(&format!("downloading {}, for comparison (not installed)", rival.name), || {
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let scratch = tempfile::tempdir_in(&folder).context("making a folder to download to")?;
        let mut download = Command::new("apt-get");
        download.args(["-qq", "-o", "APT::Sandbox::User=root", "download"]).args(rival.packages);
        download.current_dir(scratch.path());
        if run(&mut download).is_err() {
            run(Command::new("apt-get").args(["-qq", "update"]).stdout(Stdio::null()))?;
            run(&mut download)?;
        }
        let unpacked = scratch.path().join("unpacked");
        for file in std::fs::read_dir(scratch.path()).context("listing what was downloaded")? {
            let package = file.context("listing what was downloaded")?.path();
            run(Command::new("dpkg").arg("-x").arg(package).arg(&unpacked))?;
        }
        std::fs::rename(&unpacked, &place).context("putting it in its place")
    })?;
    Ok(place)
}

pub(crate) fn for_tests() -> Result<()> {
    packages(TESTS)?;
    TEST_TOOLS.iter().try_for_each(tool)?;
    // A switch, which the OpenFlow codec's tests talk to.
    unpacked(&OPEN_VSWITCH)?;
    // Holds the API against its description.
    python("schemathesis", "4.32.5")?;
    // A controller, which the OpenFlow codec is held against.
    python("os-ken", "4.2.2")?;
    kernel()
}

/// A Python program, in an environment of its own below the cache directory.
fn python(name: &str, version: &str) -> Result<()> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let place = cache.context("there is no home directory")?.join("wirecenter").join(name);
    let wanted = format!("{name}=={version}");
    let installed = Command::new(place.join("bin/pip")).args(["freeze", "--quiet"]).output();
    if installed
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).lines().any(|line| line == wanted))
    {
        return Ok(());
    }
    step(&format!("installing {name} {version} (pip, in {})", place.display()), || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
        run(Command::new(place.join("bin/pip")).args(["install", "--quiet", &wanted]))
    })
}

/// A kernel for virtual machines, kept in the target folder.
fn kernel() -> Result<()> {
    let kernel = Kernel::Debian12;
    if kernel.is_here()? {
        return Ok(());
    }
    step("downloading Debian 12's kernel for the tests' virtual machines (27 MB, not installed)", || {
        Ok(kernel.fetch()?)
    })
}

pub(crate) fn for_fuzzing() -> Result<()> {
    tool(&FUZZ)
}

fn packages(wanted: &[Package]) -> Result<()> {
    let missing: Vec<_> = wanted.iter().filter(|package| !is_installed(package.0)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for Package(name, purpose) in &missing {
        println!("    {name}: {purpose}");
    }
    let names: Vec<_> = missing.iter().map(|package| package.0).collect();
    let by_hand = format!("apt-get update && apt-get install -y --no-install-recommends {}", names.join(" "));
    ensure!(Uid::effective().is_root(), "packages are missing; as root: {by_hand}");
    step(&format!("installing Debian packages: {}", names.join(" ")), || {
        let apt = |arguments: &[&str]| {
            run(Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .arg("-qq")
                .args(arguments)
                .stdout(Stdio::null()))
        };
        apt(&["update"])?;
        apt(&[&["install", "-y", "--no-install-recommends"], names.as_slice()].concat())
    })
    .with_context(|| format!("by hand: {by_hand}"))
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]).output();
    query.is_ok_and(|output| output.stdout == b"installed")
}

fn tool(tool: &Tool) -> Result<()> {
    if has(tool) {
        return Ok(());
    }
    let Tool { name, version, arguments, environment, .. } = *tool;
    step(&format!("installing {name} {version} (cargo install)"), || {
        run(cargo()
            .current_dir(Path::new("/"))
            .args(["install", "--quiet", "--locked", name, "--version", version])
            .args(arguments)
            .envs(environment.iter().copied())
            .env_remove("CARGO_TARGET_DIR"))
    })
}

fn has(tool: &Tool) -> bool {
    // A cargo subcommand is asked through cargo, which knows where it installs to.
    let output = match tool.name.strip_prefix("cargo-") {
        Some(subcommand) => cargo().args([subcommand, "--version"]).output(),
        None => Command::new(tool.name).arg("--version").output(),
    };
    output.is_ok_and(|output| {
        output.status.success()
            && (tool.any_version || String::from_utf8_lossy(&output.stdout).contains(tool.version))
    })
}
