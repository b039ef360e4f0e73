//! A whole office with 100,000 subscribers: how long after `kill -9` its agent serves them all again, and what it has
//! in memory then.

use std::{
    collections::BTreeMap,
    env, fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use lab::{Lab, LabConfig};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    figure::Figure,
    machine::{self, Resident},
    office::{self, FULL, PUBLIC},
};

/// Room for all, and some to spare.
const MAX_SESSIONS: &str = "131072";
/// How often the agent is killed and started.
const RESTARTS: usize = 7;
/// Until the agent has what it is asked for.
const PATIENCE: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(2);

pub(crate) fn run() -> Result<Vec<Figure>> {
    let mut office = Office::up()?;
    office::batches(&office.lab()?.socket(), 0..FULL)?;
    let mut generation = office.wait_serving(0)?.generation;
    let (mut restarts, mut startups) = (Vec::new(), Vec::new());
    let (mut all, mut anonymous, mut file) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        let lab = office.lab()?;
        lab.kill_agent()?;
        let started = Instant::now();
        lab.start_agent()?;
        let status = office.wait_serving(generation)?;
        restarts.push(started.elapsed().as_secs_f64());
        let Status { startup, pid, .. } = status;
        ensure!(
            (startup.kernel_steps, startup.map_writes) == (0, 0),
            "the kernel had everything, but the start took {} steps and {} writes to maps",
            startup.kernel_steps,
            startup.map_writes
        );
        startups.push(startup.seconds);
        let resident = Resident::of(pid)?;
        all.push(resident.all);
        anonymous.push(resident.anonymous);
        file.push(resident.file);
        generation = status.generation;
    }
    office.down()?;
    Ok(vec![
        Figure::of("agent.restart_s.100k", "s", restarts),
        Figure::of("agent.startup_s.100k", "s", startups),
        Figure::of("agent.rss_mb.100k", "MB", all),
        Figure::of("agent.rss_anonymous_mb.100k", "MB", anonymous),
        Figure::of("agent.rss_file_mb.100k", "MB", file),
    ])
}

/// What the agent writes of itself, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    pid: u32,
    running: bool,
    connected: bool,
    generation: u64,
    programmed: u64,
    resources: Resources,
    error_count: usize,
    errors: BTreeMap<String, String>,
    startup: Startup,
}

#[derive(Deserialize)]
struct Resources {
    sessions: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Startup {
    seconds: f64,
    kernel_steps: u64,
    map_writes: u64,
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
struct Office {
    lab: Option<Lab>,
    directory: TempDir,
}

impl Office {
    fn up() -> Result<Self> {
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
            access: None,
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

    fn lab(&mut self) -> Result<&mut Lab> {
        self.lab.as_mut().context("the lab is down")
    }

    /// Waits until the agent serves all, without a single error.
    fn wait_serving(&mut self, generation: u64) -> Result<Status> {
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

    fn down(mut self) -> Result<()> {
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
