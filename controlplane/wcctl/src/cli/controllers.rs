//! Nodes, contexts and backups.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Shown;

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

const BACKUP_EXAMPLES: &str = "\
A backup has all objects, tokens and the audit log, and with them the office's CA and the keys that open its Secrets, as
they lie on the controller's disk: whoever has the file has the office. It is made with mode 0600; guard it as you guard
the controller's data directory, and encrypt it before it leaves the machine. `wirecenterd --restore` puts it back.

Examples:
  wcctl backup create /var/backups/wirecenter/monday";

const VERIFY_EXAMPLES: &str = "\
Every byte is read; the CA must be whole, and the keys must open every Secret.

Examples:
  wcctl backup verify /var/backups/wirecenter/monday";

#[derive(Args)]
pub(crate) struct BackupGroup {
    #[command(subcommand)]
    pub(crate) command: BackupCommand,
}

#[derive(Subcommand)]
pub(crate) enum BackupCommand {
    /// Write one, while the controller goes on
    #[command(after_help = BACKUP_EXAMPLES)]
    Create(Backup),
    /// Read one whole, and say whether it is sound
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Backup),
}

#[derive(Args)]
pub(crate) struct Backup {
    /// Where it is, on the controller's machine: an absolute path
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) shown: Shown,
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
