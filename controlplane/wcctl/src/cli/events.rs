//! The command line of `wcctl events`.

use clap::Args;

use super::Shown;

const EXAMPLES: &str = "\
The newest comes last.

Examples:
  wcctl events
  wcctl events --warnings --watch
  wcctl events subscriber/alice
  wcctl events nodes --limit 20 -o json";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Events {
    /// Of a kind (KIND) or of one object (KIND NAME or KIND/NAME); of everything, if nothing is said
    #[arg(value_name = "OBJECT")]
    pub(crate) target: Vec<String>,
    /// Only what should not be
    #[arg(long)]
    pub(crate) warnings: bool,
    /// Go on with what happens from now on, until interrupted
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// How many at most; a watch begins with as many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) shown: Shown,
}
