//! The tenancy graph, drawn and explained.

use clap::{Args, ValueEnum};

use super::Shown;

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  wcctl explain tenant/alice-vcpe
  wcctl explain network lan -o json        services and networks, too
  wcctl explain private/slice1             a network that follows from the graph
  wcctl explain attachment/vm1/shared/lan  an instance's attachment to one";

#[derive(Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct Explain {
    /// A service, tenant or network, as KIND/NAME or KIND NAME; of what follows from the tenancy graph: private/SLICE, shared/TENANT, gateway/TENANT,
    /// public/TENANT or attachment/INSTANCE/ and a network
    #[arg(required = true)]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

const GRAPH_EXAMPLES: &str = "\
Examples:
  wcctl graph
  wcctl graph -o dot | dot -Tsvg > office.svg";

#[derive(Args)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(crate) struct Graph {
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
