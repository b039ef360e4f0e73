//! apply, delete, diff.

use std::fs;

use serde_json::{Value, json};

use crate::{
    fake::Fake,
    plan::{plan, replaced},
    read::alice,
};

pub(crate) const MANIFEST: &str = "\
kind: Subscriber
metadata:
  name: alice
  labels: {tier: gold}
spec:
  access: {node: node1, port: access0, sVid: 100, cVid: 7}
  bundle:
    rateUp: 20M
    rateDown: 100M
    dns: [9.9.9.9]
---
kind: Node
metadata: {name: node1}
spec: {}
";

/// The manifest as a file, and the folder that goes with it.
fn manifest(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("office.yaml");
    fs::write(&file, text).expect("written");
    (dir, file.to_str().expect("UTF-8").to_owned())
}

pub(crate) const TRANSACTIONS: &str = "POST /api/v1/transactions";

#[test]
fn apply_is_one_transaction_in_the_order_of_what_refers_to_what() {
    let (_dir, file) = manifest(MANIFEST);
    let results = json!({"results": [{"result": "unchanged"}, {"result": "created"}]}).to_string();
    let fake = Fake::start(&[(TRANSACTIONS, 200, results)]);
    let run = fake.wcctl(&["apply", "-f", &file]);
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (0, "node/node1 unchanged\nsubscriber/alice created\n"),
        "{}",
        run.stderr
    );
    let body: Value = serde_json::from_str(&fake.bodies()[0]).expect("JSON");
    assert_eq!(
        body["operations"][0],
        json!({"op": "apply", "object": {"kind": "Node", "metadata": {"name": "node1"}, "spec": {}}})
    );
    assert_eq!(body["operations"][1]["object"]["spec"]["access"]["sVid"], 100);
}

#[test]
fn what_is_refused_is_shown_in_the_file() {
    let (_dir, file) = manifest(MANIFEST);
    let fault = |pointer: &str, detail: &str| json!({"pointer": pointer, "detail": detail});
    let faults = [
        fault("/operations/1/object/spec/bundle/rateUp", "too fast"),
        fault("/operations/0/object/spec/loopback", "missing field `loopback`"),
    ];
    let problem =
        json!({"title": "Invalid", "status": 422, "detail": "2 fields are at fault", "errors": faults});
    let fake = Fake::start(&[(TRANSACTIONS, 422, problem.to_string())]);
    let run = fake.wcctl(&["apply", "-f", &file]);
    assert_eq!((run.status, run.stdout.as_str()), (3, ""));
    let expected = format!(
        "wcctl: Invalid: nothing was changed\n\
         {file}:8: subscriber/alice: /spec/bundle/rateUp: too fast\n\
         {file}:14: node/node1: /spec/loopback: missing field `loopback`\n"
    );
    assert_eq!(run.stderr, expected);
}

#[test]
fn a_file_that_cannot_be_read_is_not_sent() {
    let (_dir, file) = manifest("kind: Subscriber\nmetadata: {name: alice\n");
    let fake = Fake::start::<&str, &str>(&[]);
    let run = fake.wcctl(&["apply", "-f", &file]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.starts_with(&format!("wcctl: {file}:")), "{}", run.stderr);
    assert!(fake.bodies().is_empty());
}

#[test]
fn delete_takes_what_refers_to_others_first() {
    let (_dir, file) = manifest(MANIFEST);
    let found = |path: &str| (format!("GET /api/v1/{path}"), 200, json!({}).to_string());
    let missing = |path: &str| (format!("GET /api/v1/{path}"), 404, json!({}).to_string());
    let done = |results: &[&str]| {
        let results: Vec<Value> = results.iter().map(|result| json!({"result": result})).collect();
        (TRANSACTIONS.to_owned(), 200, json!({"results": results}).to_string())
    };
    let fake =
        Fake::start(&[found("nodes/node1"), found("subscribers/alice"), done(&["deleted", "deleting"])]);
    let run = fake.wcctl(&["delete", "-f", &file]);
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (0, "subscriber/alice deleted\nnode/node1 deleting\n"),
        "{}",
        run.stderr
    );
    let body: Value = serde_json::from_str(&fake.bodies()[2]).expect("JSON");
    let target = json!({"kind": "Subscriber", "metadata": {"name": "alice"}});
    assert_eq!(body["operations"][0], json!({"op": "delete", "object": target}));

    let fake = Fake::start(&[found("subscribers/alice"), missing("subscribers/zoe")]);
    let run = fake.wcctl(&["delete", "sub", "alice", "zoe"]);
    assert_eq!(run.status, 3);
    assert_eq!(run.stderr, "wcctl: subscriber/zoe: there is no such object; nothing was deleted\n");

    let fake = Fake::start(&[found("subscribers/alice"), missing("subscribers/zoe"), done(&["deleted"])]);
    let run = fake.wcctl(&["delete", "sub", "alice", "zoe", "--ignore-not-found"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice deleted\n"));

    let list = json!({"metadata": {}, "items": [alice()]}).to_string();
    let selected = "GET /api/v1/subscribers?limit=500&labelSelector=tier%3Dgold".to_owned();
    let fake = Fake::start(&[(selected, 200, list), found("subscribers/alice"), done(&["deleted"])]);
    let run = fake.wcctl(&["delete", "sub", "-l", "tier=gold"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice deleted\n"));
}

#[test]
fn diff_shows_what_apply_would_change_and_nothing_else() {
    let alone = MANIFEST.split("---").next().expect("a document");
    let (_dir, file) = manifest(alone);
    let dry = "POST /api/v1/transactions?dryRun=All";
    let changed = plan(&[("Subscriber", "alice", "update", replaced("/spec/bundle/rateUp", "20M", "50M"))]);
    let fault = json!({"pointer": "/operations/0/object/spec/access/sVid", "detail": "1 to 4094"});
    let fake = Fake::start(&[
        (dry, 200, plan(&[("Subscriber", "alice", "unchanged", json!([]))])),
        (dry, 200, changed.clone()),
        (dry, 200, changed),
        (dry, 200, plan(&[("Secret", "login", "update", json!([]))])),
        (dry, 422, json!({"title": "Invalid", "status": 422, "errors": [fault]}).to_string()),
        (dry, 200, json!({"results": []}).to_string()),
    ]);
    let diff = |more: &[&str]| fake.wcctl(&[&["diff", "-f", &file], more].concat());
    let run = diff(&[]);
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let body: Value = serde_json::from_str(&fake.bodies()[0]).expect("JSON");
    assert_eq!(body["operations"][0]["op"], "apply");
    let run = diff(&[]);
    let expected =
        "--- live/subscriber/alice\n+++ planned/subscriber/alice\n@@ /spec/bundle/rateUp @@\n-20M\n+50M\n";
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (1, expected, ""));
    let run = diff(&["-o", "name"]);
    assert_eq!((run.status, run.stdout.as_str()), (1, "subscriber/alice\n"));
    let run = diff(&[]);
    let expected = "--- live/secret/login\n+++ planned/secret/login\n@@ values that are not shown @@\n";
    assert_eq!((run.status, run.stdout.as_str()), (1, expected));
    let run = diff(&[]);
    assert_eq!(run.status, 3);
    assert!(run.stderr.contains(":6: subscriber/alice: /spec/access/sVid: "), "{}", run.stderr);
    let run = diff(&[]);
    assert_eq!(run.status, 5, "a controller that knows no plans: {}", run.stderr);
}
