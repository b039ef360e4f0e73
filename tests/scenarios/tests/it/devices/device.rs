//! A device in a home: a host of its own, behind the home's bridge.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use crate::office::Office;

/// An unmodified DHCP client.
#[derive(Clone, Copy)]
pub(super) enum Client {
    Udhcpc,
    Dhclient,
}

/// Gone with the test.
pub(super) struct Device {
    pub(super) name: &'static str,
    pub(super) namespace: String,
    pub(super) mac: String,
    /// What it has leased.
    pub(super) address: Option<String>,
    client: Client,
    /// Where its client's files are.
    files: PathBuf,
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| {
        panic!("{program}: {error}; apt-get install -y iproute2 udhcpc isc-dhcp-client curl dnsutils")
    })
}

fn ip(line: &str) {
    let output = run("ip", &line.split(' ').collect::<Vec<_>>());
    assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
}

fn inside(namespace: &str, argv: &[&str]) -> (i32, String) {
    let output = run("ip", &[&["netns", "exec", namespace], argv].concat());
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// A page, as curl gets it.
pub(super) fn fetch(namespace: &str, arguments: &[&str]) -> Result<String, String> {
    let quiet = ["curl", "--silent", "--show-error", "--max-time", "5"];
    let (status, said) = inside(namespace, &[&quiet, arguments].concat());
    if status == 0 { Ok(said) } else { Err(said) }
}

impl Device {
    /// Connects a device to the bridge of a home.
    pub(super) fn plug_in(
        office: &mut Office,
        home: &str,
        name: &'static str,
        number: u8,
        client: Client,
    ) -> Self {
        let home = office.lab().box_of(home).expect("a home");
        let namespace = format!("{home}-{name}");
        let mac = format!("02:00:5e:00:53:{number:02x}");
        let files = office.lab().config.state_dir.join(format!("device-{name}"));
        fs::create_dir_all(&files).expect("writable");
        ip(&format!("netns add {namespace}"));
        // `ip netns exec` puts it in place of the machine's own, which clients write to.
        let config = PathBuf::from("/etc/netns").join(&namespace);
        fs::create_dir_all(&config).expect("writable");
        fs::write(config.join("resolv.conf"), "").expect("writable");
        let device = Self { name, namespace, mac, address: None, client, files };
        let (own, mac) = (&device.namespace, &device.mac);
        ip(&format!("link add eth0 address {mac} netns {own} type veth peer name to-{name} netns {home}"));
        // Else the checksums of TCP and UDP would never be finished.
        device.must(&["ethtool", "-K", "eth0", "tx", "off"]);
        ip(&format!("-n {home} link set to-{name} master br0"));
        ip(&format!("-n {home} link set to-{name} up"));
        ip(&format!("-n {own} link set lo up"));
        ip(&format!("-n {own} link set eth0 up"));
        device
    }

    /// Asks for a lease until it has one, or has been told often enough that there is none: what the client said then.
    pub(super) fn lease(&mut self) -> Result<String, String> {
        let file = |name: &str| self.files.join(name).display().to_string();
        let (status, said) = match self.client {
            Client::Udhcpc => {
                inside(&self.namespace, &["udhcpc", "-n", "-q", "-f", "-t", "4", "-T", "1", "-i", "eth0"])
            }
            Client::Dhclient => {
                self.end_client();
                let conf = "timeout 10;\nretry 1;\ninitial-interval 1;\nbackoff-cutoff 2;\nreboot 2;\n";
                fs::write(self.files.join("conf"), conf).expect("writable");
                let files = ["-cf", &file("conf"), "-lf", &file("leases"), "-pf", &file("pid")];
                inside(&self.namespace, &[&["dhclient", "-4", "-1"][..], &files, &["eth0"]].concat())
            }
        };
        self.address = None;
        if status != 0 {
            return Err(said);
        }
        let (_, shown) = inside(&self.namespace, &["ip", "-j", "-4", "addr", "show", "dev", "eth0"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let address = shown[0]["addr_info"][0]["local"].as_str().ok_or(said)?.to_owned();
        self.address = Some(address.clone());
        Ok(address)
    }

    /// Gives the lease up.
    pub(super) fn release(&mut self) {
        assert!(matches!(self.client, Client::Dhclient), "the one that can be asked to");
        let file = |name: &str| self.files.join(name).display().to_string();
        let files = ["-cf", &file("conf"), "-lf", &file("leases"), "-pf", &file("pid")];
        self.must(&[&["dhclient", "-4", "-r"][..], &files, &["eth0"]].concat());
        self.address = None;
    }

    pub(super) fn runs(&self, argv: &[&str]) -> (i32, String) {
        inside(&self.namespace, argv)
    }

    pub(super) fn must(&self, argv: &[&str]) {
        let (status, said) = self.runs(argv);
        assert_eq!(status, 0, "{}: {argv:?}: {said}", self.name);
    }

    pub(super) fn fetches(&self, page: &str) -> bool {
        self.fetches_with(&[page])
    }

    pub(super) fn fetches_with(&self, arguments: &[&str]) -> bool {
        fetch(&self.namespace, arguments).is_ok()
    }

    /// A client that stays to renew its lease.
    fn end_client(&self) {
        let Ok(pid) = fs::read_to_string(self.files.join("pid")) else { return };
        let (status, said) = inside(&self.namespace, &["kill", pid.trim()]);
        assert_eq!(status, 0, "{said}");
        let gone = PathBuf::from("/proc").join(pid.trim());
        while gone.exists() {
            std::thread::yield_now();
        }
        fs::remove_file(self.files.join("pid")).expect("there");
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.end_client();
        ip(&format!("netns del {}", self.namespace));
        fs::remove_dir_all(PathBuf::from("/etc/netns").join(&self.namespace)).expect("ours");
    }
}
