//! The command line.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::Parser;
use net_types::Name;

const EXAMPLES: &str = "\
Examples:
  Join an office for the first time, with the token that `wcctl node token node1` printed:
    wirecenter-agent --controller office.example:7443 --node node1 --join-token-file /etc/wirecenter/join-token

  Room for 100,000 sessions:
    wirecenter-agent --controller office.example:7443 --node node1 --max-sessions 100000

Once joined, the token is not looked at again, unless another one is put in its place: then the node joins anew.
When it ends, the kernel is left as it is: packets flow on, and the next start takes over.";

/// Makes a node look like what its controller wants, and keeps it so.
#[derive(Debug, Parser)]
#[command(name = "wirecenter-agent", version, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The controller
    #[arg(long, value_name = "HOST:PORT", env = "WIRECENTER_CONTROLLER")]
    pub(crate) controller: String,
    /// What this node is called in its office
    #[arg(long, value_name = "NAME", env = "WIRECENTER_NODE")]
    pub(crate) node: Name,
    /// A file with the join token, for the first time
    #[arg(long, value_name = "FILE")]
    pub(crate) join_token_file: Option<PathBuf>,
    /// Where the desired state and the node's identity are kept
    #[arg(long, value_name = "DIR", default_value = "/var/lib/wirecenter-agent")]
    pub(crate) state_dir: PathBuf,
    /// Where status.json is written
    #[arg(long, value_name = "DIR", default_value = "/run/wirecenter-agent")]
    pub(crate) run_dir: PathBuf,
    /// Where maps and programs are pinned, under a bpffs
    #[arg(long, value_name = "DIR", default_value = "/sys/fs/bpf/wirecenter")]
    pub(crate) pin_dir: PathBuf,
    /// Sessions that there is room for (maps that are pinned already keep their size)
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) max_sessions: u32,
    /// Units of 64 NAT ports that there may be, of 1 KiB each as they come; a routed subscriber takes one too
    /// [default: eight for each session]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=(1 << 26)))]
    pub(crate) max_home_units: Option<u32>,
    /// Public addresses with shared ports that there may be: the size of the NAT pools together, or more
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=4_194_304))]
    pub(crate) max_nat_addresses: u32,
    /// Pairs of access port and outer VLAN that there may be, of 16 KiB each as they come
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=262_144))]
    pub(crate) max_access_vlans: u32,
    /// Prefixes of IPv6 of 16, 24, 32, … bits that there may be longer ones in, of subscribers and of the kernel's routes, of
    /// 1 KiB each, all at once: for a full table of routes, twice as many as it has
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub(crate) max_prefixes6: u32,
    /// Between two comparisons of everything with the kernel, such as 60s
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) compare_every: Period,
    /// Before the second try to reach the controller; doubles with each further one
    #[arg(long, value_name = "TIME", default_value = "500ms")]
    pub(crate) reconnect_min: Period,
    /// The longest time between two tries
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) reconnect_max: Period,
    /// What to log, such as `info` or `warn,wirecenter_agent=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "WIRECENTER_LOG")]
    pub(crate) log: String,
}

/// A time as it is written on the command line: `500ms` or `60s`, at most a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(Duration);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time such as \"500ms\" or \"60s\", between 1ms and 86400s")]
pub(crate) struct PeriodError;

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let (digits, unit_ms) = match text.strip_suffix("ms") {
            Some(digits) => (digits, 1),
            None => (text.strip_suffix('s').ok_or(PeriodError)?, 1000),
        };
        let number: u32 = digits.parse().map_err(|_| PeriodError)?;
        let period = Duration::from_millis(u64::from(number) * unit_ms);
        if period.is_zero() || period > Duration::from_hours(24) {
            return Err(PeriodError);
        }
        Ok(Self(period))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl Options {
    /// What the maps have room for.
    pub(crate) fn sizes(&self) -> fastpath::Sizes {
        // The first of each is never used: 0 stands for none.
        fastpath::Sizes {
            sessions: self.max_sessions + 1,
            home_units: self.max_home_units.unwrap_or(self.max_sessions * 8),
            line_pages: self.max_access_vlans + 1,
            nat_addresses: self.max_nat_addresses + 1,
            fib6_pages: self.max_prefixes6,
            ..fastpath::Sizes::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn times_have_units_and_bounds() {
        assert_eq!("500ms".parse(), Ok(Period(Duration::from_millis(500))));
        assert_eq!("60s".parse(), Ok(Period(Duration::from_mins(1))));
        for bad in ["", "60", "0s", "-1s", "86401s", "1h", "s", "1.5s"] {
            assert_eq!(bad.parse::<Period>(), Err(PeriodError), "{bad}");
        }
    }
}
