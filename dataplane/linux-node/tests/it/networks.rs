//! Links of virtual networks: made, mended and removed in a real kernel, and packets through them.

mod traffic;
mod vlans;

use linux_node::Netlink;
use node_plan::kernel::plan;
use node_state::{NodeState, Resource};

use crate::support::{in_new_namespace, ip, run};

const PORT: &str = r#"{"kind":"port","name":"core0","role":"core","mtu":1600,"addresses":[]}"#;
const BRIDGE: &str = r#"{"kind":"link","name":"wc-br7","type":"bridge","mtu":1500,"addresses":[]}"#;
const VXLAN: &str = r#"{"kind":"link","name":"wc-vx7","type":{"vxlan":{"vni":7,"local":"10.0.0.1"}},"mtu":1500,"addresses":[],"bridge":{"bridge":"wc-br7","learning":false},"flood":["10.0.0.2","10.0.0.3"]}"#;
const VXLAN6: &str = r#"{"kind":"link","name":"wc-vx8","type":{"vxlan":{"vni":8,"local":"2001:db8::1","port":8472}},"mtu":1450,"addresses":[],"flood":["2001:db8::2"]}"#;
const TAP: &str = r#"{"kind":"link","name":"wc-tap0","type":"tap","mtu":1500,"addresses":[],"bridge":{"bridge":"wc-br7","isolated":true}}"#;
const PAIR: [&str; 2] = [
    r#"{"kind":"link","name":"wc-p0","type":{"veth":{"peer":"wc-p1"}},"mtu":1500,"addresses":[],"bridge":{"bridge":"wc-br7"}}"#,
    r#"{"kind":"link","name":"wc-p1","type":{"veth":{"peer":"wc-p0"}},"mtu":1450,"addresses":[]}"#,
];
const STATION: &str = r#"{"kind":"station","link":"wc-vx7","mac":"02:00:00:00:00:05","remote":"10.0.0.2","addresses":["192.0.2.5","2001:db8:7::5"]}"#;

pub(super) fn state(resources: &[&str]) -> NodeState {
    resources.iter().map(|text| Resource::decode(text.as_bytes()).expect(text)).collect()
}

/// Makes it so, in one go, and finds it so.
pub(super) async fn settle(netlink: &Netlink, desired: &NodeState) {
    let first = plan(&netlink.observe().await.expect("observed"), desired);
    let outcomes = netlink.execute(&first).await;
    assert!(outcomes.is_ok(), "{outcomes:?} of\n{first}");
    let second = plan(&netlink.observe().await.expect("observed"), desired);
    assert_eq!(second.to_string(), "", "after\n{first}");
}

#[test]
fn networks_come_to_be_are_mended_and_go() {
    in_new_namespace(async || {
        ip("link add core0 type veth peer name far0");
        let netlink = Netlink::connect().expect("connected");
        let desired = state(&[PORT, BRIDGE, VXLAN, VXLAN6, TAP, PAIR[0], PAIR[1], STATION]);
        settle(&netlink, &desired).await;
        // As iproute2 sees it.
        let says = |command: &str, words: &[&str]| {
            let told = run(command);
            for word in words {
                assert!(told.contains(word), "{command}: no {word} in {told}");
            }
        };
        says(
            "ip -d link show wc-vx7",
            &["vxlan id 7", "local 10.0.0.1", "dstport 4789", "nolearning", "master wc-br7"],
        );
        says("ip -d link show wc-vx7", &["neigh_suppress on", "learning off", "addrgenmode none", "UP"]);
        says("ip -d link show wc-vx8", &["vxlan id 8", "local 2001:db8::1", "dstport 8472", "mtu 1450"]);
        says("ip -d link show wc-tap0", &["tun type tap", "persist on", "isolated on", "master wc-br7"]);
        says("ip -d link show wc-p1", &["wc-p0", "mtu 1450", "veth"]);
        says("ip -d link show wc-br7", &["bridge", "mcast_snooping 0", "vlan_filtering 0"]);
        says(
            "bridge fdb show dev wc-vx7",
            &[
                "00:00:00:00:00:00 dst 10.0.0.2 self permanent",
                "00:00:00:00:00:00 dst 10.0.0.3 self permanent",
                "02:00:00:00:00:05 dst 10.0.0.2 self permanent",
            ],
        );
        says("ip neigh show dev wc-br7", &["192.0.2.5 lladdr 02:00:00:00:00:05", "2001:db8:7::5 lladdr"]);

        // Other hands.
        run("bridge fdb del 00:00:00:00:00:00 dev wc-vx7 dst 10.0.0.3");
        run("bridge fdb replace 02:00:00:00:00:05 dev wc-vx7 dst 10.0.0.9");
        run("bridge fdb add 02:00:00:00:00:06 dev wc-vx7 dst 10.0.0.9");
        run("bridge link set dev wc-tap0 isolated off");
        ip("link set dev wc-p0 nomaster down");
        ip("neigh replace 192.0.2.5 lladdr 02:00:00:00:00:07 dev wc-br7 nud permanent");
        ip("link del wc-vx8");
        settle(&netlink, &desired).await;

        // A station moves, a node comes, another goes.
        let moved = STATION.replace("10.0.0.2", "10.0.0.4");
        let flood = VXLAN.replace(r#""10.0.0.3""#, r#""10.0.0.4""#);
        settle(&netlink, &state(&[PORT, BRIDGE, &flood, VXLAN6, TAP, PAIR[0], PAIR[1], &moved])).await;
        says("bridge fdb show dev wc-vx7", &["02:00:00:00:00:05 dst 10.0.0.4 self permanent"]);
        // What cannot be changed is made anew.
        let renumbered = VXLAN.replace("\"vni\":7", "\"vni\":9");
        settle(&netlink, &state(&[PORT, BRIDGE, &renumbered, STATION])).await;
        says("ip -d link show wc-vx7", &["vxlan id 9"]);

        settle(&netlink, &state(&[PORT])).await;
        let left: Vec<_> =
            ip("-br link").lines().map(str::to_owned).filter(|line| line.starts_with("wc-")).collect();
        assert_eq!(left, Vec::<String>::new());
    });
}

#[test]
fn a_bridge_stays_while_somebody_elses_port_is_on_it() {
    in_new_namespace(async || {
        ip("link add core0 type veth peer name far0");
        let netlink = Netlink::connect().expect("connected");
        settle(&netlink, &state(&[PORT, BRIDGE])).await;
        ip("link add theirs type veth peer name vm0");
        ip("address add 192.0.2.9/24 dev theirs");
        ip("link set dev theirs master wc-br7 up");
        let bare = state(&[PORT]);
        let kept = plan(&netlink.observe().await.expect("observed"), &bare);
        let text = "cannot: wc-br7 stays, for theirs is a port of it, which is not ours (ours, and no longer wanted)\n";
        assert_eq!(kept.to_string(), text);
        let outcomes = netlink.execute(&kept).await;
        assert_eq!(outcomes.strays.len(), 1, "{outcomes:?}");
        assert!(ip("-br address show theirs").contains("192.0.2.9/24"));
        ip("link set dev theirs nomaster");
        settle(&netlink, &bare).await;
        assert!(ip("-br address show theirs").contains("192.0.2.9/24"));
    });
}

#[test]
fn what_cannot_be_is_told_and_the_rest_is_done() {
    in_new_namespace(async || {
        ip("link add core0 type veth peer name far0");
        ip("link add wc-br7 type bridge");
        let netlink = Netlink::connect().expect("connected");
        let desired = state(&[PORT, BRIDGE, VXLAN, TAP, STATION]);
        let plan = plan(&netlink.observe().await.expect("observed"), &desired);
        let text = plan.to_string();
        for word in [
            "cannot: there is a link wc-br7 already, which is not ours: rename or remove it (for link/wc-br7)",
            "cannot: wc-br7 is no bridge that can be there (for link/wc-tap0)",
            "make wc-vx7, VXLAN 7 from 10.0.0.1, with MTU 1500 (for link/wc-vx7)",
            "send to 02:00:00:00:00:05 by wc-vx7 at 10.0.0.2 (for station/wc-vx7/02:00:00:00:00:05)",
        ] {
            assert!(text.contains(word), "no {word} in\n{text}");
        }
        let outcomes = netlink.execute(&plan).await;
        assert!(ip("-d link show wc-vx7").contains("vxlan id 7"), "{outcomes:?}");
    });
}
