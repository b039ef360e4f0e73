//! What stands for a home outside: further ports, an address of its own, its inside address where NAT is not asked, and
//! several networks.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    office::{Office, PATIENCE},
    server::Server,
};

const INTERNET: &str = "192.0.2.66";
const WHO: &str = "http://192.0.2.66:8080/";
/// In the lab's routed pool.
const OWN: &str = "203.0.113.77";
const SECOND: &str = "203.0.113.128/28";
const IN_SECOND: &str = "203.0.113.129";
/// Sends from many ports at once, and says from how many the server saw it, for `python3 -c`.
const MANY_FLOWS: &str = r#"
import socket, sys
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(int(sys.argv[1]))]
for round in range(30):
    for one in sockets:
        one.sendto(b"?", ("192.0.2.66", 9999))
    seen = set()
    for one in sockets:
        one.settimeout(0.2)
        try:
            seen.add(one.recv(64))
        except OSError:
            break
    if len(seen) == len(sockets):
        break
print(len(seen), "ready", flush=True)
"#;
/// Answers with the address and port that it sees, for `python3 -c`.
const ECHO: &str = r#"
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", 9999))
print("ready", flush=True)
while True:
    _, peer = server.recvfrom(64)
    server.sendto(repr(peer).encode(), peer)
"#;

#[test]
fn a_home_is_seen_outside_as_its_subscriber_wants() {
    let mut office = Office::up("nat", "0x88a8");
    office.provision();
    for home in ["home1", "home3"] {
        office.lab().lease(home, PATIENCE).expect("a lease");
    }
    let _server = Server::who_asks(&mut office, "inet");
    more_flows_than_a_block_has_ports(&mut office);
    an_address_of_its_own(&mut office);
    its_inside_address(&mut office);
    several_networks(&mut office);
}

fn more_flows_than_a_block_has_ports(office: &mut Office) {
    let mut pool: Value =
        serde_json::from_str(&office.wcctl(&["get", "addresspool", "public", "-o", "json"])).expect("JSON");
    pool["spec"]["overflowPorts"] = json!(8192);
    office.apply(&json!({"kind": "AddressPool", "metadata": {"name": "public"}, "spec": pool["spec"]}));
    office.change("alice", |spec| spec["bundle"]["overflowBlocks"] = json!(2));
    let _echo = Server::start(office, "inet", &["python3", "-c", ECHO], "ready");
    // The block that the subscriber owns has 256 ports.
    let _flows = Server::start(office, "home1", &["python3", "-c", MANY_FLOWS, "400"], "400 ready");
    let sessions = office.wcnode(&["sessions", "alice"]);
    let alice = sessions.as_array().map_or(&sessions, |list| &list[0]);
    assert!(alice["nat"]["mappings"].as_u64() >= Some(400), "{alice}");
    assert!(alice["nat"]["further"].as_array().is_some_and(|further| !further.is_empty()), "{alice}");
    let status = office.wcnode(&["status"]);
    assert!(status["agent"]["status"]["natOverflow"]["given"].as_u64() >= Some(1), "{status}");
}

fn an_address_of_its_own(office: &mut Office) {
    office.change("alice", |spec| {
        let bundle = spec["bundle"].as_object_mut().expect("an object");
        bundle.remove("overflowBlocks");
        bundle.insert("natOneToOne".into(), json!(true));
        spec["publicAddress"] = json!(OWN);
    });
    let status = office.subscriber("alice")["status"].clone();
    assert_eq!((&status["publicAddress"], &status["nat"]), (&json!(OWN), &Value::Null), "{status}");
    assert_eq!(get(office, "home1", WHO), (0, OWN.into()));
    let home = Server::who_asks(office, "home1");
    assert_eq!(get(office, "inet", &format!("http://{OWN}:8080/")), (0, INTERNET.into()));
    assert!(office.pings("inet", OWN) && office.pings("home3", OWN) && office.pings("home1", OWN));
    office.change("alice", |spec| spec["bundle"]["firewall"] = json!({}));
    assert_ne!(get(office, "inet", &format!("http://{OWN}:8080/")).0, 0);
    assert_eq!(get(office, "home1", WHO), (0, OWN.into()), "answers come in");
    drop(home);
    let clash = json!({"kind": "Subscriber", "metadata": {"name": "dave"},
        "spec": {"access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 9},
                 "bundle": {"natOneToOne": true}, "publicAddress": OWN}});
    let file = office.lab().config.state_dir.join("clash.json");
    std::fs::write(&file, clash.to_string()).expect("writable");
    let refused = office.lab().wcctl(&["apply", "-f", file.to_str().expect("UTF-8")]).expect("runs");
    assert_ne!(refused.status, 0);
    assert!(
        refused.stderr.contains("/spec/publicAddress") && refused.stderr.contains("alice"),
        "{}",
        refused.stderr
    );
}

fn its_inside_address(office: &mut Office) {
    let inside = office.subscriber("alice")["status"]["address"].as_str().expect("an address").to_owned();
    let (done, said) = office.exec("upstream", "ip route add 100.64.0.0/16 via 192.0.2.2");
    assert_eq!(done, 0, "{said}");
    let mut node: Value =
        serde_json::from_str(&office.wcctl(&["get", "node", "node1", "-o", "json"])).expect("JSON");
    node["spec"]["natExempt"] = json!(["192.0.2.64/26"]);
    office.apply(&json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": node["spec"]}));
    office.change("alice", |spec| {
        let bundle = spec["bundle"].as_object_mut().expect("an object");
        bundle.remove("firewall");
        bundle.insert("natExempt".into(), json!(true));
    });
    // The node and the subscriber are programmed each for itself.
    until(office, |office| get(office, "home1", WHO) == (0, inside.clone()));
    let _home = Server::who_asks(office, "home1");
    assert_eq!(get(office, "inet", &format!("http://{inside}:8080/")), (0, INTERNET.into()));
    office.change("alice", |spec| {
        let spec = spec.as_object_mut().expect("an object");
        spec.remove("publicAddress");
        let bundle = spec["bundle"].as_object_mut().expect("an object");
        bundle.remove("natOneToOne");
    });
    assert_eq!(get(office, "home1", WHO), (0, inside), "with a share of an address too");
    office.change("alice", |spec| {
        spec["bundle"].as_object_mut().expect("an object").remove("natExempt");
    });
    let seen = get(office, "home1", WHO).1;
    assert!(seen.starts_with("198.51.100."), "{seen}");
}

fn several_networks(office: &mut Office) {
    assert!(!office.pings("inet", IN_SECOND));
    office.change("carol-inc", |spec| spec["moreSubnets"] = json!([SECOND]));
    let (done, said) = office.exec("home3", &format!("ip address add {IN_SECOND}/32 dev lo"));
    assert_eq!(done, 0, "{said}");
    assert!(office.pings("inet", IN_SECOND));
    let from_there = format!("curl -sS --max-time 3 --interface {IN_SECOND} {WHO}");
    assert_eq!(office.exec("home3", &from_there), (0, IN_SECOND.into()));
    office.change("carol-inc", |spec| {
        spec.as_object_mut().expect("an object").remove("moreSubnets");
    });
    assert!(!office.pings("inet", IN_SECOND));
    assert_ne!(office.exec("home3", &from_there).0, 0, "nobody may send from there");
}

fn until(office: &mut Office, mut holds: impl FnMut(&mut Office) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(office) {
        assert!(Instant::now() < deadline, "it does not come about");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What a host gets, with curl's exit status.
fn get(office: &mut Office, host: &str, url: &str) -> (i32, String) {
    let (status, said) = office.exec(host, &format!("curl -sS --max-time 3 {url}"));
    (status, said.trim().to_owned())
}
