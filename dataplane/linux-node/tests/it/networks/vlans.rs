//! VLANs, of both kinds of tags, which the machine's own kernel need not have: Debian's has.

use linux_node::Netlink;
use vm::{Files, Kernel};

use super::{settle, state};
use crate::support::{in_new_namespace, ip, run};

const PORT: &str = r#"{"kind":"port","name":"core0","role":"core","mtu":1600,"addresses":[]}"#;
const OUTER: &str = r#"{"kind":"link","name":"wc-s100","type":{"vlan":{"parent":"core0","id":100,"tpid":"0x88a8"}},"mtu":1504,"addresses":[]}"#;
const INNER: &str = r#"{"kind":"link","name":"wc-c7","type":{"vlan":{"parent":"wc-s100","id":7,"tpid":"0x8100"}},"mtu":1500,"addresses":["192.0.2.1/24"]}"#;
const BRIDGE: &str = r#"{"kind":"link","name":"wc-br","type":"vlanAwareBridge","mtu":1500,"addresses":[]}"#;
const TRUNK: &str = r#"{"kind":"link","name":"wc-t","type":{"veth":{"peer":"wc-t1"}},"mtu":1500,"addresses":[],"bridge":{"bridge":"wc-br","vlans":[{"id":10},{"id":20}]}}"#;
const ACCESS: &str = r#"{"kind":"link","name":"wc-a","type":{"veth":{"peer":"wc-a1"}},"mtu":1500,"addresses":[],"bridge":{"bridge":"wc-br","vlans":[{"id":10,"untagged":true}]}}"#;

#[test]
#[ignore = "needs 802.1Q and VLANs of bridges: run by `debian_12s_kernel_has_vlans_and_the_rest`"]
fn vlans_stand_on_ports_and_on_each_other() {
    in_new_namespace(async || {
        ip("link add core0 type veth peer name far0");
        ip("link set dev far0 mtu 1600 up");
        let netlink = Netlink::connect().expect("connected");
        settle(&netlink, &state(&[PORT, OUTER, INNER])).await;
        assert!(ip("-d link show wc-s100").contains("vlan protocol 802.1ad id 100"));
        assert!(ip("-d link show wc-c7").contains("vlan protocol 802.1Q id 7"));
        // The other end, by another hand, and a packet.
        ip("netns add wc-far");
        ip("link set dev far0 netns wc-far");
        for line in [
            "link set dev far0 mtu 1600 up",
            "link add s100 link far0 type vlan protocol 802.1ad id 100",
            "link add c7 link s100 type vlan protocol 802.1Q id 7",
            "link set dev s100 up",
            "link set dev c7 up",
            "address add 192.0.2.2/24 dev c7",
        ] {
            ip(&format!("-n wc-far {line}"));
        }
        assert!(run("ping -c 1 -W 5 192.0.2.2").contains(" 0% packet loss"));
        // The outer one anew takes the inner one with it, which comes again with its address.
        let renumbered = OUTER.replace("\"id\":100", "\"id\":101");
        settle(&netlink, &state(&[PORT, &renumbered, INNER])).await;
        assert!(ip("-br address show wc-c7").contains("192.0.2.1/24"));
        // Somebody else's stands on it: it stays.
        ip("link add link wc-c7 name theirs type vlan id 9");
        let kept = node_plan::kernel::plan(&netlink.observe().await.expect("observed"), &state(&[PORT]));
        assert!(kept.to_string().contains("wc-c7 stays, for theirs is on it, which is not ours"), "{kept}");
        ip("link del theirs");
        settle(&netlink, &state(&[PORT])).await;
        assert!(!ip("-br link").contains("wc-"));
        ip("netns del wc-far");
    });
}

#[test]
#[ignore = "needs 802.1Q and VLANs of bridges: run by `debian_12s_kernel_has_vlans_and_the_rest`"]
fn a_vlan_aware_bridge_keeps_vlans_apart() {
    in_new_namespace(async || {
        let netlink = Netlink::connect().expect("connected");
        let desired = state(&[BRIDGE, TRUNK, ACCESS]);
        settle(&netlink, &desired).await;
        let vlans = run("bridge -c vlan show");
        assert!(vlans.contains("10 PVID Egress Untagged") && !vlans.contains(" 1 PVID"), "{vlans}");
        ip("netns add wc-host");
        for (end, line) in [("wc-a1", "192.0.2.1/24"), ("wc-t1", "")] {
            ip(&format!("link set dev {end} netns wc-host"));
            ip(&format!("-n wc-host link set dev {end} up"));
            if !line.is_empty() {
                ip(&format!("-n wc-host address add {line} dev {end}"));
            }
        }
        ip("netns add wc-trunk");
        ip("-n wc-host link set dev wc-t1 netns wc-trunk");
        ip("-n wc-trunk link set dev wc-t1 up");
        for (id, address) in [(10, "192.0.2.2/24"), (20, "192.0.2.3/24")] {
            ip(&format!("-n wc-trunk link add v{id} link wc-t1 type vlan id {id}"));
            ip(&format!("-n wc-trunk link set dev v{id} up"));
            ip(&format!("-n wc-trunk address add {address} dev v{id}"));
        }
        assert!(run("ip netns exec wc-host ping -c 1 -W 5 192.0.2.2").contains(" 0% packet loss"));
        // By other hands, and mended.
        run("bridge vlan del dev wc-t vid 10");
        run("bridge vlan add dev wc-t vid 30");
        run("bridge vlan add dev wc-a vid 20 pvid untagged");
        settle(&netlink, &desired).await;
        assert!(run("ip netns exec wc-host ping -c 1 -W 5 192.0.2.2").contains(" 0% packet loss"));
        ip("netns del wc-host");
        ip("netns del wc-trunk");
    });
}

#[test]
fn debian_12s_kernel_has_vlans_and_the_rest() {
    let files =
        Files::new().and_then(|files| files.program("bridge")).and_then(|files| files.program("ping"));
    let files = files.unwrap_or_else(|e| panic!("{e}"));
    let tests = [
        "networks::vlans::vlans_stand_on_ports_and_on_each_other",
        "networks::vlans::a_vlan_aware_bridge_keeps_vlans_apart",
        "networks::networks_come_to_be_are_mended_and_go",
        "networks::a_bridge_stays_while_somebody_elses_port_is_on_it",
        "networks::traffic::two_nodes_are_one_network",
    ];
    let arguments = [&["--include-ignored", "--exact"], &tests[..]].concat();
    let done = vm::rerun(Kernel::Debian12, files, &arguments).unwrap_or_else(|e| panic!("{e}"));
    println!("{}", done.stdout);
    assert_eq!(done.status, 0, "{}", done.stderr);
    for test in tests {
        assert!(done.stdout.contains(&format!("test {test} ... ok")), "{test} did not run");
    }
}
