//! Against os-ken, which speaks OpenFlow 1.3 whole, and most of 1.4 and 1.5.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use openflow::{Message, Version};
use serde_json::{Value, json};

use crate::{
    samples::samples,
    tools::{of_hex, os_ken_python, output_of, to_hex},
};

/// Messages of os-ken's tests that are none.
const NOT_SOUND: [(&str, &str); 2] = [
    ("of15/libofproto-OFP15-flow_desc_reply.packet", "the length of the goto-table instruction is 2056"),
    ("of15/libofproto-OFP15-meter_features_reply.packet", "the file is longer than the header says"),
];

/// Classes of os-ken that no message has which it can make: bases of others, and what it cannot write.
const NOT_MADE: [(&str, &str); 11] = [
    ("NXAction", "a base"),
    ("NXActionEncapNsh", "its constructor refers to a variable that is not there"),
    ("NXTPacketIn2", "without a serialiser"),
    ("OFPActionExperimenter", "a base"),
    ("OFPExperimenterStatsRequestBase", "a base"),
    ("OFPFlowStatsRequestBase", "a base"),
    ("OFPMeterBandHeader", "a base"),
    ("OFPMultipartReply", "a base"),
    ("OFPMultipartRequest", "a base"),
    ("OFPQueueProp", "a base"),
    ("OFPTableFeaturePropUnknown", "for what os-ken does not know"),
];

/// Types of messages that os-ken, which is a controller's, writes and does not read: what it writes of each comes out of the codec the same.
const NO_PARSER: [u8; 15] = [5, 7, 9, 13, 15, 16, 17, 18, 20, 22, 24, 26, 28, 29, 34];
/// Types that it reads and does not write, in OpenFlow 1.4 and 1.5; in 1.3 the script beside this writes for it what it has
/// read, in its own layouts.
const NO_SERIALISER: [u8; 9] = [0, 6, 8, 10, 11, 12, 19, 25, 27];

/// Messages of which os-ken makes something else, and why that is its mistake.
const MISTAKEN: [(&str, &str); 17] = [
    ("1.3/hello/words", "the padding of an element is not passed over, and read for ever"),
    ("1.4/hello/words", "the padding of an element is not passed over, and read for ever"),
    ("1.5/hello/words", "the padding of an element is not passed over, and read for ever"),
    ("1.3/match/unknown field", "experimenters' fields must be known to it"),
    ("1.4/match/unknown field", "experimenters' fields must be known to it"),
    ("1.5/match/unknown field", "experimenters' fields must be known to it"),
    ("1.3/instruction/6", "has no experimenters' instructions, and reads them for ever"),
    ("1.4/instruction/6", "has no experimenters' instructions"),
    ("1.5/instruction/6", "has no experimenters' instructions"),
    ("1.3/multipart reply/table features", "writes fields of lists with lengths of 0"),
    ("1.5/group mod/all", "reads on after a bucket's end for its properties"),
    ("1.5/group mod/select", "reads on after a bucket's end for its properties"),
    ("1.5/group mod/fast failover", "reads on after a bucket's end for its properties"),
    ("1.5/field/ffff/ONF_TCP_FLAGS/false", "knows the field only as OpenFlow 1.5 has it"),
    ("1.5/field/ffff/ONF_TCP_FLAGS/true", "knows the field only as OpenFlow 1.5 has it"),
    ("1.5/field/ffff/ONF_ACTSET_OUTPUT/false", "knows the field only as OpenFlow 1.5 has it"),
    ("1.5/action/CopyField 1", "reads the action's padding for a third field"),
];

fn os_ken(mode: &str, input: String) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oracle.py");
    let mut command = Command::new(os_ken_python());
    command.arg(script).arg(mode);
    let output = output_of(command, input.into_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn version(of: &Value) -> Version {
    let number = of["version"].as_u64().expect("a number");
    Version::from_number(u8::try_from(number).expect("small")).expect("known")
}

fn text(of: &Value) -> String {
    of.as_str().expect("text").to_owned()
}

/// Why the bytes are not the same when they have been through the codec, if they are not.
fn difference(version: Version, bytes: &[u8]) -> Option<String> {
    let (header, message) = match Message::decode(version, bytes) {
        Ok(decoded) => decoded,
        Err(error) => return Some(error.to_string()),
    };
    match message.to_bytes(version, header.xid) {
        Ok(again) if again == bytes => None,
        Ok(again) => Some(format!("{message:?}:\n{}\n{}", to_hex(bytes), to_hex(&again))),
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn what_os_ken_encodes_comes_out_the_same() {
    let mut messages = os_ken("encode", String::new());
    let unseen = messages.pop().expect("the last line");
    let unseen: BTreeSet<_> = unseen["unseen"].as_array().expect("a list").iter().map(text).collect();
    assert_eq!(unseen, NOT_MADE.iter().map(|(class, _)| (*class).to_owned()).collect());
    assert!(messages.len() > 600, "{} messages", messages.len());

    let wrong: BTreeMap<_, _> = messages
        .iter()
        .filter_map(|message| {
            let bytes = of_hex(message["hex"].as_str().expect("hex"));
            Some((text(&message["name"]), difference(version(message), &bytes)?))
        })
        .collect();
    let names: BTreeSet<_> = wrong.keys().map(String::as_str).collect();
    assert_eq!(names, NOT_SOUND.iter().map(|(name, _)| *name).collect(), "{wrong:#?}");
}

#[test]
fn what_is_encoded_here_comes_out_of_os_ken_the_same() {
    let samples = samples();
    let lines = samples.iter().map(|sample| {
        let version = sample.version.number();
        format!("{}\n", json!({ "name": sample.name, "version": version, "hex": to_hex(&sample.bytes()) }))
    });
    let results = os_ken("reserialise", lines.collect());
    assert_eq!(results.len(), samples.len());
    let mut wrong = BTreeMap::new();
    let mut types: BTreeMap<String, BTreeSet<u8>> = BTreeMap::new();
    for (sample, result) in samples.iter().zip(&results) {
        let bytes = sample.bytes();
        match text(&result["result"]) {
            half if half.starts_with("no ") => drop(types.entry(half).or_default().insert(bytes[1])),
            same if same == to_hex(&bytes) => {}
            other => drop(wrong.insert(sample.name.as_str(), format!("{other} and not {}", to_hex(&bytes)))),
        }
    }
    let names: BTreeSet<_> = wrong.keys().copied().collect();
    assert_eq!(names, MISTAKEN.iter().map(|(name, _)| *name).collect(), "{wrong:#?}");
    assert_eq!(types["no parser"], NO_PARSER.into());
    assert_eq!(types["no serialiser"], NO_SERIALISER.into());
}
