//! Port forwards and firewalls, from an operator's word to the Internet host's connection.

use serde_json::{Value, json};

use crate::{
    office::{Office, PATIENCE},
    server::Server,
};

const INTERNET: &str = "192.0.2.66";

#[test]
fn what_comes_into_a_home_is_what_its_subscriber_wants() {
    let mut office = Office::up("firewall", "0x88a8");
    office.provision();
    for home in ["home1", "home3"] {
        office.lab().lease(home, PATIENCE).expect("a lease");
    }
    a_port_leads_into_the_home(&mut office);
    a_routed_subnet_has_a_firewall_if_it_wants(&mut office);
}

fn a_port_leads_into_the_home(office: &mut Office) {
    let _server = Server::who_asks(office, "home1");
    let forward = json!([{"protocol": "tcp", "toPort": 8080}]);
    office.change("alice", |spec| spec["bundle"]["portForwards"] = forward);
    let status = office.subscriber("alice")["status"].clone();
    let (address, port) = (&status["nat"]["address"], &status["portForwards"][0]["port"]);
    let url = format!("http://{}:{port}/", address.as_str().expect("an address"));
    assert_eq!(get(office, "inet", &url), (0, INTERNET.into()), "{status}");
    // Neighbours come in by it too.
    assert_eq!(get(office, "home3", &url), (0, "203.0.113.10".into()));

    rules(
        office,
        "alice",
        &json!([{"name": "not-from-there", "direction": "in", "action": "deny", "source": "192.0.2.64/30"}]),
    );
    assert_ne!(get(office, "inet", &url).0, 0, "a rule is against it");
    assert_eq!(get(office, "home3", &url).0, 0, "and against nobody else");
    assert!(office.drops("rule") > 0);
    let sessions = office.wcnode(&["sessions", "alice"]);
    let alice = sessions.as_array().map_or(&sessions, |list| &list[0]);
    assert_eq!(alice["rules"][0]["name"], "not-from-there");
    assert!(alice["rules"][0]["hits"].as_u64() > Some(0), "{alice}");
    assert!(office.pings("home1", INTERNET), "what begins inside goes out");
    rules(
        office,
        "alice",
        &json!([{"name": "no-web", "direction": "out", "action": "deny", "protocol": "tcp", "destinationPorts": "80"}]),
    );
    assert_eq!(get(office, "inet", &url).0, 0);
    let page = office.lab().page();
    assert_ne!(get(office, "home1", &page).0, 0);
    assert!(office.pings("home1", INTERNET));
    office.change("alice", |spec| {
        let bundle = spec["bundle"].as_object_mut().expect("an object");
        bundle.remove("firewall");
        bundle.remove("portForwards");
    });
    assert_ne!(get(office, "inet", &url).0, 0, "the port leads nowhere any more");
    assert_eq!(get(office, "home1", &page).0, 0);
}

fn a_routed_subnet_has_a_firewall_if_it_wants(office: &mut Office) {
    let _server = Server::who_asks(office, "home3");
    let url = "http://203.0.113.10:8080/";
    assert_eq!(get(office, "inet", url), (0, INTERNET.into()), "nothing is in between");
    office.change("carol-inc", |spec| spec["bundle"]["firewall"] = json!({}));
    assert_ne!(get(office, "inet", url).0, 0);
    assert!(!office.pings("inet", "203.0.113.10"));
    let page = office.lab().page();
    assert_eq!(get(office, "home3", &page).0, 0, "answers come in");
    rules(
        office,
        "carol-inc",
        &json!([{"name": "web", "direction": "in", "action": "allow", "protocol": "tcp", "destinationPorts": "8080"}]),
    );
    assert_eq!(get(office, "inet", url), (0, INTERNET.into()));
    assert!(!office.pings("inet", "203.0.113.10"));
}

fn rules(office: &mut Office, subscriber: &str, rules: &Value) {
    office.change(subscriber, |spec| spec["bundle"]["firewall"] = json!({"rules": rules}));
}

/// What a host gets, with curl's exit status.
fn get(office: &mut Office, host: &str, url: &str) -> (i32, String) {
    let (status, said) = office.exec(host, &format!("curl -sS --max-time 3 {url}"));
    (status, said.trim().to_owned())
}
