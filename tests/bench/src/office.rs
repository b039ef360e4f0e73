//! The office whose subscribers are counted: one node, pools for all, and subscribers behind NAT.

use std::{
    ops::Range,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::client::Client;

/// Subscribers of a full office.
pub(crate) const FULL: u32 = 100_000;
/// Where the office's subscribers appear on the Internet: 252 blocks of 256 ports in each of 512 addresses.
pub(crate) const PUBLIC: &str = "198.18.0.0/23";
/// Subscribers of a transaction.
const BATCH: u32 = 1_000;
/// Clients that each send one transaction after another.
const BATCH_CLIENTS: usize = 4;

/// The node and its pools.
pub(crate) fn objects() -> [Value; 3] {
    let pool =
        |name: &str, spec: Value| json!({"kind": "AddressPool", "metadata": {"name": name}, "spec": spec});
    let node = json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": {
        "loopback": "192.0.2.129",
        "ports": [
            {"name": "access0", "role": "access"},
            {"name": "core0", "role": "core", "addresses": ["192.0.2.2/30"]},
        ],
        "routes": [{"prefix": "0.0.0.0/0", "via": "192.0.2.1"}],
    }});
    let inside =
        json!({"node": "node1", "purpose": "subscriber", "prefix": "100.64.0.0/15", "gateway": "100.64.0.1"});
    let public = json!({"node": "node1", "purpose": "nat", "prefix": PUBLIC});
    [node, pool("inside", inside), pool("public", public)]
}

/// The S-VID and the C-VID of a subscriber.
pub(crate) fn tags(number: u32) -> (u16, u16) {
    let tag = |number: u32| u16::try_from(number + 1).expect("a VLAN");
    (tag(number / 4000), tag(number % 4000))
}

pub(crate) fn subscriber(number: u32) -> Value {
    let (s_vid, c_vid) = tags(number);
    json!({"kind": "Subscriber", "metadata": {"name": format!("sub-{number}")}, "spec": {
        "access": {"node": "node1", "port": "access0", "sVid": s_vid, "cVid": c_vid},
        "bundle": {"rateUp": "20M", "rateDown": "100M", "nat": true, "dns": ["9.9.9.9"]},
    }})
}

/// A transaction that creates those objects.
pub(crate) fn transaction(objects: impl Iterator<Item = Value>) -> String {
    let operations: Vec<_> = objects.map(|object| json!({"op": "create", "object": object})).collect();
    json!({"operations": operations}).to_string()
}

/// One transaction after another from each of a few clients, so that one is read while another is synced. Returns
/// subscribers a second.
pub(crate) fn batches(socket: &Path, numbers: Range<u32>) -> Result<f64> {
    let total = numbers.end - numbers.start;
    let before = subscribers(socket)?;
    let took = load(socket, &transactions(numbers))?;
    ensure!(subscribers(socket)? == before + u64::from(total), "not all subscribers are there");
    Ok(f64::from(total) / took)
}

/// The transactions that create those subscribers.
pub(crate) fn transactions(numbers: Range<u32>) -> Vec<String> {
    (numbers.start / BATCH..numbers.end / BATCH)
        .map(|batch| transaction((batch * BATCH..(batch + 1) * BATCH).map(subscriber)))
        .collect()
}

/// Sends transactions from a few clients; returns how many seconds it took.
pub(crate) fn load(socket: &Path, bodies: &[String]) -> Result<f64> {
    let next = AtomicU32::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        let worker = || -> Result<()> {
            let mut client = Client::connect(socket)?;
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                client.post("/api/v1/transactions", body, 200)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..BATCH_CLIENTS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a client does not panic"))
    })?;
    Ok(started.elapsed().as_secs_f64())
}

/// How many subscribers there are, by the list.
pub(crate) fn subscribers(socket: &Path) -> Result<u64> {
    let mut client = Client::connect(socket)?;
    let (mut count, mut next) = (0, String::new());
    loop {
        let page: Value =
            serde_json::from_str(&client.get(&format!("/api/v1/subscribers?limit=1000{next}"))?)?;
        count += page["items"].as_array().map_or(0, Vec::len) as u64;
        match page["metadata"]["continue"].as_str() {
            Some(token) => next = format!("&continue={token}"),
            None => return Ok(count),
        }
    }
}
