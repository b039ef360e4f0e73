//! Flows with every field, instruction and action.

use std::collections::{BTreeMap, BTreeSet};

use openflow::{
    Bucket, ErrorCode, ErrorMessage, FlowMod, FlowModCommand, GroupId, GroupMod, Match, Message, MeterBand,
    MeterFlags, MeterId, MeterMod, Version,
    nicira::{NiciraMessage, TlvMap, TlvTableCommand, TlvTableMod},
    oxm::{Prerequisite, fields},
};

use super::{Switch, client::Client, connect, flows};
use crate::samples::{of_field, samples};

/// What Open vSwitch refuses, having no such thing.
const REFUSED: [&str; 14] = [
    "action/CopyTtlIn 1",
    "action/CopyTtlOut 1",
    "action/Experimenter 1",
    "action/Other 1",
    "action/PopPbb 1",
    "action/PushPbb 1",
    "field/8000/IN_PHY_PORT/false",
    "field/8000/IPV6_EXTHDR/false",
    "field/8000/IPV6_EXTHDR/true",
    "field/8000/PBB_ISID/false",
    "field/8000/PBB_ISID/true",
    "field/8000/PBB_UCA/false",
    "instruction/6",
    "match/unknown field",
];

/// What it tells in other words, meaning the same.
fn told_otherwise(version: Version, name: &str) -> bool {
    let (kind, rest) = name.split_once('/').expect("a kind");
    let field = rest.split('/').nth(1).unwrap_or_default();
    let before_1_5 = version < Version::V1_5;
    match (kind, field) {
        // Fields that OpenFlow has too, by its own numbers.
        ("field", "TCP_FLAGS" | "ACTSET_OUTPUT") => before_1_5,
        ("field", "ONF_TCP_FLAGS" | "ONF_ACTSET_OUTPUT") => !before_1_5,
        ("field", field) if field.starts_with("NXM_") => true,
        // Registers by the size that the version has.
        ("field", field) if field.starts_with("XREG") => before_1_5,
        ("field", field) if field.starts_with("REG") => !before_1_5,
        ("field", field) if field.starts_with("XXREG") => true,
        // With the mask of the bits that there are.
        ("field", "TUN_FLAGS" | "CT_STATE") => name.ends_with("false"),
        // By what OpenFlow has for the same; and a tunnel's option by its length.
        ("action", _) => {
            ["SetTunnel 1", "SetTunnel64 1", "WriteMetadata 1", "Controller2 1", "DeleteField 1"]
                .contains(&rest)
        }
        // Nothing to do is not said.
        ("instruction", _) => rest == "4",
        _ => false,
    }
}

/// What the samples refer to.
fn prepare(client: &mut Client) {
    let group =
        |number| GroupMod { group: GroupId(number), buckets: vec![Bucket::default()], ..GroupMod::default() };
    let bands = vec![MeterBand::Drop { rate: 1000, burst: 0 }];
    let meter = MeterMod { flags: MeterFlags::KBPS, meter: MeterId(9), bands, ..MeterMod::default() };
    let map = |index| TlvMap { class: 0xffff, kind: u8::try_from(index).expect("small"), len: 4, index };
    let add = TlvTableMod { command: TlvTableCommand::Add, maps: vec![map(0), map(2)] };
    let mut messages =
        vec![Message::GroupMod(group(4)), Message::GroupMod(group(7)), Message::MeterMod(meter)];
    if client.version == Version::V1_3 {
        // Options stay known when the next connection comes.
        messages.push(Message::Nicira(NiciraMessage::TlvTableMod(add)));
    }
    assert_eq!(client.tell(&messages), []);
}

#[test]
fn flows_come_back_as_they_were_sent() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        prepare(&mut client);
        let mut sent = BTreeMap::new();
        let mut refused = BTreeMap::new();
        for (number, sample) in (1_u16..).zip(samples()) {
            let Message::FlowMod(flow) = sample.message else { continue };
            if sample.version != version || flow.command != FlowModCommand::Add {
                continue;
            }
            let flow = FlowMod { cookie: number.into(), priority: number, ..flow };
            let name = sample.name.split_once('/').expect("a version").1.to_owned();
            let errors = client.tell(&[Message::FlowMod(flow.clone())]);
            if errors.is_empty() {
                sent.insert(u64::from(number), (name, flow));
            } else {
                refused.insert(name, errors);
            }
        }
        let names: BTreeSet<_> = refused.keys().map(String::as_str).collect();
        assert_eq!(names, REFUSED.into(), "{refused:?}");

        let back = flows(&mut client);
        assert_eq!(back.len(), sent.len());
        for flow in back {
            let (name, was) = &sent[&flow.cookie];
            let same = (&flow.matching, &flow.instructions) == (&was.matching, &was.instructions);
            assert_ne!(same, told_otherwise(version, name), "{version} {name}: {was:?} and {flow:?}");
            assert_eq!(
                (flow.table, flow.priority, flow.importance),
                (was.table, was.priority, was.importance)
            );
        }
    }
}

#[test]
fn what_a_check_of_a_match_refuses_the_switch_refuses() {
    let switch = Switch::start();
    let mut client = connect(&switch, Version::V1_3);
    for info in fields::ALL {
        let matching = of_field(info, false, Match::new());
        let fine = matching.check().is_ok();
        assert_eq!(fine, info.prerequisite == Prerequisite::Nothing, "{}", info.name);
        if REFUSED.iter().any(|name| name.contains(info.name)) {
            continue;
        }
        let errors = client.tell(&[Message::FlowMod(FlowMod { matching, ..FlowMod::default() })]);
        match errors.as_slice() {
            [] if fine => {}
            [(_, Message::Error(ErrorMessage::Standard { code: ErrorCode::BMC_BAD_PREREQ, .. }))] => {
                assert!(!fine, "{}", info.name);
            }
            other => panic!("{}: {other:?}", info.name),
        }
    }
}
