//! A lab of one's own for a test, gone when the test ends.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, Instant},
};

use lab::{DhcpClient, HomeConfig, Lab, LabConfig};
use serde_json::Value;

pub(crate) struct Office {
    lab: Option<Lab>,
}

/// How long a home waits for its lease: three tries of a DHCP client.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A home on the C-VLAN of its number.
pub(crate) fn home(number: u16, client: DhcpClient, option82: bool) -> HomeConfig {
    HomeConfig {
        name: format!("home{number}"),
        s_vid: 100.try_into().expect("a VLAN"),
        c_vid: number.try_into().expect("a VLAN"),
        client,
        option82,
    }
}

impl Office {
    /// The office of the demo under names of its own, with nobody provisioned.
    pub(crate) fn up(name: &str, outer_tpid: &str) -> Self {
        Self::up_with(name, outer_tpid, [])
    }

    /// The same, with more homes.
    pub(crate) fn up_with(name: &str, outer_tpid: &str, more: impl IntoIterator<Item = HomeConfig>) -> Self {
        let homes = [
            home(1, DhcpClient::Udhcpc, true),
            home(2, DhcpClient::Dhclient, false),
            home(3, DhcpClient::Udhcpc, false),
        ];
        let config = LabConfig {
            prefix: format!("wc-t{}-", process::id()),
            bin_dir: bin_dir(),
            state_dir: env::temp_dir().join(format!("wirecenter-{name}-{}", process::id())),
            office_manifest: manifest("office.yaml"),
            homes: homes.into_iter().chain(more).collect(),
            outer_tpid: outer_tpid.parse().expect("a tag protocol identifier"),
            routed_to_node: [
                "198.51.100.0/24",
                "203.0.113.0/24",
                "192.0.2.129/32",
                "2001:db8:1000::/48",
                "2001:db8:2000::/36",
            ]
            .map(String::from)
            .to_vec(),
            access: None,
            upstream: None,
            agent_arguments: Vec::new(),
        };
        let state_dir = config.state_dir.clone();
        match Lab::up(config, &mut |what| eprintln!("{what}")) {
            Ok(lab) => Self { lab: Some(lab) },
            Err(error) => {
                let logs = logs(&state_dir);
                if let Ok(half) = Lab::load(&state_dir) {
                    half.down().expect("half a lab comes down");
                }
                panic!("the lab does not come up: {error}\n{logs}");
            }
        }
    }

    pub(crate) fn lab(&mut self) -> &mut Lab {
        self.lab.as_mut().expect("up")
    }

    /// Runs `wcctl`, wants it to succeed, and returns what it printed.
    pub(crate) fn wcctl(&mut self, arguments: &[&str]) -> String {
        let output = self.lab().wcctl(arguments).expect("wcctl runs");
        assert_eq!(output.status, 0, "wcctl {arguments:?}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// Provisions the demo's three subscribers, and waits until the kernel has them.
    pub(crate) fn provision(&mut self) {
        self.wcctl(&["apply", "-f", manifest("subscribers.yaml").to_str().expect("UTF-8")]);
        self.wait_ready(&["alice", "bob", "carol-inc"]);
    }

    pub(crate) fn wait_ready(&mut self, subscribers: &[&str]) {
        for subscriber in subscribers {
            let reference = format!("subscriber/{subscriber}");
            self.wcctl(&["wait", "--for=condition=Ready", "--timeout=30s", &reference]);
        }
    }

    /// Merges a change into a subscriber's manifest, applies it, and waits until the kernel has it.
    pub(crate) fn change(&mut self, subscriber: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.subscriber(subscriber);
        change(&mut object["spec"]);
        self.apply(&serde_json::json!({
            "kind": "Subscriber", "metadata": {"name": subscriber}, "spec": object["spec"],
        }));
        self.wait_ready(&[subscriber]);
    }

    /// Applies a manifest of one object.
    pub(crate) fn apply(&mut self, object: &Value) {
        let file = self.lab().config.state_dir.join("change.json");
        fs::write(&file, object.to_string()).expect("writable");
        self.wcctl(&["apply", "-f", file.to_str().expect("UTF-8")]);
    }

    pub(crate) fn subscriber(&mut self, name: &str) -> Value {
        serde_json::from_str(&self.wcctl(&["get", "subscriber", name, "-o", "json"])).expect("JSON")
    }

    /// What the node's diagnostics say, as data.
    pub(crate) fn wcnode(&mut self, arguments: &[&str]) -> Value {
        let all = [arguments, &["-o", "json"]].concat();
        let output = self.lab().wcnode(&all).expect("wcnode runs");
        assert_eq!(output.status, 0, "wcnode {arguments:?}: {}{}", output.stdout, output.stderr);
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", output.stdout))
    }

    /// Waits until all that the node has on its disk is in its kernel, and so many sessions with it; gives back the
    /// status that says so.
    pub(crate) fn until_programmed(&mut self, sessions: u64) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A node without a fast path has a status, too, and an exit status that says so.
            let output = self.lab().wcnode(&["status", "-o", "json"]).expect("wcnode runs");
            let status: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
            let agent = &status["agent"]["status"];
            let is_programmed = agent["generation"].is_u64() && agent["programmed"] == agent["generation"];
            let is_whole = status["fastpath"]["sessions"] == sessions && agent["errorCount"] == 0;
            if output.status == 0 && status["agent"]["running"] == true && is_programmed && is_whole {
                return status;
            }
            assert!(Instant::now() < deadline, "not in the kernel: {}{}", output.stdout, output.stderr);
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// How many packets were dropped for a reason.
    pub(crate) fn drops(&mut self, reason: &str) -> u64 {
        let drops = self.wcnode(&["drops"]);
        let list = drops.as_array().expect("a list");
        // A reason that never came up is not listed.
        let one = list.iter().find(|drop| drop["reason"] == reason);
        one.map_or(0, |drop| drop["packets"].as_u64().expect("a count"))
    }

    /// Runs a command in a box and returns its exit status and what it printed.
    pub(crate) fn exec(&mut self, host: &str, words: &str) -> (i32, String) {
        let argv: Vec<_> = words.split(' ').collect();
        let output = self.lab().exec(host, &argv).expect("starts");
        (output.status, output.stdout + &output.stderr)
    }

    /// Whether a home reaches an address.
    pub(crate) fn pings(&mut self, home: &str, address: &str) -> bool {
        self.exec(home, &format!("ping -n -c 3 -i 0.2 -W 2 {address}")).0 == 0
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let lab = self.lab.take().expect("up");
        if thread::panicking() {
            eprintln!("{}", logs(&lab.config.state_dir));
        }
        lab.down().expect("the lab comes down");
    }
}

fn logs(state_dir: &Path) -> String {
    let Ok(files) = fs::read_dir(state_dir.join("logs")) else { return String::new() };
    let one = |file: fs::DirEntry| {
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        format!("---- {}\n{tail}\n", file.file_name().display())
    };
    files.flatten().map(one).collect()
}

/// Where `cargo xtask build` put the programs.
pub(crate) fn bin_dir() -> PathBuf {
    if let Some(dir) = env::var_os("WIRECENTER_BIN_DIR") {
        return dir.into();
    }
    let test = env::current_exe().expect("a test is a file");
    test.ancestors().nth(2).expect("target/debug/deps/it").to_owned()
}

pub(crate) fn manifest(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab/manifests").join(name)
}
