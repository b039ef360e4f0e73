//! The whole suite.

use anyhow::Result;
use clap::Args;

use crate::{
    check, setup,
    workspace::{bin_dir, cargo, run, step},
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only tests whose names contain this, and no checks
    filter: Option<String>,
}

pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    setup::everything()?;
    crate::workspace::build()?;
    if arguments.filter.is_none() {
        check::checks()?;
    }
    step("tests", || {
        let mut nextest = cargo();
        nextest.args(["nextest", "run", "--workspace", "--no-fail-fast", "--status-level", "slow"]);
        nextest.args(["--final-status-level", "flaky"]);
        nextest.args(&arguments.filter).env("WIRECENTER_BIN_DIR", bin_dir()?);
        run(&mut nextest)
    })
}
