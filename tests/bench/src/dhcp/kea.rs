//! Kea's DHCPv4 server with its default lease store.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::{machine, namespace::Namespace};

pub(super) struct Kea {
    program: Child,
    _folder: TempDir,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Kea {
    pub(super) fn start(root: &Path, namespace: &Namespace) -> Result<Self> {
        let folder = machine::disk()?;
        let place = |name: &str| folder.path().join(name);
        let leases = place("leases.csv");
        let config = json!({"Dhcp4": {
            "interfaces-config": {"interfaces": ["server0"], "dhcp-socket-type": "udp"},
            "lease-database": {"type": "memfile", "persist": true, "name": leases, "lfc-interval": 0},
            "valid-lifetime": 3600,
            "subnet4": [{"subnet": "100.64.0.0/10", "pools": [{"pool": "100.64.0.2 - 100.65.255.254"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}],
        }});
        std::fs::write(place("kea.conf"), config.to_string()).context("Kea's configuration")?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace.name()]).arg(root.join("usr/sbin/kea-dhcp4"));
        command.arg("-c").arg(place("kea.conf"));
        command.env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"));
        command.env("KEA_PIDFILE_DIR", folder.path()).env("KEA_LOCKFILE_DIR", folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut kea = Self { program: command.spawn().context("starting Kea")?, _folder: folder };
        let begun = Instant::now();
        while !leases.exists() {
            let ended = kea.program.try_wait().context("waiting for Kea")?;
            ensure!(ended.is_none() && begun.elapsed() < PATIENCE, "Kea does not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(kea)
    }

    /// `ip netns exec` becomes the program that it starts.
    pub(super) fn pid(&self) -> u32 {
        self.program.id()
    }
}

impl Drop for Kea {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
