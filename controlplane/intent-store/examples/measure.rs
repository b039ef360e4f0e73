//! What the store costs: bytes of memory for each object, and how fast it takes writes. Prints figures, judges none.
//!
//! `cargo run --release -p intent-store --example measure`, in a directory on a disk (`TMPDIR`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use intent_store::{Options, RocksEngine, Store, Table, Transaction};

const OBJECTS: u32 = 100_000;
const SINGLE: u32 = 40_000;
const CLIENTS: usize = 32;
const BATCH: u32 = 1_000;
const ROUNDS: usize = 3;

/// A subscriber as the controller stores it.
fn value(number: u32, ready: bool) -> Vec<u8> {
    let uid = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (s, c, a, b) = (number / 4000 + 1, number % 4000 + 1, number >> 8 & 0xff, number & 0xff);
    let (status, reason) = if ready { ("True", "Programmed") } else { ("False", "Progressing") };
    format!(
        r#"{{"kind":"Subscriber","metadata":{{"name":"sub-{number}","uid":"{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}","generation":1,"createdAt":"2026-01-02T03:{:02}:{:02}Z"}},"spec":{{"access":{{"node":"node1","port":"access0","sVid":{s},"cVid":{c}}},"bundle":{{"rateUp":"20M","rateDown":"100M","nat":true,"dns":["9.9.9.9"]}}}},"status":{{"observedGeneration":1,"address":"100.64.{a}.{b}/15","gateway":"100.64.0.1","natBlock":{{"address":"198.18.{}.{}","firstPort":{},"lastPort":{}}},"conditions":[{{"type":"Ready","status":"{status}","reason":"{reason}","message":"waiting for node node1 to put it in its kernel","lastTransitionTime":"2026-01-02T03:{:02}:{:02}Z"}}]}}}}"#,
        uid >> 32, uid >> 16 & 0xffff, uid & 0xfff, uid >> 4 & 0xfff, uid >> 8 & 0xffff_ffff_ffff,
        number / 60 % 60, number % 60, number / 252 / 256, number / 252 % 256,
        1024 + number % 252 * 256, 1279 + number % 252 * 256, number / 60 % 60, number % 60,
    )
    .into_bytes()
}

fn provision(txn: &mut Transaction<'_>, number: u32, ready: bool) {
    txn.put(Table::Objects, format!("subscribers/sub-{number}"), value(number, ready));
    if !ready {
        let holder = format!("sub-{number}").into_bytes();
        txn.put(
            Table::Claims,
            format!("tags/node1/access0/{}/{}", number / 4000, number % 4000),
            holder.clone(),
        );
        txn.put(Table::Claims, format!("address/{:08x}", 0x6440_0000 + number), holder.clone());
        txn.put(Table::Claims, format!("block/{:08x}/{}", 0xc612_0000 + number / 252, number % 252), holder);
    }
}

/// As much as is told of one change.
fn tell(txn: &mut Transaction<'_>, number: u32, audited: bool) {
    if audited {
        let who = r#"{"at":"2026-01-02T03:04:05Z","who":"admin","from":"unix","verb":"create","after":"#;
        txn.audit([who.as_bytes(), &value(number, false), b"}"].concat());
    }
}

async fn batches(store: &Store, total: u32, ready: bool, audited: bool) {
    for first in (0..total).step_by(BATCH as usize) {
        let body = move |txn: &mut Transaction<'_>| {
            for number in first..first + BATCH {
                provision(txn, number, ready);
                tell(txn, number, audited);
            }
            Ok::<_, ()>(())
        };
        store.transact(body).await.expect("runs").expect("commits");
    }
}

async fn singly(store: &Store, audited: bool) {
    let next = Arc::new(AtomicU32::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (store, next) = (store.clone(), next.clone());
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= SINGLE {
                    return;
                }
                let body = move |txn: &mut Transaction<'_>| {
                    provision(txn, number, false);
                    tell(txn, number, audited);
                    Ok::<_, ()>(())
                };
                store.transact(body).await.expect("runs").expect("commits");
            }
        });
    }
    clients.join_all().await;
}

/// The resident set of this process, in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0
}

fn with_store<T>(run: impl AsyncFnOnce(&Store) -> T) -> T {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = RocksEngine::open(directory.path()).expect("opens");
    let (store, writer) = Store::open(engine, Options::default()).expect("opens");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(run(&store));
    drop(store);
    writer.join();
    outcome
}

fn memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let open = || {
        Store::open(RocksEngine::open(directory.path()).expect("opens"), Options::default()).expect("opens")
    };
    let before = resident();
    let (store, writer) = open();
    println!(
        "value: {} bytes; empty store: {:.1} MB",
        value(70_000, true).len(),
        (resident() - before) / 1e6
    );
    let per = |bytes: f64| bytes / f64::from(OBJECTS);
    runtime.block_on(batches(&store, OBJECTS, false, false));
    println!("made: {:.0} bytes for each subscriber with 3 claims", per(resident() - before));
    runtime.block_on(batches(&store, OBJECTS, true, false));
    println!("made and changed: {:.0} bytes for each, {:?}", per(resident() - before), store.figures());
    drop(store);
    writer.join();
}

/// In a process of its own, so that nothing that was freed before is counted.
fn reopened(directory: &std::path::Path) {
    let before = resident();
    let started = Instant::now();
    let (store, writer) =
        Store::open(RocksEngine::open(directory).expect("opens"), Options::default()).expect("opens");
    let took = started.elapsed();
    println!("opened in {took:.2?}: {:.0} bytes for each", (resident() - before) / f64::from(OBJECTS));
    let (before, started) = (resident(), Instant::now());
    let path = directory.with_extension("backup");
    let manifest = store.backup(&path, &[]).expect("is taken");
    let (took, more) = (started.elapsed(), (resident() - before) / 1e6);
    println!("backup of {} MB in {took:.2?}, {more:.1} MB of memory more", manifest.bytes / 1_000_000);
    let (started, copy) = (Instant::now(), directory.with_extension("restored"));
    intent_store::restore(&path, &copy).expect("is restored");
    println!("restored in {:.2?}", started.elapsed());
    std::fs::remove_file(path).and_then(|()| std::fs::remove_dir_all(copy)).expect("removes");
    drop(store);
    writer.join();
}

fn writes() {
    for round in 1..=ROUNDS {
        for audited in [false, true] {
            let (mut single, mut batched) = (0.0, 0.0);
            with_store(async |store| {
                let started = Instant::now();
                singly(store, audited).await;
                single = f64::from(SINGLE) / started.elapsed().as_secs_f64();
                report(store);
            });
            with_store(async |store| {
                let started = Instant::now();
                batches(store, OBJECTS, false, audited).await;
                batched = f64::from(OBJECTS) / started.elapsed().as_secs_f64();
                report(store);
            });
            println!(
                "round {round}, audited {audited}: singly {single:.0}/s, in transactions of {BATCH} {batched:.0}/s"
            );
        }
    }
}

fn report(store: &Store) {
    let figures = store.figures();
    println!("  {} commits, {:?} in them", figures.commits, figures.commit_time);
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("memory") => memory(),
        Some("writes") => writes(),
        Some("fill") => {
            let directory = std::env::args().nth(2).expect("a directory");
            let engine = RocksEngine::open(directory.as_ref()).expect("opens");
            let (store, writer) = Store::open(engine, Options::default()).expect("opens");
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(batches(&store, OBJECTS, false, false));
            runtime.block_on(batches(&store, OBJECTS, true, false));
            drop(store);
            writer.join();
        }
        Some("reopen") => reopened(std::env::args().nth(2).expect("a directory").as_ref()),
        _ => eprintln!("measure memory | writes | fill DIRECTORY | reopen DIRECTORY"),
    }
}
