//! A collector that is not ours, as a process.

use std::{
    fs,
    net::{Ipv4Addr, UdpSocket},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

const MISSING: &str = "nfdump is installed (apt-get install -y nfdump)";

/// After which nothing more is expected to happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// nfcapd on a port of the loopback, with a folder of its own. It ends with this value.
pub(crate) struct Nfcapd {
    process: Child,
    port: u16,
    folder: TempDir,
}

/// What it stored.
pub(crate) struct Stored {
    /// The records, in order, as `nfdump -o json` shows them.
    pub records: Vec<Value>,
    /// How often a message's sequence number was not the one that follows.
    pub sequence_failures: u64,
}

/// The version of nfdump.
pub(crate) fn version() -> [u32; 3] {
    let shown = nfdump(&["-V"]);
    let numbers =
        shown.split(|c: char| !c.is_ascii_digit() && c != '.').find(|word| word.matches('.').count() == 2);
    let numbers = numbers.unwrap_or_else(|| panic!("no version in {shown:?}"));
    let numbers: Vec<_> = numbers.split('.').map(|number| number.parse().expect("a number")).collect();
    numbers.try_into().expect("three numbers")
}

impl Nfcapd {
    pub(crate) fn start() -> Self {
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let port = free.expect("a free port").port();
        let folder = tempfile::tempdir().expect("a folder");
        let process = Command::new("nfcapd")
            .args(["-4", "-b", "127.0.0.1", "-p", &port.to_string(), "-w"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .expect(MISSING);
        let mut nfcapd = Self { process, port, folder };
        nfcapd.wait_until(|socket| socket.is_some(), "listens");
        nfcapd
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until it has read all that was sent to it, without a loss.
    pub(crate) fn catch_up(&mut self) {
        self.wait_until(|socket| socket.is_some_and(|socket| socket.queued == 0), "has read all");
        let lost = socket(self.port).expect("it listens").lost;
        assert_eq!(lost, 0, "datagrams found no room in its socket");
    }

    /// Lets it write its file, and reads that.
    pub(crate) fn stop(mut self) -> Stored {
        self.catch_up();
        let pid = Pid::from_raw(self.process.id().try_into().expect("a process number"));
        kill(pid, Signal::SIGTERM).expect("it is there");
        assert!(self.process.wait().expect("it is a child").success());
        let folder = self.folder.path().to_str().expect("a path in UTF-8");
        let records = serde_json::from_str(&nfdump(&["-R", folder, "-o", "json"])).expect("JSON");
        let summary = nfdump(&["-R", folder, "-I"]);
        let failures = summary.lines().find_map(|line| line.strip_prefix("Sequence failures: "));
        let sequence_failures = failures.and_then(|number| number.trim().parse().ok());
        Stored {
            records,
            sequence_failures: sequence_failures.unwrap_or_else(|| panic!("no count in {summary}")),
        }
    }

    fn wait_until(&mut self, is: impl Fn(Option<Socket>) -> bool, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !is(socket(self.port)) {
            let ended = self.process.try_wait().expect("it is a child");
            assert!(ended.is_none(), "nfcapd ended before it {what}: {ended:?}");
            assert!(Instant::now() < deadline, "it never {what}");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        // After `stop` it is gone already, and this has no effect.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A UDP socket as the kernel lists it.
struct Socket {
    /// Bytes that were not read yet.
    queued: u64,
    /// Datagrams that found no room.
    lost: u64,
}

fn socket(port: u16) -> Option<Socket> {
    let table = fs::read_to_string("/proc/net/udp").expect("the kernel's list of sockets");
    let address = format!("0100007F:{port:04X}");
    table.lines().map(str::split_whitespace).map(Iterator::collect::<Vec<_>>).find_map(|fields| {
        let [_, local, _, _, queues, .., lost] = fields.as_slice() else {
            panic!("a short line: {fields:?}")
        };
        let (_, received) = queues.split_once(':')?;
        (*local == address).then(|| Socket {
            queued: u64::from_str_radix(received, 16).expect("hexadecimal"),
            lost: lost.parse().expect("decimal"),
        })
    })
}

fn nfdump(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new("nfdump").args(arguments).env("TZ", "UTC").output().expect(MISSING);
    assert!(status.success(), "nfdump {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8")
}
