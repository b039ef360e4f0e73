//! The node: the box in the middle.

use std::{fs, io::ErrorKind, path::Path, path::PathBuf};

use anyhow::{Context, Result};
use nix::{mount::{MsFlags, mount}, sys::statfs::{BPF_FS_MAGIC, statfs}};

use crate::state::Lab;

pub(crate) const NODE: &str = "node1";
pub(crate) const ACCESS_PORT: &str = "access0";
pub(crate) const CORE_PORT: &str = "core0";

const BPFFS: &str = "/sys/fs/bpf";

/// Mounts bpffs where systemd would have.
pub(crate) fn prepare() -> Result<()> {
    if statfs(BPFFS).context("looking at /sys/fs/bpf")?.filesystem_type() == BPF_FS_MAGIC {
        return Ok(());
    }
    mount(Some("bpf"), BPFFS, Some("bpf"), MsFlags::empty(), None::<&str>).context("mounting bpffs on /sys/fs/bpf")
}

/// Where the lab's agent pins its maps; each lab has a place of its own.
pub(crate) fn pin_dir(lab: &Lab) -> PathBuf {
    Path::new(BPFFS).join(format!("{}lab", lab.config.prefix))
}

pub(crate) fn remove_pins(lab: &Lab) -> Result<()> {
    let dir = pin_dir(lab);
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| format!("removing {}", dir.display())),
        _ => Ok(()),
    }
}
