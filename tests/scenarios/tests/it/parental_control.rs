//! Parental control, from an operator's word to what a subscriber's resolver library is told.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{
    office::{Office, PATIENCE},
    server::Server,
};

/// The resolver, on the Internet.
const RESOLVER: &str = "192.0.2.53";
const OUTSIDE: &str = "192.0.2.66";
const ANSWER: &str = "192.0.2.99";

/// An office with a resolver and a web server in TLS on the Internet, and two homes on line.
fn office() -> (Office, Server) {
    let mut office = Office::up("parental", "0x88a8");
    office.provision();
    let here = format!("ip address add {RESOLVER}/32 dev lo");
    assert_eq!(office.exec("inet", &here).0, 0, "{here}");
    let there = format!("ip route add {RESOLVER}/32 via {OUTSIDE}");
    assert_eq!(office.exec("upstream", &there).0, 0, "{there}");
    let listen = format!("--listen-address={RESOLVER}");
    let names = format!("--address=/#/{ANSWER}");
    // Not `--no-daemon`, with which it serves one connection after the other, and waits for those that the home was made to
    // give up.
    let serving = ["--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file="];
    let quiet = ["--no-resolv", "--no-hosts", "--conf-file=/dev/null"];
    let arguments = [&["dnsmasq"][..], &serving, &quiet, &["--bind-interfaces", &listen, &names]].concat();
    let resolver = Server::start(&mut office, "inet", &arguments, "started");
    for home in ["home1", "home2"] {
        office.lab().lease(home, PATIENCE).expect("a lease");
    }
    for (name, spec) in [
        ("games", json!({"description": "Games", "domains": ["games.example", "play.test"]})),
        ("adult", json!({"domains": ["adult.example"], "resolvers": [format!("{OUTSIDE}/32")]})),
    ] {
        office.apply(&json!({"kind": "BlockList", "metadata": {"name": name}, "spec": spec}));
    }
    (office, resolver)
}

fn control(office: &mut Office, subscriber: &str, control: &Value) {
    office.change(subscriber, |spec| spec["bundle"]["parentalControl"] = control.clone());
}

fn session(office: &mut Office) -> Value {
    let sessions = office.wcnode(&["sessions", "alice"]);
    sessions.as_array().map_or(&sessions, |list| &list[0]).clone()
}

/// What `dig` says of a name, or of what else it is asked.
fn dig(office: &mut Office, home: &str, what: &str) -> String {
    office.exec(home, &format!("dig +tries=1 +time=3 @{RESOLVER} {what}")).1
}

fn is_blocked(office: &mut Office, home: &str, what: &str) -> bool {
    let said = dig(office, home, what);
    let is_blocked = said.contains("status: NXDOMAIN");
    assert!(is_blocked || said.contains(ANSWER), "{what}: {said}");
    if is_blocked && !what.contains("+noedns") {
        assert!(said.contains("EDE: 17 (Filtered)"), "{said}");
    }
    is_blocked
}

/// A time of day so many minutes from now, in UTC.
fn time_of_day(minutes: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 60;
    let minute = (i64::try_from(now).expect("soon enough") + minutes).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[test]
fn names_are_blocked_by_list_device_and_time_and_encrypted_resolvers_refused() {
    let (mut office, _resolver) = office();
    assert!(!is_blocked(&mut office, "home1", "www.games.example"));
    control(&mut office, "alice", &json!({"rules": [{"block": ["games"]}]}));
    by_list(&mut office);
    over_tcp(&mut office);
    encrypted(&mut office);
    by_device(&mut office);
    by_time(&mut office);
    what_is_wrong_is_said(&mut office);
    // Without it, all is as before.
    office.change("alice", |spec| {
        drop(spec["bundle"].as_object_mut().expect("an object").remove("parentalControl"));
    });
    assert!(!is_blocked(&mut office, "home1", "www.games.example"));
    office.wcctl(&["delete", "blocklist/games"]);
}

fn by_list(office: &mut Office) {
    for name in ["games.example", "www.games.example", "WWW.Games.Example", "x.y.play.test"] {
        assert!(is_blocked(office, "home1", name), "{name}");
        assert!(is_blocked(office, "home1", &format!("+noedns {name} AAAA")), "{name}");
    }
    for name in ["example", "notgames.example", "adult.example"] {
        assert!(!is_blocked(office, "home1", name), "{name}");
    }
    assert!(!is_blocked(office, "home2", "games.example"), "nobody else is touched");
    let status = office.wcnode(&["status"]);
    let dns = &status["fastpath"]["dns"];
    assert_eq!(
        (&dns["blocked"], &dns["categories"]["games"], &dns["categories"]["adult"]),
        (&8.into(), &8.into(), &0.into()),
        "{dns}"
    );
    assert!(dns["queries"].as_u64() >= Some(11), "{dns}");
    assert_eq!(session(office)["dnsBlocked"], 8);
    // A list changes for all at once, and who blocks it is not touched for that.
    let names = json!({"domains": ["games.example", "play.test", "late.example"]});
    let version = office.subscriber("alice")["status"]["programmed"].clone();
    office.apply(&json!({"kind": "BlockList", "metadata": {"name": "games"}, "spec": names}));
    until(office, "late.example", true);
    assert_eq!(office.subscriber("alice")["status"]["programmed"], version);
}

/// Waits until a name is blocked, or is not.
fn until(office: &mut Office, name: &str, wanted: bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while is_blocked(office, "home1", name) != wanted {
        assert!(std::time::Instant::now() < deadline, "{name}: blocked is not {wanted}");
    }
}

fn over_tcp(office: &mut Office) {
    let said = dig(office, "home1", "+tcp free.example");
    assert!(said.contains(ANSWER), "{said}");
    let said = dig(office, "home1", "+tcp games.example");
    assert!(!said.contains(ANSWER) && said.contains("connection reset"), "{said}");
    let said = dig(office, "home2", "+tcp games.example");
    assert!(said.contains(ANSWER), "{said}");
}

/// A client that prefers encryption is refused at once, and falls back.
fn encrypted(office: &mut Office) {
    let refused = |office: &mut Office, home: &str, url: &str| {
        let (status, said) = office.exec(home, &format!("curl --silent --show-error --max-time 5 {url}"));
        assert_ne!(status, 28, "it does not wait: {said}");
        // What curl calls a connection that was refused.
        status == 7
    };
    let page = office.lab().page();
    let said = dig(office, "home1", "+tls free.example");
    assert!(said.contains("refused"), "{said}");
    assert!(refused(office, "home1", &format!("https://{OUTSIDE}/")), "a known resolver's HTTPS");
    let (status, said) = office.exec("home1", &format!("curl --silent --show-error --max-time 5 {page}"));
    assert_eq!(status, 0, "the same host's web is nobody's matter: {said}");
    let dns = office.wcnode(&["status"])["fastpath"]["dns"].clone();
    assert!(dns["refused"].as_u64() >= Some(2), "{dns}");
}

/// The office sees one device: the home's router, or what else has the lease.
fn by_device(office: &mut Office) {
    let mac = session(office)["mac"].as_str().expect("learned").to_owned();
    let other = "02:00:5e:00:53:01";
    for (devices, expected) in [(mac.as_str(), true), (other, false)] {
        let rules = json!([{"block": ["games"]}, {"block": ["adult"], "devices": [devices]}]);
        control(office, "alice", &json!({"rules": rules}));
        assert_eq!(is_blocked(office, "home1", "adult.example"), expected, "{devices}");
        assert!(is_blocked(office, "home1", "games.example"));
    }
}

/// When a time begins, the kernel's word changes, and nothing else: a flow that there was goes on.
fn by_time(office: &mut Office) {
    let from_to = |from, to| json!({"rules": [{"block": ["games"], "times": [{"from": time_of_day(from), "to": time_of_day(to)}]}]});
    control(office, "alice", &from_to(-60, -30));
    assert!(!is_blocked(office, "home1", "games.example"), "it is over");
    control(office, "alice", &from_to(-30, 30));
    assert!(is_blocked(office, "home1", "games.example"), "it is on");
    // It begins with the next minute, without anybody's doing.
    control(office, "alice", &from_to(1, 30));
    let programmed = office.subscriber("alice")["status"]["programmed"].clone();
    let mappings = |office: &mut Office| session(office)["nat"]["mappings"].as_u64();
    let before = mappings(office);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(130);
    while !is_blocked(office, "home1", "-b 0.0.0.0#40000 games.example") {
        assert!(std::time::Instant::now() < deadline, "the time has come");
    }
    assert!(mappings(office) >= before, "no mapping is gone");
    assert_eq!(office.subscriber("alice")["status"]["programmed"], programmed, "the session is the same");
}

fn what_is_wrong_is_said(office: &mut Office) {
    let output = office.lab().wcctl(&["delete", "blocklist/games"]).expect("wcctl runs");
    assert_ne!(output.status, 0, "who names it needs it");
    assert!(output.stderr.contains("alice"), "{}", output.stderr);
    let mut alice = office.subscriber("alice");
    alice["spec"]["bundle"]["parentalControl"] = json!({"rules": [{"block": ["gmaes"]}]});
    let file = office.lab().config.state_dir.join("wrong.json");
    let object = json!({"kind": "Subscriber", "metadata": {"name": "alice"}, "spec": alice["spec"]});
    std::fs::write(&file, object.to_string()).expect("writable");
    let output = office.lab().wcctl(&["apply", "-f", file.to_str().expect("UTF-8")]).expect("wcctl runs");
    assert_ne!(output.status, 0);
    assert!(output.stderr.contains("/spec/bundle/parentalControl/rules/0/block/0"), "{}", output.stderr);
}
