//! A switch: Open vSwitch in user space, in a network namespace of its own.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

use crate::tools::OpenVSwitch;

pub(super) struct Switch {
    programs: OpenVSwitch,
    folder: TempDir,
    namespace: String,
}

impl Switch {
    /// One with a bridge and two ports. Each program says when it is ready, by going to the background.
    pub(super) fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("wc-openflow-{}-{number}", process::id());
        let programs = OpenVSwitch::find();
        let folder = tempfile::tempdir().expect("a folder");
        run(Command::new("ip").args(["netns", "add", &namespace]));
        let switch = Self { programs, folder, namespace };
        let schema = switch.programs.path("usr/share/openvswitch/vswitch.ovsschema");
        let database = switch.file("conf.db");
        run(switch.command("usr/bin/ovsdb-tool").arg("create").arg(&database).arg(schema));
        let socket = switch.file("db.sock").display().to_string();
        let remote = format!("--remote=punix:{socket}");
        run(switch.daemon("usr/sbin/ovsdb-server").arg(&database).arg(remote));
        let socket = format!("unix:{socket}");
        let vsctl = |arguments: &str| {
            let mut command = switch.command("usr/bin/ovs-vsctl");
            run(command.arg(format!("--db={socket}")).args(arguments.split(' ')));
        };
        vsctl("--no-wait init");
        run(switch.daemon("usr/lib/openvswitch-switch/ovs-vswitchd").arg(&socket));
        vsctl(
            "--timeout=20 add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=secure protocols=OpenFlow13,OpenFlow14,OpenFlow15",
        );
        for port in 1..=2 {
            vsctl(&format!(
                "--timeout=20 add-port br0 p{port} -- set interface p{port} type=internal ofport_request={port}"
            ));
        }
        switch
    }

    /// A connection to the bridge, on which nothing has been said.
    pub(super) fn connect(&self) -> UnixStream {
        UnixStream::connect(self.file("br0.mgmt")).expect("the bridge listens")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let command = self.programs.command(program, self.folder.path());
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.namespace]).arg(command.get_program());
        inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        inside
    }

    fn daemon(&self, program: &str) -> Command {
        let mut command = self.command(program);
        command.args(["--detach", "--no-chdir", "--pidfile", "--log-file=/dev/null", "-vconsole:off"]);
        command
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        for program in ["ovs-vswitchd", "ovsdb-server"] {
            if let Ok(pid) = fs::read_to_string(self.file(&format!("{program}.pid"))) {
                run(Command::new("kill").args(["-KILL", pid.trim()]));
            }
        }
        run(Command::new("ip").args(["netns", "del", &self.namespace]));
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
