//! A real controller on a real disk.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::{
    client::Client,
    machine::{self, Resident},
};

const START_TIMEOUT: Duration = Duration::from_mins(2);

/// A running controller; killed when dropped.
pub(crate) struct Controller {
    directory: TempDir,
    child: Option<Child>,
}

impl Controller {
    pub(crate) fn new() -> Result<Self> {
        let mut controller = Self { directory: machine::disk()?, child: None };
        controller.start()?;
        Ok(controller)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("api.sock")
    }

    /// Starts it, and returns when it answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        let program = machine::bin_dir()?.join("wirecenterd");
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

    /// The resident set, in 10^6 bytes.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        let id = self.child.as_ref().context("the controller runs")?.id();
        Ok(Resident::of(id)?.all)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _: Result<()> = self.kill();
    }
}
