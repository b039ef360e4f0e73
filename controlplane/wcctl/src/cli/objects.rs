//! Verbs that read and change objects.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const GET_EXAMPLES: &str = "\
Examples:
  wcctl get subscribers                    all subscribers, as a table
  wcctl get sub alice -o yaml              one of them, whole
  wcctl get sub/alice node/node1 -o json   objects of several kinds
  wcctl get nodes,pools -o wide            two kinds, with more columns
  wcctl get sub -l tier=gold -o name       those with a label, for a script
  wcctl get sub --field-selector spec.access.node=node1,spec.state=suspended
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
Whatever the number of objects (20,000 at most), all are applied in one transaction, or none. For a directory the
controller's plan is shown first (on standard error): how many objects of each kind would be created, updated, deleted
and left as they are, and some of them by name. On a terminal it is then asked whether to go on; what is unchanged is
counted only. A refusal names the file and the line of the object.

Examples:
  wcctl apply -f office.yaml
  wcctl apply -f office/ -f subscribers.json
  wcctl apply -f - < subscriber.yaml
  wcctl apply -f office.yaml --dry-run     all that would change, field by field; nothing is changed
  wcctl apply -f office/ --dry-run -o json the plan as data
  wcctl apply -f office/ --yes             show the plan, and do not ask";

#[derive(Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Show what would change, and change nothing
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
    /// Print the objects, rather than what became of each; with --dry-run the plan, as data
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Format>,
}

const CREATE_EXAMPLES: &str = "\
An object that is there already is a conflict: then nothing is made.

Examples:
  wcctl create -f subscriber.yaml
  wcctl create -f office/ --dry-run        all that would be there, with what the controller adds
  wcctl create -f subscriber.yaml -o yaml";

#[derive(Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Show what would be made, and make nothing
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
The controller works the changes out, and makes none: what it fills in and what follows from the objects is among them.
Values of secrets are not shown. Exits with 0 if nothing would change and with 1 if anything would.

Examples:
  wcctl diff -f office.yaml
  wcctl diff -f office/ -o json            the plan as data: operations as of JSON Patch, with the old values";

#[derive(Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Print the plan as data; table: how many objects of each kind; name: which objects
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Format>,
}
