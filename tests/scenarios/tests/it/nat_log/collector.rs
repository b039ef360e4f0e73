//! nfcapd on the Internet's host, and beside it a capture of what it is sent, since what it keeps is not all.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::office::PATIENCE;

const PORT: &str = "4739";
/// As /proc/net/udp has it.
const PORT_HEX: &str = ":1283 ";

/// A record: what of it is compared, by a name of ours.
pub(super) type Record = BTreeMap<&'static str, Value>;

/// What each field is called by Wireshark and by nfdump.
const FIELDS: [(&str, &str, &str); 9] = [
    ("event", "nat_event", "nat_event_id"),
    ("protocol", "protocol", "proto"),
    ("inside", "srcaddr", "src4_addr"),
    ("outside", "post_natsource_ipv4_address", "src4_xlt_ip"),
    ("by", "post_naptsource_transport_port", "src_xlt_port"),
    ("remote", "dstaddr", "dst4_addr"),
    ("to", "dstport", "dst_port"),
    ("first", "port_range_start", "pblock_start"),
    ("last", "port_range_end", "pblock_end"),
];

pub(super) struct Collector {
    namespace: String,
    nfcapd: Child,
    dumpcap: Child,
    folder: TempDir,
}

/// What was sent.
pub(super) struct Capture {
    /// Of each message.
    pub(super) domains: Vec<u64>,
    /// Of NAT events, in order.
    pub(super) records: Vec<Record>,
}

impl Collector {
    pub(super) fn start(namespace: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("flows")).expect("a folder");
        let start = |words: &[&str], into: &str| {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", namespace]).args(words).arg(folder.path().join(into));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("apt-get install -y iproute2")
        };
        let nfcapd = start(&["nfcapd", "-p", PORT, "-w"], "flows");
        let filter = format!("udp dst port {PORT}");
        let dumpcap = start(&["dumpcap", "-q", "-i", "any", "-f", &filter, "-w"], "capture");
        let collector = Self { namespace: namespace.to_owned(), nfcapd, dumpcap, folder };
        collector.wait(|collector| {
            let has_begun = |file: &str| {
                fs::metadata(collector.folder.path().join(file)).is_ok_and(|file| file.len() > 0)
            };
            collector.socket().is_some() && has_begun("capture")
        });
        collector
    }

    fn wait(&self, is: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(self) {
            assert!(
                Instant::now() < deadline,
                "nfcapd or dumpcap does not work (apt-get install -y nfdump tshark)"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The kernel's line about nfcapd's socket.
    fn socket(&self) -> Option<String> {
        let sockets =
            output(Command::new("ip").args(["netns", "exec", &self.namespace, "cat", "/proc/net/udp"]));
        sockets.lines().find(|line| line.contains(PORT_HEX)).map(str::to_owned)
    }

    /// What was sent, as soon as it is what is waited for.
    pub(super) fn until(&mut self, is: impl Fn(&[Record]) -> bool) -> Capture {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let capture = self.capture();
            if is(&capture.records) {
                return capture;
            }
            assert!(Instant::now() < deadline, "never sent; only {:#?}", capture.records);
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn capture(&self) -> Capture {
        let file = self.folder.path().join("capture");
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&file).args(["-d", &format!("udp.port=={PORT},cflow"), "-T", "json"]);
        let shown = tshark.arg("--no-duplicate-keys").output().expect("apt-get install -y tshark");
        // A packet that is half written as yet is remarked upon, and read the next time.
        let messages: Vec<Value> = serde_json::from_slice(&shown.stdout).unwrap_or_default();
        let messages: Vec<&Value> =
            messages.iter().map(|message| &message["_source"]["layers"]["cflow"]).collect();
        let domains = messages.iter().filter_map(|message| number(&message["cflow.od_id"])).collect();
        let sets = messages.iter().flat_map(|message| in_order(message, "Set "));
        let flows = sets.flat_map(|set| in_order(set, "Flow "));
        let records = flows.map(|flow| {
            let value = |wireshark: &str| &flow[format!("cflow.{wireshark}")];
            read(FIELDS.map(|(name, wireshark, _)| (name, value(wireshark))))
        });
        Capture { domains, records: records.filter(|record| record.contains_key("event")).collect() }
    }

    /// What nfcapd has kept.
    pub(super) fn stop(mut self) -> Vec<Record> {
        // Until it has read all bytes, of which the second number of the fifth field counts those that wait.
        let has_read =
            |line: String| line.split_whitespace().nth(4).is_some_and(|field| field.ends_with(":00000000"));
        self.wait(|collector| collector.socket().is_some_and(has_read));
        let pid = self.nfcapd.id().to_string();
        output(Command::new("kill").arg(&pid));
        self.nfcapd.wait().expect("it is a child");
        let flows = self.folder.path().join("flows");
        let stored = output(Command::new("nfdump").args(["-o", "json", "-R"]).arg(flows));
        let stored: Vec<Value> = serde_json::from_str(&stored).expect("JSON");
        stored.iter().map(|record| read(FIELDS.map(|(name, _, nfdump)| (name, &record[nfdump])))).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        for child in [&mut self.nfcapd, &mut self.dumpcap] {
            // One that ended already has no need of it.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The fields that are there; nfdump has zeros for those that are not.
fn read<const N: usize>(fields: [(&'static str, &Value); N]) -> Record {
    let is_there =
        |value: &Value| !["0.0.0.0", "0"].contains(&value.as_str().unwrap_or_default()) && *value != 0;
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null() && is_there(value));
    fields.map(|(name, value)| (name, number(value).map_or_else(|| value.clone(), |n| json!(n)))).collect()
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The members whose names are `prefix` and a number, in the order of the numbers.
fn in_order<'a>(within: &'a Value, prefix: &str) -> impl Iterator<Item = &'a Value> {
    let members = within.as_object().into_iter().flatten();
    let numbered = members.filter_map(|(name, value)| {
        let number: u32 = name.strip_prefix(prefix)?.split(' ').next()?.parse().ok()?;
        Some((number, value))
    });
    numbered.collect::<BTreeMap<_, _>>().into_values()
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
