//! A lab as its users hold it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Mutex,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{
    Fetched, Finished, LabConfig, Lease, ProcessId,
    addresses::{INTERNET, INTERNET_ADDRESS, NODE, OFFICE, OLT, UPSTREAM},
    command::{self, require},
    home,
    journal::Journal,
    network,
    programs::{AGENT, CONTROLLER},
    teardown,
};

/// A lab that is up, or what is left of one.
#[derive(Debug)]
pub struct Lab {
    pub config: LabConfig,
    pub(crate) journal: Journal,
    /// Processes that this one started: it must take note of their end, else they stay as zombies.
    pub(crate) children: Mutex<Vec<Child>>,
}

/// A host of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxStatus {
    pub namespace: String,
    /// Name, process number, and whether it runs.
    pub processes: Vec<(String, i32, bool)>,
}

impl Lab {
    /// Brings the whole office up: network, controller, the objects of the office, agent.
    ///
    /// If it is up already with the same configuration, it stays as it is, and processes that ended are started again;
    /// what is left of another in the same state directory is removed first.
    pub fn up(config: LabConfig, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let mut lab = Self::up_network(config, progress)?;
        progress("controller");
        lab.start_controller()?;
        progress("the office's objects");
        let manifest = lab.config.office_manifest.display().to_string();
        let applied = lab.wcctl(&["apply", "-f", &manifest])?;
        ensure!(applied.status == 0, "wcctl apply -f {manifest}: {}{}", applied.stdout, applied.stderr);
        progress("agent");
        lab.start_agent()?;
        Ok(lab)
    }

    /// Brings up the network alone: the homes ask for addresses, and nobody answers.
    pub fn up_network(config: LabConfig, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        config.validate()?;
        require("ip")?;
        if let Some(old) = Journal::load(&config.state_dir)? {
            let mut lab = Self::with(old);
            if lab.journal.complete && lab.config == config {
                progress("the network is up already");
                lab.start_hosts()?;
                return Ok(lab);
            }
            progress("removing what is left of an earlier lab");
            lab.remove()?;
        }
        let logs = config.state_dir.join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("make {}", logs.display()))?;
        let mut lab = Self::with(Journal::new(config));
        lab.journal.save()?;
        let built = lab.build(progress);
        if let Err(error) = built {
            // What was built so far is of no use; what went wrong says more than a failure to remove it.
            if let Err(left) = lab.remove() {
                return Err(error.context(format!("and removing the half-built lab failed: {left}")));
            }
            return Err(error);
        }
        Ok(lab)
    }

    /// The lab of that state directory.
    pub fn load(state_dir: &Path) -> Result<Self> {
        let journal = Journal::load(state_dir)?;
        Ok(Self::with(journal.with_context(|| format!("no lab is up in {}", state_dir.display()))?))
    }

    /// Removes everything that the lab made. Can be done again, and after a crash at any point of `up` or of this.
    pub fn down(mut self) -> Result<()> {
        self.remove()
    }

    fn with(journal: Journal) -> Self {
        Self { config: journal.config.clone(), journal, children: Mutex::default() }
    }

    fn build(&mut self, progress: &mut dyn FnMut(&str)) -> Result<()> {
        network::build(&mut self.journal, progress)?;
        progress("OLT, web server and DHCP clients");
        self.start_hosts()?;
        self.journal.complete = true;
        Ok(self.journal.save()?)
    }

    /// Starts what runs in the hosts around the node, as far as it does not run yet.
    fn start_hosts(&mut self) -> Result<()> {
        if self.config.upstream.is_none() {
            self.start_web()?;
        }
        if self.config.access.is_none() {
            self.start_olt()?;
            for home in self.config.homes.clone() {
                self.start_client(&home.name)?;
            }
        }
        Ok(())
    }

    fn remove(&mut self) -> Result<()> {
        // Zombies do not count as alive, so the end of our own children can be waited for after the fact.
        teardown::run(&mut self.journal)?;
        self.reap();
        Ok(())
    }

    /// Starts the controller if it does not run, and waits until it answers.
    pub fn start_controller(&mut self) -> Result<()> {
        Ok(self.launch_controller()?)
    }

    /// Starts the agent if it does not run; the controller must run the first time, for the agent to join.
    pub fn start_agent(&mut self) -> Result<()> {
        Ok(self.launch_agent()?)
    }

    /// Ends the controller as `kill -9` does.
    pub fn kill_controller(&mut self) -> Result<()> {
        self.kill(CONTROLLER)
    }

    /// Ends the agent as `kill -9` does.
    pub fn kill_agent(&mut self) -> Result<()> {
        self.kill(AGENT)
    }

    /// Starts the home's DHCP client anew, as after a power cut; its address is gone first.
    pub fn restart_client(&mut self, home: &str) -> Result<()> {
        self.kill(&format!("dhcp-{home}"))?;
        let namespace = self.box_of(home)?;
        command::ip(&format!("-n {namespace} addr flush dev {}", crate::addresses::HOME_PORT))?;
        Ok(self.start_client(home)?)
    }

    fn kill(&mut self, name: &str) -> Result<()> {
        let Some(process) = self.running(name) else {
            return Ok(());
        };
        process.signal(Signal::SIGKILL);
        ensure!(process.wait_gone(Duration::from_secs(10)), "{name} (process {}) does not end", process.pid);
        self.reap();
        Ok(())
    }

    /// The process of that name, such as `agent`, `controller`, `olt`, `web`, `dhcp-home1`, if it runs.
    pub fn running(&self, name: &str) -> Option<ProcessId> {
        self.reap();
        self.journal.processes.get(name).copied().filter(|process| process.is_alive())
    }

    fn reap(&self) {
        let mut children = self.children.lock().expect("no holder panics");
        children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    /// Every host, with the lab's processes in it.
    pub fn status(&self) -> Vec<BoxStatus> {
        let hosts = self.hosts();
        let of = |host: &str| -> Vec<(String, i32, bool)> {
            let here = self.journal.processes.iter().filter(|(name, _)| match name.as_str() {
                CONTROLLER => host == OFFICE,
                AGENT => host == NODE,
                "olt" => host == OLT,
                "web" => host == INTERNET,
                name => name.strip_prefix("dhcp-") == Some(host),
            });
            here.map(|(name, process)| (name.clone(), process.pid, process.is_alive())).collect()
        };
        hosts.iter().map(|host| BoxStatus { namespace: self.namespace(host), processes: of(host) }).collect()
    }

    fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        if self.config.access.is_none() {
            hosts.extend(self.config.homes.iter().map(|home| home.name.clone()));
            hosts.push(OLT.into());
        }
        hosts.push(NODE.into());
        if self.config.upstream.is_none() {
            hosts.extend([UPSTREAM, INTERNET].map(String::from));
        }
        hosts.push(OFFICE.into());
        hosts
    }

    /// The network namespace of a host.
    pub fn box_of(&self, host: &str) -> Result<String> {
        let hosts = self.hosts();
        if !hosts.iter().any(|known| known == host) {
            bail!("there is no {host} in the lab, but {}", hosts.join(", "));
        }
        Ok(self.namespace(host))
    }

    /// Runs a command in a host to its end.
    pub fn exec(&self, host: &str, arguments: &[&str]) -> Result<Finished> {
        let namespace = self.box_of(host)?;
        let mut command = Command::new("ip");
        Ok(command::output(command.args(["netns", "exec", &namespace]).args(arguments))?.into())
    }

    /// Runs `wcctl` against the lab's controller.
    pub fn wcctl(&self, arguments: &[&str]) -> Result<Finished> {
        let mut command = Command::new(self.program("wcctl")?);
        command.env("WIRECENTER_SOCKET", self.socket()).args(arguments);
        Ok(command::output(&mut command)?.into())
    }

    /// Runs `wcnode` on the node.
    pub fn wcnode(&self, arguments: &[&str]) -> Result<Finished> {
        // Not `ip netns exec`: that mounts another /sys, without the maps that are pinned in this one.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.box_of(NODE)?)).arg(self.program("wcnode")?);
        command.arg("--pin-dir").arg(self.pin_dir()).arg("--run-dir").arg(self.run_dir()).args(arguments);
        Ok(command::output(&mut command)?.into())
    }

    /// What DHCP gave a home, as soon as it did.
    pub fn lease(&self, home: &str, patience: Duration) -> Result<Lease> {
        self.box_of(home)?;
        Ok(home::lease(self, home, patience)?)
    }

    /// A page as a home gets it.
    pub fn fetch(&self, home: &str, url: &str) -> Result<Fetched> {
        self.box_of(home)?;
        Ok(home::fetch(self, home, url)?)
    }

    pub fn internet_address(&self) -> &'static str {
        INTERNET_ADDRESS
    }

    /// The page of the Internet host that tells the asker's address and port.
    pub fn page(&self) -> String {
        format!("http://{INTERNET_ADDRESS}/")
    }

    /// The controller's socket.
    pub fn socket(&self) -> PathBuf {
        self.config.state_dir.join("controller.sock")
    }

    /// Where the agent's maps and programs are pinned.
    pub fn pin_dir(&self) -> PathBuf {
        self.config.state_dir.join("bpf/wirecenter")
    }

    pub fn run_dir(&self) -> PathBuf {
        self.config.state_dir.join("run")
    }

    /// What a process writes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.config.state_dir.join("logs").join(format!("{name}.log"))
    }

    pub(crate) fn namespace(&self, host: &str) -> String {
        network::namespace(&self.journal, host)
    }
}
