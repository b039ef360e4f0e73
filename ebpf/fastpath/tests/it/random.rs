//! Random frames through the loaded programs and through `packet_logic` on the host: what becomes of each is the same in
//! both, is what may become of it, and is counted once.
//!
//! A slice of the campaign `cargo xtask campaign random-frames`.

mod dice;
mod faults;
mod generator;
mod host;
mod judge;
mod kernel;
mod office;
mod special;
mod tally;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use packet_logic::Verdict;

use crate::{
    random::{
        generator::{Frame, Generator, Way},
        host::{End, Host, Run},
        judge::Judge,
        kernel::Kernel,
        office::ACCESS,
        special::Special,
        tally::Tally,
    },
    world::World,
};

/// Frames between two beginnings with empty tables: few enough for no fragment to be forgotten.
const ROUND: u64 = 4096;
/// Frames between two comparisons of the tables; fewer than a line may tell user space of at once.
const BATCH: u64 = 16;
/// Frames of a slice, which are enough to reach all that `tally` lists.
const SLICE: u64 = 12_000;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

#[test]
fn random_frames_become_what_they_may_and_are_counted_once() {
    let count = from_environment("WIRECENTER_CAMPAIGN_COUNT", SLICE);
    let seed = from_environment("WIRECENTER_CAMPAIGN_SEED", 1);
    let world = World::new();
    let mut kernel = Kernel::new(&world);
    let mut tally = Tally::default();
    let mut frames = 0;
    for round in 0..count.div_ceil(ROUND) {
        let mut generator = Generator::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(round));
        let host = Host::like(&mut kernel);
        let mut judge = Judge::default();
        while frames < count.min((round + 1) * ROUND) {
            let batch = BATCH.min(count - frames);
            host.catch_up();
            // One time in four nobody may tell user space of anything, and one time in eight speak to all.
            judge.may_broadcast = !generator.random.one_in(8);
            kernel.set_may(&host.tables, !generator.random.one_in(4), judge.may_broadcast);
            let mut sent = Vec::new();
            for _ in 0..batch {
                sent.push(generator.frame());
                let frame = sent.last().expect("just pushed");
                let run = guarded(&sent, || check(&mut kernel, &host, frame, &mut judge, &mut tally));
                answer(&mut generator, &run);
            }
            guarded(&sent, || kernel.assert_like(&host));
            frames += batch;
        }
        if (round + 1) % 64 == 0 {
            println!("{frames} frames");
        }
    }
    println!("{frames} frames from seed {seed}");
    tally.print();
    if count >= SLICE {
        tally.assert_all_reached();
    }
}

fn check(kernel: &mut Kernel, host: &Host, frame: &Frame, judge: &mut Judge, tally: &mut Tally) -> Run {
    let before = (host.counts(), Special::on_host(host));
    let run = host.run(frame);
    let after = (host.counts(), Special::on_host(host));
    tally.ran(frame.way, &run);
    judge.assert_fate(frame, &run, tally);
    judge::assert_counted(frame, &run, (&before.0, &after.0));
    judge::assert_special_counted(frame, &run, &after.1.since(&before.1));
    assert_eq!(kernel.run(frame), run.fate, "the kernel's and the host's, which is {:?}", run.path);
    run
}

/// Has what was forwarded be answered later on.
fn answer(generator: &mut Generator, run: &Run) {
    if run.fate.end != End::Redirected || run.is_answer() {
        return;
    }
    let Verdict::Redirect(port) = run.verdict() else { return };
    let port = port as usize;
    match port.checked_sub(ACCESS.len()) {
        Some(core) => generator.forwarded(Way::Down, core, &run.fate.bytes),
        None => generator.forwarded(Way::Up, port, &run.fate.bytes),
    }
}

/// Says which frames led to a failure.
fn guarded<T>(sent: &[Frame], check: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|failure| {
        for Frame { way, by, bytes } in sent {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("{way:?} {by} {}", hex.join(""));
        }
        resume_unwind(failure)
    })
}
