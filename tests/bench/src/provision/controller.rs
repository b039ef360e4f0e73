//! A real controller on a real disk.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

use super::client::Client;

const START_TIMEOUT: Duration = Duration::from_mins(2);

/// A running controller; killed when dropped.
pub(crate) struct Controller {
    directory: TempDir,
    child: Option<Child>,
}

impl Controller {
    pub(crate) fn new() -> Result<Self> {
        let mut controller = Self { directory: disk()?, child: None };
        controller.start()?;
        Ok(controller)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("api.sock")
    }

    /// Starts it, and returns when it answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        let bin =
            std::env::var_os("WIRECENTER_BIN_DIR").context("WIRECENTER_BIN_DIR says where wirecenterd is")?;
        let program = Path::new(&bin).join("wirecenterd");
        let child = Command::new(&program)
            .arg("--data-dir")
            .arg(self.directory.path().join("data"))
            .arg("--socket")
            .arg(self.socket())
            .args(["--agent-listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let child = self.child.insert(child);
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            let answered = Client::connect(&self.directory.path().join("api.sock"))
                .and_then(|mut client| client.get("/readyz"));
            if answered.is_ok() {
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                bail!("{} ended: {status}", program.display());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!("{} does not answer", program.display())
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().context("killing the controller")?;
            child.wait()?;
        }
        Ok(())
    }

    /// How many subscribers there are, by the controller's own count of claims: three each beside one for each pool.
    pub(crate) fn subscribers(&self) -> Result<u64> {
        let text = Client::connect(&self.socket())?.get("/metrics")?;
        let figure = text.lines().find_map(|line| line.strip_prefix("wirecenter_store_claims "));
        let claims: u64 = figure.context("the controller counts no claims")?.trim().parse()?;
        ensure!(
            claims >= 2 && (claims - 2).is_multiple_of(3),
            "{claims} claims are no whole number of subscribers"
        );
        Ok((claims - 2) / 3)
    }

    /// The resident set, in 10^6 bytes.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        let id = self.child.as_ref().context("the controller runs")?.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _: Result<()> = self.kill();
    }
}

/// A directory where a sync reaches a disk: `TMPDIR`'s, or /var/tmp if that is in memory.
fn disk() -> Result<TempDir> {
    for parent in [std::env::temp_dir(), PathBuf::from("/var/tmp")] {
        if statfs(&parent)?.filesystem_type() != TMPFS_MAGIC {
            return TempDir::with_prefix_in("wc-bench-", &parent).context("making a directory");
        }
    }
    bail!("neither the temporary directory nor /var/tmp is on a disk: set TMPDIR")
}
