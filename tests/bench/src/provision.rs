//! How fast a running controller provisions subscribers, each acknowledged only when it is on disk.

mod client;
mod controller;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::figure::Figure;
use client::Client;
use controller::Controller;

/// Clients that each send one request after another.
const CLIENTS: usize = 32;
/// Subscribers of a round, one request each.
const SINGLE: u32 = 8_000;
/// Subscribers of a transaction, of a round, and of the office that is started from cold.
const BATCH: u32 = 1_000;
const BATCH_CLIENTS: usize = 4;
const BATCHED: u32 = 20_000;
const FULL: u32 = 100_000;
const ROUNDS: usize = 3;
/// How often a full office is started.
const STARTS: usize = 3;

pub(crate) fn run() -> Result<Vec<Figure>> {
    let mut single = Vec::new();
    for _ in 0..ROUNDS {
        single.push(singly()?);
    }
    let mut batched = Vec::new();
    for _ in 0..ROUNDS {
        let controller = office()?;
        batched.push(batches(&controller, 0..BATCHED)?);
    }
    let (starts, sizes) = full()?;
    Ok(vec![
        Figure::of("provision.single_per_s", "subscribers/s", single),
        Figure::of("provision.batch_per_s", "subscribers/s", batched),
        Figure::of("controller.cold_start_s.100k", "s", starts),
        Figure::of("controller.rss_mb.100k", "MB", sizes),
    ])
}

/// One request for each subscriber, from many clients at once.
fn singly() -> Result<f64> {
    let controller = office()?;
    let next = AtomicU32::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        let worker = || -> Result<()> {
            let mut client = Client::connect(&controller.socket())?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= SINGLE {
                    return Ok(());
                }
                client.post("/api/v1/subscribers", &subscriber(number).to_string(), 201)?;
            }
        };
        let workers: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a client does not panic"))
    })?;
    let rate = f64::from(SINGLE) / started.elapsed().as_secs_f64();
    ensure!(controller.subscribers()? == u64::from(SINGLE), "not all subscribers are there");
    Ok(rate)
}

/// One transaction after another from each of a few clients, so that one is read while another is synced.
fn batches(controller: &Controller, numbers: std::ops::Range<u32>) -> Result<f64> {
    let total = numbers.end - numbers.start;
    let bodies: Vec<String> = (numbers.start / BATCH..numbers.end / BATCH)
        .map(|batch| transaction((batch * BATCH..(batch + 1) * BATCH).map(subscriber)))
        .collect();
    let before = controller.subscribers()?;
    let next = AtomicU32::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        let worker = || -> Result<()> {
            let mut client = Client::connect(&controller.socket())?;
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                client.post("/api/v1/transactions", body, 200)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..BATCH_CLIENTS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a client does not panic"))
    })?;
    let rate = f64::from(total) / started.elapsed().as_secs_f64();
    ensure!(controller.subscribers()? == before + u64::from(total), "not all subscribers are there");
    Ok(rate)
}

/// From the start of the program to its first answer with 100,000 subscribers on disk, and its size in memory then.
fn full() -> Result<(Vec<f64>, Vec<f64>)> {
    let mut controller = office()?;
    batches(&controller, 0..FULL)?;
    let (mut starts, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        controller.kill()?;
        let started = Instant::now();
        controller.start()?;
        starts.push(started.elapsed().as_secs_f64());
        ensure!(controller.subscribers()? == u64::from(FULL), "not all subscribers are there");
        sizes.push(controller.resident_mb()?);
    }
    Ok((starts, sizes))
}

/// A new controller with a node and pools for all.
fn office() -> Result<Controller> {
    let controller = Controller::new()?;
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
    let public = json!({"node": "node1", "purpose": "nat", "prefix": "198.18.0.0/22"});
    let objects = [node, pool("inside", inside), pool("public", public)];
    let mut client = Client::connect(&controller.socket())?;
    client
        .post("/api/v1/transactions", &transaction(objects.into_iter()), 200)
        .context("making the office")?;
    Ok(controller)
}

fn transaction(objects: impl Iterator<Item = Value>) -> String {
    let operations: Vec<_> = objects.map(|object| json!({"op": "create", "object": object})).collect();
    json!({"operations": operations}).to_string()
}

fn subscriber(number: u32) -> Value {
    let (s_vid, c_vid) = (number / 4000 + 1, number % 4000 + 1);
    json!({"kind": "Subscriber", "metadata": {"name": format!("sub-{number}")}, "spec": {
        "access": {"node": "node1", "port": "access0", "sVid": s_vid, "cVid": c_vid},
        "bundle": {"rateUp": "20M", "rateDown": "100M", "nat": true, "dns": ["9.9.9.9"]},
    }})
}
