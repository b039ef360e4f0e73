//! `cargo xtask campaign`: the long runs of which the suite has a short slice.

use std::process::Command;

use anyhow::{Result, ensure};
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
    /// Of fuzz: only these targets
    #[arg(long, value_name = "TARGET")]
    only: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Campaign {
    /// Kill the controller in the middle of provisioning, and look that every acknowledged write is there
    ControllerCrash,
    /// Bring a real kernel from arbitrary leftovers to arbitrary desired states
    NodeConverge,
    /// Play random histories of an office whose back end, store and controller fail at every step
    Synchronizer,
    /// Hold the API against its own description (schemathesis); a round is an example for each operation
    Openapi,
    /// Send random frames (a round is a frame) through the loaded programs, and hold them to what may become of each
    RandomFrames,
    /// Fuzz every parser (needs a rustup nightly and cargo-fuzz)
    Fuzz,
}

pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    match arguments.name {
        Campaign::ControllerCrash => test(arguments, "wirecenterd", INTEGRATION, "crash"),
        Campaign::NodeConverge => test(arguments, "linux-node", INTEGRATION, "converge"),
        Campaign::Synchronizer => test(arguments, "api", &["--lib"], "an_office_always_ends_as_it_should_be"),
        Campaign::Openapi => test(arguments, "wirecenterd", INTEGRATION, "the_api_is_as_it_describes_itself"),
        Campaign::RandomFrames => test(arguments, "fastpath", INTEGRATION, "random_frames"),
        Campaign::Fuzz => fuzz(arguments),
    }
}

/// Where most of the tests of a package are.
const INTEGRATION: &[&str] = &["--test", "it"];

/// Runs the test whose slice the suite runs, with this many rounds and this seed.
fn test(arguments: &Arguments, package: &str, target: &[&str], name: &str) -> Result<()> {
    setup::everything()?;
    build()?;
    let Arguments { count, seed, .. } = arguments;
    step(&format!("{count} rounds from seed {seed}"), || {
        run(cargo()
            .args(["test", "--package", package])
            .args(target)
            .args(["--", name, "--nocapture"])
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
    let listed = String::from_utf8(fuzz("list").output()?.stdout)?;
    let all: Vec<_> = listed.lines().collect();
    for target in &arguments.only {
        ensure!(all.contains(&target.as_str()), "there is no target {target}, only {}", all.join(", "));
    }
    let is_wanted = |target: &str| arguments.only.is_empty() || arguments.only.iter().any(|t| t == target);
    for target in all.into_iter().filter(|target| is_wanted(target)) {
        step(&format!("fuzzing {target} for {} s", arguments.count), || {
            let limits =
                [format!("-max_total_time={}", arguments.count), format!("-seed={}", arguments.seed)];
            run(fuzz("run").args([target, "--"]).args(limits))
        })?;
    }
    Ok(())
}
