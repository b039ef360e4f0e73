//! Against `ovs-ofctl ofp-parse`, which says what Open vSwitch makes of messages.

mod said;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use openflow::{Message, Version, Xid};

use self::said::SAID;
use crate::{
    samples::samples,
    tools::{OpenVSwitch, output_of},
};

/// What Open vSwitch does not know, in any version.
const UNKNOWN: [(&str, &str); 14] = [
    ("action/CopyTtlIn 1", "no such action"),
    ("action/CopyTtlOut 1", "no such action"),
    ("action/Experimenter 1", "an experimenter of no one"),
    ("action/Other 1", "an action of no one"),
    ("action/PopPbb 1", "no such action"),
    ("action/PushPbb 1", "no such action"),
    ("experimenter", "an experimenter of no one"),
    ("field/8000/IN_PHY_PORT/false", "no such field"),
    ("field/8000/IPV6_EXTHDR/false", "no such field"),
    ("field/8000/IPV6_EXTHDR/true", "no such field"),
    ("field/8000/PBB_ISID/false", "no such field"),
    ("field/8000/PBB_ISID/true", "no such field"),
    ("field/8000/PBB_UCA/false", "no such field"),
    ("instruction/6", "an experimenter of no one"),
];

/// The same, in one more place each.
const UNKNOWN_MORE: [(&str, &str); 5] = [
    ("match/unknown field", "an experimenter of no one"),
    ("multipart reply/experimenter", "an experimenter of no one"),
    ("multipart request/experimenter", "an experimenter of no one"),
    ("multipart reply/meter features", "in OpenFlow 1.5, where it has the form of 1.3"),
    ("error/experimenter", "in OpenFlow 1.4 and 1.5, which have the ONF's errors as their own"),
];

/// What is said of each message, by the number of its transaction.
fn print(messages: &[(Version, Message)]) -> BTreeMap<usize, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages");
    let mut bytes = Vec::new();
    for (number, (version, message)) in messages.iter().enumerate() {
        let xid = Xid(u32::try_from(number).expect("not so many"));
        let mut message = message.clone();
        if let Message::BundleAdd(add) = &mut message {
            add.xid = xid;
        }
        message.encode(*version, xid, &mut bytes).expect("encoded");
    }
    fs::write(&file, bytes).expect("written");
    let mut command = OpenVSwitch::find().command("usr/bin/ovs-ofctl", folder.path());
    command.arg("-m").arg("ofp-parse").arg(file);
    let output = output_of(command, Vec::new());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let mut said: BTreeMap<usize, String> = BTreeMap::new();
    for line in text.lines() {
        let next = said.len();
        // Messages inside of others have numbers of their own, and of one whose type is not known none is said.
        let begins = line.starts_with("***") || line.contains(&format!(" (xid=0x{next:x}):"));
        let number = if begins { next } else { next.saturating_sub(1) };
        let text = said.entry(number).or_default();
        text.push_str(line);
        text.push('\n');
    }
    said
}

#[test]
fn open_vswitch_understands_every_message() {
    let samples = samples();
    let messages: Vec<_> = samples.iter().map(|sample| (sample.version, sample.message.clone())).collect();
    let said = print(&messages);
    let mut refused = BTreeMap::new();
    for (number, sample) in samples.iter().enumerate() {
        let text = said.get(&number).unwrap_or_else(|| panic!("nothing is said of {}", sample.name));
        if text.contains("***") {
            let (_, name) = sample.name.split_once('/').expect("a version");
            refused.insert(name, text);
        }
    }
    let names: BTreeSet<_> = refused.keys().copied().collect();
    assert_eq!(names, UNKNOWN.iter().chain(&UNKNOWN_MORE).map(|(name, _)| *name).collect(), "{refused:#?}");
}

#[test]
fn open_vswitch_understands_them_as_they_are_meant() {
    let samples: BTreeMap<_, _> = samples().into_iter().map(|sample| (sample.name.clone(), sample)).collect();
    let wanted: Vec<_> = SAID.iter().map(|(name, text)| (&samples[&format!("1.3/{name}")], *text)).collect();
    let messages: Vec<_> =
        wanted.iter().map(|(sample, _)| (sample.version, sample.message.clone())).collect();
    let said = print(&messages);
    for (number, (sample, wanted)) in wanted.iter().enumerate() {
        let (_, text) =
            said[&number].split_once("): ").or(said[&number].split_once("):\n ")).expect("a text");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(text, *wanted, "{}", sample.name);
    }
}
