//! Who one is, what one may do, and what was done.

use clap::{Args, Subcommand, ValueEnum};

use super::Shown;

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
    /// The roles that every office has
    #[command(after_help = "Examples:\n  wcctl auth roles\n  wcctl auth roles -o yaml")]
    Roles(Shown),
}

const CAN_I_EXAMPLES: &str = "\
Examples:
  wcctl auth can-i create subscribers
  wcctl auth can-i update subscriber/alice
  wcctl auth can-i delete nodes -o json        with the reason, as data
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
    #[arg(short, long, conflicts_with = "output")]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
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

const LOGIN_EXAMPLES: &str = "\
The context must be of a server. The token goes to a file that only its owner can read, which the context then names;
it is good for a few hours. The password is asked for at the terminal, or is the first line of standard input.

Examples:
  wcctl login ann
  wcctl login ann --context east < password-file";

#[derive(Args)]
#[command(after_help = LOGIN_EXAMPLES)]
pub(crate) struct Login {
    pub(crate) user: String,
}

const PASSWD_EXAMPLES: &str = "\
The password is asked for at the terminal, or is the first line of standard input. What was begun with the password
before ends.

Examples:
  wcctl passwd
  wcctl passwd ann < password-file";

#[derive(Args)]
#[command(after_help = PASSWD_EXAMPLES)]
pub(crate) struct Passwd {
    /// Whose; one's own, if nothing is said
    pub(crate) user: Option<String>,
}

#[derive(Args)]
pub(crate) struct Tokens {
    #[command(subcommand)]
    pub(crate) command: TokensCommand,
}

#[derive(Subcommand)]
pub(crate) enum TokensCommand {
    /// Make one; it is shown only this once
    Create(CreateToken),
    /// Those that can be used
    #[command(after_help = "Examples:\n  wcctl token list\n  wcctl token list --user ann -o json")]
    List(ListTokens),
    /// Make one useless, at once and for good
    #[command(after_help = "Examples:\n  wcctl token revoke 5f0c1f6e-9a54-4f0c-8b55-2b1d6a3a6d11 --user ann")]
    Revoke(RevokeToken),
}

const CREATE_TOKEN_EXAMPLES: &str = "\
The token alone goes to standard output, when it expires to standard error.

Examples:
  wcctl token create billing --user billing --expires 2027-01-01T00:00:00Z
  (umask 077; wcctl token create laptop > ~/.office-token)";

#[derive(Args)]
#[command(after_help = CREATE_TOKEN_EXAMPLES)]
pub(crate) struct CreateToken {
    /// What it is known by among the user's tokens
    pub(crate) name: String,
    /// Whose; one's own, if nothing is said
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Until when it can be used, at most a year; 90 days if nothing is said
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
}

#[derive(Args)]
pub(crate) struct ListTokens {
    /// Whose; one's own, if nothing is said
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Args)]
pub(crate) struct RevokeToken {
    /// As `wcctl token list` shows it
    pub(crate) id: String,
    /// Whose; one's own, if nothing is said
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
}

const AUDIT_EXAMPLES: &str = "\
The newest comes first. Times are written as in 2026-01-31T12:00:00Z.

Examples:
  wcctl audit
  wcctl audit --user ann --since 2026-01-31T12:00:00Z
  wcctl audit --kind Subscriber --name alice -o json";

#[derive(Args)]
#[command(after_help = AUDIT_EXAMPLES)]
pub(crate) struct Audit {
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Who did it; root on the controller's machine is uid:0
    #[arg(long)]
    pub(crate) user: Option<String>,
    #[arg(long)]
    pub(crate) kind: Option<String>,
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) shown: Shown,
}
