use std::{collections::BTreeSet, net::Ipv4Addr};

use super::*;
use crate::{AddressBinding, NatEvent, PortBlock, PortRange, Quota};

const INTERNAL: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 2);
const EXTERNAL: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const HEADER: Header = Header { export_time: 0x6553_f100, sequence: 0x0102_0304, observation_domain: 7 };

fn block(first: u16) -> Event {
    let ports = PortRange::new(first, 256).expect("a range");
    let nat = NatEvent::PortBlockAllocation(PortBlock { internal: INTERNAL, external: EXTERNAL, ports });
    Event { observed_ms: 0x0102_0304_0506, nat }
}

#[test]
fn records_of_a_kind_share_a_set() {
    let mut message = Message::new(MessageLen::default());
    let pair = NatEvent::AddressBindingDelete(AddressBinding { internal: INTERNAL, external: EXTERNAL });
    for event in [block(1024), block(1280), Event { observed_ms: 1, nat: pair }] {
        assert!(message.push(&event));
    }
    assert_eq!(message.records(), 3);
    let record = [0, 0, 1, 2, 3, 4, 5, 6, 16, 100, 64, 0, 2, 198, 51, 100, 1];
    let wanted = [
        &[0, 10, 0, 91, 0x65, 0x53, 0xf1, 0, 1, 2, 3, 4, 0, 0, 0, 7][..],
        &[1, 4, 0, 54],
        &record,
        &[4, 0, 4, 255, 0, 1, 1, 0],
        &record,
        &[5, 0, 5, 255, 0, 1, 1, 0],
        &[1, 3, 0, 21, 0, 0, 0, 0, 0, 0, 0, 1, 15, 100, 64, 0, 2, 198, 51, 100, 1],
    ];
    assert_eq!(message.finish(&HEADER), wanted.concat());
}

#[test]
fn what_has_no_room_leaves_no_trace() {
    let mut message = Message::new(MessageLen::MIN);
    assert!((0..4).all(|at| message.push(&block(1024 + 256 * at))));
    let before = message.clone();
    let other = Event { observed_ms: 0, nat: NatEvent::QuotaExceeded(Quota::Sessions { max: 1 }) };
    for event in [block(4096), other] {
        assert!(!message.push(&event));
        assert_eq!(message.records(), 4);
        assert_eq!(message.clone().finish(&HEADER), before.clone().finish(&HEADER));
    }
}

#[test]
fn each_kind_of_record_has_a_template_of_its_own() {
    let ids: BTreeSet<_> = samples().map(|event| Record::Nat(&event).template()).collect();
    assert_eq!(ids, (257..=266).collect());
}

#[test]
fn any_template_or_record_has_room_in_the_shortest_message() {
    let losses = Record::Reliability(&Reliability { process: 0, not_sent: 0 });
    let samples: Vec<_> = samples().collect();
    for record in samples.iter().map(Record::Nat).chain([losses]) {
        assert!(Message::new(MessageLen::MIN).push_template(record));
        assert!(Message::new(MessageLen::MIN).push_record(record));
    }
    assert_eq!(templates(MessageLen::default()).len(), 1);
    assert!(templates(MessageLen::MIN).len() > 1);
}

#[test]
fn a_limit_has_limits() {
    for (bytes, fits) in [(127, false), (128, true), (65_507, true), (65_508, false)] {
        assert_eq!(MessageLen::new(bytes).is_ok(), fits, "{bytes}");
    }
    let error = MessageLen::new(20).expect_err("too short");
    assert_eq!(error.to_string(), "20 bytes are no limit for a message: it is from 128 to 65507");
}
