//! Instances on two nodes, which are on one network, over an underlay of either family.

use linux_node::{NetNs, Netlink};

use super::{settle, state};
use crate::support::{ip, run, try_ip};

/// Named namespaces, which go with this.
struct Namespaces(Vec<String>);

impl Namespaces {
    fn new(names: &[&str]) -> Self {
        let names: Vec<_> =
            names.iter().map(|name| format!("wc-net-{}-{name}", std::process::id())).collect();
        for name in &names {
            ip(&format!("netns add {name}"));
        }
        Self(names)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.0 {
            drop(try_ip(&format!("netns del {name}")));
        }
    }
}

/// Of a node: its links, and where the other node's station is.
fn node(own: &str, other: &str, station: u8) -> Vec<String> {
    vec![
        r#"{"kind":"link","name":"wc-br7","type":"bridge","mtu":1450,"addresses":[]}"#.to_owned(),
        format!(
            r#"{{"kind":"link","name":"wc-vx7","type":{{"vxlan":{{"vni":7,"local":"{own}"}}}},"mtu":1450,"addresses":[],"bridge":{{"bridge":"wc-br7","learning":false}},"flood":["{other}"]}}"#
        ),
        r#"{"kind":"link","name":"wc-i0","type":{"veth":{"peer":"wc-eth0"}},"mtu":1450,"addresses":[],"bridge":{"bridge":"wc-br7"}}"#
            .to_owned(),
        format!(
            r#"{{"kind":"station","link":"wc-vx7","mac":"02:00:00:00:00:0{station}","remote":"{other}","addresses":["192.0.2.{station}","2001:db8:7::{station}"]}}"#
        ),
    ]
}

fn make(node_name: &str, resources: &[String]) {
    let namespace = NetNs::named(node_name).expect("it was made");
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let netlink = Netlink::connect().expect("connected");
            let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
            settle(&netlink, &state(&resources)).await;
        });
    };
    namespace.run(work).expect("in the namespace");
}

#[test]
fn two_nodes_are_one_network() {
    for (underlay, addresses) in [("", ["10.0.0.1", "10.0.0.2"]), ("-6", ["2001:db8::1", "2001:db8::2"])] {
        let len = if underlay.is_empty() { 24 } else { 64 };
        let namespaces = Namespaces::new(&["n1", "n2", "i1", "i2"]);
        let [n1, n2, i1, i2] = namespaces.0.as_slice() else { unreachable!("four") };
        ip(&format!("link add up0 netns {n1} type veth peer name up0 netns {n2}"));
        for (node, address) in [(n1, addresses[0]), (n2, addresses[1])] {
            ip(&format!("-n {node} link set dev lo up"));
            ip(&format!("-n {node} link set dev up0 mtu 1600 up"));
            let nodad = if underlay.is_empty() { "" } else { " nodad" };
            ip(&format!("-n {node} address add {address}/{len} dev up0{nodad}"));
        }
        make(n1, &node(addresses[0], addresses[1], 2));
        make(n2, &node(addresses[1], addresses[0], 1));
        for (node, instance, number) in [(n1, i1, 1), (n2, i2, 2)] {
            ip(&format!("-n {node} link set dev wc-eth0 netns {instance}"));
            ip(&format!("-n {instance} link set dev wc-eth0 address 02:00:00:00:00:0{number} up"));
            ip(&format!("-n {instance} address add 192.0.2.{number}/24 dev wc-eth0"));
            ip(&format!("-n {instance} address add 2001:db8:7::{number}/64 dev wc-eth0 nodad"));
        }
        // The other end of the pair is elsewhere: that is as it should be.
        make(n1, &node(addresses[0], addresses[1], 2));
        for to in ["192.0.2.2", "2001:db8:7::2"] {
            let told = run(&format!("ip netns exec {i1} ping -c 2 -i 0.2 -W 5 {to}"));
            assert!(told.contains(" 0% packet loss"), "{told}");
        }
        // The bridge answered for the station whose address is known: nobody was asked over the underlay.
        let known = ip(&format!("-n {i1} neigh show 192.0.2.2 dev wc-eth0"));
        assert!(known.contains("02:00:00:00:00:02"), "{known}");
        // A station nobody wrote down is found by asking all.
        ip(&format!("-n {i2} address add 192.0.2.22/24 dev wc-eth0"));
        let told = run(&format!("ip netns exec {i1} ping -c 1 -W 5 192.0.2.22"));
        assert!(told.contains(" 0% packet loss"), "{told}");
        // The node itself is not on the network: it has no address there, not even a link-local one.
        let own = ip(&format!("-n {n1} -6 address show dev wc-br7"));
        assert_eq!(own, "");
    }
}
