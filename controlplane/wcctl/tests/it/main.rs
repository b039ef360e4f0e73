//! The program as it is run, against a controller that says what a test lets it say.

mod change;
mod contexts;
mod fake;
mod plan;
mod read;
mod remote;
mod shell;
mod write;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use fake::Fake;

/// What a run of `wcctl` left.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

fn wcctl(socket: &Path, arguments: &[&str]) -> Run {
    run(command().arg("--socket").arg(socket).args(arguments))
}

/// The program with nothing of the environment that it could be told by, and nobody at its terminal.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wcctl"));
    for variable in ["WIRECENTER_SOCKET", "WIRECENTER_CONTEXT", "XDG_CONFIG_HOME", "VISUAL", "EDITOR"] {
        command.env_remove(variable);
    }
    command.env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Run {
    let output = command.output().expect("wcctl runs");
    Run {
        status: output.status.code().expect("an exit status"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

impl Fake {
    fn wcctl(&self, arguments: &[&str]) -> Run {
        wcctl(&self.socket, arguments)
    }
}

#[test]
fn the_exit_status_says_what_kind_of_failure_it_was() {
    let nowhere = wcctl(Path::new("/nonexistent/api.sock"), &["get", "nodes"]);
    assert_eq!((nowhere.status, nowhere.stdout.as_str()), (4, ""));
    assert!(nowhere.stderr.contains("no controller answers at /nonexistent/api.sock"), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("WIRECENTER_SOCKET"), "{}", nowhere.stderr);

    for wrong in [&["get", "vms"][..], &["get"], &["delete", "subscribers"], &["apply", "-f", "/nonexistent"]]
    {
        assert_eq!(wcctl(Path::new("/nonexistent/api.sock"), wrong).status, 2, "{wrong:?}");
    }

    let fake = Fake::start(&[
        ("GET /api/v1/nodes?limit=500", 503, r#"{"title":"The store is stopped","status":503}"#),
        ("GET /api/v1/nodes?limit=500", 200, "not JSON"),
        ("GET /api/v1/nodes?limit=500", 418, "not a problem"),
    ]);
    let failed = fake.wcctl(&["get", "nodes"]);
    assert_eq!(
        (failed.status, failed.stderr.as_str()),
        (5, "wcctl: the controller failed: The store is stopped\n")
    );
    assert_eq!(fake.wcctl(&["get", "nodes"]).status, 5);
    let refused = fake.wcctl(&["get", "nodes"]);
    assert_eq!((refused.status, refused.stderr.as_str()), (3, "wcctl: I'm a teapot\n"));

    let help = wcctl(Path::new("/nonexistent"), &["--help"]);
    assert!(help.status == 0 && help.stdout.contains("Exit status:"), "{}", help.stdout);
}

#[test]
fn a_join_token_stands_alone_on_standard_output() {
    let fake = Fake::start(&[
        (
            "POST /api/v1/nodes/node1/join-token",
            201,
            r#"{"token":"s3cret","expiresAt":"2030-01-01T00:00:00Z"}"#,
        ),
        (
            "POST /api/v1/nodes/node2/join-token",
            404,
            r#"{"title":"Not found","status":404,"detail":"there is no Node node2"}"#,
        ),
    ]);
    let run = fake.wcctl(&["node", "token", "node1"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "s3cret\n"));
    assert!(run.stderr.contains("2030-01-01T00:00:00Z"), "{}", run.stderr);
    let missing = fake.wcctl(&["node", "token", "node2"]);
    assert_eq!((missing.status, missing.stdout.as_str()), (3, ""));
    assert_eq!(missing.stderr, "wcctl: node/node2: Not found: there is no Node node2\n");
}

#[test]
fn versions_of_both_ends() {
    let fake = Fake::start(&[("GET /version", 200, r#"{"version":"9.8.7"}"#)]);
    let run = fake.wcctl(&["version"]);
    assert_eq!(run.stdout, format!("wcctl        {}\nwirecenterd  9.8.7\n", env!("CARGO_PKG_VERSION")));
}
