//! Random frames through the loaded programs and through `packet_logic` on the host: what becomes of each is the same in
//! both, is what may become of it, and is counted once.
//!
//! A slice of the campaign `cargo xtask campaign random-frames`.

mod faults;
mod generator;
mod host;
mod judge;
mod kernel;
mod office;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use crate::{
    random::{
        generator::{Frame, Generator},
        host::{End, Fate, Host},
        kernel::Kernel,
    },
    world::World,
};

/// Frames between two beginnings with empty tables: few enough for no mapping to run out, and for no fragment to be
/// forgotten.
const ROUND: u64 = 4096;
/// Frames between two comparisons of the tables; fewer than a line may tell user space of at once.
const BATCH: u64 = 16;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

#[test]
fn random_frames_become_what_they_may_and_are_counted_once() {
    let count = from_environment("WIRECENTER_CAMPAIGN_COUNT", 6_000);
    let seed = from_environment("WIRECENTER_CAMPAIGN_SEED", 1);
    let world = World::new();
    let mut kernel = Kernel::new(&world);
    let mut verdicts = BTreeMap::new();
    let mut frames = 0;
    for round in 0..count.div_ceil(ROUND) {
        let mut generator = Generator::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(round));
        let host = Host::like(&mut kernel);
        while frames < count.min((round + 1) * ROUND) {
            let batch = BATCH.min(count - frames);
            // One time in four nobody may tell user space of anything.
            kernel.set_may_punt(&host.tables, !generator.random.one_in(4));
            let mut sent = Vec::new();
            for _ in 0..batch {
                sent.push(generator.frame());
                let frame = sent.last().expect("just pushed");
                let fate = guarded(&sent, || check(&mut kernel, &host, frame, &mut verdicts));
                if fate.end == End::Redirected && fate.bytes[..6] == crate::world::GATEWAY_MAC {
                    generator.went_out(&fate.bytes);
                }
            }
            guarded(&sent, || kernel.assert_like(&host));
            frames += batch;
        }
    }
    println!("{frames} frames from seed {seed}:");
    for (verdict, count) in verdicts {
        println!("{count:>12}  {verdict}");
    }
}

fn check(kernel: &mut Kernel, host: &Host, frame: &Frame, verdicts: &mut BTreeMap<String, u64>) -> Fate {
    let before = host.counts();
    let (fate, verdict) = host.run(frame);
    let after = host.counts();
    *verdicts.entry(format!("{:?} {verdict:?}", frame.way)).or_default() += 1;
    judge::assert_fate(frame, &fate, verdict);
    judge::assert_counted(frame, &fate, verdict, (&before, &after));
    assert_eq!(kernel.run(frame), fate, "the kernel's and the host's, which is {verdict:?}");
    fate
}

/// Says which frames led to a failure.
fn guarded<T>(sent: &[Frame], check: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|failure| {
        for Frame { way, bytes } in sent {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("{way:?} {}", hex.join(""));
        }
        resume_unwind(failure)
    })
}
