//! The command line.

mod access;
mod controllers;
mod events;
mod graph;
mod objects;
mod shell;
mod wait;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use xos_model::KindName;

pub(crate) use access::{
    Audit, Auth, AuthCommand, CanI, CreateToken, ListTokens, Login, Passwd, RevokeToken, Tokens,
    TokensCommand,
};
pub(crate) use controllers::{
    Backup, BackupCommand, BackupGroup, Config, ConfigCommand, Node, NodeCommand, SetContext, Token,
};
pub(crate) use events::Events;
pub(crate) use graph::{Explain, Graph, GraphFormat};
pub(crate) use objects::{Apply, Create, Delete, Describe, Diff, Edit, Format, Get, Label, Shown};
pub(crate) use shell::{Completion, Man};
pub(crate) use wait::{Wait, WaitFor};

const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  diff: there are differences; auth can-i: no; wait: the condition was not met in time; apply: the plan was declined
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
    /// What `apply` would change, field by field
    Diff(Diff),
    /// Wait until objects are ready, or gone
    Wait(Wait),
    /// Why something is there: an object, or what follows from the tenancy graph
    Explain(Explain),
    /// The tenancy graph: who is whose tenant
    Graph(Graph),
    /// Backups of all objects
    Backup(BackupGroup),
    /// Who one is, and what one may do
    Auth(Auth),
    /// Get a token for a password
    Login(Login),
    /// Tokens by which users, and programs that act for them, prove who they are
    Token(Tokens),
    /// Set a password
    Passwd(Passwd),
    /// What has happened that nobody asked for: failures, recoveries, nodes that come and go
    Events(Events),
    /// Who did what, and who was refused what
    Audit(Audit),
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
}
