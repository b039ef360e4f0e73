//! Running the system's tools.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("lab configuration: {0}")]
    Config(String),
    #[error("{program} is not installed: apt-get install -y {package}")]
    Missing { program: String, package: &'static str },
    #[error("{path} is missing: {hint}")]
    MissingFile { path: PathBuf, hint: String },
    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },
    #[error("{doing}: {source}")]
    Io { doing: String, source: io::Error },
    #[error("{0}")]
    State(String),
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its exit status, or 128 and the number of the signal that ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let status = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        Self { status: status.unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

pub(crate) type Result<T, E = LabError> = std::result::Result<T, E>;

impl LabError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Debian's package of each program that the lab runs.
const PACKAGES: [(&str, &str); 4] =
    [("ip", "iproute2"), ("udhcpc", "udhcpc"), ("dhclient", "isc-dhcp-client"), ("busybox", "busybox")];

pub(crate) fn package(program: &str) -> &'static str {
    PACKAGES.iter().find(|(name, _)| *name == program).map_or("(unknown)", |(_, package)| package)
}

/// Fails with the command that installs it if a program is not there.
pub(crate) fn require(program: &str) -> Result<()> {
    let directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
    if directories.iter().any(|directory| PathBuf::from(directory).join(program).is_file()) {
        return Ok(());
    }
    Err(LabError::Missing { program: program.into(), package: package(program) })
}

/// Runs a program to its end and returns what it wrote.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = output(Command::new(program).args(arguments))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(LabError::Command {
        command: format!("{program} {}", arguments.join(" ")),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// `ip` with the words of `line`.
pub(crate) fn ip(line: &str) -> Result<String> {
    run("ip", &line.split_whitespace().collect::<Vec<_>>())
}

pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).output().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => LabError::Missing { package: package(&program), program },
        _ => LabError::Io { doing: format!("run {program}"), source },
    })
}
