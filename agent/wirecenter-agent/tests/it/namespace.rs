//! A network namespace with the ports of a node, and a BPF file system; both are gone when the value is.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use linux_node::NetNs;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) netns: NetNs,
}

impl Node {
    /// With `access0` and `core0`, whose other ends are in the namespace too.
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("wc-{test}-{}", std::process::id());
        let dir = tempfile::tempdir().expect("directory");
        for sub in ["bpf", "run", "state"] {
            std::fs::create_dir(dir.path().join(sub)).expect("directory");
        }
        ip(&["netns", "add", &name]);
        let netns = NetNs::named(&name).expect("the namespace was just made");
        let node = Self { name, dir, netns };
        mount(Some("bpf"), &node.bpf(), Some("bpf"), MsFlags::empty(), None::<&str>)
            .expect("a BPF file system can be mounted (root, CONFIG_BPF_SYSCALL)");
        node.ip(&["link", "set", "lo", "up"]);
        for port in ["access0", "core0"] {
            let peer = format!("{port}-peer");
            node.ip(&["link", "add", port, "type", "veth", "peer", "name", &peer]);
            node.ip(&["link", "set", &peer, "up"]);
        }
        node
    }

    pub(crate) fn bpf(&self) -> PathBuf {
        self.dir.path().join("bpf")
    }

    pub(crate) fn ip(&self, arguments: &[&str]) -> String {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    /// The program on a port: its id, if there is one.
    pub(crate) fn xdp(&self, port: &str) -> Option<u64> {
        let links = self.ip(&["-d", "-j", "link", "show", "dev", port]);
        let links: serde_json::Value = serde_json::from_str(&links).expect("JSON");
        links[0]["xdp"]["prog"]["id"].as_u64()
    }

    /// Starts the agent in the namespace.
    pub(crate) fn start_agent(&self, controller: &str, token: Option<&str>) -> Agent {
        let token_file = self.dir.path().join("token");
        if let Some(token) = token {
            std::fs::write(&token_file, token).expect("written");
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecenter-agent"));
        command.args(["--controller", controller, "--node", "node1", "--reconnect-min", "50ms"]);
        command.args(["--max-sessions", "64", "--max-home-units", "256"]);
        command.arg("--join-token-file").arg(&token_file);
        command.arg("--state-dir").arg(self.dir.path().join("state"));
        command.arg("--run-dir").arg(self.dir.path().join("run"));
        command.arg("--pin-dir").arg(self.bpf().join("wirecenter"));
        command.stdin(Stdio::null());
        let child =
            self.netns.run(|| command.spawn()).expect("the namespace is there").expect("the agent starts");
        Agent(child)
    }

    /// The agent's status, if it has written one.
    pub(crate) fn status(&self) -> Option<serde_json::Value> {
        let text = std::fs::read(self.dir.path().join("run/status.json")).ok()?;
        Some(serde_json::from_slice(&text).expect("never half written"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // What cannot be undone here is in a temporary directory and a namespace with this process's name.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let _ = umount2(&self.bpf(), MntFlags::MNT_DETACH);
    }
}

/// A running agent, killed when this is dropped.
pub(crate) struct Agent(Child);

impl Agent {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// As if the machine had lost interest in it.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("it was running");
        self.0.wait().expect("it is gone");
    }

    /// Asks it to end; whether it ended well.
    pub(crate) fn terminate(mut self) -> bool {
        let pid = nix::unistd::Pid::from_raw(self.0.id().try_into().expect("a process id"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it was running");
        self.0.wait().expect("it ends").success()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Nothing to be done if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ip(arguments: &[&str]) -> String {
    let output =
        Command::new("ip").args(arguments).output().expect("ip is installed (apt-get install iproute2)");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {}: {error}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("text")
}
