//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  a session that was named is not there
  2  the command line is wrong
  3  no fast path is loaded on this node
  4  the fast path cannot be read (not root, or of another version)
  5  the output could not be written
  6  the agent has left no desired state, or the kernel cannot be asked";

/// What this node's fast path does. Needs neither the controller nor the agent.
#[derive(Parser)]
#[command(name = "wcnode", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the node's state is.
#[derive(Args)]
pub(crate) struct Place {
    /// Where the fast path's maps are pinned
    #[arg(long, global = true, default_value = "/sys/fs/bpf/wirecenter")]
    pub(crate) pin_dir: PathBuf,
    /// Where the agent leaves its status
    #[arg(long, global = true, default_value = "/run/wirecenter")]
    pub(crate) run_dir: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The node at a glance: fast path, agent, tables, totals
    Status(Plain),
    /// Subscribers' sessions as they are in the kernel
    Sessions(Sessions),
    /// How many packets were dropped for which reason, by which stage of the chain, and what that means
    Drops(Drops),
    /// What went into each stage of the chain and out of it, both ways, and what ended there
    Stages(Stages),
    /// Packets, bytes and drops of each subscriber, both ways
    Counters(Counters),
    /// The ports that the fast path is attached to
    Ports(Plain),
    /// How the kernel's links, addresses, stations and routes differ from what they should be: what the agent would do,
    /// and why
    Diff(Diff),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  wcnode status\n  wcnode ports -o json")]
pub(crate) struct Plain {
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  wcnode diff\n  wcnode diff -o json")]
pub(crate) struct Diff {
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    Name,
    Tags,
    Address,
    /// Bytes both ways, most first
    Traffic,
    /// Dropped packets both ways, most first
    Drops,
}

/// Which sessions, and in which order.
#[derive(Args)]
pub(crate) struct Selection {
    /// Only these subscribers
    pub(crate) names: Vec<String>,
    /// What to sort by
    #[arg(long, value_enum)]
    pub(crate) sort: Option<Order>,
    /// Only the first so many; by traffic unless --sort says otherwise
    #[arg(long, value_name = "COUNT")]
    pub(crate) top: Option<usize>,
}

impl Selection {
    pub(crate) fn order(&self) -> Order {
        self.sort.unwrap_or(if self.top.is_some() { Order::Traffic } else { Order::Name })
    }
}

#[derive(Args)]
pub(crate) struct Watching {
    /// Go on, and show rates
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Between two looks: 500ms, 2s
    #[arg(long, default_value = "1s", value_parser = parse_interval)]
    pub(crate) interval: Duration,
    /// Stop after so many looks
    #[arg(long, requires = "watch", value_name = "LOOKS")]
    pub(crate) count: Option<u64>,
}

const SESSIONS_EXAMPLES: &str = "\
Examples:
  wcnode sessions
  wcnode sessions alice -o yaml
  wcnode sessions --top 10
  wcnode sessions --sort drops";

#[derive(Args)]
#[command(after_help = SESSIONS_EXAMPLES)]
pub(crate) struct Sessions {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  wcnode drops\n  wcnode drops --all\n  wcnode drops --watch --interval 5s"
)]
pub(crate) struct Drops {
    /// Also the reasons for which nothing was dropped
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) watching: Watching,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

const STAGES_EXAMPLES: &str = "\
What comes into a stage goes out of it, or is answered there, handed to user space or to the kernel, or dropped
(wcnode drops: why). TURNED are frames of one subscriber to another: upwards a part of OUT, downwards of IN.

Examples:
  wcnode stages
  wcnode stages -o json
  wcnode stages --watch --interval 5s";

#[derive(Args)]
#[command(after_help = STAGES_EXAMPLES)]
pub(crate) struct Stages {
    #[command(flatten)]
    pub(crate) watching: Watching,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

const COUNTERS_EXAMPLES: &str = "\
Examples:
  wcnode counters
  wcnode counters alice bob-inc
  wcnode counters --watch --top 20";

#[derive(Args)]
#[command(after_help = COUNTERS_EXAMPLES)]
pub(crate) struct Counters {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) watching: Watching,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let ms = |number: &str, factor: u64| number.parse::<u64>().ok()?.checked_mul(factor);
    let parsed = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => ms(number, 1),
        (None, Some(number)) => ms(number, 1000),
        (None, None) => None,
    };
    let interval = parsed.map(Duration::from_millis).ok_or("not an interval such as 500ms or 2s")?;
    if interval < Duration::from_millis(100) {
        return Err("at least 100ms".into());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
        for verb in Arguments::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  wcnode "), "{}", verb.get_name());
        }
    }

    #[test]
    fn intervals_have_units_and_a_lower_bound() {
        assert_eq!(parse_interval("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_interval("2s"), Ok(Duration::from_secs(2)));
        for wrong in ["", "2", "ms", "99ms", "0s", "-1s"] {
            assert!(parse_interval(wrong).is_err(), "{wrong}");
        }
    }
}
