//! Running the system's own network tools to their end.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What a command said, and its exit status.
#[derive(Clone, Debug)]
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command and wants it to succeed.
pub(crate) fn run(argv: &[&str]) -> Result<String> {
    let output = output(argv)?;
    if output.status == 0 {
        return Ok(output.stdout);
    }
    bail!("`{}` failed with {}: {}", argv.join(" "), output.status, output.stderr.trim())
}

/// Runs a command; how it ends is the caller's matter.
pub(crate) fn output(argv: &[&str]) -> Result<Output> {
    let (program, arguments) = argv.split_first().context("an empty command line")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {program}; `cargo xtask setup` installs what the lab needs"))?;
    Ok(Output {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// `ip …` with words separated by spaces.
pub(crate) fn ip(words: &str) -> Result<String> {
    run(&std::iter::once("ip").chain(words.split(' ')).collect::<Vec<_>>())
}

/// Runs words in a network namespace, in the mount namespace of the caller.
pub(crate) fn inside(namespace: &str, words: &str) -> Result<String> {
    let net = format!("--net=/run/netns/{namespace}");
    run(&["nsenter", &net, "--"].into_iter().chain(words.split(' ')).collect::<Vec<_>>())
}
