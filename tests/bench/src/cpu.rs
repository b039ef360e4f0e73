//! What CPU time work costs, wherever the kernel spends it.
//!
//! Without `CONFIG_IRQ_TIME_ACCOUNTING` work that the kernel does in softirqs counts as that of the thread it interrupts;
//! and frames of a veth are dealt with on the CPU that sent them. So all that a frame costs is the sender's, the
//! softirq threads', and the process's that deals with it in user space: what others compile meanwhile is not in it.

use std::{collections::HashSet, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use nix::{
    time::{ClockId, clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

/// Nanoseconds of CPU that the calling thread and the kernel's softirq threads have used.
pub(crate) fn of_sender() -> Result<u64> {
    let own = nanoseconds(ClockId::CLOCK_THREAD_CPUTIME_ID).context("the thread's clock")?;
    Ok(own + softirq_threads()?)
}

fn softirq_threads() -> Result<u64> {
    let mut sum = 0;
    for process in fs::read_dir("/proc").context("/proc")? {
        let path = process.context("/proc")?.path();
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.starts_with("ksoftirqd/") {
            sum += of_thread(&path)?;
        }
    }
    Ok(sum)
}

/// Of all threads of a process, those that have ended included.
pub(crate) fn of_process(pid: u32) -> Result<u64> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid.try_into()?)).context("a process's clock")?;
    nanoseconds(clock).context("a process's clock")
}

fn nanoseconds(clock: ClockId) -> Result<u64> {
    let time = clock_gettime(clock)?;
    Ok(u64::try_from(time.tv_sec())? * 1_000_000_000 + u64::try_from(time.tv_nsec())?)
}

/// The first number of `schedstat` (Documentation/scheduler/sched-stats.rst).
fn of_thread(path: &Path) -> Result<u64> {
    let text = fs::read_to_string(path.join("schedstat")).context("a thread's CPU time")?;
    let first = text.split(' ').next().context("a thread's CPU time")?;
    first.parse().context("a thread's CPU time")
}

const STATISTICS: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The kernel takes the time of each run of a program while there is one of these.
pub(crate) struct Statistics {
    before: String,
}

impl Statistics {
    pub(crate) fn enable() -> Result<Self> {
        let before = fs::read_to_string(STATISTICS).context(STATISTICS)?;
        fs::write(STATISTICS, "1").context(STATISTICS)?;
        Ok(Self { before })
    }

    /// Nanoseconds that a process's program of that name has run, and what it leads on to.
    pub(crate) fn of_program(name: &str, pid: u32) -> Result<u64> {
        let done = Command::new("bpftool").args(["-j", "prog", "show", "name", name]).output();
        let done = done.context("bpftool: apt-get install -y bpftool")?;
        let all: serde_json::Value = serde_json::from_slice(&done.stdout).context("bpftool's list")?;
        // One alone is no list.
        let all = all.as_array().cloned().unwrap_or_else(|| vec![all]);
        let own = programs_of(pid)?;
        let is_own =
            |program: &&serde_json::Value| program["id"].as_u64().is_some_and(|id| own.contains(&id));
        let run = all.iter().filter(is_own).filter_map(|program| program["run_time_ns"].as_u64());
        Ok(run.sum())
    }
}

/// The numbers of the programs that a process has descriptors of.
fn programs_of(pid: u32) -> Result<HashSet<u64>> {
    let mut numbers = HashSet::new();
    for descriptor in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // One that is closed meanwhile was no program.
        let text = fs::read_to_string(descriptor?.path()).unwrap_or_default();
        numbers.extend(
            text.lines().filter_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u64>().ok()),
        );
    }
    Ok(numbers)
}

impl Drop for Statistics {
    fn drop(&mut self) {
        // Else runs of programs go on being timed, which costs them some nanoseconds.
        let _ = fs::write(STATISTICS, self.before.trim());
    }
}

/// The load average of the last minute: what else the machine does.
pub(crate) fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
    text.split(' ').next().context("/proc/loadavg")?.parse().context("/proc/loadavg")
}
