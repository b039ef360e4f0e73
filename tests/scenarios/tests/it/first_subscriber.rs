//! The main job: a request at the API, and a home is on line.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    office::{Office, PATIENCE},
    server::Server,
};

#[test]
fn subscribers_get_on_line() {
    let mut office = Office::up("online", "0x88a8");
    assert!(office.lab().lease("home1", Duration::from_secs(3)).is_err(), "nobody is provisioned yet");
    office.provision();
    natted_home_is_seen_with_its_port_block(&mut office, "home1", "alice");
    natted_home_is_seen_with_its_port_block(&mut office, "home2", "bob");
    routed_home_is_seen_with_its_own_address(&mut office);
    large_transfers_arrive_whole(&mut office);
    icmp_behaves_as_on_a_router(&mut office);
    subscribers_reach_each_other(&mut office);
    spoofed_packets_are_dropped_and_counted(&mut office);
    the_controller_knows_what_the_node_counts(&mut office);
    a_change_of_rate_leaves_the_session_alone(&mut office);
    a_suspended_subscriber_is_cut_off_and_comes_back(&mut office);
    no_edge_no_packet(&mut office);
    a_deleted_subscriber_leaves_nothing(&mut office);
}

#[test]
fn an_outer_tag_of_0x8100_serves_as_well() {
    let mut office = Office::up("dot1q", "0x8100");
    // The port sends what it is told to; the OLT here speaks 0x8100.
    let node = office.wcctl(&["get", "node", "node1", "-o", "json"]);
    let mut node: serde_json::Value = serde_json::from_str(&node).expect("JSON");
    node["spec"]["ports"][0]["outerTpid"] = json!("0x8100");
    office.apply(&json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": node["spec"]}));
    office.provision();
    natted_home_is_seen_with_its_port_block(&mut office, "home1", "alice");
    routed_home_is_seen_with_its_own_address(&mut office);
}

fn natted_home_is_seen_with_its_port_block(office: &mut Office, home: &str, subscriber: &str) {
    let lease = office.lab().lease(home, PATIENCE).expect("a lease");
    let status = office.subscriber(subscriber)["status"].clone();
    assert_eq!(json!(lease.address), status["address"], "{subscriber}");
    assert_eq!(json!(lease.router), status["gateway"], "{subscriber}");
    assert_eq!(lease.prefix_len, 16);
    let page = office.lab().page();
    let page = office.lab().fetch(home, &page).expect("a page");
    assert_eq!(page.status, 200);
    let (address, port) = page.body.trim().split_once([' ', ':']).expect("address and port");
    let nat = &status["nat"];
    assert_eq!(json!(address), nat["address"], "{}", page.body);
    let (first, ports) = (nat["firstPort"].as_u64().expect("a port"), nat["ports"].as_u64().expect("ports"));
    let port: u64 = port.parse().expect("a port");
    assert!((first..first + ports).contains(&port), "{port} of {nat}");
}

fn routed_home_is_seen_with_its_own_address(office: &mut Office) {
    let lease = office.lab().lease("home3", PATIENCE).expect("a lease");
    let status = office.subscriber("carol-inc")["status"].clone();
    assert_eq!(json!(lease.address), status["address"]);
    assert_eq!((lease.address.to_string().as_str(), lease.prefix_len), ("203.0.113.10", 29));
    let page = office.lab().page();
    let page = office.lab().fetch("home3", &page).expect("a page");
    assert!(page.body.starts_with("203.0.113.10"), "{}", page.body);
    // From the Internet to the home, and to another address of its subnet, which the home's router has behind it.
    assert!(office.pings("inet", "203.0.113.10"));
    assert_eq!(office.exec("home3", "ip address add 203.0.113.12/32 dev lo").0, 0);
    assert!(office.pings("inet", "203.0.113.12"));
}

fn large_transfers_arrive_whole(office: &mut Office) {
    for (home, bytes) in [("home1", 3_000_000), ("home3", 3_000_000)] {
        let url = format!("{}bytes/{bytes}", office.lab().page());
        let fetched = office.lab().fetch(home, &url).expect("a download");
        assert_eq!((fetched.status, fetched.bytes), (200, bytes), "{home}");
    }
}

fn icmp_behaves_as_on_a_router(office: &mut Office) {
    assert!(office.pings("home1", "192.0.2.66"), "an echo through NAT");
    let (_, first_hop) = office.exec("home1", "ping -n -c 1 -t 1 -W 2 192.0.2.66");
    assert!(first_hop.contains("From 100.64.0.1"), "time exceeded comes from the gateway: {first_hop}");
    // The hop after the office answers too: an error that NAT has to bring home.
    let (_, second_hop) = office.exec("home1", "ping -n -c 1 -t 2 -W 2 192.0.2.66");
    assert!(second_hop.contains("From 192.0.2.1"), "an error is translated back: {second_hop}");
    assert!(office.pings("home1", "100.64.0.1"), "the gateway answers");
    for home in ["home1", "home3"] {
        let (status, said) = office.exec(home, "ping -n -c 2 -i 0.2 -W 2 -s 4000 192.0.2.66");
        assert_eq!(status, 0, "fragments of {home}: {said}");
    }
}

fn subscribers_reach_each_other(office: &mut Office) {
    assert!(office.pings("home1", "203.0.113.10"), "from behind NAT to a routed home");
    // A connection to a server in the other home, both ends served by this node.
    let _server = Server::who_asks(office, "home3");
    let (status, said) = office.exec("home2", "curl -sS --max-time 5 http://203.0.113.10:8080/");
    assert_eq!((status, said.starts_with("198.51.100.")), (0, true), "{said}");
}

fn spoofed_packets_are_dropped_and_counted(office: &mut Office) {
    let before = office.drops("source_address");
    assert_eq!(office.exec("home1", "ip address add 100.64.200.200/32 dev eth0").0, 0);
    assert_ne!(office.exec("home1", "ping -n -c 3 -i 0.2 -W 1 -I 100.64.200.200 192.0.2.66").0, 0);
    assert!(office.drops("source_address") >= before + 3);
    assert_eq!(office.exec("home1", "ip address del 100.64.200.200/32 dev eth0").0, 0);

    let before = office.drops("source_mac");
    let (_, shown) = office.exec("home2", "cat /sys/class/net/eth0/address");
    assert_eq!(office.exec("home2", "ip link set eth0 address 02:0b:ad:0b:ad:01").0, 0);
    assert_ne!(office.exec("home2", "ping -n -c 3 -i 0.2 -W 1 192.0.2.66").0, 0);
    assert!(office.drops("source_mac") > before);
    assert_eq!(office.exec("home2", &format!("ip link set eth0 address {}", shown.trim())).0, 0);
    assert!(office.pings("home2", "192.0.2.66"), "the rightful device is served again");
}

/// Agents tell it every ten seconds.
fn the_controller_knows_what_the_node_counts(office: &mut Office) {
    let wanted = [
        r#"wirecenter_node_dropped_frames_total{node="node1",reason="source_mac",stage="volt"} "#,
        r#"wirecenter_node_stage_frames_total{node="node1",stage="vbng",direction="up",what="out"} "#,
    ];
    let count = |text: &str, name: &str| {
        let sample = text.lines().find_map(|line| line.strip_prefix(name));
        sample.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
    };
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let mut ask = Command::new("curl");
        ask.args(["--silent", "--show-error", "--fail", "http://localhost/metrics", "--unix-socket"]);
        let told = ask.arg(office.lab().socket()).output().expect("curl (apt-get install curl)");
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        if wanted.iter().all(|name| count(&text, name) > 0) {
            return;
        }
        assert!(Instant::now() < deadline, "{text}{}", String::from_utf8_lossy(&told.stderr));
        thread::sleep(Duration::from_millis(500));
    }
}

fn packets_up(office: &mut Office, subscriber: &str) -> u64 {
    let sessions = office.wcnode(&["sessions", subscriber]);
    let session = sessions.as_array().map_or(&sessions, |list| &list[0]);
    session["up"]["packets"].as_u64().unwrap_or_else(|| panic!("counters in {sessions}"))
}

fn a_change_of_rate_leaves_the_session_alone(office: &mut Office) {
    let before = packets_up(office, "bob");
    assert!(before > 0);
    office.change("bob", |spec| spec["bundle"]["rateDown"] = json!("40M"));
    assert!(office.pings("home2", "192.0.2.66"), "no new lease is needed");
    assert!(packets_up(office, "bob") > before, "counters go on");
}

fn a_suspended_subscriber_is_cut_off_and_comes_back(office: &mut Office) {
    office.change("bob", |spec| spec["state"] = json!("suspended"));
    assert!(!office.pings("home2", "192.0.2.66"));
    assert!(office.pings("home1", "192.0.2.66"), "nobody else is touched");
    office.change("bob", |spec| spec["state"] = json!("active"));
    assert!(office.pings("home2", "192.0.2.66"));
}

/// The tenancy graph is the only source of connectivity, down to the packet.
fn no_edge_no_packet(office: &mut Office) {
    // Which device DHCP saw last goes with the session: this one is named, and need not ask again.
    let (_, shown) = office.exec("home1", "cat /sys/class/net/eth0/address");
    office.change("alice", |spec| spec["mac"] = json!(shown.trim()));
    let tenancy = office.wcctl(&["get", "tenant", "vcpe-vbng", "-o", "json"]);
    let tenancy: serde_json::Value = serde_json::from_str(&tenancy).expect("JSON");
    office.wcctl(&["delete", "tenant", "vcpe-vbng"]);
    office.wcctl(&["wait", "--for=condition=Ready=False", "--timeout=30s", "subscriber/alice"]);
    office.until_programmed(0);
    assert!(!office.pings("home1", "192.0.2.66"));
    let described = office.wcctl(&["describe", "subscriber", "alice"]);
    assert!(described.contains("provides internet-route"), "{described}");
    office.apply(&json!({"kind": "Tenant", "metadata": {"name": "vcpe-vbng"}, "spec": tenancy["spec"]}));
    office.wait_ready(&["alice", "bob", "carol-inc"]);
    office.until_programmed(3);
    assert!(office.pings("home1", "192.0.2.66"));
}

fn a_deleted_subscriber_leaves_nothing(office: &mut Office) {
    office.wcctl(&["delete", "subscriber", "bob"]);
    office.wcctl(&["wait", "--for=delete", "--timeout=30s", "subscriber/bob"]);
    assert!(!office.wcctl(&["get", "tenants", "-o", "name"]).contains("bob"), "its tenancies go with it");
    assert!(!office.pings("home2", "192.0.2.66"));
    assert!(office.drops("unknown_tags") > 0);
    assert!(office.pings("home1", "192.0.2.66"));
}
