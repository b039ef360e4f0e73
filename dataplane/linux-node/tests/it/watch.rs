//! Changes, neighbours and errors.

use std::{net::Ipv4Addr, time::Duration};

use linux_node::{Change, Changes, NetNs, Netlink, RouteNews};
use net_types::{BroadcastLimit, IfName, Mac, ReversePath, Tpid};
use node_plan::kernel::plan;
use node_state::{NodeState, Port, PortRole, Resource};

use crate::support::{in_new_namespace, ip, ip_batch};

const PATIENCE: Duration = Duration::from_secs(20);

fn name(text: &str) -> IfName {
    text.parse().expect("legal")
}

async fn wait_for(changes: &mut Changes, wanted: impl Fn(&Change) -> bool) {
    let seek = async { while !wanted(&changes.next().await.expect("read")) {} };
    tokio::time::timeout(PATIENCE, seek).await.expect("the change is told");
}

#[test]
fn changes_of_links_and_addresses_are_told() {
    in_new_namespace(async || {
        let mut changes = Netlink::changes().expect("subscribed");
        ip("link add name a type veth peer name b");
        let netlink = Netlink::connect().expect("connected");
        let a = netlink.interface(&name("a")).await.expect("asked").expect("there");
        assert_eq!((a.name.as_str(), a.mtu, a.up), ("a", 1500, false));
        assert!(a.mac.is_some());
        assert_eq!(netlink.interface(&name("c")).await.expect("asked"), None);
        wait_for(&mut changes, |change| *change == Change::Link { ifindex: a.index }).await;
        ip("link set dev a up");
        ip("addr add 192.0.2.1/30 dev a");
        wait_for(&mut changes, |change| *change == Change::Address { ifindex: a.index }).await;
    });
}

#[test]
fn more_changes_than_can_be_held_are_told_as_lost() {
    in_new_namespace(async || {
        let mut changes = Netlink::changes().expect("subscribed");
        ip("link add name c type veth peer name d");
        let line = |n: u32| format!("link set dev c mtu {}", 1000 + n % 2);
        ip_batch("", &(0..20_000).map(line).collect::<Vec<_>>());
        wait_for(&mut changes, |change| *change == Change::Lost).await;
        // And it goes on after, once what it could hold has been read.
        while tokio::time::timeout(Duration::from_millis(100), changes.next()).await.is_ok() {}
        ip("link add name a type veth peer name b");
        wait_for(&mut changes, |change| matches!(change, Change::Link { .. })).await;
    });
}

#[test]
fn a_neighbour_is_resolved_kept_and_told() {
    in_new_namespace(async || {
        let other = NetNs::unnamed().expect("made");
        ip("link add name a type veth peer name b");
        ip("addr add 192.0.2.1/30 dev a");
        ip("link set dev a up");
        let netlink = Netlink::connect().expect("connected");
        let mut feed = Netlink::routes().expect("subscribed");
        let a = netlink.interface(&name("a")).await.expect("asked").expect("there").index;
        let gateway = Ipv4Addr::new(192, 0, 2, 2);
        let mac: Mac = "02:00:00:00:00:22".parse().expect("legal");
        assert_eq!(netlink.neighbour(a, gateway).await.expect("asked"), None);
        netlink.keep_resolved(a, gateway).await.expect("asked for");
        assert_eq!(netlink.neighbour(a, gateway).await.expect("asked"), None, "nobody is there");

        // The neighbour comes only now: the kernel must go on asking by itself.
        ip("link set dev b address 02:00:00:00:00:22");
        std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel();
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let other = &other;
            scope.spawn(move || {
                other.run(move || {
                    tell.send(nix::unistd::gettid()).expect("listened to");
                    ended.recv().expect("told when b is there");
                    ip("addr add 192.0.2.2/30 dev b");
                    ip("link set dev b up");
                })
            });
            let thread = told.recv().expect("told");
            ip(&format!("link set dev b netns {thread}"));
            end.send(()).expect("listened to");
        });
        let wanted = RouteNews::Neighbour { ifindex: a, address: gateway.into(), mac: Some(mac) };
        let seek = async { while !feed.next().await.expect("read").contains(&wanted) {} };
        tokio::time::timeout(PATIENCE, seek).await.expect("the neighbour is told");
        assert_eq!(netlink.neighbour(a, gateway).await.expect("asked"), Some(mac));
        netlink.keep_resolved(a, gateway).await.expect("again");
        assert_eq!(
            netlink.neighbour(a, gateway).await.expect("asked"),
            Some(mac),
            "asking again forgets nothing"
        );

        ip("neigh replace 192.0.2.2 lladdr 02:00:00:00:00:33 nud permanent dev a");
        netlink.keep_resolved(a, gateway).await.expect("again");
        assert!(ip("neigh show").contains("02:00:00:00:00:33 PERMANENT"), "what was set by hand stays");
    });
}

#[test]
fn outcomes_are_told_by_resource_in_words() {
    in_new_namespace(async || {
        ip("link add name a type veth peer name b");
        let role = PortRole::Access {
            outer_tpid: Tpid::Dot1ad,
            priority_from_dscp: false,
            dscp_from_priority: false,
            broadcast_limit: BroadcastLimit::default(),
        };
        let port = |port: &str, mtu: u16| {
            let addresses = ["192.0.2.2/30".parse().expect("legal")].into();
            Resource::Port(Port { name: name(port), role, mtu, addresses, reverse_path: ReversePath::Off })
        };
        // A veth takes no MTU over 65535, which the tags go beyond; `nothing` is not there.
        let (big, missing) = (port("a", 65535), port("nothing", 1500));
        let desired: NodeState = [big.clone(), missing.clone()].into_iter().collect();
        let netlink = Netlink::connect().expect("connected");
        let first = plan(&netlink.observe().await.expect("observed"), &desired);
        let outcomes = netlink.execute(&first).await;
        let told =
            |resource: &Resource| outcomes.resources[&resource.key()].clone().expect_err("it cannot be");
        assert_eq!(told(&missing), "this node has no interface nothing");
        assert!(told(&big).starts_with("set MTU of a from 1500 to 65543: "), "{}", told(&big));
        assert!(!outcomes.is_ok());
        // The rest was done all the same.
        assert!(ip("addr show dev a").contains("192.0.2.2/30"));
    });
}
