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

#[test]
fn a_folder_is_planned_before_it_is_applied() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.yaml"), MANIFEST.replace("rateUp: 20M", "rateUp: 50M")).expect("written");
    let pool = r#"{"kind": "AddressPool", "metadata": {"name": "inside"}, "spec": {}}"#;
    fs::write(dir.path().join("b.json"), pool).expect("written");
    let folder = dir.path().to_str().expect("UTF-8");
    let results = done(&["unchanged", "created", "configured"]);
    let present = ("GET /api/v1/subscribers/alice", 200, alice().to_string());
    let fake = Fake::start(&[
        (DRY, 200, results.clone()),
        present.clone(),
        (TRANSACTIONS, 200, results.clone()),
        (DRY, 200, results),
        present,
        (DRY, 200, done(&["unchanged"; 3])),
    ]);
    let plan = "\
3 objects, in one transaction:
  to create       1  (1 addresspool)
  to change       1  (1 subscriber)
  unchanged       1
+ addresspool/inside
~ subscriber/alice: spec.bundle.rateUp: 20M → 50M
";
    // Nobody can be asked, so it goes on.
    let run = fake.wcctl(&["apply", "-f", folder]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(run.stdout, "addresspool/inside created\nsubscriber/alice configured\n");
    assert_eq!(run.stderr, format!("{plan}1 created, 1 changed, 1 unchanged\n"));
    let body: Value = serde_json::from_str(&fake.bodies()[2]).expect("JSON");
    let kinds: Vec<&Value> =
        body["operations"].as_array().expect("a list").iter().map(|op| &op["object"]["kind"]).collect();
    assert_eq!(kinds, ["Node", "AddressPool", "Subscriber"]);

    let dry = fake.wcctl(&["apply", "-f", folder, "--dry-run"]);
    assert_eq!((dry.status, dry.stdout.as_str(), dry.stderr.as_str()), (0, plan, ""));
    let same = fake.wcctl(&["apply", "-f", folder, "--yes"]);
    assert_eq!((same.status, same.stdout.as_str()), (0, "Nothing to change.\n"));
    assert_eq!(fake.left(), [] as [String; 0]);
}

#[test]
fn ten_thousand_objects_are_one_transaction() {
    let count = 10_000;
    let dir = tempfile::tempdir().expect("a directory");
    for part in 0..10 {
        let text: String = (part * count / 10..(part + 1) * count / 10)
            .map(|n| {
                MANIFEST.split_inclusive("---\n").next().expect("one").replace("alice", &format!("sub-{n}"))
            })
            .collect();
        fs::write(dir.path().join(format!("{part}.yaml")), text).expect("written");
    }
    let mut results = vec!["created"; count];
    results[..100].fill("configured");
    let mut live = alice();
    let page: Vec<Value> = (0..100)
        .map(|n| {
            live["metadata"]["name"] = json!(format!("sub-{n}"));
            live["spec"]["suspended"] = json!(true);
            live.clone()
        })
        .collect();
    let fake = Fake::start(&[
        (DRY, 200, done(&results)),
        // A hundred of a kind are read as a list.
        ("GET /api/v1/subscribers?limit=500", 200, json!({"metadata": {}, "items": page}).to_string()),
        (TRANSACTIONS, 200, done(&results)),
    ]);
    let run = fake.wcctl(&["apply", "-f", dir.path().to_str().expect("UTF-8"), "--yes"]);
    assert_eq!((run.status, run.stdout.lines().count()), (0, count), "{}", run.stderr);
    let lines: Vec<&str> = run.stderr.lines().filter(|line| !line.ends_with('…')).collect();
    assert_eq!(
        lines[..4],
        [
            "10000 objects, in one transaction:",
            "  to create    9900  (9900 subscribers)",
            "  to change     100  (100 subscribers)",
            "  unchanged       0",
        ]
    );
    assert_eq!(lines[24], "  … and 9880 more");
    assert_eq!(lines[25], "~ subscriber/sub-0: spec.suspended: true → nothing");
    assert_eq!(lines[45..], ["  … and 80 more", "9900 created, 100 changed, 0 unchanged"]);
    assert_eq!(fake.bodies()[0], fake.bodies()[2]);
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
    let fake = Fake::start(&[
        (DRY, 200, created.clone()),
        (DRY, 200, created.clone()),
        (TRANSACTIONS, 200, created),
    ]);
    let (status, text) = at_terminal(&fake, &apply, "n\n");
    assert_eq!((status, fake.bodies().len()), (1, 1), "{text}");
    assert!(text.contains("+ node/node1") && text.contains("Apply this? [y/N]"), "{text}");
    assert!(text.contains("nothing was changed"), "{text}");
    let (status, text) = at_terminal(&fake, &apply, "y\n");
    assert_eq!((status, fake.bodies().len()), (0, 3), "{text}");
    assert!(text.contains("subscriber/alice created"), "{text}");
}

#[test]
fn a_terminal_is_told_what_is_waited_for() {
    let fake = Fake::start(&[("GET /api/v1/subscribers/alice", 200, alice().to_string())]);
    let (status, text) = at_terminal(&fake, "wait sub/alice --for=condition=Ready", "");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("waiting for subscriber/alice: Ready to be True (1 of 1)"), "{text}");
}
