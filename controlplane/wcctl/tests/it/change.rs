//! create, label, edit.

use std::fs;

use serde_json::{Value, json};

use crate::{
    Run, command,
    fake::Fake,
    read::{alice, bob},
    run,
    write::{MANIFEST, TRANSACTIONS},
};

const ALICE: &str = "GET /api/v1/subscribers/alice";
const PUT: &str = "PUT /api/v1/subscribers/alice";

fn done(results: &[&str]) -> String {
    let results: Vec<Value> = results.iter().map(|result| json!({"result": result})).collect();
    json!({"results": results}).to_string()
}

#[test]
fn create_is_one_transaction_of_new_objects() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("office.yaml");
    fs::write(&file, MANIFEST).expect("written");
    let file = file.to_str().expect("UTF-8");
    let conflict = json!({"title": "Conflict", "detail": "there is a Node node1 already", "errors": [
        {"pointer": "/operations/0/object/metadata/name", "detail": "there is a Node node1 already"}]});
    let created = done(&["created", "created"]);
    let fake = Fake::start(&[
        (TRANSACTIONS, 409, conflict.to_string()),
        (TRANSACTIONS, 200, created.clone()),
        (TRANSACTIONS, 200, created),
        ("GET /api/v1/nodes/node1", 200, json!({"kind": "Node", "metadata": {"name": "node1"}}).to_string()),
        (ALICE, 200, alice().to_string()),
    ]);
    let refused = fake.wcctl(&["create", "-f", file]);
    let expected = format!(
        "wcctl: Conflict: nothing was changed\n{file}:13: node/node1: /metadata/name: there is a Node node1 already\n"
    );
    assert_eq!((refused.status, refused.stderr), (3, expected));
    let made = fake.wcctl(&["create", "-f", file]);
    assert_eq!((made.status, made.stdout.as_str()), (0, "node/node1 created\nsubscriber/alice created\n"));
    let shown = fake.wcctl(&["create", "-f", file, "-o", "json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(
        (&shown["kind"], &shown["items"][1]["status"]["address"]),
        (&json!("List"), &json!("100.64.0.2"))
    );
    let body: Value = serde_json::from_str(&fake.bodies()[1]).expect("JSON");
    assert_eq!(body["operations"][0]["op"], "create");
}

#[test]
fn labels_are_set_and_removed_in_one_transaction() {
    let bobs = "GET /api/v1/subscribers/bob-inc";
    let list = json!({"metadata": {}, "items": [alice()]}).to_string();
    let fake = Fake::start(&[
        (ALICE, 200, alice().to_string()),
        (bobs, 200, bob().to_string()),
        (ALICE, 200, alice().to_string()),
        (bobs, 200, bob().to_string()),
        (TRANSACTIONS, 200, done(&["configured", "configured"])),
        ("GET /api/v1/subscribers?limit=500&labelSelector=tier%3Dgold", 200, list),
        (TRANSACTIONS, 200, done(&["unchanged"])),
    ]);
    let taken = fake.wcctl(&["label", "sub", "alice", "bob-inc", "tier=silver"]);
    let expected =
        "wcctl: subscriber/alice: tier is gold already: --overwrite changes it; nothing was changed\n";
    assert_eq!((taken.status, taken.stderr.as_str()), (3, expected));
    let run = fake.wcctl(&["label", "sub", "alice", "bob-inc", "tier=silver", "trial-", "--overwrite"]);
    let expected = "subscriber/alice labelled\nsubscriber/bob-inc labelled\n";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let body: Value = serde_json::from_str(&fake.bodies()[4]).expect("JSON");
    let operation = &body["operations"][0];
    assert_eq!(operation["op"], "update");
    assert_eq!(operation["object"]["metadata"]["labels"], json!({"tier": "silver"}));
    assert_eq!(operation["object"]["metadata"]["resourceVersion"], 41, "what others change is not undone");
    let same = fake.wcctl(&["label", "sub", "-l", "tier=gold", "tier=gold", "-o", "name"]);
    assert_eq!((same.status, same.stdout.as_str()), (0, "subscriber/alice\n"), "{}", same.stderr);
    for wrong in [&["label", "sub", "tier=gold"][..], &["label", "sub", "alice"]] {
        assert_eq!(fake.wcctl(wrong).status, 2, "{wrong:?}");
    }
}

fn edit(fake: &Fake, editor: &str, scratch: &tempfile::TempDir) -> Run {
    let mut command = command();
    command.arg("--socket").arg(&fake.socket).args(["edit", "sub/alice"]);
    run(command.env("EDITOR", editor).env("TMPDIR", scratch.path()))
}

fn left_in(scratch: &tempfile::TempDir) -> Vec<String> {
    let files = fs::read_dir(scratch.path()).expect("a directory");
    files.map(|file| fs::read_to_string(file.expect("a file").path()).expect("its text")).collect()
}

#[test]
fn an_edit_is_what_the_editor_leaves() {
    let scratch = tempfile::tempdir().expect("a directory");
    let fake = Fake::start(&[
        (ALICE, 200, alice().to_string()),
        (PUT, 200, alice().to_string()),
        (ALICE, 200, alice().to_string()),
        (ALICE, 200, alice().to_string()),
        (ALICE, 200, alice().to_string()),
    ]);
    let run = edit(&fake, "sed -i -e s/20M/50M/ -e /resourceVersion/d", &scratch);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice edited\n"), "{}", run.stderr);
    let body: Value = serde_json::from_str(&fake.bodies()[1]).expect("JSON");
    let metadata = json!({"name": "alice", "labels": {"tier": "gold"}, "resourceVersion": 41});
    assert_eq!((&body["metadata"], &body["spec"]["bundle"]["rateUp"]), (&metadata, &json!("50M")));
    assert_eq!(body["status"], Value::Null);

    let run = edit(&fake, "true", &scratch);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice unchanged\n"));
    let run = edit(&fake, "truncate -s 0", &scratch);
    assert_eq!((run.status, run.stdout.as_str()), (0, "Edit cancelled: nothing was changed.\n"));
    let run = edit(&fake, "false", &scratch);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("\"false\" ended with"), "{}", run.stderr);
    assert_eq!(left_in(&scratch), [] as [&str; 0]);
}

#[test]
fn a_refused_edit_is_shown_again_with_the_reasons() {
    let scratch = tempfile::tempdir().expect("a directory");
    let seen = tempfile::tempdir().expect("a directory");
    let refused = json!({"title": "Invalid", "detail": "too fast", "errors": [
        {"pointer": "/spec/bundle/rateUp", "detail": "too fast"}]});
    let fake = Fake::start(&[
        (ALICE, 200, alice().to_string()),
        (PUT, 422, refused.to_string()),
        (PUT, 200, alice().to_string()),
        (ALICE, 200, alice().to_string()),
        (PUT, 422, refused.to_string()),
    ]);
    // 20M becomes 500M, and at the second time 50M.
    let log = seen.path().join("log");
    let keep =
        format!("f() {{ cat \"$1\" >> {}; sed -i -e s/500M/50M/ -e s/20M/500M/ \"$1\"; }}; f", log.display());
    let run = edit(&fake, &keep, &scratch);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice edited\n"), "{}", run.stderr);
    let shown = fs::read_to_string(&log).expect("what was shown");
    let second = shown.match_indices("# Change the object").nth(1).expect("twice").0;
    let expected = "\
# Change the object, save it and leave the editor. Lines at the top that begin with '#' are not read.
# Nothing is changed if nothing else is left, or if all is as it was.
#
# This was refused:
# Invalid
#   /spec/bundle/rateUp: too fast
#
kind: Subscriber
metadata:
";
    assert!(shown[second..].starts_with(expected), "{}", &shown[second..]);
    let body: Value = serde_json::from_str(&fake.bodies()[2]).expect("JSON");
    assert_eq!(body["spec"]["bundle"]["rateUp"], "50M");

    // Who leaves a refused text as it is has given up; what was written is kept.
    let run = edit(&fake, "sed -i s/20M/500M/", &scratch);
    assert_eq!(run.status, 3);
    assert!(run.stderr.contains("your text is in ") && run.stderr.contains("too fast"), "{}", run.stderr);
    assert!(left_in(&scratch)[0].contains("rateUp: 500M"));
}

#[test]
fn an_edit_of_what_changed_meanwhile_is_refused_and_kept() {
    let scratch = tempfile::tempdir().expect("a directory");
    let detail = "Subscriber alice has revision 43 by now";
    let stale = json!({"title": "Conflict", "detail": detail, "errors": [
        {"pointer": "/metadata/resourceVersion", "detail": detail}]});
    let fake = Fake::start(&[(ALICE, 200, alice().to_string()), (PUT, 409, stale.to_string())]);
    let run = edit(&fake, "sed -i s/20M/50M/", &scratch);
    assert_eq!(run.status, 3);
    let expected = "wcctl: subscriber/alice has been changed by somebody else since: your text is in ";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    assert!(left_in(&scratch)[0].contains("rateUp: 50M"));
}
