//! The lab as a value that survives on disk, and its whole life.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    config::LabConfig,
    home, internet, node_side, office,
    process::Process,
    shell::{self, Output},
    wiring,
};

/// A lab that is up, or was left half way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lab {
    pub config: LabConfig,
    /// Namespaces that were made or were about to be.
    pub(crate) namespaces: Vec<String>,
    pub(crate) processes: Vec<Process>,
    /// Interfaces of the machine that were moved into the node: (their own name, their name there).
    pub(crate) borrowed: Vec<(String, String)>,
}

/// How a box of the lab is.
#[derive(Clone, Debug)]
pub struct BoxStatus {
    pub namespace: String,
    /// (name, process id, whether it runs)
    pub processes: Vec<(String, i32, bool)>,
}

impl Lab {
    /// Brings the lab up with the controller, the node and its agent running and the homes' wires plugged in;
    /// the homes' DHCP clients run, and wait for somebody to provision their subscribers.
    pub fn up(config: LabConfig, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let mut lab = Self::without_office(config, progress)?;
        progress("starting the controller");
        lab.start_controller()?;
        office::apply(&lab, &lab.config.office_manifest)?;
        progress("starting the agent");
        office::write_join_token(&lab)?;
        lab.start_agent()?;
        if lab.config.access.is_none() {
            progress("starting the homes' DHCP clients");
            for home in lab.config.homes.clone() {
                home::start_client(&mut lab, &home)?;
            }
        }
        Ok(lab)
    }

    /// The boxes and the wires, the OLT and the Internet host; no controller, no agent, no DHCP client.
    pub fn without_office(config: LabConfig, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        ensure!(config.prefix.starts_with("wc-"), "the prefix of a lab begins with wc-");
        if let Ok(previous) = Self::load(&config.state_dir) {
            ensure!(
                !previous.processes.iter().any(Process::is_alive),
                "this lab is up already: `cargo xtask lab down` ends it"
            );
            previous.down()?;
        }
        fs::create_dir_all(config.state_dir.join("logs")).context("making the lab's folder")?;
        let mut lab = Self { config, namespaces: vec![], processes: vec![], borrowed: vec![] };
        progress("making network namespaces and wires");
        wiring::make(&mut lab)?;
        if lab.config.upstream.is_none() {
            internet::start(&mut lab)?;
        }
        if lab.config.access.is_none() {
            wiring::start_olt(&mut lab)?;
        }
        Ok(lab)
    }

    /// Finds a lab again by its folder.
    pub fn load(state_dir: &Path) -> Result<Self> {
        let file = state_dir.join(STATE_FILE);
        let text = fs::read(&file).with_context(|| format!("no lab at {}", state_dir.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
    }

    /// Removes everything that was made, and gives back what was borrowed. A second call finds nothing to do.
    pub fn down(&self) -> Result<()> {
        for process in self.processes.iter().rev() {
            process.stop()?;
        }
        wiring::give_back(self)?;
        wiring::remove(self)?;
        node_side::remove_pins(self)?;
        match fs::remove_dir_all(&self.config.state_dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("removing the lab's folder"),
            _ => Ok(()),
        }
    }

    pub fn status(&self) -> Vec<BoxStatus> {
        let of = |namespace: &String| BoxStatus {
            namespace: namespace.clone(),
            processes: self
                .processes
                .iter()
                .filter(|process| self.namespace(process.name.split('/').next().unwrap_or_default()) == *namespace)
                .map(|process| (process.name.clone(), process.pid(), process.is_alive()))
                .collect(),
        };
        self.namespaces.iter().map(of).collect()
    }

    /// Runs a command in a box, as `ip netns exec` does, and waits for its end.
    pub fn exec(&self, host: &str, argv: &[&str]) -> Result<Output> {
        let namespace = self.box_of(host)?;
        shell::output(&[&["ip", "netns", "exec", &namespace], argv].concat())
    }

    /// The namespace of a box that is there.
    pub fn box_of(&self, host: &str) -> Result<String> {
        let namespace = self.namespace(host);
        if !self.namespaces.contains(&namespace) {
            let there: Vec<_> = self.namespaces.iter().filter_map(|n| n.strip_prefix(&self.config.prefix)).collect();
            bail!("no box {host:?} in this lab; there are {}", there.join(", "));
        }
        Ok(namespace)
    }

    /// The namespace that a box has or would have.
    pub(crate) fn namespace(&self, host: &str) -> String {
        format!("{}{host}", self.config.prefix)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.config.state_dir.join("logs").join(format!("{name}.log"))
    }

    /// The log of a process, for messages about its end.
    pub fn log_tail(&self, name: &str) -> String {
        let text = fs::read_to_string(self.log(name)).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Starts a process in a box's network, and remembers it. `name` begins with the name of the box.
    pub(crate) fn start(&mut self, name: &str, argv: Vec<String>) -> Result<()> {
        let namespace = self.box_of(name.split('/').next().unwrap_or_default())?;
        // Not `ip netns exec`: that mounts another /sys, and the maps that an agent pins in it would end with it.
        let mut whole = vec!["nsenter".to_owned(), format!("--net=/run/netns/{namespace}"), "--".to_owned()];
        whole.extend(argv);
        self.start_here(name, &whole)
    }

    /// Starts a process that finds its box by itself, and remembers it.
    pub(crate) fn start_here(&mut self, name: &str, argv: &[String]) -> Result<()> {
        self.processes.retain(|process| process.name != name);
        let log = self.log(&name.replace('/', "-"));
        self.processes.push(Process::start(name, argv, &log)?);
        self.save()
    }

    pub(crate) fn process(&self, name: &str) -> Result<&Process> {
        self.processes.iter().find(|process| process.name == name).with_context(|| format!("{name} was never started"))
    }

    /// Whether a process of the lab runs.
    pub fn is_running(&self, name: &str) -> bool {
        self.process(name).is_ok_and(Process::is_alive)
    }

    /// `kill -9`.
    pub fn kill(&self, name: &str) -> Result<()> {
        self.process(name)?.kill()
    }

    /// Writes down what there is to remove, in one step.
    pub(crate) fn save(&self) -> Result<()> {
        let file = self.config.state_dir.join(STATE_FILE);
        let new = file.with_extension("new");
        fs::write(&new, serde_json::to_vec_pretty(self)?).context("writing the lab's state")?;
        fs::rename(&new, &file).context("writing the lab's state")
    }
}

const STATE_FILE: &str = "lab.json";
