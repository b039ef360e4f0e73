//! get, describe, wait.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fake::{Fake, NEVER};

fn ago(hours: i64) -> String {
    (Timestamp::now() - SignedDuration::from_hours(hours)).to_string()
}

pub(crate) fn alice() -> Value {
    json!({
        "kind": "Subscriber",
        "metadata": {
            "name": "alice", "generation": 2, "resourceVersion": 41, "labels": {"tier": "gold"}, "createdAt": ago(120),
        },
        "spec": {
            "access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 7},
            "bundle": {"rateUp": "20M", "rateDown": "100M", "committedUp": "5M", "nat": true, "dns": ["9.9.9.9"], "ipv6": true},
            "state": "active",
        },
        "status": {
            "observedGeneration": 2, "address": "100.64.0.2", "gateway": "100.64.0.1",
            "nat": {"address": "198.51.100.1", "firstPort": 1024, "ports": 256},
            "ipv6": {"link": "2001:db8:100:7::/64", "address": "2001:db8:100:7::1", "delegated": "2001:db8:807::/56"},
            "conditions": [condition("True", "Programmed", "node1 has it")],
        },
    })
}

pub(crate) fn bob() -> Value {
    json!({
        "kind": "Subscriber",
        "metadata": {"name": "bob-inc", "generation": 1, "resourceVersion": 42, "createdAt": ago(3)},
        "spec": {
            "access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 8},
            "bundle": {"nat": false},
            "state": "quarantined",
        },
        "status": {
            "observedGeneration": 1, "address": "203.0.113.10", "subnet": "203.0.113.8/29",
            "conditions": [condition("False", "NodeDisconnected", "node1 is not connected")],
        },
    })
}

/// Bob, with other tags.
fn tagged(tags: Value) -> Value {
    let mut bob = bob();
    bob["spec"]["access"] = tags;
    bob
}

fn condition(status: &str, reason: &str, message: &str) -> Value {
    json!({"type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(2)})
}

fn list(items: &[Value], next: &str) -> String {
    json!({"kind": "SubscriberList", "metadata": {"resourceVersion": "50", "continue": next}, "items": items})
        .to_string()
}

const LIST: &str = "GET /api/v1/subscribers?limit=500";

#[test]
fn tables_show_what_operators_ask_for() {
    let fake = Fake::start(&[
        (LIST, 200, list(&[alice()], "n/2")),
        ("GET /api/v1/subscribers?limit=500&continue=n%2F2", 200, list(&[bob()], "")),
        (LIST, 200, list(&[alice()], "")),
        (LIST, 200, list(&[], "")),
        (LIST, 200, list(&[tagged(json!({"cVid": 8})), tagged(json!({}))], "")),
    ]);
    let run = fake.wcctl(&["get", "subscribers"]);
    let expected = "\
NAME      NODE    PORT      TAGS    ADDRESS        NAT/SUBNET               UP    DOWN   STATE         READY                     AGE
alice     node1   access0   100.7   100.64.0.2     198.51.100.1:1024-1279   20M   100M   active        True                      5d
bob-inc   node1   access0   100.8   203.0.113.10   203.0.113.8/29           -     -      quarantined   False(NodeDisconnected)   3h
";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let wide = fake.wcctl(&["get", "sub", "-o", "wide"]);
    let expected = "\
NAME    NODE    PORT      TAGS    ADDRESS      NAT/SUBNET               UP    DOWN   STATE    READY   AGE   COMMITTED   GATEWAY      MAC   DNS       LINK6                 DELEGATED6          LABELS
alice   node1   access0   100.7   100.64.0.2   198.51.100.1:1024-1279   20M   100M   active   True    5d    5M/-        100.64.0.1   -     9.9.9.9   2001:db8:100:7::/64   2001:db8:807::/56   tier=gold
";
    assert_eq!(wide.stdout, expected);
    let none = fake.wcctl(&["get", "sub"]);
    assert_eq!((none.status, none.stdout.as_str()), (0, "There are no subscribers.\n"));
    let tags = fake.wcctl(&["get", "sub"]).stdout;
    let tags: Vec<_> = tags.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(tags, ["TAGS", "8", "untagged"]);
    assert_eq!(fake.left(), [] as [String; 0]);
}

#[test]
fn the_tables_of_the_other_kinds() {
    let node = json!({
        "kind": "Node", "metadata": {"name": "node1", "createdAt": ago(1)},
        "spec": {"loopback": "192.0.2.129", "ports": [{"name": "access0"}, {"name": "core0"}]},
        "status": {"connected": true, "generation": 12, "programmedGeneration": 11, "conditions": [condition("True", "", "")]},
    });
    let pool = json!({
        "kind": "AddressPool", "metadata": {"name": "public", "createdAt": ago(1)},
        "spec": {"node": "node1", "purpose": "nat", "prefix": "198.51.100.0/24", "portsPerSubscriber": 256},
    });
    let tenant = json!({
        "kind": "Tenant", "metadata": {"name": "alice-volt", "createdAt": ago(1)},
        "spec": {"tenant": {"kind": "Subscriber", "name": "alice"}, "provider": "volt", "connect": "shared",
                 "attributes": {"node": "node1", "sVid": 100}},
    });
    let of = |item: &Value| json!({"metadata": {}, "items": [item]}).to_string();
    let fake = Fake::start(&[
        ("GET /api/v1/nodes?limit=500", 200, of(&node)),
        ("GET /api/v1/addresspools?limit=500", 200, of(&pool)),
        ("GET /api/v1/tenants?limit=500&labelSelector=a%3Db", 200, of(&tenant)),
        (
            "GET /api/v1/tenants?limit=500&labelSelector=a%3Db&fieldSelector=spec.provider%3Dvolt",
            200,
            of(&tenant),
        ),
    ]);
    let expected = "\
NAME         LOOPBACK      PORTS           CONNECTED   GENERATION   PROGRAMMED   READY   AGE
node/node1   192.0.2.129   access0,core0   true        12           11           True    1h

NAME                 NODE    PURPOSE   PREFIX            GATEWAY   PORTS   AGE
addresspool/public   node1   nat       198.51.100.0/24   -         256     1h
";
    let run = fake.wcctl(&["get", "no,pools"]);
    assert_eq!(run.stdout, expected, "{}", run.stderr);
    let expected = "\
NAME         TENANT             PROVIDER   CONNECT   AGE   ATTRIBUTES            LABELS
alice-volt   subscriber/alice   volt       shared    1h    node=node1,sVid=100   -
";
    assert_eq!(fake.wcctl(&["get", "tenants", "-l", "a=b", "-o", "wide"]).stdout, expected);
    let by_both = ["get", "ten", "-l", "a=b", "--field-selector", "spec.provider=volt", "-o", "wide"];
    assert_eq!(fake.wcctl(&by_both).stdout, expected);
    let run = fake.wcctl(&["get", "ten", "alice-volt", "--field-selector", "spec.provider=volt"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
}

#[test]
fn json_yaml_and_names_hold_the_objects_whole() {
    let (alice, bob) = (alice(), bob());
    let one = ("GET /api/v1/subscribers/alice", 200, alice.to_string());
    let two = ("GET /api/v1/subscribers/bob-inc", 200, bob.to_string());
    let fake = Fake::start(&[one.clone(), one.clone(), one.clone(), one, two.clone(), two]);
    let json = fake.wcctl(&["get", "sub/alice", "-o", "json"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), alice);
    let yaml = fake.wcctl(&["get", "subscriber", "alice", "-o", "yaml"]).stdout;
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).expect("YAML"), alice);
    let both = fake.wcctl(&["get", "sub", "alice", "bob-inc", "-o", "json"]).stdout;
    let both: Value = serde_json::from_str(&both).expect("JSON");
    assert_eq!(both, json!({"kind": "SubscriberList", "items": [alice, bob]}));
    let names = fake.wcctl(&["get", "sub/alice", "sub/bob-inc", "-o", "name"]).stdout;
    assert_eq!(names, "subscriber/alice\nsubscriber/bob-inc\n");
}

#[test]
fn what_is_not_there_is_named() {
    let problem = r#"{"title":"Not found","status":404,"detail":"there is no Subscriber zoe"}"#;
    let fake = Fake::start(&[("GET /api/v1/subscribers/zoe", 404, problem)]);
    let run = fake.wcctl(&["get", "sub", "zoe"]);
    assert_eq!((run.status, run.stdout.as_str()), (3, ""));
    assert_eq!(run.stderr, "wcctl: subscriber/zoe: Not found: there is no Subscriber zoe\n");
}

#[test]
fn a_watch_resumes_where_it_ended_and_lists_anew_when_it_must() {
    let event = |kind: &str, object: &Value| json!({"type": kind, "object": object}).to_string() + "\n";
    // As they are made at one moment.
    let (alice, bob) = (alice(), bob());
    let mut carol = bob.clone();
    carol["metadata"]["name"] = "carol".into();
    let fake = Fake::start(&[
        (LIST.into(), 200, list(std::slice::from_ref(&alice), "")),
        (
            watch_path(50),
            200,
            format!("{}\n{}", event("ADDED", &at(&bob, 51)), event("DELETED", &at(&alice, 52))),
        ),
        // There may be more of the last revision: what comes again is not told again.
        (watch_path(51), 200, event("DELETED", &at(&alice, 52)) + &event("ADDED", &at(&carol, 52))),
        (watch_path(51), 410, r#"{"title":"Gone"}"#.into()),
        (LIST.into(), 200, list(&[at(&bob, 60), at(&carol, 52)], "")),
        (watch_path(50), 200, event("ERROR", &json!({"status": 410}))),
        (LIST.into(), 200, list(&[at(&bob, 60)], "")),
        (watch_path(50), 503, r#"{"title":"stop"}"#.into()),
    ]);
    let run = fake.wcctl(&["get", "sub", "--watch", "-o", "json"]);
    assert_eq!((run.status, run.stderr.as_str()), (5, "wcctl: the controller failed: stop\n"));
    let events: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let seen: Vec<_> =
        events.iter().map(|e| (e["type"].clone(), e["object"]["metadata"]["name"].clone())).collect();
    assert_eq!(
        seen,
        [
            ("ADDED", "alice"),
            ("ADDED", "bob-inc"),
            ("DELETED", "alice"),
            ("ADDED", "carol"),
            ("MODIFIED", "bob-inc"),
            ("DELETED", "carol"),
        ]
        .map(|(t, n)| (json!(t), json!(n)))
    );
    assert_eq!(fake.left(), [] as [String; 0]);
}

fn at(object: &Value, revision: u64) -> Value {
    let mut object = object.clone();
    object["metadata"]["resourceVersion"] = revision.into();
    object
}

fn watch_path(version: u64) -> String {
    format!("GET /api/v1/subscribers?watch=1&resourceVersion={version}")
}

#[test]
fn a_watch_of_one_object_tells_of_no_other() {
    let event = |kind: &str, object: &Value| json!({"type": kind, "object": object}).to_string() + "\n";
    let fake = Fake::start(&[
        (LIST.into(), 200, list(&[alice(), bob()], "")),
        (watch_path(50), 200, event("MODIFIED", &at(&alice(), 51)) + &event("MODIFIED", &at(&bob(), 52))),
        (watch_path(50), 503, "{}".into()),
    ]);
    let run = fake.wcctl(&["get", "sub", "bob-inc", "-w"]);
    let lines: Vec<Vec<&str>> =
        run.stdout.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(lines, [["EVENT", "NAME"], ["ADDED", "bob-inc"], ["MODIFIED", "bob-inc"]]);
}

/// The newest first, as the controller tells them.
fn events() -> String {
    let event = |sequence: u64, time: &str, severity: &str, reason: &str, message: &str| {
        json!({"sequence": sequence, "time": time, "severity": severity, "kind": "Subscriber", "name": "alice",
            "reason": reason, "message": message})
    };
    let recovered = event(8, "2026-11-01T10:05:00Z", "normal", "Recovered", "in the kernel of node node1");
    let failed = event(7, "2026-11-01T10:00:00Z", "warning", "Failed", "node1: the map is full");
    json!({"kind": "EventList", "metadata": {"resourceVersion": 8}, "items": [recovered, failed]}).to_string()
}

#[test]
fn events_are_told_in_their_order_and_followed() {
    let page = "GET /api/v1/events?limit=100&kind=Subscriber&severity=warning";
    let later = json!({"sequence": 9, "time": "2026-11-01T11:00:00Z", "severity": "warning", "kind": "Subscriber",
        "name": "bob", "reason": "Failed", "message": "no"});
    let stream = json!({"type": "ADDED", "object": later}).to_string() + "\n";
    let fake = Fake::start(&[
        (page.to_owned(), 200, events()),
        ("GET /api/v1/events?watch=1&resourceVersion=8&kind=Subscriber&severity=warning".into(), 200, stream),
        (
            "GET /api/v1/events?watch=1&resourceVersion=9&kind=Subscriber&severity=warning".into(),
            410,
            json!({"status": 410, "title": "Compacted", "detail": "list again"}).to_string(),
        ),
    ]);
    let run = fake.wcctl(&["events", "subscribers", "--warnings", "--watch"]);
    let words: Vec<Vec<&str>> =
        run.stdout.lines().map(|line| line.split_whitespace().skip(1).take(3).collect()).collect();
    assert_eq!(
        words,
        [
            ["SEVERITY", "OBJECT", "REASON"],
            ["warning", "subscriber/alice", "Failed"],
            ["normal", "subscriber/alice", "Recovered"],
            ["warning", "subscriber/bob", "Failed"],
        ]
    );
    assert_eq!(run.status, 3, "{}", run.stderr);
    let none = Fake::start(&[("GET /api/v1/events?limit=100", 200, r#"{"items":[],"metadata":{}}"#)]);
    assert_eq!(none.wcctl(&["events"]).stdout, "There are no events.\n");
}

#[test]
fn a_description_is_for_reading() {
    let tenant = |suffix: &str, kind: &str, user: &str, connect: &str| {
        let name = format!("alice-{suffix}");
        let spec = json!({"tenant": {"kind": kind, "name": user}, "provider": suffix, "connect": connect});
        json!({"kind": "Tenant", "metadata": {"name": name}, "spec": spec})
    };
    let chain = json!({"kind": "TenantList", "metadata": {"resourceVersion": 41}, "items": [
        tenant("volt", "Subscriber", "alice", "shared"),
        tenant("vcpe", "Tenant", "alice-volt", "shared"),
        tenant("vbng", "Tenant", "alice-vcpe", "public"),
    ]});
    let fake = Fake::start(&[
        ("GET /api/v1/subscribers/alice", 200, alice().to_string()),
        ("GET /api/v1/subscribers/alice/chain", 200, chain.to_string()),
        ("GET /api/v1/events?limit=10&kind=Subscriber&name=alice", 200, events()),
    ]);
    let run = fake.wcctl(&["describe", "sub", "alice"]);
    let created = alice()["metadata"]["createdAt"].as_str().expect("a time")[..13].to_owned();
    let (head, rest) = run.stdout.split_once("Created:").expect("when it was created");
    assert_eq!(head, "Name:        alice\nKind:        Subscriber\nLabels:      tier=gold\n");
    let (at, rest) = rest.split_once('\n').expect("lines");
    assert!(at.trim().starts_with(&created) && at.ends_with("(5d ago)"), "{at}");
    let expected = "\
Generation:  2
Ready:       True
Spec:
  access:
    cVid: 7
    node: node1
    port: access0
    sVid: 100
  bundle:
    committedUp: 5M
    dns:
    - \"9.9.9.9\"
    ipv6: true
    nat: true
    rateDown: 100M
    rateUp: 20M
  state: active
Status:
  address: \"100.64.0.2\"
  gateway: \"100.64.0.1\"
  ipv6:
    address: 2001:db8:100:7::1
    delegated: 2001:db8:807::/56
    link: 2001:db8:100:7::/64
  nat:
    address: \"198.51.100.1\"
    firstPort: 1024
    ports: 256
Conditions:
  TYPE    STATUS   SINCE   REASON       MESSAGE
  Ready   True     2h      Programmed   node1 has it
Tenancies:
  NAME         TENANT              PROVIDER   CONNECT
  alice-volt   subscriber/alice    volt       shared
  alice-vcpe   tenant/alice-volt   vcpe       shared
  alice-vbng   tenant/alice-vcpe   vbng       public
Events:
  TIME                   SEVERITY   REASON      MESSAGE
  2026-11-01T10:00:00Z   warning    Failed      node1: the map is full
  2026-11-01T10:05:00Z   normal     Recovered   in the kernel of node node1
";
    assert_eq!(rest, expected);
}

#[test]
fn wait_follows_an_object_until_it_is_ready() {
    let waiting = || {
        let mut object = alice();
        object["status"]["conditions"][0] = condition("False", "Pending", "node1 has not got it");
        object
    };
    let event = |kind: &str, object: &Value| json!({"type": kind, "object": object}).to_string() + "\n";
    let get = "GET /api/v1/subscribers/alice";
    let fake = Fake::start(&[
        (get.into(), 200, waiting().to_string()),
        (watch_path(41), 200, event("ADDED", &bob()) + &event("MODIFIED", &alice())),
    ]);
    let run = fake.wcctl(&["wait", "sub/alice", "--for=condition=Ready"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice condition met\n"));
    assert_eq!(run.stderr, "subscriber/alice: Ready is False (Pending: node1 has not got it)\n");

    let fake = Fake::start(&[
        (get.into(), 200, alice().to_string()),
        (watch_path(41), 410, "{}".into()),
        (get.into(), 404, "{}".into()),
    ]);
    let run = fake.wcctl(&["wait", "sub/alice", "--for=delete"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice deleted\n"), "{}", run.stderr);

    let fake =
        Fake::start(&[(get.into(), 200, waiting().to_string()), (watch_path(41), NEVER, String::new())]);
    let run = fake.wcctl(&["wait", "sub/alice", "--for=condition=Ready", "--timeout", "500ms"]);
    assert_eq!(run.status, 1);
    let last = "wcctl: subscriber/alice: Ready is False (Pending: node1 has not got it) after 500 ms\n";
    assert!(run.stderr.ends_with(last), "{}", run.stderr);
    let fake = Fake::start(&[(get, 404, "{}")]);
    assert_eq!(fake.wcctl(&["wait", "sub/alice", "--for=condition=Ready"]).status, 3);
}
