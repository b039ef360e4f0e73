//! Verbs that ask and change nothing: events, explanations, the graph, rights.

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, Shown};

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
