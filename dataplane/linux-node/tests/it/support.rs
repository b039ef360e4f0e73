//! A network namespace for a test, and iproute2 as an independent hand in it.

use std::{
    io::Write,
    process::{Child, Command},
};

use linux_node::NetNs;
use tempfile::NamedTempFile;

/// Runs `ip` in the calling thread's namespace; a failure is the test's.
pub(crate) fn ip(line: &str) -> String {
    try_ip(line).unwrap_or_else(|error| panic!("ip {line}: {error}"))
}

pub(crate) fn try_ip(line: &str) -> Result<String, String> {
    let output =
        Command::new("ip").args(line.split_whitespace()).output().expect("apt-get install -y iproute2");
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Runs a program in the calling thread's namespace, and returns what it prints; a failure is the test's.
pub(crate) fn run(line: &str) -> String {
    let mut words = line.split_whitespace();
    let program = words.next().expect("a program");
    let output = Command::new(program).args(words).output();
    let output = output
        .unwrap_or_else(|error| panic!("{program}: {error} (apt-get install -y iproute2 iputils-ping)"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Runs many lines of `ip` at once, by an option such as `-force`, with which some may fail.
pub(crate) fn ip_batch(option: &str, lines: &[String]) {
    let file = file_of(lines);
    let output = batch(option, &file).output().expect("apt-get install -y iproute2");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || option.contains("-force"), "ip -batch: {errors}");
}

/// Lines of `ip` that are being run.
pub(crate) struct Batch {
    child: Child,
    _file: NamedTempFile,
}

/// Begins to run many lines of `ip`.
pub(crate) fn ip_batch_started(lines: &[String]) -> Batch {
    let file = file_of(lines);
    Batch { child: batch("", &file).spawn().expect("apt-get install -y iproute2"), _file: file }
}

impl Batch {
    /// Waits for its end; a failure is the test's.
    pub(crate) fn end(&mut self) {
        let status = self.child.wait().expect("a child of this process");
        assert!(status.success(), "ip -batch: {status}");
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn file_of(lines: &[String]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all((lines.join("\n") + "\n").as_bytes()).expect("written");
    file
}

fn batch(option: &str, file: &NamedTempFile) -> Command {
    let mut command = Command::new("ip");
    command.args(option.split_whitespace()).arg("-batch").arg(file.path());
    command
}

/// Runs a test in a new namespace, on a thread of its own, with a runtime that stays on that thread.
pub(crate) fn in_new_namespace<T: Send>(test: impl AsyncFnOnce() -> T + Send) -> T {
    let namespace = NetNs::unnamed().expect("a network namespace: run the tests as root");
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(test())
    };
    namespace.run(work).expect("the namespace was just made")
}
