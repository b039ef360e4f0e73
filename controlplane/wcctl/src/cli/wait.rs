//! Waiting.

use std::time::Duration;

use clap::Args;

use super::Shown;

const WAIT_EXAMPLES: &str = "\
An object whose spec has changed meets a condition only when its status is about the new spec.

Examples:
  wcctl wait subscriber/alice --for=condition=Ready
  wcctl wait sub -l tier=gold --for=condition=Ready --timeout 5m
  wcctl wait sub alice --for=delete";

#[derive(Args)]
#[command(after_help = WAIT_EXAMPLES)]
pub(crate) struct Wait {
    /// KIND, KIND NAME… or KIND/NAME…
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// condition=NAME (of status True), condition=NAME=STATUS, or delete
    #[arg(long = "for", value_name = "WHAT")]
    pub(crate) what: WaitFor,
    /// Only objects with these labels
    #[arg(short = 'l', long)]
    pub(crate) selector: Option<String>,
    /// For how long, all objects together: 500ms, 30s, 5m
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitFor {
    Condition { name: String, status: String },
    Delete,
}

impl std::fmt::Display for WaitFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Condition { name, status } => write!(f, "{name} to be {status}"),
            Self::Delete => f.write_str("its deletion"),
        }
    }
}

impl std::str::FromStr for WaitFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "delete" {
            return Ok(Self::Delete);
        }
        let condition = text.strip_prefix("condition=").filter(|rest| !rest.is_empty());
        let condition = condition.ok_or("either condition=NAME or delete")?;
        let (name, status) = condition.split_once('=').unwrap_or((condition, "True"));
        if !["True", "False", "Unknown"].contains(&status) {
            return Err("a condition's status is True, False or Unknown".into());
        }
        Ok(Self::Condition { name: name.into(), status: status.into() })
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let parsed = units.iter().find_map(|(unit, ms)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_millis(number.checked_mul(*ms)?))
    });
    parsed.ok_or_else(|| "not a duration such as 500ms, 30s, 5m or 1h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, ms) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for wrong in ["", "5", "s", "-1s", "1.5s", "99999999999999999999h", "18446744073709551615h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn conditions_have_a_status() {
        let condition =
            |name: &str, status: &str| WaitFor::Condition { name: name.into(), status: status.into() };
        assert_eq!("delete".parse(), Ok(WaitFor::Delete));
        assert_eq!("condition=Ready".parse(), Ok(condition("Ready", "True")));
        assert_eq!("condition=Ready=False".parse(), Ok(condition("Ready", "False")));
        for wrong in ["", "condition=", "condition=Ready=yes", "ready"] {
            assert!(wrong.parse::<WaitFor>().is_err(), "{wrong}");
        }
    }
}
