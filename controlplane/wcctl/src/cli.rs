//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use xos_model::KindName;

const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  diff: there are differences; wait: the condition was not met in time; apply: the plan was declined; auth can-i: no
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
    /// Make new objects: all of them, or none
    Create(Create),
    /// Make the office's intent what files say: all of it, or nothing
    Apply(Apply),
    /// Change an object in an editor
    Edit(Edit),
    /// Set and remove labels
    Label(Label),
    /// Delete objects, by name, by label or as files name them
    Delete(Delete),
    /// What `apply` would change, as a unified diff
    Diff(Diff),
    /// Wait until objects are ready, or gone
    Wait(Wait),
    /// What happened in the office
    Events(Events),
    /// Why an object exists, and is as it is
    Explain(Explain),
    /// The tenancy graph: who is whose tenant
    Graph(Graph),
    /// Who one is, and what one may do
    Auth(Auth),
    /// Backups of all objects
    Backup(BackupGroup),
    /// About the office's nodes
    Node(Node),
    /// The controllers that wcctl knows by name
    Config(Config),
    /// The script by which a shell completes wcctl's command line
    Completion(Completion),
    /// Write wcctl's man pages
    Man(Man),
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
Whatever the number of objects, all are applied in one transaction, or none. For a directory the plan is shown first
(on standard error), and on a terminal it is asked whether to go on; what is unchanged is then counted only.

Examples:
  wcctl apply -f office.yaml
  wcctl apply -f office/ -f subscribers.json
  wcctl apply -f - < subscriber.yaml
  wcctl apply -f office.yaml --dry-run     judge, and change nothing
  wcctl apply -f office/ --yes             show the plan, and do not ask";

#[derive(Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Let the controller judge the objects without storing them
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask on a terminal whether a folder's plan is to be carried out
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// How what was changed is printed.
#[derive(Args)]
pub(crate) struct Shown {
    /// Print the objects, rather than what became of each
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Format>,
}

const CREATE_EXAMPLES: &str = "\
An object that is there already is a conflict: then nothing is made.

Examples:
  wcctl create -f subscriber.yaml
  wcctl create -f office/ --dry-run
  wcctl create -f subscriber.yaml -o yaml";

#[derive(Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Let the controller judge the objects without storing them
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

const EDIT_EXAMPLES: &str = "\
The editor is $VISUAL, or else $EDITOR, or else vi. What is refused is shown again, with the reasons above it. If
somebody else changes the object meanwhile, the edit is refused and kept in a file.

Examples:
  wcctl edit subscriber/alice
  EDITOR=nano wcctl edit node node1";

#[derive(Args)]
#[command(after_help = EDIT_EXAMPLES)]
pub(crate) struct Edit {
    /// KIND/NAME or KIND NAME
    #[arg(required = true)]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

const LABEL_EXAMPLES: &str = "\
Examples:
  wcctl label sub alice bob tier=gold
  wcctl label sub/alice tier=silver trial- --overwrite
  wcctl label sub -l tier=gold dscp=ef     all that have a label";

#[derive(Args)]
#[command(after_help = LABEL_EXAMPLES)]
pub(crate) struct Label {
    /// KIND NAME… or KIND/NAME…, and then key=value to set a label and key- to remove one
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    /// All objects of the kind that have these labels
    #[arg(short = 'l', long)]
    pub(crate) selector: Option<String>,
    /// Also change labels that have another value
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  wcctl completion bash > /etc/bash_completion.d/wcctl
  wcctl completion zsh > \"${fpath[1]}/_wcctl\"
  wcctl completion fish > ~/.config/fish/completions/wcctl.fish";

#[derive(Args)]
#[command(after_help = COMPLETION_EXAMPLES)]
pub(crate) struct Completion {
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(crate) fn generator(self) -> clap_complete::Shell {
        match self {
            Self::Bash => clap_complete::Shell::Bash,
            Self::Zsh => clap_complete::Shell::Zsh,
            Self::Fish => clap_complete::Shell::Fish,
        }
    }
}

#[derive(Args)]
#[command(after_help = "Examples:\n  wcctl man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Where to; it is made if it is not there
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
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

const EVENTS_EXAMPLES: &str = "\
Examples:
  wcctl events
  wcctl events subscriber/alice --watch
  wcctl events nodes --warnings -o json";

#[derive(Args)]
#[command(after_help = EVENTS_EXAMPLES)]
pub(crate) struct Events {
    /// KIND, KIND NAME or KIND/NAME; else of all objects
    pub(crate) target: Vec<String>,
    /// Go on and print every new one
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Only warnings
    #[arg(long)]
    pub(crate) warnings: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  wcctl explain tenant/alice-vcpe
  wcctl explain network lan -o json
  wcctl explain private/slice1             a network that follows from the graph
  wcctl explain attachment/vm1/shared/lan  an instance's attachment to one";

#[derive(Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct Explain {
    /// KIND/NAME or KIND NAME; of what follows from the tenancy graph: private/SLICE, shared/TENANT, gateway/TENANT,
    /// public/TENANT or attachment/INSTANCE/ and a network
    #[arg(required = true)]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

const GRAPH_EXAMPLES: &str = "\
Examples:
  wcctl graph
  wcctl graph subscriber/alice             only what leads to or from her
  wcctl graph -o dot | dot -Tsvg > office.svg";

#[derive(Args)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(crate) struct Graph {
    /// KIND/NAME or KIND NAME; else the whole graph
    pub(crate) target: Vec<String>,
    /// How to draw it
    #[arg(short, long, value_enum, default_value_t = GraphFormat::Text)]
    pub(crate) output: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    Text,
    Json,
    /// For Graphviz
    Dot,
}

#[derive(Args)]
pub(crate) struct Auth {
    #[command(subcommand)]
    pub(crate) command: AuthCommand,
}

#[derive(Subcommand)]
pub(crate) enum AuthCommand {
    /// Whether one may do something; exits with 1 if not
    CanI(CanI),
    /// Whom the controller takes one for, and with which roles
    #[command(after_help = "Examples:\n  wcctl auth whoami\n  wcctl auth whoami -o json --context east")]
    Whoami(Shown),
}

const CAN_I_EXAMPLES: &str = "\
Examples:
  wcctl auth can-i create subscribers
  wcctl auth can-i update subscriber/alice
  wcctl auth can-i delete node node1 --quiet && wcctl delete node node1";

#[derive(Args)]
#[command(after_help = CAN_I_EXAMPLES)]
pub(crate) struct CanI {
    #[arg(value_enum)]
    pub(crate) verb: AccessVerb,
    /// KIND, KIND NAME or KIND/NAME
    #[arg(required = true)]
    pub(crate) target: Vec<String>,
    /// Say it by the exit status only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessVerb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    /// Give rights away: write roles and role bindings
    Bind,
}

impl AccessVerb {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Bind => "bind",
        }
    }
}

#[derive(Args)]
pub(crate) struct BackupGroup {
    #[command(subcommand)]
    pub(crate) command: BackupCommand,
}

#[derive(Subcommand)]
pub(crate) enum BackupCommand {
    /// Write one, while the controller goes on
    #[command(after_help = "Examples:\n  wcctl backup create /var/backups/wirecenter/monday")]
    Create(Backup),
    /// Read one whole, and say whether it is sound
    #[command(after_help = "Examples:\n  wcctl backup verify /var/backups/wirecenter/monday")]
    Verify(Backup),
    /// Replace all objects of the office by those of a backup
    #[command(after_help = "Examples:\n  wcctl backup restore /var/backups/wirecenter/monday --yes")]
    Restore(Restore),
}

#[derive(Args)]
pub(crate) struct Backup {
    /// Where it is, on the controller's machine: an absolute path
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) backup: Backup,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
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
