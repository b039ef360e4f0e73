//! What the benchmarks take from the machine that they run on.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

/// Where the programs are.
pub(crate) fn bin_dir() -> Result<PathBuf> {
    let dir =
        std::env::var_os("WIRECENTER_BIN_DIR").context("WIRECENTER_BIN_DIR says where wirecenterd is")?;
    Ok(dir.into())
}

/// A directory where a sync reaches a disk: in `TMPDIR`, or in /var/tmp if that is in memory.
pub(crate) fn disk() -> Result<TempDir> {
    for parent in [std::env::temp_dir(), PathBuf::from("/var/tmp")] {
        if statfs(&parent)?.filesystem_type() != TMPFS_MAGIC {
            return TempDir::with_prefix_in("wc-bench-", &parent).context("making a directory");
        }
    }
    bail!("neither the temporary directory nor /var/tmp is on a disk: set TMPDIR")
}

/// What a process has resident, in 10^6 bytes (proc(5), status).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    pub all: f64,
    /// Its own: heap and stacks.
    pub anonymous: f64,
    /// What it has mapped: its program, files, and BPF maps, which are the kernel's and stay when it ends.
    pub file: f64,
}

impl Resident {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let status =
            std::fs::read_to_string(format!("/proc/{pid}/status")).context("looking at a process")?;
        let megabytes = |name: &str| -> Result<f64> {
            let line =
                status.lines().find_map(|line| line.strip_prefix(name)).context("a field is missing")?;
            let kib: f64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?;
            Ok(kib * 1024.0 / 1e6)
        };
        let field = |name: &str| megabytes(name).with_context(|| format!("{name} of process {pid}"));
        Ok(Self { all: field("VmRSS")?, anonymous: field("RssAnon")?, file: field("RssFile")? })
    }
}
