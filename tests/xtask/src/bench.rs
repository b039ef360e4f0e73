//! `cargo xtask bench`: builds everything, then lets the `bench` program measure.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::{
    setup,
    workspace::{bin_dir, build, run},
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What to measure (dataplane, live, dhcp, controlplane, node, schedule, latency); everything unless told
    areas: Vec<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    setup::for_lab()?;
    build()?;
    let bin_dir = bin_dir()?;
    let mut bench = Command::new(bin_dir.join("bench"));
    bench.args(&arguments.areas).env("WIRECENTER_BIN_DIR", &bin_dir);
    let is_wanted =
        |area: &str| arguments.areas.is_empty() || arguments.areas.iter().any(|wanted| wanted == area);
    if is_wanted("controlplane") {
        bench.env("WIRECENTER_ETCD", setup::for_controlplane_bench()?);
    }
    if is_wanted("live") {
        bench.env("WIRECENTER_OVS", setup::for_live_bench()?);
    }
    if is_wanted("dhcp") {
        bench.env("WIRECENTER_KEA", setup::for_dhcp_bench()?);
    }
    if arguments.json {
        bench.arg("--json");
    }
    run(&mut bench)
}
