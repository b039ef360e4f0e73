//! Up, down, and what happens in between.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use lab::Lab;
use linux_node::NetNs;
use net_types::Tpid;
use nix::{sys::signal, unistd::Pid};

use crate::support::{Network, config};

fn ip(line: &str) -> String {
    let output =
        Command::new("ip").args(line.split_whitespace()).output().expect("apt-get install -y iproute2");
    assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn namespaces_of(prefix: &str) -> BTreeSet<String> {
    let entries = fs::read_dir("/run/netns").into_iter().flatten();
    let names = entries.map(|entry| entry.expect("read").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(prefix)).collect()
}

fn assert_nothing_left(network: &Network) {
    let config = &network.config;
    assert_eq!(namespaces_of(&config.prefix), BTreeSet::new());
    assert!(!config.state_dir.exists());
    let homes = config.homes.iter().map(|home| Path::new("/etc/netns").join(network.namespace(&home.name)));
    assert_eq!(homes.filter(|path| path.exists()).count(), 0);
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    assert!(!mounts.contains(&config.state_dir.display().to_string()), "{mounts}");
    let processes = fs::read_dir("/proc").expect("proc").filter_map(|entry| {
        let command = fs::read_to_string(entry.expect("read").path().join("cmdline")).ok()?;
        command.contains(&config.prefix).then_some(command)
    });
    assert_eq!(processes.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn down_leaves_nothing_and_touches_nothing_else() {
    let resolver = fs::read("/etc/resolv.conf").expect("a resolv.conf");
    let mut network = Network::up(Tpid::Dot1ad);
    let mut neighbour = Network::up(Tpid::Dot1ad);
    let lab = network.take();
    let running: Vec<_> = lab.status().into_iter().flat_map(|one| one.processes).collect();
    assert_eq!(running.len(), 4, "OLT, web server and two clients: {running:?}");
    assert!(running.iter().all(|(.., runs)| *runs), "{running:?}");
    lab.down().expect("down");
    assert_nothing_left(&network);
    let others: Vec<_> = neighbour.lab().status().into_iter().flat_map(|one| one.processes).collect();
    assert!(others.iter().all(|(.., runs)| *runs), "{others:?}");
    assert_eq!(namespaces_of(&neighbour.config.prefix).len(), 8);
    assert_eq!(fs::read("/etc/resolv.conf").expect("still there"), resolver);
}

#[test]
fn down_works_from_the_journal_alone_and_after_a_crash() {
    let mut network = Network::up(Tpid::Dot1ad);
    let lab = network.take();
    // The one who built it is gone without a word; so is the OLT, and one of the namespaces.
    let olt = lab.running("olt").expect("it runs");
    signal::kill(Pid::from_raw(olt.pid), signal::Signal::SIGKILL).expect("killed");
    drop(lab);
    ip(&format!("netns del {}", network.namespace("inet")));
    Lab::load(&network.config.state_dir).expect("the journal is there").down().expect("down");
    assert_nothing_left(&network);
    assert!(Lab::load(&network.config.state_dir).is_err());
}

#[test]
fn up_again_keeps_what_runs_and_starts_what_ended() {
    let mut network = Network::up(Tpid::Dot1ad);
    let (olt, web) = (network.lab().running("olt"), network.lab().running("web").expect("it runs"));
    signal::kill(Pid::from_raw(web.pid), signal::Signal::SIGKILL).expect("killed");
    drop(network.take());
    // The one who started it has not asked for its exit status: dead, but not gone from the table.
    while web.is_alive() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let again = Lab::up_network(network.config.clone(), &mut |_| {}).expect("up again");
    assert_eq!(again.running("olt"), olt);
    assert!(again.running("web").is_some_and(|now| now != web));
}

#[test]
fn a_namespace_that_is_there_already_is_left_alone() {
    struct Foreign(String);
    impl Drop for Foreign {
        fn drop(&mut self) {
            ip(&format!("netns del {}", self.0));
        }
    }
    let state = tempfile::tempdir().expect("a temporary directory");
    let config = config(state.path(), Tpid::Dot1ad);
    let foreign = Foreign(format!("{}upstream", config.prefix));
    ip(&format!("netns add {}", foreign.0));
    let error = Lab::up_network(config.clone(), &mut |_| {}).expect_err("it is in the way").to_string();
    assert!(error.contains(&foreign.0) && error.contains("ip netns del"), "{error}");
    assert_eq!(
        namespaces_of(&config.prefix),
        BTreeSet::from([foreign.0.clone()]),
        "half-built is taken down"
    );
}

#[test]
fn the_internet_answers_the_upstream_router() {
    let mut network = Network::up(Tpid::Dot1ad);
    let page = network.lab().page();
    // Nobody serves the homes here; the router itself asks.
    let fetched = network.lab().fetch("upstream", &format!("{page}bytes/100000")).expect("a page");
    assert_eq!((fetched.status, fetched.bytes), (200, 100_000));
    let seen = network.lab().fetch("upstream", &page).expect("a page").body;
    assert!(seen.starts_with("192.0.2.65 "), "{seen}");
    let routes = network.lab().exec("upstream", &["ip", "route"]).expect("routes").stdout;
    assert!(routes.contains("198.51.100.0/24 via 192.0.2.2 dev core"), "{routes}");
    let error = network.lab().lease("home3", Duration::ZERO).expect_err("it has no client").to_string();
    assert!(error.contains("home3 has no lease"), "{error}");
}

#[test]
fn interfaces_of_the_machine_are_lent_and_given_back() {
    // The machine is a namespace of the test's own.
    let machine = NetNs::unnamed().expect("a namespace");
    let work = || {
        ip("link add ext0 type veth peer name ext1");
        ip("link add ext2 type veth peer name ext3");
        let mut network = Network::with(Tpid::Dot1ad, |config| {
            config.access = Some("ext0".parse().expect("a name"));
            config.upstream = Some("ext2".parse().expect("a name"));
        });
        let node = ip(&format!("-n {} -br link", network.namespace("node1")));
        assert!(node.contains("access0@") && node.contains("core0@"), "{node}");
        assert_eq!(network.lab().status().len(), 2, "node and office");
        assert!(!ip("-br link").contains("ext0@"));
        network.take().down().expect("down");
        let back = ip("-br link");
        assert!(back.contains("ext0@ext1") && back.contains("ext2@ext3"), "{back}");
        assert_nothing_left(&network);

        ip("addr add 192.0.2.9/24 dev ext0");
        let state = tempfile::tempdir().expect("a temporary directory");
        let mut config = config(state.path(), Tpid::Dot1ad);
        config.access = Some("ext0".parse().expect("a name"));
        let error = Lab::up_network(config, &mut |_| {}).expect_err("it is in use").to_string();
        assert!(error.contains("ip addr flush dev ext0"), "{error}");
    };
    machine.run(work).expect("entered");
}

/// What the message must name, and how to spoil a configuration so that it does.
type Case = (&'static str, fn(&mut lab::LabConfig));

#[test]
fn configurations_that_cannot_be_are_refused_by_name() {
    let state = tempfile::tempdir().expect("a temporary directory");
    let good = config(state.path(), Tpid::Dot1ad);
    let cases: [Case; 5] = [
        ("prefix", |config| config.prefix = "lab-".into()),
        ("taken", |config| config.homes[0].name = "olt".into()),
        ("tags 100.2", |config| config.homes[0].c_vid = config.homes[1].c_vid),
        ("routed_to_node", |config| config.routed_to_node = vec!["198.51.100.1/24".into()]),
        ("state_dir", |config| config.state_dir = "here".into()),
    ];
    for (named, change) in cases {
        let mut config = good.clone();
        change(&mut config);
        let error = Lab::up_network(config, &mut |_| {}).expect_err(named).to_string();
        assert!(error.contains(named), "{named}: {error}");
    }
    assert_eq!(namespaces_of(&good.prefix), BTreeSet::new());
}
