//! A node in a network namespace of the test's own thread: an access port and a core port, each one end of a veth.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use fastpath::{Fastpath, Options, Sizes};
use net_types::Mac;
use node_state::{NodeState, Resource};

pub(crate) const ACCESS_MAC: [u8; 6] = [0x02, 0xac, 0, 0, 0, 1];
pub(crate) const CORE_MAC: [u8; 6] = [0x02, 0xc0, 0, 0, 0, 1];
pub(crate) const GATEWAY_MAC: [u8; 6] = [0x02, 0xfe, 0, 0, 0, 1];
pub(crate) const ALICE_MAC: [u8; 6] = [0x02, 0xa1, 0, 0, 0, 1];
pub(crate) const BOB_MAC: [u8; 6] = [0x02, 0xb0, 0, 0, 0, 1];

static COUNT: AtomicU32 = AtomicU32::new(0);

pub(crate) struct World {
    pub(crate) pin_dir: PathBuf,
    pub(crate) access: u32,
    pub(crate) core: u32,
}

pub(crate) fn run(command: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let done = Command::new(words[0]).args(&words[1..]).output();
    let done = done.unwrap_or_else(|error| panic!("{command}: {error}; apt-get install iproute2 ethtool"));
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}

pub(crate) fn ifindex(name: &str) -> u32 {
    let name = std::ffi::CString::new(name).expect("no NUL");
    // SAFETY: a string with its NUL.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

/// The clock of `bpf_ktime_get_ns`.
pub(crate) fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place to write to.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) }, 0);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

impl World {
    pub(crate) fn new() -> Self {
        // SAFETY: no conditions; the thread is the test's own, and the namespace goes when it and its children do.
        let done = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        assert_eq!(done, 0, "a network namespace takes root: {}", std::io::Error::last_os_error());
        // The thread's namespace, not the process's, is what /proc/sys/net shows.
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").expect("sysctl");
        for (port, peer, mac) in [("access0", "home0", ACCESS_MAC), ("core0", "up0", CORE_MAC)] {
            let mac = Mac::new(mac).expect("unicast");
            run(&format!("ip link add {port} address {mac} mtu 1508 type veth peer name {peer} mtu 1508"));
            run(&format!("ip link set {port} up"));
            run(&format!("ip link set {peer} up"));
            run(&format!("ethtool -K {peer} gro on tx off"));
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let pin_dir = PathBuf::from(format!("/sys/fs/bpf/wc-test-{}-{number}", std::process::id()));
        Self { pin_dir, access: ifindex("access0"), core: ifindex("core0") }
    }

    pub(crate) fn options(&self) -> Options {
        let sizes = Sizes {
            sessions: 64,
            home_units: 124,
            line_pages: 8,
            nat_addresses: 513,
            fib_pages: 64,
            fib6_pages: 64,
        };
        Options { pin_dir: self.pin_dir.clone(), sizes }
    }

    pub(crate) fn open(&self) -> Fastpath {
        Fastpath::open(&self.options()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Opened, as `desired`, with the upstream router's address known.
    pub(crate) fn office(&self, desired: &NodeState) -> Fastpath {
        let mut fastpath = self.open();
        settle(&mut fastpath, desired);
        fastpath
    }
}

pub(crate) fn settle(fastpath: &mut Fastpath, desired: &NodeState) {
    for (key, done) in fastpath.reconcile(desired) {
        done.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    let mac = Mac::new(GATEWAY_MAC).expect("unicast");
    let core = "core0".parse().expect("a name");
    fastpath.set_next_hop([192, 0, 2, 1].into(), &core, Some(mac)).expect("a port");
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.pin_dir);
    }
}

const RESOURCES: [&str; 8] = [
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
    r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
    r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
    r#"{"kind":"route","prefix":"100.64.0.0/16","target":"pool"}"#,
    r#"{"kind":"route","prefix":"203.0.113.0/24","target":"pool"}"#,
    r#"{"kind":"route","prefix":"198.51.100.0/24","target":"natPool"}"#,
    r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":"02:a1:00:00:00:01","lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":[],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":1024,"ports":64},"rateUp":null,"rateDown":null}"#,
    r#"{"kind":"session","subscriber":"bob-inc","port":"access0","tags":{"sVid":101,"cVid":9},"state":"active","mac":"02:b0:00:00:00:01","lease":"203.0.113.10/29","gateway":"203.0.113.9","network":"203.0.113.8/29","dnsServers":[],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null}"#,
];

/// Alice behind NAT and Bob with a routed subnet, as the office would have them.
pub(crate) fn desired() -> NodeState {
    desired_but(str::to_owned)
}

/// The same, with each resource's text changed.
pub(crate) fn desired_but(change: impl Fn(&str) -> String) -> NodeState {
    RESOURCES.iter().map(|text| Resource::decode(change(text).as_bytes()).expect("a resource")).collect()
}
