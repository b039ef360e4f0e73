//! Who had which public port when, as a collector knows it that is not ours.

mod collector;

use std::{
    thread,
    time::{Duration, Instant},
};

use collector::{Collector, Record};
use serde_json::{Value, json};

use crate::office::{Office, PATIENCE};

const COLLECTOR: &str = "192.0.2.66:4739";
const DOMAIN: u64 = 7;

/// Events of RFC 8158, section 5.4.
const SESSION_CREATED: u64 = 4;
const BLOCK_ALLOCATED: u64 = 16;
const BLOCK_DEALLOCATED: u64 = 17;

#[test]
fn a_collector_knows_who_had_which_port() {
    let mut office = Office::up("nat-log", "0x88a8");
    let mut collector = Collector::start(&office.lab().box_of("inet").expect("a host"));
    tell(&mut office, false);
    office.provision();
    until_told(&mut office, false, 2);
    let blocks = ["alice", "bob"].map(|name| block(&office.subscriber(name)["status"]));
    office.lab().lease("home1", PATIENCE).expect("a lease");
    // Of blocks alone: this is not told of.
    asks_from(&mut office);
    tell(&mut office, true);
    until_told(&mut office, true, 2);
    let first = flow(&blocks[0], asks_from(&mut office));
    collector.until(|records| records.contains(&first));
    // An agent that starts again tells nothing twice, and what happened meanwhile.
    office.lab().kill_agent().expect("killed");
    let meanwhile = flow(&blocks[0], asks_from(&mut office));
    office.lab().start_agent().expect("starts");
    office.until_programmed(3);
    until_told(&mut office, true, 2);
    office.wcctl(&["delete", "subscriber", "bob"]);
    office.wcctl(&["wait", "--for=delete", "--timeout=30s", "subscriber/bob"]);
    until_told(&mut office, true, 1);

    let [alice, bob] = blocks;
    let with = |event: u64, block: &Record| {
        let mut record = block.clone();
        record.insert("event", json!(event));
        record
    };
    let expected =
        [with(BLOCK_ALLOCATED, &alice), with(BLOCK_ALLOCATED, &bob), with(BLOCK_DEALLOCATED, &bob)];
    let flows = [first, meanwhile];
    let capture = collector.until(|records| flows.iter().all(|flow| records.contains(flow)));
    assert!(capture.domains.iter().all(|domain| *domain == DOMAIN), "{:?}", capture.domains);
    let (mut told, others): (Vec<_>, Vec<_>) =
        capture.records.into_iter().partition(|record| record.contains_key("first"));
    // Two that come at once come in any order.
    told[..2].sort_by_key(|record| record["first"].as_u64());
    assert_eq!(told, expected);
    for flow in &flows {
        assert_eq!(others.iter().filter(|other| *other == flow).count(), 1, "{flow:?} of {others:?}");
    }
    assert!(others.iter().all(|record| record["event"] == SESSION_CREATED), "{others:?}");

    // nfdump keeps the same, but for the ports of blocks (before its version 1.7.2).
    let stored = collector.stop();
    let events = |event: u64| stored.iter().filter(move |record| record["event"] == event);
    assert_eq!((events(BLOCK_ALLOCATED).count(), events(BLOCK_DEALLOCATED).count()), (2, 1));
    let gone = events(BLOCK_DEALLOCATED).next().expect("one");
    assert_eq!((&gone["inside"], &gone["outside"]), (&bob["inside"], &bob["outside"]));
    for flow in &flows {
        assert!(stored.contains(flow), "{flow:?} of {stored:?}");
    }
}

/// Has the node tell the collector.
fn tell(office: &mut Office, per_flow: bool) {
    let node = office.wcctl(&["get", "node", "node1", "-o", "json"]);
    let mut node: Value = serde_json::from_str(&node).expect("JSON");
    node["spec"]["natLog"] =
        json!({"collector": COLLECTOR, "observationDomain": DOMAIN, "perFlow": per_flow});
    office.apply(&json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": node["spec"]}));
}

/// Waits until the collector knows of so many blocks, and the kernel of whether mappings are wanted.
fn until_told(office: &mut Office, per_flow: bool, blocks: u64) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = office.wcnode(&["status"]);
        let log = &status["agent"]["status"]["natLog"];
        if log["perFlow"] == per_flow && log["blocks"] == blocks && log["waiting"] == 0 {
            assert_eq!(log["collector"], COLLECTOR);
            assert_eq!((&log["dropped"], &log["failed"]), (&json!(0), &json!(0)), "{log}");
            return;
        }
        assert!(Instant::now() < deadline, "not told: {status}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The subscriber's addresses and ports as records have them.
fn block(status: &Value) -> Record {
    let nat = &status["nat"];
    let (first, ports) =
        (nat["firstPort"].as_u64().expect("a port"), nat["ports"].as_u64().expect("a number"));
    [
        ("inside", status["address"].clone()),
        ("outside", nat["address"].clone()),
        ("first", json!(first)),
        ("last", json!(first + ports - 1)),
    ]
    .into()
}

/// A page for home1; the port that it was asked for from.
fn asks_from(office: &mut Office) -> u64 {
    let page = office.lab().page();
    let page = office.lab().fetch("home1", &page).expect("a page");
    let (_, port) = page.body.trim().split_once([' ', ':']).expect("address and port");
    port.parse().expect("a port")
}

/// The record of alice's having asked for the page.
fn flow(alice: &Record, port: u64) -> Record {
    let of = |key: &str| alice[key].clone();
    [
        ("event", json!(SESSION_CREATED)),
        ("protocol", json!(6)),
        ("inside", of("inside")),
        ("outside", of("outside")),
        ("by", json!(port)),
        ("remote", json!("192.0.2.66")),
        ("to", json!(80)),
    ]
    .into()
}
