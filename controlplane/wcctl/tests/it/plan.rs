//! apply of a directory.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    fake::Fake,
    read::alice,
    write::{MANIFEST, TRANSACTIONS},
};

const DRY: &str = "POST /api/v1/transactions?dryRun=All";

fn done(results: &[&str]) -> String {
    let results: Vec<Value> = results.iter().map(|result| json!({"result": result})).collect();
    json!({"results": results}).to_string()
}

/// A plan of objects, each with an action and its changes.
pub(crate) fn plan(objects: &[(&str, &str, &str, Value)]) -> String {
    let mut summary: Vec<Value> = Vec::new();
    let mut planned = Vec::new();
    for (operation, (kind, name, action, changes)) in objects.iter().enumerate() {
        if summary.last().is_none_or(|count| count["kind"] != *kind) {
            summary.push(json!({"kind": kind, "create": 0, "update": 0, "delete": 0, "unchanged": 0}));
        }
        let count = &mut summary.last_mut().expect("one")[*action];
        *count = json!(count.as_u64().expect("a number") + 1);
        planned.push(
            json!({"kind": kind, "name": name, "action": action, "operation": operation, "changes": changes}),
        );
    }
    // As different as what it says.
    let digest = format!("{:064x}", planned.len());
    json!({"resourceVersion": 7, "digest": digest, "summary": summary, "objects": planned}).to_string()
}

pub(crate) fn replaced(path: &str, old: &str, value: &str) -> Value {
    json!([{"op": "replace", "path": path, "old": old, "value": value}])
}

#[test]
fn a_folder_is_planned_before_it_is_applied() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.yaml"), MANIFEST.replace("rateUp: 20M", "rateUp: 50M")).expect("written");
    let pool = r#"{"kind": "AddressPool", "metadata": {"name": "inside"}, "spec": {}}"#;
    fs::write(dir.path().join("b.json"), pool).expect("written");
    let folder = dir.path().to_str().expect("UTF-8");
    let made =
        json!([{"op": "add", "path": "", "value": {"kind": "AddressPool", "spec": {"leaseSeconds": 600}}}]);
    let planned = plan(&[
        ("Node", "node1", "unchanged", json!([])),
        ("AddressPool", "inside", "create", made),
        ("Subscriber", "alice", "update", replaced("/spec/bundle/rateUp", "20M", "50M")),
    ]);
    let same = plan(&[("Node", "node1", "unchanged", json!([]))]);
    let fake = Fake::start(&[
        (DRY, 200, planned.clone()),
        (TRANSACTIONS, 200, done(&["unchanged", "created", "configured"])),
        (DRY, 200, planned.clone()),
        (DRY, 200, planned.clone()),
        (DRY, 200, same),
    ]);
    let summary = "\
3 objects, in one transaction:
KIND           CREATE   UPDATE   DELETE   UNCHANGED
nodes          0        0        0        1
addresspools   1        0        0        0
subscribers    0        1        0        0
+ addresspool/inside
~ subscriber/alice: /spec/bundle/rateUp: 20M → 50M
";
    // Nobody can be asked, so it goes on.
    let run = fake.wcctl(&["apply", "-f", folder]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(run.stdout, "addresspool/inside created\nsubscriber/alice configured\n");
    assert_eq!(run.stderr, format!("{summary}1 created, 1 changed, 1 unchanged\n"));
    let body: Value = serde_json::from_str(&fake.bodies()[1]).expect("JSON");
    let kinds: Vec<&Value> =
        body["operations"].as_array().expect("a list").iter().map(|op| &op["object"]["kind"]).collect();
    assert_eq!(kinds, ["Node", "AddressPool", "Subscriber"]);
    assert_eq!(body["plan"], format!("{:064x}", 3), "what was shown is done, or nothing");

    let dry = fake.wcctl(&["apply", "-f", folder, "--dry-run"]);
    let differences = "\
--- /dev/null
+++ planned/addresspool/inside
@@ / @@
+kind: AddressPool
+spec:
+  leaseSeconds: 600
--- live/subscriber/alice
+++ planned/subscriber/alice
@@ /spec/bundle/rateUp @@
-20M
+50M
";
    assert_eq!((dry.status, dry.stdout.as_str(), dry.stderr.as_str()), (0, differences, summary));
    let data = fake.wcctl(&["apply", "-f", folder, "--dry-run", "-o", "json"]);
    let data: Value = serde_json::from_str(&data.stdout).expect("JSON");
    assert_eq!(data, serde_json::from_str::<Value>(&planned).expect("JSON"));
    let same = fake.wcctl(&["apply", "-f", folder, "--yes"]);
    assert_eq!((same.status, same.stdout.as_str()), (0, "Nothing to change.\n"));
    assert_eq!(fake.left(), [] as [String; 0]);
}

#[test]
fn of_many_objects_some_of_each_kind_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.yaml"), MANIFEST).expect("written");
    let names: Vec<String> = (0..300).map(|n| format!("sub-{n}")).collect();
    let mut objects = vec![("Node", "node1", "create", json!([]))];
    objects.extend(names.iter().enumerate().map(|(n, name)| {
        let action = if n < 200 { "create" } else { "update" };
        let changes = if n < 200 { json!([]) } else { replaced("/spec/bundle/rateUp", "1M", "2M") };
        ("Subscriber", name.as_str(), action, changes)
    }));
    let fake = Fake::start(&[(DRY, 200, plan(&objects)), (TRANSACTIONS, 200, done(&["created"; 2]))]);
    let run = fake.wcctl(&["apply", "-f", dir.path().to_str().expect("UTF-8"), "--yes"]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(
        lines[..5],
        [
            "301 objects, in one transaction:",
            "KIND          CREATE   UPDATE   DELETE   UNCHANGED",
            "nodes         1        0        0        0",
            "subscribers   200      100      0        0",
            "+ node/node1",
        ]
    );
    assert_eq!(lines[10], "+ … and 195 more subscribers");
    assert_eq!(lines[11], "~ subscriber/sub-200: /spec/bundle/rateUp: 1M → 2M");
    assert_eq!(lines[16..], ["~ … and 95 more subscribers", "2 created, 0 changed, 0 unchanged"]);
    let sent = |i: usize| serde_json::from_str::<Value>(&fake.bodies()[i]).expect("JSON");
    assert_eq!(sent(0)["operations"], sent(1)["operations"], "what was planned is what is sent");
}

/// Runs on a terminal of its own, at which `answer` is typed; what the terminal showed.
fn at_terminal(fake: &Fake, arguments: &str, answer: &str) -> (i32, String) {
    let program = format!("{} --socket {} {arguments}", env!("CARGO_BIN_EXE_wcctl"), fake.socket.display());
    let mut script = Command::new("script");
    script.args(["-qec", &program, "/dev/null"]).env("HOME", "/nonexistent").env("TERM", "dumb");
    let spawned = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.expect("script runs: apt-get install bsdutils");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(answer.as_bytes()).expect("typed");
    let output = child.wait_with_output().expect("it ends");
    drop(stdin);
    (output.status.code().expect("an exit status"), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn somebody_at_a_terminal_is_asked_before_a_folder_is_applied() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.yaml"), MANIFEST).expect("written");
    let apply = format!("apply -f {}", dir.path().display());
    let created = done(&["created", "created"]);
    let planned =
        plan(&[("Node", "node1", "create", json!([])), ("Subscriber", "alice", "create", json!([]))]);
    let fake = Fake::start(&[(DRY, 200, planned.clone()), (DRY, 200, planned), (TRANSACTIONS, 200, created)]);
    let (status, text) = at_terminal(&fake, &apply, "n\n");
    assert_eq!((status, fake.bodies().len()), (1, 1), "{text}");
    assert!(text.contains("+ node/node1") && text.contains("Apply this? [y/N]"), "{text}");
    assert!(text.contains("nothing was changed"), "{text}");
    let (status, text) = at_terminal(&fake, &apply, "y\n");
    assert_eq!((status, fake.bodies().len()), (0, 3), "{text}");
    assert!(text.contains("subscriber/alice created"), "{text}");
}

#[test]
fn what_was_agreed_to_is_done_or_the_new_plan_is_shown() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.yaml"), MANIFEST).expect("written");
    let apply = format!("apply -f {}", dir.path().display());
    let node = ("Node", "node1", "unchanged", json!([]));
    let first = plan(&[node.clone(), ("Subscriber", "alice", "create", json!([]))]);
    let slower = replaced("/spec/bundle/rateUp", "50M", "20M");
    let second =
        plan(&[node, ("Subscriber", "alice", "update", slower), ("Node", "n", "unchanged", json!([]))]);
    let past = r#"{"title": "Precondition failed", "status": 412, "detail": "ask anew"}"#;
    let answers = [
        (DRY, 200, first.clone()),
        (TRANSACTIONS, 412, past.into()),
        (DRY, 200, second.clone()),
        (TRANSACTIONS, 200, done(&["unchanged", "configured"])),
    ];
    let fake = Fake::start(&answers);
    let (status, text) = at_terminal(&fake, &apply, "y\ny\n");
    assert_eq!(status, 0, "{text}");
    let (before, after) = text.split_once("The office has changed meanwhile").expect("it says so");
    assert!(before.contains("+ subscriber/alice"), "{text}");
    assert!(after.contains("~ subscriber/alice: /spec/bundle/rateUp: 50M → 20M"), "{text}");
    assert_eq!(after.matches("Apply this? [y/N]").count(), 1, "{text}");
    let plans: Vec<Value> = [1, 3]
        .map(|i| serde_json::from_str::<Value>(&fake.bodies()[i]).expect("JSON")["plan"].clone())
        .to_vec();
    assert_eq!(plans, [format!("{:064x}", 2), format!("{:064x}", 3)]);
    // Who does not agree to the new one has changed nothing.
    let fake = Fake::start(&answers[..3]);
    let (status, text) = at_terminal(&fake, &apply, "y\nn\n");
    assert_eq!((status, fake.bodies().len()), (1, 3), "{text}");
    // With nobody to ask, what is done has been shown all the same, and there is an end to it.
    let fake = Fake::start(&answers);
    let run = fake.wcctl(&["apply", "-f", dir.path().to_str().expect("UTF-8"), "--yes"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "subscriber/alice configured\n"), "{}", run.stderr);
    assert!(run.stderr.contains("~ subscriber/alice"), "{}", run.stderr);
    let always: Vec<_> =
        (0..5).flat_map(|_| [(DRY, 200, first.clone()), (TRANSACTIONS, 412, past.into())]).collect();
    let fake = Fake::start(&always);
    let run = fake.wcctl(&["apply", "-f", dir.path().to_str().expect("UTF-8")]);
    assert_eq!((run.status, fake.left()), (3, Vec::new()), "{}", run.stderr);
}

#[test]
fn a_terminal_is_told_what_is_waited_for() {
    let fake = Fake::start(&[("GET /api/v1/subscribers/alice", 200, alice().to_string())]);
    let (status, text) = at_terminal(&fake, "wait sub/alice --for=condition=Ready", "");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("waiting for subscriber/alice: Ready to be True (1 of 1)"), "{text}");
}
