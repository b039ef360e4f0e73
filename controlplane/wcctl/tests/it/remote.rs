//! events, graph, explain, auth, backup.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fake::Fake;

fn event(version: u64, severity: &str, message: &str) -> Value {
    json!({
        "kind": "Event",
        "metadata": {"name": format!("e{version}"), "resourceVersion": version, "createdAt": "2026-01-01T00:00:00Z"},
        "object": {"kind": "Subscriber", "name": "alice"}, "severity": severity, "reason": "Programmed",
        "message": message, "count": 2, "lastAt": (Timestamp::now() - SignedDuration::from_hours(3)).to_string(),
        "source": "vcpe",
    })
}

fn events(items: &[Value]) -> String {
    json!({"kind": "EventList", "metadata": {"resourceVersion": 50}, "items": items}).to_string()
}

#[test]
fn events_tell_what_happened_to_an_object() {
    let all = "GET /api/v1/events?limit=500";
    let of_alice = "GET /api/v1/events?limit=500&kind=Subscriber&name=alice";
    let fake = Fake::start(&[
        (all, 200, events(&[event(1, "normal", "node1 has it"), event(2, "warning", "node1 is away")])),
        (of_alice, 200, events(&[event(1, "normal", "node1 has it"), event(2, "warning", "node1 is away")])),
        (all, 200, events(&[])),
    ]);
    let run = fake.wcctl(&["events"]);
    let expected = "\
LAST   COUNT   SEVERITY   OBJECT             REASON       MESSAGE
3h     2       normal     subscriber/alice   Programmed   node1 has it
3h     2       warning    subscriber/alice   Programmed   node1 is away
";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let run = fake.wcctl(&["events", "sub/alice", "--warnings", "-o", "name"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "event/e2\n"), "{}", run.stderr);
    assert_eq!(fake.wcctl(&["events"]).stdout, "There are no events.\n");
    assert_eq!(fake.wcctl(&["events", "sub", "alice", "bob"]).status, 2);
}

#[test]
fn a_watch_of_events_repeats_none() {
    let of_kind = "GET /api/v1/events?limit=500&kind=Subscriber";
    let watch =
        |version: u64| format!("GET /api/v1/events?watch=1&resourceVersion={version}&kind=Subscriber");
    let line = |kind: &str, event: &Value| json!({"type": kind, "object": event}).to_string() + "\n";
    let fake = Fake::start(&[
        (of_kind.to_owned(), 200, events(&[event(49, "normal", "a")])),
        (watch(50), 200, line("ADDED", &event(51, "normal", "b"))),
        (watch(51), 410, "{}".into()),
        (of_kind.to_owned(), 200, events(&[event(49, "normal", "a"), event(52, "normal", "c")])),
        (watch(50), 503, "{}".into()),
    ]);
    let run = fake.wcctl(&["events", "sub", "--watch", "-o", "json"]);
    assert_eq!(run.status, 5, "{}", run.stderr);
    let messages: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["message"].take())
        .collect();
    assert_eq!(messages, ["a", "b", "c"]);
}

#[test]
fn the_graph_is_shown_as_the_controller_draws_it() {
    let fake = Fake::start(&[
        ("GET /api/v1/graph?format=text", 200, "vcpe\n  volt (shared)"),
        ("GET /api/v1/graph?format=dot&kind=Subscriber&name=alice", 200, "digraph office {}\n"),
        ("GET /api/v1/graph?format=text", 403, r#"{"title":"Forbidden","detail":"ann may not get Service"}"#),
    ]);
    assert_eq!(fake.wcctl(&["graph"]).stdout, "vcpe\n  volt (shared)\n");
    assert_eq!(fake.wcctl(&["graph", "sub/alice", "-o", "dot"]).stdout, "digraph office {}\n");
    let refused = fake.wcctl(&["graph"]);
    assert_eq!((refused.status, refused.stderr.as_str()), (3, "wcctl: Forbidden: ann may not get Service\n"));
}

#[test]
fn an_explanation_is_a_few_sentences() {
    let answer = json!({
        "object": {"kind": "Tenant", "name": "alice-vcpe"},
        "sentences": ["alice is a subscriber of volt.", "Each tenancy with volt begets one with vcpe."],
    });
    let path = "GET /api/v1/tenants/alice-vcpe/explanation";
    let fake = Fake::start(&[
        (path, 200, answer.to_string()),
        (path, 200, answer.to_string()),
        (path, 404, r#"{"title":"Not found"}"#.into()),
        (path, 200, "{}".into()),
        (
            "GET /api/v1/graph/explanation?thing=attachment%2Fvm1%2Fshared%2Flan",
            200,
            r#"{"sentences":["vm1 is of slice web."]}"#.into(),
        ),
    ]);
    let run = fake.wcctl(&["explain", "tenant", "alice-vcpe"]);
    let expected = "alice is a subscriber of volt.\nEach tenancy with volt begets one with vcpe.\n";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let json = fake.wcctl(&["explain", "ten/alice-vcpe", "-o", "json"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), answer);
    let missing = fake.wcctl(&["explain", "ten/alice-vcpe"]);
    assert_eq!((missing.status, missing.stderr.as_str()), (3, "wcctl: tenant/alice-vcpe: Not found\n"));
    assert_eq!(fake.wcctl(&["explain", "ten/alice-vcpe"]).status, 5);
    let derived = fake.wcctl(&["explain", "attachment/vm1/shared/lan"]);
    assert_eq!(
        (derived.status, derived.stdout.as_str()),
        (0, "vm1 is of slice web.\n"),
        "{}",
        derived.stderr
    );
    assert_eq!(fake.wcctl(&["explain", "tenants"]).status, 2);
}

#[test]
fn who_one_is_and_what_one_may_do() {
    let review = "POST /api/v1/access-reviews";
    let who = json!({"user": "ann", "via": "token", "bindings": [
        {"role": "operator", "scope": {"kind": "Site", "name": "east"}, "grantOption": true, "expiresAt": "2020-01-01T00:00:00Z"},
        {"role": "viewer", "scope": {"kind": "Office"}, "grantOption": false},
    ]});
    let fake = Fake::start(&[
        (review, 200, r#"{"allowed":true,"why":"operator of site/east"}"#.into()),
        (review, 200, r#"{"allowed":false,"why":"no role of ann's says so"}"#.into()),
        (review, 200, r#"{"allowed":false}"#.into()),
        (review, 200, "{}".into()),
        ("GET /api/v1/whoami", 200, who.to_string()),
    ]);
    let yes = fake.wcctl(&["auth", "can-i", "update", "sub", "alice"]);
    assert_eq!((yes.status, yes.stdout.as_str()), (0, "yes: operator of site/east\n"), "{}", yes.stderr);
    let no = fake.wcctl(&["auth", "can-i", "delete", "nodes"]);
    assert_eq!(
        (no.status, no.stdout.as_str(), no.stderr.as_str()),
        (1, "no: no role of ann's says so\n", "")
    );
    let quiet = fake.wcctl(&["auth", "can-i", "list", "nodes", "--quiet"]);
    assert_eq!((quiet.status, quiet.stdout.as_str()), (1, ""));
    assert_eq!(fake.wcctl(&["auth", "can-i", "list", "nodes"]).status, 5, "no answer is no permission");
    assert_eq!(fake.wcctl(&["auth", "can-i", "fly", "nodes"]).status, 2);
    let bodies: Vec<Value> =
        fake.bodies().iter().take(2).map(|body| serde_json::from_str(body).expect("JSON")).collect();
    assert_eq!(bodies[0], json!({"verb": "update", "kind": "Subscriber", "name": "alice"}));
    assert_eq!(bodies[1], json!({"verb": "delete", "kind": "Node"}));

    let expected = "\
ann (by token)
ROLE       SCOPE       GRANT   EXPIRES
operator   site/east   true    2020-01-01T00:00:00Z (expired)
viewer     office      false   -
";
    assert_eq!(fake.wcctl(&["auth", "whoami"]).stdout, expected);
}

#[test]
fn backups_are_made_verified_and_restored_at_the_controller() {
    let answer = json!({"path": "/b", "revision": 41, "objects": 12, "bytes": 4096}).to_string();
    let fake = Fake::start(&[
        ("POST /api/v1/backups", 201, answer.clone()),
        ("POST /api/v1/backups/verify", 200, answer.clone()),
        ("POST /api/v1/backups/verify", 422, r#"{"title":"Damaged","detail":"block 7"}"#.into()),
        ("POST /api/v1/backups/restore", 200, answer),
    ]);
    let of = |arguments: &[&str]| {
        let run = fake.wcctl(&[&["backup"], arguments].concat());
        (run.status, run.stdout + &run.stderr)
    };
    let what = "revision 41, 12 objects, 4096 bytes";
    assert_eq!(of(&["create", "/b"]), (0, format!("/b written: {what}\n")));
    assert_eq!(of(&["verify", "/b"]), (0, format!("/b sound: {what}\n")));
    assert_eq!(of(&["verify", "/b"]), (3, "wcctl: Damaged: block 7\n".into()));
    let unsaid = "wcctl: a restore replaces all objects of the office: say --yes\n";
    assert_eq!(of(&["restore", "/b"]), (2, unsaid.into()));
    assert_eq!(of(&["restore", "/b", "--yes"]), (0, format!("/b restored: {what}\n")));
    assert_eq!(of(&["create", "b"]).0, 2);
    assert!(fake.bodies().iter().all(|body| body == r#"{"path":"/b"}"#));
}
