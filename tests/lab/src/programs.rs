//! The processes of the lab.

use std::{
    fs,
    io::Write,
    os::unix::{fs::OpenOptionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use nix::mount::{MsFlags, mount};

use crate::{
    DhcpClient, Lab, LabError,
    addresses::{
        AGENT_PORT, HOME_PORT, INTERNET, INTERNET_ADDRESS, INTERNET_ADDRESS6, INTERNET_PORT, NODE, OFFICE,
        OFFICE_ADDRESS, OLT, TRUNK,
    },
    command::{Result, require},
    http,
    journal::Made,
    network::line_interface,
    olt::{Line, OltConfig},
    process::{self, READY},
};

pub(crate) const CONTROLLER: &str = "controller";
pub(crate) const AGENT: &str = "agent";
const PATIENCE: Duration = Duration::from_secs(30);

/// Quick to try again: in the lab the office may not know the home yet when it asks first. The rest is dhclient's default.
const DHCLIENT_CONF: &str = "timeout 10;\nretry 1;\ninitial-interval 1;\nbackoff-cutoff 2;\nreboot 2;\n\
    request subnet-mask, routers, domain-name-servers, domain-name, host-name;\n";

impl Lab {
    pub(crate) fn start_olt(&mut self) -> Result<()> {
        let config = self.journal.config.clone();
        let lines = config.homes.iter().enumerate().map(|(index, home)| Line {
            interface: line_interface(index),
            s_vid: home.s_vid,
            c_vid: home.c_vid,
            option82: home.relay_information(index + 1),
        });
        let olt = OltConfig {
            trunk: TRUNK.parse().expect("a short name"),
            outer_tpid: config.outer_tpid,
            lines: lines.collect(),
        };
        let path = config.state_dir.join("olt.json");
        let text = serde_json::to_vec_pretty(&olt).expect("nothing that JSON cannot hold");
        fs::write(&path, text).map_err(LabError::io(format!("write {}", path.display())))?;
        let mut command = Command::new(self.program("wc-lab")?);
        command.arg("olt").arg("--config").arg(path);
        self.start_ready("olt", &mut command, OLT)
    }

    pub(crate) fn start_web(&mut self) -> Result<()> {
        let mut command = Command::new(self.program("wc-lab")?);
        command.arg("web").arg("--listen").arg(format!("{INTERNET_ADDRESS}:{INTERNET_PORT}"));
        command.arg("--listen").arg(format!("[{INTERNET_ADDRESS6}]:{INTERNET_PORT}"));
        self.start_ready("web", &mut command, INTERNET)
    }

    /// Starts the home's DHCP client with its distribution's script.
    pub(crate) fn start_client(&mut self, home: &str) -> Result<()> {
        let Some(config) = self.journal.config.homes.iter().find(|config| config.name == home) else {
            return Err(LabError::Config(format!("there is no home {home}")));
        };
        let namespace = self.namespace(home);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &namespace]);
        match config.client {
            DhcpClient::Absent => return Ok(()),
            DhcpClient::Udhcpc => {
                require("udhcpc")?;
                command.args(["udhcpc", "-f", "-t", "5", "-T", "1", "-A", "1", "-i", HOME_PORT]);
            }
            DhcpClient::Dhclient => {
                require("dhclient")?;
                let file = |suffix: &str| self.config.state_dir.join(format!("{home}.{suffix}"));
                let conf = file("dhclient.conf");
                fs::write(&conf, DHCLIENT_CONF).map_err(LabError::io(format!("write {}", conf.display())))?;
                command.args(["dhclient", "-4", "-d", "-cf"]).arg(conf);
                command.arg("-lf").arg(file("leases")).arg("-pf").arg(file("pid")).arg(HOME_PORT);
            }
        }
        self.start(&format!("dhcp-{home}"), &mut command, None)
    }

    pub(crate) fn launch_controller(&mut self) -> Result<()> {
        let socket = self.socket();
        let mut command = Command::new(self.program("wirecenterd")?);
        command.arg("--data-dir").arg(self.made_dir("controller")?);
        command.arg("--socket").arg(&socket);
        command.args(["--agent-listen", &format!("{OFFICE_ADDRESS}:{AGENT_PORT}")]);
        self.start(CONTROLLER, &mut command, Some(OFFICE))?;
        let ready = || {
            let ask = || http::request(UnixStream::connect(&socket)?, "GET", "localhost", "/readyz", None);
            ask().is_ok_and(|answer| answer.status == 200)
        };
        self.wait(CONTROLLER, ready)
    }

    /// Starts the agent, with a token that it needs only if it never joined, and waits for the status that it writes.
    pub(crate) fn launch_agent(&mut self) -> Result<()> {
        self.mount_bpf()?;
        let token = self.config.state_dir.join("join-token");
        if !token.exists() {
            self.fetch_token(&token)?;
        }
        let mut command = Command::new(self.program("wirecenter-agent")?);
        command.args(["--controller", &format!("{OFFICE_ADDRESS}:{AGENT_PORT}"), "--node", NODE]);
        command.arg("--join-token-file").arg(token);
        command.arg("--state-dir").arg(self.made_dir("agent")?);
        command.arg("--run-dir").arg(self.made_dir("run")?);
        command.arg("--pin-dir").arg(self.pin_dir());
        command.args(&self.config.agent_arguments);
        if self.running(AGENT).is_some() {
            return Ok(());
        }
        // An earlier one's status says nothing of this one.
        let status = self.run_dir().join("status.json");
        // Most often there is none.
        let _absent = fs::remove_file(&status);
        self.start(AGENT, &mut command, Some(NODE))?;
        self.wait(AGENT, || status.exists())
    }

    fn fetch_token(&self, file: &Path) -> Result<()> {
        let asked = self.wcctl(&["node", "token", NODE]);
        let answer = asked.map_err(|error| LabError::State(error.to_string()))?;
        if answer.status != 0 {
            return Err(LabError::State(format!("the controller gave no join token: {}", answer.stderr)));
        }
        let write = || {
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(file)?.write_all(answer.stdout.trim().as_bytes())
        };
        write().map_err(LabError::io(format!("write {}", file.display())))
    }

    /// A BPF file system of the lab's own, in its state directory: pinned maps and programs outlive the agent there, and are
    /// gone when it is unmounted.
    fn mount_bpf(&mut self) -> Result<()> {
        let directory = self.made_dir("bpf")?;
        let made = Made::BpfMount(directory.clone());
        if self.journal.made.contains(&made) {
            return Ok(());
        }
        self.journal.record(made)?;
        mount(Some("bpf"), &directory, Some("bpf"), MsFlags::empty(), None::<&str>)
            .map_err(|e| LabError::io(format!("mount bpffs on {}", directory.display()))(e.into()))
    }

    fn made_dir(&self, name: &str) -> Result<PathBuf> {
        let path = self.config.state_dir.join(name);
        fs::create_dir_all(&path).map_err(LabError::io(format!("make {}", path.display())))?;
        Ok(path)
    }

    /// One of the workspace's programs.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf> {
        let path = self.config.bin_dir.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(LabError::MissingFile { path, hint: "build it with `cargo build --workspace --bins`".into() })
    }

    fn start_ready(&mut self, name: &str, command: &mut Command, host: &str) -> Result<()> {
        if self.running(name).is_some() {
            return Ok(());
        }
        let log = self.log(name);
        // What a process of the same name wrote before says nothing of this one.
        let before = fs::read_to_string(&log).map_or(0, |text| text.len());
        self.start(name, command, Some(host))?;
        let ready =
            || fs::read_to_string(&log).is_ok_and(|text| text[before..].lines().any(|line| line == READY));
        self.wait(name, ready)
    }

    /// Starts a process unless it runs; with a host, in its network.
    fn start(&mut self, name: &str, command: &mut Command, host: Option<&str>) -> Result<()> {
        if self.running(name).is_some() {
            return Ok(());
        }
        let namespace = host.map(|host| self.namespace(host));
        let (child, process) = process::start(command, namespace.as_deref(), &self.log(name))?;
        self.children.lock().expect("no holder panics").push(child);
        self.journal.processes.insert(name.to_owned(), process);
        self.journal.save()
    }

    fn wait(&self, name: &str, ready: impl FnMut() -> bool) -> Result<()> {
        let process = self.journal.processes[name];
        process::wait_for(name, process, &self.log(name), PATIENCE, ready)
    }
}
