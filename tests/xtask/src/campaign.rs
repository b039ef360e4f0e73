//! `cargo xtask campaign`: the long runs of which the suite has a short slice.

use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{
    setup,
    workspace::{bin_dir, build, cargo, root, run, step},
};

#[derive(Args)]
pub(crate) struct Arguments {
    name: Campaign,
    /// How many rounds (of fuzz: seconds for each target)
    #[arg(long, default_value_t = 1000)]
    count: u32,
    /// What the rounds are drawn from; the same seed draws the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Campaign {
    /// Kill the controller in the middle of provisioning, and look that every acknowledged write is there
    ControllerCrash,
    /// Bring a real kernel from arbitrary leftovers to arbitrary desired states
    NodeConverge,
    /// Fuzz every parser (needs a rustup nightly and cargo-fuzz)
    Fuzz,
}

pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    setup::everything()?;
    build()?;
    match arguments.name {
        Campaign::ControllerCrash => test(arguments, "wirecenterd", "crash"),
        Campaign::NodeConverge => test(arguments, "linux-node", "converge"),
        Campaign::Fuzz => fuzz(arguments),
    }
}

/// Runs the test whose slice the suite runs, with this many rounds and this seed.
fn test(arguments: &Arguments, package: &str, name: &str) -> Result<()> {
    let Arguments { count, seed, .. } = arguments;
    step(&format!("{count} rounds from seed {seed}"), || {
        run(cargo()
            .args(["test", "--package", package, "--test", "it", "--", name, "--nocapture"])
            .env("WIRECENTER_CAMPAIGN_COUNT", count.to_string())
            .env("WIRECENTER_CAMPAIGN_SEED", seed.to_string())
            .env("WIRECENTER_BIN_DIR", bin_dir()?))
    })
}

fn fuzz(arguments: &Arguments) -> Result<()> {
    setup::for_fuzzing()?;
    let folder = root().join("tests/fuzz");
    // Through rustup's cargo, which knows what `+nightly` means; the one that runs this does not.
    let fuzz = |verb: &str| {
        let mut command = Command::new("cargo");
        command.args(["+nightly", "fuzz", verb, "--fuzz-dir", "."]).current_dir(&folder);
        command
    };
    let listed = fuzz("list").output()?;
    for target in String::from_utf8(listed.stdout)?.lines() {
        step(&format!("fuzzing {target} for {} s", arguments.count), || {
            let limits =
                [format!("-max_total_time={}", arguments.count), format!("-seed={}", arguments.seed)];
            run(fuzz("run").args([target, "--"]).args(limits))
        })?;
    }
    Ok(())
}
