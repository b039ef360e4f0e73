//! How long an acknowledged change takes: to a watcher, and to the maps of the kernel that forwards by them.

mod watcher;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use fastpath::Inspector;

use crate::{client::Client, figure::Figure, office, provision::new_office, whole::Office};
use watcher::Watcher;

const ROUNDS: u32 = 3;
/// Changes of a round, one after the other.
const CHANGES: u32 = 500;
/// Between two changes at rest.
const PAUSE: Duration = Duration::from_millis(2);
/// How often the maps are looked at: the figure's grain.
const GRAIN: Duration = Duration::from_micros(100);
/// The same during a bulk load: with several who look, it must not take the machine from what is measured.
const BULK_GRAIN: Duration = Duration::from_millis(1);
/// Clients that change something singly during a bulk load. Each change waits for the transactions before it to be
/// acknowledged, so that one client alone would have too few for a percentile.
const SINGLE_CLIENTS: usize = 4;
/// Subscribers that come in bulk while others come singly.
const BULK: u32 = 30_000;
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn run() -> Result<Vec<Figure>> {
    let mut figures = watchers()?;
    figures.extend(to_the_wire()?);
    Ok(figures)
}

fn figures(name: &str, rounds: &[Vec<f64>]) -> Vec<Figure> {
    let of = |part: f64| rounds.iter().map(|round| percentile(round, part)).collect();
    vec![Figure::of(format!("{name}.p50"), "ms", of(0.5)), Figure::of(format!("{name}.p99"), "ms", of(0.99))]
}

/// Of sorted samples; the next greater one.
fn percentile(samples: &[f64], part: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "hundreds"
    )]
    let place = (samples.len() as f64 * part).ceil() as usize;
    samples[place.clamp(1, samples.len()) - 1]
}

fn sorted(mut samples: Vec<f64>) -> Vec<f64> {
    samples.sort_by(f64::total_cmp);
    samples
}

/// From the answer to a change until a watcher has its line. What it has before the answer counts as nothing.
fn watchers() -> Result<Vec<Figure>> {
    let controller = new_office()?;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let watcher = Watcher::start(&controller.socket())?;
        let mut client = Client::connect(&controller.socket())?;
        let mut answered = Vec::new();
        for number in round * CHANGES..(round + 1) * CHANGES {
            client.post("/api/v1/subscribers", &office::subscriber(number).to_string(), 201)?;
            answered.push((number, Instant::now()));
            thread::sleep(PAUSE);
        }
        let seen = watcher.seen(CHANGES as usize, PATIENCE)?;
        let late = |(number, at): &(u32, Instant)| {
            let seen = seen.get(number).copied().unwrap_or(*at);
            seen.saturating_duration_since(*at).as_secs_f64() * 1000.0
        };
        rounds.push(sorted(answered.iter().map(late).collect()));
    }
    Ok(figures("watch_latency_ms", &rounds))
}

/// From the answer to a change until a frame with the subscriber's tags finds its session.
fn to_the_wire() -> Result<Vec<Figure>> {
    let mut office = Office::up()?;
    let (socket, pins) = (office.lab()?.socket(), office.lab()?.pin_dir());
    let inspector = Inspector::open(&pins)?;
    let mut client = Client::connect(&socket)?;
    let (mut rest, mut bulk) = (Vec::new(), Vec::new());
    let next = AtomicU32::new(0);
    for round in 0..ROUNDS {
        let mut samples = Vec::new();
        for _ in 0..CHANGES {
            let number = next.fetch_add(1, Ordering::Relaxed);
            samples.push(one(&mut client, &inspector, number, GRAIN)?);
            thread::sleep(PAUSE);
        }
        rest.push(sorted(samples));
        // Numbers that nobody else has.
        let first = 10_000 + round * BULK;
        let bodies = office::transactions(first..first + BULK);
        bulk.push(sorted(beside(&socket, &inspector, &bodies, &next)?));
    }
    office.down()?;
    let mut all = figures("change_to_wire_ms.rest", &rest);
    all.extend(figures("change_to_wire_ms.bulk", &bulk));
    Ok(all)
}

/// The same of what a few clients change singly, each one change after the other, while transactions are sent.
fn beside(socket: &Path, inspector: &Inspector, bodies: &[String], next: &AtomicU32) -> Result<Vec<f64>> {
    let loaded = AtomicBool::new(false);
    let single = || -> Result<Vec<f64>> {
        let mut client = Client::connect(socket)?;
        let mut samples = Vec::new();
        while !loaded.load(Ordering::Relaxed) {
            samples.push(one(&mut client, inspector, next.fetch_add(1, Ordering::Relaxed), BULK_GRAIN)?);
        }
        Ok(samples)
    };
    thread::scope(|scope| {
        let singles: Vec<_> = (0..SINGLE_CLIENTS).map(|_| scope.spawn(single)).collect();
        let outcome = office::load(socket, bodies);
        loaded.store(true, Ordering::Relaxed);
        let samples = singles.into_iter().map(|client| client.join().expect("a client does not panic"));
        let samples: Vec<Vec<f64>> = samples.collect::<Result<_>>()?;
        outcome?;
        Ok(samples.concat())
    })
}

fn one(client: &mut Client, inspector: &Inspector, number: u32, grain: Duration) -> Result<f64> {
    client.post("/api/v1/subscribers", &office::subscriber(number).to_string(), 201)?;
    let answered = Instant::now();
    let port = "access0".parse()?;
    let (s_vid, c_vid) = office::tags(number);
    while inspector.session_by_tags(&port, s_vid, c_vid).is_none() {
        if answered.elapsed() > PATIENCE {
            bail!("subscriber {number} is in no map after {PATIENCE:?}");
        }
        thread::sleep(grain);
    }
    Ok(answered.elapsed().as_secs_f64() * 1000.0)
}
