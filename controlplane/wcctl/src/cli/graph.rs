//! The tenancy graph, drawn and explained.

use clap::{Args, ValueEnum};

use super::Shown;

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  wcctl explain tenant/alice-vcpe
  wcctl explain node node1 -o json         an object of any kind: whose it is, whom it names and who names it
  wcctl explain private/slice1             a network that follows from the graph
  wcctl explain attachment/vm1/shared/lan  an instance's attachment to one";

#[derive(Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct Explain {
    /// An object, as KIND/NAME or KIND NAME; of what follows from the tenancy graph: private/SLICE, shared/TENANT,
    /// gateway/TENANT, public/TENANT or attachment/INSTANCE/ and a network
    #[arg(required = true)]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

const GRAPH_EXAMPLES: &str = "\
Examples:
  wcctl graph
  wcctl graph -o dot | dot -Tsvg > office.svg
  wcctl graph --connectivity               what follows: networks, gateways, attachments, and why
  wcctl graph --connectivity -o json";

#[derive(Args)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(crate) struct Graph {
    /// Show what follows from the graph: virtual networks, gateways, public accesses and instances' attachments
    #[arg(long)]
    pub(crate) connectivity: bool,
    /// How to draw it
    #[arg(short, long, value_enum, default_value_t = GraphFormat::Text)]
    pub(crate) output: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    Text,
    /// The same as text
    Table,
    Json,
    Yaml,
    /// For Graphviz
    Dot,
}
