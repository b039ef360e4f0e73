//! `cargo xtask`: everything a developer does.

mod bench;
mod campaign;
mod check;
mod demo;
mod lab_command;
mod setup;
mod suite;
mod workspace;

use clap::{Parser, Subcommand};

/// Everything a developer does with Wirecenter, from a fresh Debian 12 machine on (as root).
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the build and the lab need, and say what was installed
    Setup,
    /// Build every program, the kernel programs included
    Build,
    /// Formatting, lints, licences, bans and sources
    Check,
    /// The whole suite: what `check` does, then every test
    Test(suite::Arguments),
    /// Bring up an office, put three subscribers on line, and show it
    Demo(demo::Arguments),
    /// A whole office in network namespaces, to look around in
    Lab(lab_command::Arguments),
    /// Measure; prints a table, or with --json one figure a line
    Bench(bench::Arguments),
    /// A long run by hand: crashes by the thousand, hours of fuzzing
    Campaign(campaign::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Setup => setup::everything(),
        Command::Build => workspace::build(),
        Command::Check => check::command(),
        Command::Test(arguments) => suite::command(&arguments),
        Command::Demo(arguments) => demo::command(&arguments),
        Command::Lab(arguments) => lab_command::command(arguments),
        Command::Bench(arguments) => bench::command(&arguments),
        Command::Campaign(arguments) => campaign::command(&arguments),
    }
}
