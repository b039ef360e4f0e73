//! Against Wireshark's dissector, which says what is malformed.

use std::{fs, process::Command};

use openflow::Version;

use crate::{
    samples::{Sample, samples},
    tools::output_of,
};

/// What Wireshark 4.0 takes for malformed: it reads beyond the end of experimenters' bodies, and takes a queue's counters of
/// OpenFlow 1.4 for longer than they are (os-ken's and Open vSwitch's too).
const MISTAKEN: [&str; 3] =
    ["1.3/multipart reply/experimenter", "1.4/multipart reply/experimenter", "1.4/multipart reply/queue"];

/// In OpenFlow 1.5, Wireshark 4.0 takes every message with a match for malformed, also those that Open vSwitch sends.
#[test]
fn wireshark_finds_nothing_malformed() {
    let samples: Vec<_> = samples().into_iter().filter(|sample| sample.version < Version::V1_5).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let capture = folder.path().join("capture.pcap");
    let messages: Vec<_> = samples.iter().map(Sample::bytes).collect();
    fs::write(&capture, pcap(&messages)).expect("written");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&capture).args(["-d", "tcp.port==6653,openflow", "-T", "fields"]);
    for field in ["_ws.col.Protocol", "_ws.malformed"] {
        command.args(["-e", field]);
    }
    let output = output_of(command, Vec::new());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), samples.len());
    let mut malformed = Vec::new();
    for (sample, line) in samples.iter().zip(lines) {
        let (protocol, error) = line.split_once('\t').expect("two columns");
        assert_eq!(protocol, "OpenFlow", "{}", sample.name);
        if !error.is_empty() {
            malformed.push(sample.name.as_str());
        }
    }
    assert_eq!(malformed, MISTAKEN);
}

/// The messages as segments of one TCP connection, in a file of libpcap's format.
fn pcap(messages: &[Vec<u8>]) -> Vec<u8> {
    /// Raw IP (`LINKTYPE_RAW`).
    const LINK: u32 = 101;
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 0xffff, LINK] {
        file.extend(word.to_be_bytes());
    }
    let mut sequence = 1_u32;
    for (number, message) in (0_u32..).zip(messages) {
        let mut packet = vec![0x45, 0];
        let len = u16::try_from(40 + message.len()).expect("short");
        packet.extend(len.to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        packet.extend(6653_u16.to_be_bytes());
        packet.extend(40_000_u16.to_be_bytes());
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(message);
        sequence += u32::try_from(message.len()).expect("short");
        let len = u32::try_from(packet.len()).expect("short");
        for word in [number, 0, len, len] {
            file.extend(word.to_be_bytes());
        }
        file.extend(packet);
    }
    file
}
