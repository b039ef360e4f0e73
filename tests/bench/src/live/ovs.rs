//! Open vSwitch in user space, with a flow and a translated connection for each subscriber, and a meter that
//! all share (one each would be more work).

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use fastpath::subscribers;
use tempfile::TempDir;

use crate::namespace::Namespace;

/// A switch, which stops when it is dropped.
pub(super) struct Switch {
    root: PathBuf,
    folder: TempDir,
    namespace: String,
    programs: Vec<Child>,
}

/// How long a program may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);
/// What sockets may hold while frames come faster than they are dealt with, so that none is lost: as much as is sent at
/// once, with the kernel's own part of each.
const RECEIVE_BUFFER: &str = "134217728";
const RMEM_DEFAULT: &str = "/proc/sys/net/core/rmem_default";

impl Switch {
    /// `root`: where the package is unpacked.
    pub(super) fn start(root: &Path, namespace: &Namespace, population: u32) -> Result<Self> {
        let folder = TempDir::with_prefix("wc-bench-ovs-").context("making a folder")?;
        let mut switch = Self {
            root: root.to_owned(),
            folder,
            namespace: namespace.name().to_owned(),
            programs: Vec::new(),
        };
        let schema = root.join("usr/share/openvswitch/vswitch.ovsschema");
        let database = switch.file("conf.db");
        switch.run("usr/bin/ovsdb-tool", &["create", &database, &schema.to_string_lossy()])?;
        let remote = format!("punix:{}", switch.file("db.sock"));
        switch.spawn("usr/sbin/ovsdb-server", &[&database, &format!("--remote={remote}")])?;
        switch.wait_for("db.sock")?;
        switch.vsctl(&["--no-wait", "init"])?;
        let database = format!("unix:{}", switch.file("db.sock"));
        // The socket of a port is made when the port is, with the size that is the default then.
        let before = std::fs::read_to_string(RMEM_DEFAULT).context(RMEM_DEFAULT)?;
        std::fs::write(RMEM_DEFAULT, RECEIVE_BUFFER).context(RMEM_DEFAULT)?;
        let started = switch.start_bridge(&database);
        std::fs::write(RMEM_DEFAULT, before).context(RMEM_DEFAULT)?;
        started?;
        let flows = switch.file("flows");
        std::fs::write(&flows, Self::flows(population))?;
        switch.of(&["del-flows", "br0"])?;
        let meter = "meter=1,kbps,burst,band=type=drop,rate=100000000,burst_size=1000000";
        switch.of(&["add-meter", "br0", meter])?;
        switch.of(&["add-flows", "br0", &flows])?;
        Ok(switch)
    }

    fn start_bridge(&mut self, database: &str) -> Result<()> {
        self.spawn("usr/lib/openvswitch-switch/ovs-vswitchd", &[database, "--no-chdir"])?;
        let bridge = ["--", "set", "bridge", "br0", "datapath_type=netdev", "fail_mode=secure"];
        let protocols = ["protocols=OpenFlow13,OpenFlow14,OpenFlow15"];
        self.vsctl(&[&["--timeout=20", "add-br", "br0"], &bridge[..], &protocols].concat())?;
        for (port, number) in [("access0", 1), ("core0", 2)] {
            let request = format!("ofport_request={number}");
            self.vsctl(&["--timeout=20", "add-port", "br0", port, "--", "set", "interface", port, &request])?;
        }
        Ok(())
    }

    /// Source check, meter, translation and the next hop's address.
    fn flows(population: u32) -> String {
        let mut text = "priority=0,actions=drop\n".to_owned();
        for number in 0..population {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "priority=10,in_port=1,ip,nw_src={},actions=meter:1,dec_ttl,ct(commit,nat(src={})),mod_dl_dst:02:fe:00:00:00:01,output:2",
                subscribers::address(number),
                subscribers::external(number).0,
            );
        }
        text
    }

    /// Nanoseconds of CPU that the switch has used.
    pub(super) fn cpu_ns(&self) -> Result<u64> {
        self.programs.iter().map(|program| crate::cpu::of_process(program.id())).sum()
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(self.root.join(program));
        command.env("OVS_RUNDIR", self.folder.path()).env("OVS_LOGDIR", self.folder.path());
        command.env("OVS_DBDIR", self.folder.path());
        command.env("OVS_PKGDATADIR", self.root.join("usr/share/openvswitch"));
        command.env("LD_LIBRARY_PATH", self.root.join("usr/lib/x86_64-linux-gnu"));
        command
    }

    fn spawn(&mut self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = self.command(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        self.programs.push(command.spawn().with_context(|| format!("starting {program}"))?);
        Ok(())
    }

    fn wait_for(&self, name: &str) -> Result<()> {
        let begun = Instant::now();
        while !self.folder.path().join(name).exists() {
            if begun.elapsed() > PATIENCE {
                bail!("Open vSwitch does not start: no {name} in {}", self.folder.path().display());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn vsctl(&self, arguments: &[&str]) -> Result<()> {
        let database = format!("--db=unix:{}", self.file("db.sock"));
        self.run("usr/bin/ovs-vsctl", &[&[database.as_str()], arguments].concat())
    }

    fn of(&self, arguments: &[&str]) -> Result<()> {
        self.run("usr/bin/ovs-ofctl", &[&["-O", "OpenFlow13"], arguments].concat())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let done = self.command(program).args(arguments).output().with_context(|| program.to_owned())?;
        let error = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{program} {}: {error}", arguments.join(" "));
        Ok(())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        for program in &mut self.programs {
            // It may have ended by itself.
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}
