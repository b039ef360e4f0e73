//! `cargo xtask bench`: builds everything, then lets the `bench` program measure.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::workspace::{bin_dir, build, run};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What to measure (dataplane, controlplane, node, schedule, latency); everything unless told
    areas: Vec<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    crate::setup::for_lab()?;
    build()?;
    let etcd = crate::setup::for_bench()?;
    let bin_dir = bin_dir()?;
    let mut bench = Command::new(bin_dir.join("bench"));
    bench.args(&arguments.areas).env("WIRECENTER_BIN_DIR", &bin_dir).env("WIRECENTER_ETCD", etcd);
    if arguments.json {
        bench.arg("--json");
    }
    run(&mut bench)
}
