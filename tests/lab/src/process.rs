//! Processes that outlive the program that started them.

use std::{
    fs::{self, File},
    io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use linux_node::NetNs;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use crate::{LabError, command::Result};

/// A process, by its number and when it started: a number alone may by now be another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessId {
    pub pid: i32,
    /// Clock ticks since the machine started (proc(5), field 22 of stat).
    pub start_time: u64,
}

/// What the lab's own processes write to their log when they do their work.
pub(crate) const READY: &str = "ready";

/// How long a process has to end after SIGTERM.
const TERM_PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

impl ProcessId {
    /// The process that has this number now, unless it has ended.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold anything; the fields after it do not.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let start_time = fields.nth(18)?.parse().ok()?;
        // A process ends with its last thread; until then its files are open and their locks held.
        let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        let ended = state == "X" || (state == "Z" && threads() <= 1);
        (!ended).then_some(Self { pid, start_time })
    }

    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal if the process is still there.
    pub(crate) fn signal(self, signal: Signal) {
        if self.is_alive() {
            // It may have ended since: that is what was wanted.
            let _ended = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Waits until the process has ended; false if it has not by then.
    pub(crate) fn wait_gone(self, patience: Duration) -> bool {
        let start = Instant::now();
        while self.is_alive() {
            if start.elapsed() > patience {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

/// Ends processes: asks first, and kills those that do not listen.
pub(crate) fn end(processes: &[ProcessId]) -> Result<()> {
    for process in processes {
        process.signal(Signal::SIGTERM);
    }
    for process in processes {
        if !process.wait_gone(TERM_PATIENCE) {
            process.signal(Signal::SIGKILL);
            if !process.wait_gone(TERM_PATIENCE) {
                return Err(LabError::State(format!("process {} does not end", process.pid)));
            }
        }
    }
    Ok(())
}

/// The processes in a network namespace.
pub(crate) fn in_namespace(namespace: &str) -> Result<Vec<ProcessId>> {
    let doing = || LabError::io(format!("list the processes in {namespace}"));
    let wanted = match fs::metadata(NetNs::path(namespace)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(doing())?,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").map_err(doing())? {
        let name = entry.map_err(doing())?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let inside = fs::metadata(format!("/proc/{pid}/ns/net"))
            .is_ok_and(|ns| (ns.dev(), ns.ino()) == (wanted.dev(), wanted.ino()));
        if inside && pid.cast_unsigned() != std::process::id() {
            found.extend(ProcessId::of(pid));
        }
    }
    Ok(found)
}

/// Starts a program whose output goes to a log, apart from the terminal of whoever starts it.
///
/// With a namespace, only the network changes, and not, as under `ip netns exec`, /sys as well: a BPF file system below
/// it would be out of sight.
pub(crate) fn start(
    command: &mut Command,
    namespace: Option<&str>,
    log: &Path,
) -> Result<(Child, ProcessId)> {
    let program = command.get_program().to_string_lossy().into_owned();
    let open = || File::options().create(true).append(true).open(log);
    let mut start = || {
        command.stdin(Stdio::null()).stdout(open()?).stderr(open()?).process_group(0);
        // A child is in the namespace of the thread that starts it.
        match namespace {
            Some(name) => NetNs::named(name)?.run(|| command.spawn())?,
            None => command.spawn(),
        }
    };
    let child = start().map_err(LabError::io(format!("start {program}")))?;
    let pid = child.id().cast_signed();
    let process = ProcessId::of(pid)
        .ok_or_else(|| LabError::State(format!("{program} ended at once: see {}", log.display())))?;
    Ok((child, process))
}

/// Waits until `done` says so, as long as the process lives and `patience` lasts.
pub(crate) fn wait_for(
    what: &str,
    process: ProcessId,
    log: &Path,
    patience: Duration,
    mut done: impl FnMut() -> bool,
) -> Result<()> {
    let start = Instant::now();
    while !done() {
        let (ended, late) = (!process.is_alive(), start.elapsed() > patience);
        if ended || late {
            let reason = if ended { "ended".into() } else { format!("is not ready after {patience:?}") };
            let log_text = fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<_> = log_text.lines().collect();
            let tail = lines[lines.len().saturating_sub(10)..].join("\n");
            return Err(LabError::State(format!("{what} {reason}; {} ends with:\n{tail}", log.display())));
        }
        thread::sleep(POLL);
    }
    Ok(())
}
