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

pub(crate) fn subscriber(number: u32) -> Value {
    let (s_vid, c_vid) = (number / 4000 + 1, number % 4000 + 1);
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
    let bodies: Vec<String> = (numbers.start / BATCH..numbers.end / BATCH)
        .map(|batch| transaction((batch * BATCH..(batch + 1) * BATCH).map(subscriber)))
        .collect();
    let before = subscribers(socket)?;
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
    let rate = f64::from(total) / started.elapsed().as_secs_f64();
    ensure!(subscribers(socket)? == before + u64::from(total), "not all subscribers are there");
    Ok(rate)
}

/// Claims of an office without subscribers: one for each pool, five of its first administrator, and five of its services
/// (what two tenancies between them name, and that they have been made).
const OTHER_CLAIMS: u64 = 2 + 5 + 5;

/// How many subscribers the controller has, by its own count of claims: four each.
pub(crate) fn subscribers(socket: &Path) -> Result<u64> {
    let claims = Client::connect(socket)?.metric("wirecenter_store_claims")?;
    ensure!(
        claims >= OTHER_CLAIMS && (claims - OTHER_CLAIMS).is_multiple_of(4),
        "{claims} claims are no whole number of subscribers"
    );
    Ok((claims - OTHER_CLAIMS) / 4)
}
