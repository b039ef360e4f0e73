//! What can go wrong with a virtual machine.

use std::{
    io,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

#[derive(Debug, thiserror::Error)]
pub enum VmError {
    #[error("{program} is not installed: apt-get install -y {package}")]
    Missing { program: String, package: &'static str },
    #[error("{0} is missing: build it with `cargo xtask build`")]
    NotBuilt(PathBuf),
    #[error("the kernel {0} is not here: `cargo xtask setup` downloads it")]
    NoKernel(&'static str),
    #[error("the kernel {kernel} cannot be had from Debian: {reason}")]
    Download { kernel: &'static str, reason: String },
    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },
    #[error("{doing}: {source}")]
    Io { doing: String, source: io::Error },
    #[error("{0:?} cannot be said to the machine: a word has no line breaks and no NUL")]
    Word(String),
    #[error("{doing}: nothing after {patience:?}; the console's last lines:\n{console}")]
    Late { doing: String, patience: Duration, console: String },
    #[error("{doing}: the machine ended; the console's last lines:\n{console}")]
    Ended { doing: String, console: String },
}

pub(crate) type Result<T, E = VmError> = std::result::Result<T, E>;

impl VmError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Debian's package of each program that is run here or in a machine.
const PACKAGES: [(&str, &str); 13] = [
    ("apt-cache", "apt"),
    ("apt-get", "apt"),
    ("busybox", "busybox"),
    ("depmod", "kmod"),
    ("dhclient", "isc-dhcp-client"),
    ("dpkg", "dpkg"),
    ("ethtool", "ethtool"),
    ("ip", "iproute2"),
    ("ldd", "libc-bin"),
    ("modprobe", "kmod"),
    ("ping", "iputils-ping"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("udhcpc", "udhcpc"),
];

pub(crate) fn missing(program: &str) -> VmError {
    let package = PACKAGES
        .iter()
        .find(|(name, _)| *name == program)
        .map_or("(whichever `apt-file search` names)", |(_, package)| package);
    VmError::Missing { program: program.to_owned(), package }
}

/// Runs one of this machine's programs to its end, and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => missing(&program),
        _ => VmError::Io { doing: format!("run {program}"), source },
    })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    Err(VmError::Command {
        command: std::iter::once(program).chain(words).collect::<Vec<_>>().join(" "),
        output: String::from_utf8_lossy(&done.stderr).trim().to_owned(),
    })
}
