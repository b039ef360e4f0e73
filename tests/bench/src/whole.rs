//! A whole office in a lab: controller, agent and kernel, with room for 100,000 subscribers.

use std::{
    collections::BTreeMap,
    env, fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use lab::{Lab, LabConfig};
use net_types::IfName;
use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    machine,
    office::{self, FULL, PUBLIC},
};

/// Room for all, and some to spare.
const MAX_SESSIONS: &str = "131072";
/// Until the agent has what it is asked for.
const PATIENCE: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(2);

/// What the agent writes of itself, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) pid: u32,
    running: bool,
    connected: bool,
    pub(crate) generation: u64,
    programmed: u64,
    resources: Resources,
    error_count: usize,
    errors: BTreeMap<String, String>,
    pub(crate) startup: Startup,
}

#[derive(Deserialize)]
struct Resources {
    sessions: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Startup {
    pub(crate) seconds: f64,
    pub(crate) kernel_steps: u64,
    pub(crate) map_writes: u64,
}

impl Status {
    /// Whether everything of that generation, or of a later one, is in the kernel, and the controller can change it.
    const fn serves(&self, generation: u64) -> bool {
        self.running
            && self.connected
            && self.resources.sessions == FULL
            && self.programmed == self.generation
            && self.generation >= generation
    }
}

/// A lab that goes when this is dropped.
pub(crate) struct Office {
    lab: Option<Lab>,
    directory: TempDir,
}

impl Office {
    pub(crate) fn up() -> Result<Self> {
        Self::up_on(None)
    }

    /// With an interface of this machine as access port.
    pub(crate) fn up_on(access: Option<IfName>) -> Result<Self> {
        let directory = machine::disk()?;
        let manifest = directory.path().join("office.yaml");
        // JSON is YAML; after a separator it is not taken for one JSON document.
        let objects = office::objects().map(|object| format!("---\n{object}\n"));
        fs::write(&manifest, objects.concat()).context("writing the office's objects")?;
        let config = LabConfig {
            prefix: format!("wc-b{}-", std::process::id()),
            bin_dir: env::current_dir()?.join(machine::bin_dir()?),
            state_dir: directory.path().join("lab"),
            office_manifest: manifest,
            homes: Vec::new(),
            outer_tpid: "0x88a8".parse()?,
            routed_to_node: vec![PUBLIC.to_owned()],
            access,
            upstream: None,
            agent_arguments: ["--max-sessions", MAX_SESSIONS].map(String::from).to_vec(),
        };
        let state_dir = config.state_dir.clone();
        match Lab::up(config, &mut |_| {}) {
            Ok(lab) => Ok(Self { lab: Some(lab), directory }),
            Err(error) => {
                if let Ok(half) = Lab::load(&state_dir) {
                    half.down().with_context(|| format!("removing what is left after: {error:#}"))?;
                }
                Err(error)
            }
        }
    }

    pub(crate) fn lab(&mut self) -> Result<&mut Lab> {
        self.lab.as_mut().context("the lab is down")
    }

    /// Waits until the agent serves all, without a single error.
    pub(crate) fn wait_serving(&mut self, generation: u64) -> Result<Status> {
        let lab = self.lab()?;
        let file = lab.run_dir().join("status.json");
        let started = Instant::now();
        loop {
            let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
            let status: Status =
                serde_json::from_slice(&bytes).with_context(|| format!("reading {}", file.display()))?;
            if status.serves(generation) {
                let (count, first) = (status.error_count, status.errors.first_key_value());
                ensure!(count == 0, "{count} resources are in error, such as {first:?}");
                return Ok(status);
            }
            if lab.running("agent").is_none() || started.elapsed() > PATIENCE {
                let log = fs::read_to_string(lab.log("agent")).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                let tail = lines[lines.len().saturating_sub(10)..].join("\n");
                let Status { generation, programmed, resources: Resources { sessions }, .. } = status;
                bail!(
                    "of {FULL} subscribers the agent has {sessions}, at {programmed} of {generation}:\n{tail}"
                );
            }
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn down(mut self) -> Result<()> {
        self.lab.take().map_or(Ok(()), Lab::down)
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.lab.take().map(Lab::down) {
            eprintln!("the lab in {} is left behind: {error:#}", self.directory.path().display());
        }
    }
}
