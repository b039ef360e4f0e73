//! The program as it is run on a node without a fast path.

use std::{fs, process::Command};

struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

fn wcnode(dir: &std::path::Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_wcnode"))
        .arg("--pin-dir")
        .arg(dir.join("pins"))
        .arg("--run-dir")
        .arg(dir)
        .args(arguments)
        .output()
        .expect("wcnode runs");
    Run {
        status: output.status.code().expect("an exit status"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

#[test]
fn a_node_without_a_fast_path_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    for verb in ["sessions", "drops", "stages", "counters", "ports", "status"] {
        let run = wcnode(dir.path(), &[verb]);
        assert_eq!(run.status, 3, "{verb}");
        assert!(
            run.stderr.starts_with("wcnode: no fast path is loaded: nothing is pinned at "),
            "{}",
            run.stderr
        );
    }
    fs::create_dir(dir.path().join("pins")).expect("a directory");
    assert_eq!(wcnode(dir.path(), &["sessions"]).status, 3, "an empty directory is no fast path");
    // Something is there, but it is no map.
    fs::write(dir.path().join("pins/SESSIONS"), "").expect("written");
    let run = wcnode(dir.path(), &["sessions"]);
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert!(run.stderr.contains("cannot be read"), "{}", run.stderr);
}

#[test]
fn the_agents_last_words_are_shown_without_a_fast_path() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("status.json"), r#"{"generation": 12}"#).expect("written");
    let run = wcnode(dir.path(), &["status"]);
    assert!(run.stdout.contains("fast path:     not loaded"), "{}", run.stdout);
    assert!(run.stdout.contains("  generation:  12\n"), "{}", run.stdout);
    let json = wcnode(dir.path(), &["status", "-o", "json"]);
    assert!(json.stdout.contains("\"fastpath\": null") && json.status == 3, "{}", json.stdout);
}

#[test]
fn what_the_agent_would_do_is_shown_without_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = wcnode(dir.path(), &["diff"]);
    assert!(run.status == 6 && run.stderr.contains("desired.json cannot be read"), "{}", run.stderr);
    fs::write(dir.path().join("desired.json"), "[{\"kind\":\"dragon\"}]").expect("written");
    let run = wcnode(dir.path(), &["diff"]);
    assert!(run.status == 6 && run.stderr.contains("dragon"), "{}", run.stderr);
    // Nothing of it is done, and nothing here is called so.
    let port = r#"{"kind":"port","name":"wc-none0","role":"core","mtu":1500,"addresses":[]}"#;
    let link = r#"{"kind":"link","name":"wc-never","type":"tap","mtu":1500,"addresses":[]}"#;
    fs::write(dir.path().join("desired.json"), format!("[{port},{link}]")).expect("written");
    let run = wcnode(dir.path(), &["diff"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for line in [
        "make wc-never, tap, with MTU 1500 (for link/wc-never)\n",
        "cannot: this node has no interface wc-none0 (for port/wc-none0)\n",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    let json = wcnode(dir.path(), &["diff", "-o", "json"]);
    assert!(json.stdout.contains(r#""what": "set wc-never up""#), "{}", json.stdout);
}

#[test]
fn the_command_line_is_judged_first() {
    let dir = tempfile::tempdir().expect("a directory");
    for wrong in [&[][..], &["nonsense"], &["counters", "--count", "3"], &["drops", "--interval", "1ms"]] {
        assert_eq!(wcnode(dir.path(), wrong).status, 2, "{wrong:?}");
    }
    let help = wcnode(dir.path(), &["--help"]);
    assert!(help.status == 0 && help.stdout.contains("Exit status:"), "{}", help.stdout);
}
