//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use xos_model::KindName;

const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  diff: there are differences; wait: the condition was not met in time; auth can-i: no
  2  the command line, or a file, is wrong
  3  the controller refused (not found, not allowed, a fault in an object, a conflict)
  4  no controller answers
  5  the controller failed, or its answer is not understood";

fn after_help() -> String {
    let kinds = KindName::ALL.iter().map(|kind| format!("{} ({})", kind.plural(), kind.short()));
    let mut text = format!("{EXIT_CODES}\n\nKinds, with their short names:");
    let mut column = usize::MAX;
    for kind in kinds {
        if column > 90 {
            text += "\n ";
            column = 1;
        }
        column += kind.len() + 1;
        text += " ";
        text += &kind;
    }
    text
}

/// The command line of a Wirecenter office.
#[derive(Parser)]
#[command(name = "wcctl", version, after_help = after_help(), arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const SOCKET_HELP: &str = "The controller's socket [env: WIRECENTER_SOCKET] [default: /run/wirecenter/api.sock, unless a context is in use]";
const CONTEXT_HELP: &str = "One of the controllers of `wcctl config get-contexts` [env: WIRECENTER_CONTEXT]";

/// Which controller is meant.
#[derive(Args)]
pub(crate) struct Where {
    #[arg(long, global = true, conflicts_with = "context", value_name = "FILE", value_hint = ValueHint::FilePath, help = SOCKET_HELP)]
    pub(crate) socket: Option<PathBuf>,
    #[arg(long, global = true, value_name = "NAME", help = CONTEXT_HELP)]
    pub(crate) context: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List objects, or show some of them
    Get(Get),
    /// Everything about an object, its condition and its tenancies, for reading
    Describe(Describe),
    /// Make the office's intent what files say: all of it, or nothing
    Apply(Apply),
    /// Delete objects, by name, by label or as files name them
    Delete(Delete),
    /// What `apply` would change, as a unified diff
    Diff(Diff),
    /// Wait until objects are ready, or gone
    Wait(Wait),
    /// About the office's nodes
    Node(Node),
    /// The controllers that wcctl knows by name
    Config(Config),
    /// The versions of wcctl and of the controller
    #[command(after_help = "Examples:\n  wcctl version")]
    Version,
}

const GET_EXAMPLES: &str = "\
Examples:
  wcctl get subscribers                    all subscribers, as a table
  wcctl get sub alice -o yaml              one of them, whole
  wcctl get sub/alice node/node1 -o json   objects of several kinds
  wcctl get nodes,pools -o wide            two kinds, with more columns
  wcctl get sub -l tier=gold -o name       those with a label, for a script
  wcctl get sub --field-selector spec.access.node=node1,spec.suspended=true
                                           those with these fields
  wcctl get sub --watch                    all, and then every change";

#[derive(Args)]
#[command(after_help = GET_EXAMPLES)]
pub(crate) struct Get {
    /// KIND[,KIND], KIND NAME… or KIND/NAME…
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Only objects with these labels: key=value, key!=value, key or !key, separated by commas
    #[arg(short = 'l', long)]
    pub(crate) selector: Option<String>,
    /// Only objects with these fields: path=value or path!=value, separated by commas
    #[arg(long)]
    pub(crate) field_selector: Option<String>,
    /// Go on and print every change
    #[arg(short, long)]
    pub(crate) watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    /// A table with more columns
    Wide,
    Json,
    Yaml,
    /// kind/name, one a line
    Name,
}

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  wcctl describe subscriber alice
  wcctl describe node/node1
  wcctl describe subscribers -l tier=gold";

#[derive(Args)]
#[command(after_help = DESCRIBE_EXAMPLES)]
pub(crate) struct Describe {
    /// KIND, KIND NAME… or KIND/NAME…
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Only objects with these labels
    #[arg(short = 'l', long)]
    pub(crate) selector: Option<String>,
}

const APPLY_EXAMPLES: &str = "\
Files hold YAML, of one or more documents, or JSON. A directory stands for its *.yaml, *.yml and *.json files.

Examples:
  wcctl apply -f office.yaml
  wcctl apply -f office/ -f subscribers.json
  wcctl apply -f - < subscriber.yaml
  wcctl apply -f office.yaml --dry-run     judge, and change nothing";

#[derive(Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Let the controller judge the objects without storing them
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Files {
    /// A file, a directory, or - for standard input
    #[arg(short = 'f', long = "filename", required = true)]
    pub(crate) filenames: Vec<PathBuf>,
}

const DELETE_EXAMPLES: &str = "\
Examples:
  wcctl delete subscriber alice bob
  wcctl delete sub -l tier=trial
  wcctl delete -f office.yaml --ignore-not-found";

#[derive(Args)]
#[command(after_help = DELETE_EXAMPLES)]
pub(crate) struct Delete {
    /// KIND NAME… or KIND/NAME…; with -l also KIND
    #[arg(required_unless_present = "filenames", conflicts_with = "filenames")]
    pub(crate) targets: Vec<String>,
    /// The objects that files name; see `wcctl apply --help`
    #[arg(short = 'f', long = "filename")]
    pub(crate) filenames: Vec<PathBuf>,
    /// All objects of the kind that have these labels
    #[arg(short = 'l', long, conflicts_with = "filenames")]
    pub(crate) selector: Option<String>,
    /// Objects that do not exist are no fault
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
}

const DIFF_EXAMPLES: &str = "\
Exits with 1 if there are differences. What only the controller writes (status, identity) is left out.

Examples:
  wcctl diff -f office.yaml";

#[derive(Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) files: Files,
}

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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitFor {
    Condition { name: String, status: String },
    Delete,
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

#[derive(Args)]
pub(crate) struct Node {
    #[command(subcommand)]
    pub(crate) command: NodeCommand,
}

#[derive(Subcommand)]
pub(crate) enum NodeCommand {
    /// A token with which a node's agent joins the office, once
    Token(Token),
}

const TOKEN_EXAMPLES: &str = "\
The token alone goes to standard output, when it expires to standard error.

Examples:
  wcctl node token node1 > /etc/wirecenter/join-token";

#[derive(Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct Token {
    /// The node's name
    pub(crate) name: String,
}

#[derive(Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// All of them
    #[command(after_help = "Examples:\n  wcctl config get-contexts")]
    GetContexts,
    /// The one that is in use
    #[command(after_help = "Examples:\n  wcctl config current-context")]
    CurrentContext,
    /// Use one from now on
    #[command(after_help = "Examples:\n  wcctl config use-context east")]
    UseContext { name: String },
    /// Make one, or make it anew
    SetContext(SetContext),
    /// Forget one
    #[command(after_help = "Examples:\n  wcctl config delete-context east")]
    DeleteContext { name: String },
}

const SET_CONTEXT_EXAMPLES: &str = "\
Contexts stand in ~/.config/wirecenter/config.yaml, which only its owner can read. A token's file must be so, too.
To trust the authorities that this system trusts, name their file: on Debian, /etc/ssl/certs/ca-certificates.crt.

Examples:
  wcctl config set-context here --unix-socket /run/wirecenter/api.sock
  wcctl config set-context east --server https://east.example:8443 --ca-file east-ca.pem --token-file ~/.east-token";

#[derive(Args)]
#[command(after_help = SET_CONTEXT_EXAMPLES)]
pub(crate) struct SetContext {
    pub(crate) name: String,
    /// The controller's socket
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "server", conflicts_with = "server")]
    pub(crate) unix_socket: Option<PathBuf>,
    #[arg(
        long,
        value_name = "URL",
        requires = "ca_file",
        help = "The controller's address: https://HOST[:PORT]"
    )]
    pub(crate) server: Option<String>,
    /// Certificates (PEM) of the authorities that may vouch for the server; no others are trusted
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "server")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The file of the operator's token
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "server")]
    pub(crate) token_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_examples() {
        for verb in Arguments::command().get_subcommands() {
            let verbs: Vec<_> = match verb.get_subcommands().collect::<Vec<_>>() {
                none if none.is_empty() => vec![verb],
                some => some,
            };
            for verb in verbs {
                let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Examples:\n  wcctl "), "{}", verb.get_name());
            }
        }
    }

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
