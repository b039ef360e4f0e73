//! Routes that a router's own software, FRR, learns by BGP and puts into the kernel.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
};

use linux_node::NetNs;
use net_types::{IfName, Prefix4};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown, gettid},
};

use crate::{
    follower::Follower,
    support::{in_new_namespace, ip},
};

/// A daemon of FRR's, ended with this value.
struct Daemon(Child);

impl Daemon {
    /// Starts one in the calling thread's namespace, with a folder of its own to keep its things in.
    fn start(name: &str, folder: &Path, options: &[&str], config: &str) -> Self {
        let file = |name: &str| folder.join(name);
        fs::write(file(&format!("{name}.conf")), config).expect("written");
        let child = Command::new(format!("/usr/lib/frr/{name}"))
            .args(["-P", "0"])
            .args(options)
            .arg("-f")
            .arg(file(&format!("{name}.conf")))
            .arg("-i")
            .arg(file(&format!("{name}.pid")))
            .arg("-z")
            .arg(file("zserv"))
            .arg("--vty_socket")
            .arg(folder)
            .arg("--log")
            .arg(format!("file:{}", file(&format!("{name}.log")).display()))
            .spawn()
            .expect("apt-get install -y --no-install-recommends frr");
        Self(child)
    }

    /// Has it say goodbye to its neighbours.
    fn end(mut self) {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        kill(pid, Signal::SIGTERM).expect("it is a child of this process");
        self.0.wait().expect("waited for");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A router that announces 10.0.0.0/8 and 10.1.0.0/16 over a link of its own to the office.
struct Peer {
    namespace: NetNs,
    folder: tempfile::TempDir,
    config: String,
}

impl Peer {
    fn new(number: u8) -> Self {
        let namespace = NetNs::unnamed().expect("a network namespace: run the tests as root");
        let office = format!("/proc/{}/task/{}/ns/net", std::process::id(), gettid());
        let make_link = || {
            ip(&format!("link add name office type veth peer name peer{number} netns {office}"));
            ip(&format!("addr add 192.0.{number}.2/24 dev office"));
            ip("link set dev office up");
        };
        namespace.run(make_link).expect("entered");
        ip(&format!("addr add 192.0.{number}.1/24 dev peer{number}"));
        ip(&format!("link set dev peer{number} up"));
        let config = format!(
            "router bgp {}
             bgp router-id 192.0.{number}.2
             no bgp ebgp-requires-policy
             no bgp network import-check
             timers bgp 1 30
             neighbor 192.0.{number}.1 remote-as 65000
             neighbor 192.0.{number}.1 timers connect 1
             address-family ipv4 unicast
              network 10.0.0.0/8
              network 10.1.0.0/16",
            65000 + u32::from(number),
        );
        Self { namespace, folder: folder(), config }
    }

    fn start(&self) -> Daemon {
        let start = || Daemon::start("bgpd", self.folder.path(), &["-n", "-Z"], &self.config);
        self.namespace.run(start).expect("entered")
    }
}

/// A folder that FRR's user may write to.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("made");
    let user = User::from_name("frr").expect("read").expect("apt-get install -y --no-install-recommends frr");
    chown(folder.path(), Some(user.uid), Some(user.gid)).expect("root may");
    folder
}

#[test]
fn routes_learned_by_bgp_spread_over_peers_and_flows_stay_when_one_goes() {
    in_new_namespace(async || {
        ip("link set dev lo up");
        let peers: Vec<Peer> = (1..=3).map(Peer::new).collect();
        let netlink = linux_node::Netlink::connect().expect("connected");
        let mut ports = Vec::new();
        for number in 1..=3 {
            let name: IfName = format!("peer{number}").parse().expect("legal");
            ports.push(netlink.interface(&name).await.expect("asked").expect("made").index);
        }
        let way = |peer: usize| format!("192.0.{}.2 on {}", peer + 1, ports[peer]);
        let folder = folder();
        let neighbour = |n: u32| {
            format!("neighbor 192.0.{n}.2 remote-as {}\nneighbor 192.0.{n}.2 timers connect 1", 65000 + n)
        };
        let neighbours = (1..=3).map(neighbour).collect::<Vec<_>>().join("\n");
        let config = format!(
            "router bgp 65000
             bgp router-id 192.0.1.1
             no bgp ebgp-requires-policy
             bgp bestpath as-path multipath-relax
             timers bgp 1 30
             {neighbours}"
        );
        let mut follower = Follower::new(&ports);
        let _zebra = Daemon::start("zebra", folder.path(), &[], "");
        let _bgpd = Daemon::start("bgpd", folder.path(), &[], &config);
        let mut daemons: Vec<Daemon> = peers.iter().map(Peer::start).collect();

        let prefixes: [Prefix4; 2] =
            ["10.0.0.0/8", "10.1.0.0/16"].map(|text| text.parse().expect("a prefix"));
        let have = |follower: &Follower, peers: &[usize]| {
            let wanted = peers.iter().map(|peer| way(*peer)).collect();
            prefixes.iter().all(|prefix| follower.ways().get(prefix) == Some(&wanted))
        };
        follower.follow_until(|follower| have(follower, &[0, 1, 2])).await;
        let before = follower.slots()[&prefixes[0]].clone();

        daemons.remove(1).end();
        follower.follow_until(|follower| have(follower, &[0, 2])).await;
        let after = follower.slots()[&prefixes[0]].clone();
        assert_eq!((before.len(), after.len()), (64, 64));
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || *before == way(1), "a flow moved from {before} to {after}");
        }
        daemons.push(peers[1].start());
        follower.follow_until(|follower| have(follower, &[0, 1, 2])).await;
        for daemon in daemons {
            daemon.end();
        }
        follower
            .follow_until(|follower| prefixes.iter().all(|prefix| !follower.ways().contains_key(prefix)))
            .await;
    });
}
