//! The walled garden, from an operator's word to a subscriber's browser.

use serde_json::{Value, json};

use crate::{
    office::{Office, PATIENCE, bin_dir},
    server::Server,
};

/// The portal, which is in the garden; its page tells who asks, as the Internet host's does, which is not.
const PORTAL: &str = "192.0.2.80";
const OUTSIDE: &str = "192.0.2.66";
/// What the web server says when it listens.
const READY: &str = "ready";
/// What the bundles' resolver is called, which is in no garden.
const RESOLVER: &str = "192.0.2.53";

/// An office with a resolver and a second web server on the Internet, and all homes on line.
fn office() -> (Office, [Server; 2]) {
    let mut office = Office::up("garden", "0x88a8");
    office.provision();
    for address in [PORTAL, RESOLVER] {
        let here = format!("ip address add {address}/32 dev lo");
        assert_eq!(office.exec("inet", &here).0, 0, "{here}");
        let there = format!("ip route add {address}/32 via {OUTSIDE}");
        assert_eq!(office.exec("upstream", &there).0, 0, "{there}");
    }
    let web = bin_dir().join("wc-lab");
    let listen = format!("{PORTAL}:80");
    let web = Server::start(
        &mut office,
        "inet",
        &[web.to_str().expect("UTF-8"), "web", "--listen", &listen],
        READY,
    );
    let listen = format!("--listen-address={RESOLVER}");
    let names = format!("--address=/news.example/{OUTSIDE}");
    let quiet =
        ["--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=", "--user=root"];
    let arguments = [&["dnsmasq"][..], &quiet, &["--bind-interfaces", &listen, &names]].concat();
    let resolver = Server::start(&mut office, "inet", &arguments, "started");
    for home in ["home1", "home2", "home3"] {
        office.lab().lease(home, PATIENCE).expect("a lease");
    }
    (office, [web, resolver])
}

fn set_garden(office: &mut Office, garden: &Value) {
    let node = office.wcctl(&["get", "node", "node1", "-o", "json"]);
    let mut node: Value = serde_json::from_str(&node).expect("JSON");
    node["spec"]["garden"] = garden.clone();
    office.apply(&json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": node["spec"]}));
}

fn set_state(office: &mut Office, subscriber: &str, state: &str) {
    office.change(subscriber, |spec| spec["state"] = json!(state));
}

fn curl(office: &mut Office, home: &str, arguments: &str) -> (i32, String) {
    office.exec(home, &format!("curl --silent --show-error --max-time 5 {arguments}"))
}

fn session(office: &mut Office, subscriber: &str) -> Value {
    let sessions = office.wcnode(&["sessions", subscriber]);
    sessions.as_array().map_or(&sessions, |list| &list[0]).clone()
}

#[test]
fn who_is_suspended_is_sent_to_the_portal_and_who_is_active_again_is_not() {
    let (mut office, _servers) = office();
    let page = |office: &mut Office, home| curl(office, home, "http://news.example/");
    assert!(page(&mut office, "home1").1.starts_with("198.51.100."), "names are known");
    let garden = json!({"portal": format!("http://{PORTAL}/pay"), "allowed": [format!("{PORTAL}/32")]});
    set_garden(&mut office, &garden);
    for state in ["suspended", "unauthenticated"] {
        set_state(&mut office, "alice", state);
        in_the_garden(&mut office);
    }
    assert!(page(&mut office, "home2").1.starts_with("198.51.100."), "nobody else is touched");
    a_routed_home_in_the_garden(&mut office);

    set_state(&mut office, "alice", "quarantined");
    assert_ne!(curl(&mut office, "home1", "http://192.0.2.66/").0, 0);
    assert!(!office.pings("home1", PORTAL) && !office.pings("home1", "100.64.0.1"));
    assert_eq!(session(&mut office, "alice")["garden"], false);
    office.lab().restart_client("home1").expect("restarts");
    office.lab().lease("home1", PATIENCE).expect("a lease, and nothing to do with it");

    set_state(&mut office, "alice", "active");
    let (status, said) = page(&mut office, "home1");
    assert!(status == 0 && said.starts_with("198.51.100."), "at once: {said}");
    assert!(office.pings("home1", OUTSIDE));

    // Without a garden, nothing is left to a suspended subscriber but its line.
    set_garden(&mut office, &Value::Null);
    set_state(&mut office, "alice", "suspended");
    assert_ne!(curl(&mut office, "home1", "http://192.0.2.80/").0, 0);
    assert_eq!(session(&mut office, "alice")["garden"], false);
    office.lab().restart_client("home1").expect("restarts");
    office.lab().lease("home1", PATIENCE).expect("a lease");
}

/// Alice, behind NAT.
fn in_the_garden(office: &mut Office) {
    // A suspended line has an address: its client may begin anew.
    office.lab().restart_client("home1").expect("restarts");
    office.lab().lease("home1", PATIENCE).expect("a lease");
    let before = office.drops("garden");
    for how in ["--head", "--include"] {
        let (status, said) = curl(office, "home1", &format!("{how} http://news.example/today"));
        assert_eq!(status, 0, "{said}");
        assert!(said.starts_with("HTTP/1.1 302 Found\r\n"), "{said}");
        assert!(said.contains(&format!("\r\nLocation: http://{PORTAL}/pay\r\n")), "{said}");
        assert!(said.contains("\r\nCache-Control: no-store\r\n"), "{said}");
    }
    let (status, said) = curl(office, "home1", "--location http://news.example/today");
    assert!(status == 0 && said.starts_with("198.51.100."), "the portal itself: {said}");
    let (status, said) = curl(office, "home1", "https://news.example/");
    assert!(status == 7, "a browser does not wait for HTTPS: {said}");
    assert!(office.pings("home1", PORTAL) && office.pings("home1", "100.64.0.1"));
    assert!(!office.pings("home1", OUTSIDE));
    assert!(office.drops("garden") >= before + 3);
    let session = session(office, "alice");
    assert_eq!((&session["active"], &session["garden"]), (&json!(false), &json!(true)));
    let described = office.wcctl(&["describe", "subscriber", "alice"]);
    assert!(described.contains("only what is in the node's walled garden passes"), "{described}");
    assert!(office.wcctl(&["get", "nodes", "-o", "wide"]).contains(&format!("http://{PORTAL}/pay")));
}

/// Carol's, which the Internet reaches without having been asked.
fn a_routed_home_in_the_garden(office: &mut Office) {
    assert!(office.pings("inet", "203.0.113.10"));
    set_state(office, "carol-inc", "suspended");
    assert!(!office.pings("inet", "203.0.113.10"));
    let (status, said) = office.exec("inet", &format!("ping -n -c 1 -W 2 -I {PORTAL} 203.0.113.10"));
    assert_eq!(status, 0, "{said}");
    let (_, said) = curl(office, "home3", "--head http://192.0.2.66/");
    assert!(said.contains(&format!("Location: http://{PORTAL}/pay")), "{said}");
    set_state(office, "carol-inc", "active");
    assert!(office.pings("inet", "203.0.113.10"));
}
