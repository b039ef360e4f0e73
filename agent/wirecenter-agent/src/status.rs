//! What the agent says of itself, in a file, for whoever is logged in to the node.

mod desired;
mod frames;

use std::{
    collections::BTreeMap,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use agent_link::LinkState;
use fastpath::{Losses, Migration, Tally};
use net_types::{Generation, Name};
use node_state::ResourceKey;
use serde::Serialize;
use tokio::sync::watch;

use desired::DesiredFile;
use frames::Frames;
pub(crate) use frames::counters;

use crate::{devices::DeviceCounts, nat_log::LogStatus, options::Options, reconcile::OverflowCounts};

/// Resources whose error is written out; how many there are in all is said besides.
const ERRORS_MAX: usize = 1000;

pub(crate) struct StatusFile {
    path: PathBuf,
    compare_every: Duration,
    link_states: watch::Receiver<LinkState>,
    status: Status,
    /// As it was written last.
    written: Option<Status>,
    pub(crate) desired: DesiredFile,
}

/// The content of status.json.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    node: Name,
    controller: String,
    agent_version: &'static str,
    pid: u32,
    running: bool,
    connected: bool,
    /// Why it is not connected.
    link_error: Option<String>,
    /// What is on the node's disk.
    generation: Generation,
    /// What has been tried in the kernel.
    programmed: Generation,
    resources: Counts,
    error_count: usize,
    /// By key, in words.
    errors: BTreeMap<ResourceKey, String>,
    startup: Startup,
    losses: LossCounts,
    /// `None`: it cannot be read.
    frames: Option<Frames>,
    devices: DeviceCounts,
    nat_overflow: OverflowCounts,
    /// `None`: nobody is told.
    nat_log: Option<LogStatus>,
    /// Seconds since 1970.
    updated_at: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) ports: usize,
    pub(crate) links: usize,
    pub(crate) stations: usize,
    pub(crate) routes: usize,
    pub(crate) sessions: usize,
    pub(crate) bindings: usize,
}

/// What the start took, and what it found to be done.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Startup {
    pub(crate) seconds: f64,
    pub(crate) kernel_steps: u64,
    pub(crate) map_writes: u64,
    /// `None`: the maps were laid out as this agent has them, or there were none.
    pub(crate) migration: Option<MigrationStatus>,
}

/// What was carried over from the maps of an agent of another version.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MigrationStatus {
    sessions: u64,
    nat_mappings: u64,
    firewall_flows: u64,
    seconds: f64,
    /// From the first port that had other programs until all was carried over that had changed meanwhile.
    swap_seconds: f64,
    /// What there is no place for, and in how many records it said something.
    lost: BTreeMap<String, u64>,
    /// Why nothing was carried over.
    failure: Option<String>,
}

impl From<Migration> for MigrationStatus {
    fn from(migration: Migration) -> Self {
        Self {
            sessions: migration.sessions,
            nat_mappings: migration.mappings,
            firewall_flows: migration.flows,
            seconds: migration.took.as_secs_f64(),
            swap_seconds: migration.swap_took.as_secs_f64(),
            lost: migration.lost,
            failure: migration.failure,
        }
    }
}

/// What the fast path could not tell, since its maps were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct LossCounts {
    events: u64,
    punts: u64,
}

impl StatusFile {
    pub(crate) const FILE: &str = "status.json";

    pub(crate) fn new(options: &Options, link_states: watch::Receiver<LinkState>) -> std::io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(&options.run_dir)?;
        let status = Status {
            node: options.node.clone(),
            controller: options.controller.clone(),
            agent_version: crate::VERSION,
            pid: std::process::id(),
            running: true,
            connected: false,
            link_error: None,
            generation: Generation::default(),
            programmed: Generation::default(),
            resources: Counts::default(),
            error_count: 0,
            errors: BTreeMap::new(),
            startup: Startup::default(),
            losses: LossCounts::default(),
            frames: None,
            devices: DeviceCounts::default(),
            nat_overflow: OverflowCounts::default(),
            nat_log: None,
            updated_at: 0,
        };
        let path = options.run_dir.join(Self::FILE);
        let desired = DesiredFile::new(&options.run_dir);
        let compare_every = options.compare_every.into();
        Ok(Self { path, compare_every, link_states, status, written: None, desired })
    }

    pub(crate) const fn compare_every(&self) -> Duration {
        self.compare_every
    }

    pub(crate) fn link_states(&self) -> watch::Receiver<LinkState> {
        self.link_states.clone()
    }

    pub(crate) fn startup(&mut self, startup: Startup) {
        self.status.startup = startup;
    }

    pub(crate) fn telemetry(
        &mut self,
        Losses { events, punts }: Losses,
        nat_log: Option<LogStatus>,
        tally: Option<&Tally>,
    ) {
        self.status.losses = LossCounts { events, punts };
        self.status.nat_log = nat_log;
        self.status.frames = tally.map(Frames::from);
    }

    pub(crate) const fn overflow(&mut self, counts: OverflowCounts) {
        self.status.nat_overflow = counts;
    }

    pub(crate) const fn devices(&mut self, counts: DeviceCounts) {
        self.status.devices = counts;
    }

    /// The agent is about to end.
    pub(crate) const fn stopped(&mut self) {
        self.status.running = false;
    }

    /// Writes the file if it would say something else than before.
    pub(crate) fn update(
        &mut self,
        generation: Generation,
        programmed: Generation,
        resources: Counts,
        error_count: usize,
        errors: impl Iterator<Item = (ResourceKey, String)>,
    ) {
        let status = &mut self.status;
        (status.connected, status.link_error) = match &*self.link_states.borrow() {
            LinkState::Connected => (status.running, None),
            LinkState::Connecting => (false, status.link_error.take()),
            LinkState::Waiting { error } => (false, Some(error.clone())),
        };
        (status.generation, status.programmed, status.resources) = (generation, programmed, resources);
        status.error_count = error_count;
        status.errors = errors.take(ERRORS_MAX).collect();
        if self.written.as_ref() == Some(&self.status) {
            return;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.status.updated_at = now.as_secs();
        match self.write() {
            Ok(()) => self.written = Some(self.status.clone()),
            Err(error) => tracing::warn!(path = %self.path.display(), %error, "the status cannot be written"),
        }
    }

    fn write(&self) -> std::io::Result<()> {
        replace(&self.path, &serde_json::to_vec_pretty(&self.status)?)
    }
}

/// Writes a file whole or not at all, for whoever reads it meanwhile.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, content)?;
    std::fs::rename(&temporary, path)
}
