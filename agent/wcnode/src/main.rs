//! `wcnode`: what a node's fast path does, for whoever is logged in to the node.
//!
//! It reads the pinned maps, the files that the agent leaves and the kernel's links, and talks to nobody: so it works
//! with the controller down, and with the agent down.

mod agent;
mod cli;
mod failure;
mod sample;
mod show;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use cli::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    // clap ends with status 2 by itself when the command line is wrong.
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("wcnode: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = &arguments.place;
    match &arguments.command {
        Command::Status(status) => verbs::status(place, status.output),
        Command::Sessions(sessions) => verbs::sessions(place, sessions),
        Command::Drops(drops) => verbs::drops(place, drops),
        Command::Stages(stages) => verbs::stages(place, stages),
        Command::Counters(counters) => verbs::counters(place, counters),
        Command::Ports(ports) => verbs::ports(place, ports.output),
        Command::Diff(diff) => verbs::diff(place, diff.output),
    }
}
