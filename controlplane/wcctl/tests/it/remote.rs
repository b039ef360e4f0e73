//! graph, explain, backup.

use serde_json::{Value, json};

use crate::fake::Fake;

#[test]
fn the_graph_is_shown_as_the_controller_draws_it() {
    let fake = Fake::start(&[
        ("GET /api/v1/graph?format=text", 200, "vcpe\n  volt (shared)"),
        ("GET /api/v1/graph?format=dot", 200, "digraph office {}\n"),
        ("GET /api/v1/graph?format=text", 403, r#"{"title":"Forbidden","detail":"ann may not get Service"}"#),
    ]);
    assert_eq!(fake.wcctl(&["graph"]).stdout, "vcpe\n  volt (shared)\n");
    assert_eq!(fake.wcctl(&["graph", "-o", "dot"]).stdout, "digraph office {}\n");
    let refused = fake.wcctl(&["graph"]);
    assert_eq!((refused.status, refused.stderr.as_str()), (3, "wcctl: Forbidden: ann may not get Service\n"));
}

#[test]
fn an_explanation_is_a_few_sentences() {
    let answer = json!({
        "object": {"kind": "Tenant", "name": "alice-vcpe"},
        "sentences": ["alice is a subscriber of volt.", "Each tenancy with volt begets one with vcpe."],
    });
    let path = "GET /api/v1/graph/explanation?thing=tenant%2Falice-vcpe";
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
    assert_eq!((missing.status, missing.stderr.as_str()), (3, "wcctl: Not found\n"));
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
fn backups_are_made_and_verified_at_the_controller() {
    let answer = json!({"path": "/b", "revision": 41, "objects": 12, "bytes": 4096}).to_string();
    let fake = Fake::start(&[
        ("POST /api/v1/backups", 201, answer.clone()),
        ("POST /api/v1/backups/verify", 200, answer),
        ("POST /api/v1/backups/verify", 422, r#"{"title":"Damaged","detail":"block 7"}"#.into()),
    ]);
    let of = |arguments: &[&str]| {
        let run = fake.wcctl(&[&["backup"], arguments].concat());
        (run.status, run.stdout + &run.stderr)
    };
    let what = "revision 41, 12 objects, 4096 bytes";
    assert_eq!(of(&["create", "/b"]), (0, format!("/b written: {what}\n")));
    assert_eq!(of(&["verify", "/b"]), (0, format!("/b sound: {what}\n")));
    assert_eq!(of(&["verify", "/b"]), (3, "wcctl: Damaged: block 7\n".into()));
    assert_eq!(of(&["create", "b"]).0, 2);
    assert!(fake.bodies().iter().all(|body| body == r#"{"path":"/b"}"#));
}
