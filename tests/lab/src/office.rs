//! The controller, and the node's agent.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    node_side,
    shell::{self, Output, inside},
    state::Lab,
};

pub(crate) const OFFICE: &str = "office";

/// Names of processes, for `Lab::kill` and the like.
pub const CONTROLLER: &str = "office/wirecenterd";
pub const AGENT: &str = "node1/wirecenter-agent";

const CONTROLLER_ADDRESS: &str = "10.255.0.1";
const AGENT_PORT: u16 = 7443;

pub(crate) fn address_management(lab: &Lab) -> Result<()> {
    inside(&lab.box_of(OFFICE)?, &format!("ip address add {CONTROLLER_ADDRESS}/24 dev mgmt0"))?;
    inside(&lab.box_of(node_side::NODE)?, "ip address add 10.255.0.2/24 dev mgmt0").map(drop)
}

impl Lab {
    /// The controller's API socket.
    pub fn socket(&self) -> PathBuf {
        self.config.state_dir.join("api.sock")
    }

    /// Where the agent keeps its status for `wcnode`.
    pub fn run_dir(&self) -> PathBuf {
        self.config.state_dir.join("agent-run")
    }

    pub fn pin_dir(&self) -> PathBuf {
        node_side::pin_dir(self)
    }

    /// Starts the controller and waits until it answers.
    pub fn start_controller(&mut self) -> Result<()> {
        let program = self.config.bin_dir.join("wirecenterd").display().to_string();
        let data = self.config.state_dir.join("controller").display().to_string();
        let argv = vec![
            program,
            "--data-dir".into(),
            data,
            "--socket".into(),
            self.socket().display().to_string(),
            "--agent-listen".into(),
            format!("{CONTROLLER_ADDRESS}:{AGENT_PORT}"),
            "--agent-names".into(),
            CONTROLLER_ADDRESS.into(),
        ];
        self.start(CONTROLLER, argv)?;
        self.wait_for_controller(Duration::from_secs(30))
    }

    fn wait_for_controller(&self, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        while self.wcctl(&["get", "nodes"])?.status != 0 {
            if begun.elapsed() > limit || !self.is_running(CONTROLLER) {
                bail!("the controller does not answer; its log ends with\n{}", self.log_tail("office-wirecenterd"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Starts the agent; it connects by itself.
    pub fn start_agent(&mut self) -> Result<()> {
        let program = self.config.bin_dir.join("wirecenter-agent").display().to_string();
        let dir = |name: &str| self.config.state_dir.join(name).display().to_string();
        let argv = vec![
            program,
            "--controller".into(),
            format!("{CONTROLLER_ADDRESS}:{AGENT_PORT}"),
            "--node".into(),
            node_side::NODE.into(),
            "--join-token-file".into(),
            dir(TOKEN_FILE),
            "--state-dir".into(),
            dir("agent"),
            "--run-dir".into(),
            self.run_dir().display().to_string(),
            "--pin-dir".into(),
            self.pin_dir().display().to_string(),
        ];
        self.start(AGENT, argv)
    }

    /// The operators' command line, against this lab's controller.
    pub fn wcctl(&self, arguments: &[&str]) -> Result<Output> {
        let program = self.config.bin_dir.join("wcctl").display().to_string();
        let socket = self.socket().display().to_string();
        shell::output(&[&[program.as_str(), "--socket", &socket], arguments].concat())
    }

    /// The node's diagnostics, on this lab's node.
    pub fn wcnode(&self, arguments: &[&str]) -> Result<Output> {
        let program = self.config.bin_dir.join("wcnode").display().to_string();
        let (pins, run) = (self.pin_dir().display().to_string(), self.run_dir().display().to_string());
        let net = format!("--net=/run/netns/{}", self.box_of(node_side::NODE)?);
        let fixed = ["nsenter", &net, "--", &program, "--pin-dir", &pins, "--run-dir", &run];
        shell::output(&[&fixed, arguments].concat())
    }
}

const TOKEN_FILE: &str = "join-token";

pub(crate) fn apply(lab: &Lab, manifest: &Path) -> Result<()> {
    let output = lab.wcctl(&["apply", "-f", &manifest.display().to_string()])?;
    if output.status != 0 {
        bail!("wcctl apply -f {} failed: {}", manifest.display(), output.stderr.trim());
    }
    Ok(())
}

pub(crate) fn write_join_token(lab: &Lab) -> Result<()> {
    let output = lab.wcctl(&["node", "token", node_side::NODE])?;
    if output.status != 0 {
        bail!("wcctl node token failed: {}", output.stderr.trim());
    }
    let file = lab.config.state_dir.join(TOKEN_FILE);
    fs::write(&file, output.stdout.trim()).context("writing the join token")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).context("protecting the join token")
}
