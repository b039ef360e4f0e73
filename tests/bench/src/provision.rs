//! How fast a running controller provisions subscribers, each acknowledged only when it is on disk.

pub(crate) mod controller;
mod etcd;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    client::Client,
    figure::Figure,
    office::{self, FULL},
};
use controller::Controller;

/// Clients that each send one request after another.
const CLIENTS: usize = 32;
/// Subscribers of a round, one request each.
const SINGLE: u32 = 8_000;
/// Subscribers of a round in transactions of many.
const BATCHED: u32 = 20_000;
const ROUNDS: usize = 3;
/// How often a full office is started.
const STARTS: usize = 3;

pub(crate) fn run() -> Result<Vec<Figure>> {
    let (mut single, mut rival) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        single.push(singly()?);
        rival.push(etcd::puts(CLIENTS, SINGLE)?);
    }
    let mut batched = Vec::new();
    for _ in 0..ROUNDS {
        let controller = new_office()?;
        batched.push(office::batches(&controller.socket(), 0..BATCHED)?);
    }
    let (starts, sizes) = full()?;
    Ok(vec![
        Figure::of("provision.single_per_s", "subscribers/s", single),
        Figure::of("provision.etcd_puts_per_s", "puts/s", rival),
        Figure::of("provision.batch_per_s", "subscribers/s", batched),
        Figure::of("controller.cold_start_s.100k", "s", starts),
        Figure::of("controller.rss_mb.100k", "MB", sizes),
    ])
}

/// One request for each subscriber, from many clients at once.
fn singly() -> Result<f64> {
    let controller = new_office()?;
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
                client.post("/api/v1/subscribers", &office::subscriber(number).to_string(), 201)?;
            }
        };
        let workers: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a client does not panic"))
    })?;
    let rate = f64::from(SINGLE) / started.elapsed().as_secs_f64();
    ensure!(office::subscribers(&controller.socket())? == u64::from(SINGLE), "not all subscribers are there");
    Ok(rate)
}

/// From the start of the program to its first answer with 100,000 subscribers on disk, and its size in memory then.
fn full() -> Result<(Vec<f64>, Vec<f64>)> {
    let mut controller = new_office()?;
    office::batches(&controller.socket(), 0..FULL)?;
    let (mut starts, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        controller.kill()?;
        let started = Instant::now();
        controller.start()?;
        starts.push(started.elapsed().as_secs_f64());
        ensure!(
            office::subscribers(&controller.socket())? == u64::from(FULL),
            "not all subscribers are there"
        );
        sizes.push(controller.resident_mb()?);
    }
    Ok((starts, sizes))
}

/// A new controller with a node and pools for all.
pub(crate) fn new_office() -> Result<Controller> {
    let controller = Controller::new()?;
    let mut client = Client::connect(&controller.socket())?;
    client
        .post("/api/v1/transactions", &office::transaction(office::objects().into_iter()), 200)
        .context("making the office")?;
    Ok(controller)
}
