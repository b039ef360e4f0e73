//! `wcctl`, the operators' command line, as a library: its program is `main.rs`, its manifests are also read by the fuzzer.
//!
//! A verb reads what it needs ([`manifest`] from files, [`client`] from the controller that [`contexts`] names), and
//! prints what came of it ([`output`]; [`progress`] while it takes long). Objects stay JSON throughout: what a newer
//! controller adds is shown rather than lost. [`paths`] says what is asked of the controller beside its objects.

mod cli;
mod client;
mod contexts;
mod failure;
mod files;
mod kinds;
mod manifest;
mod output;
mod paths;
mod progress;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use cli::{Arguments, Command, NodeCommand};
use failure::Failure;
pub use manifest::{Document, parse as parse_manifest};

/// Does what the command line says, and gives back the exit status.
pub async fn main() -> ExitCode {
    // clap ends with status 2 by itself when the command line is wrong.
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            if !text.is_empty() {
                eprintln!("wcctl: {text}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { place, command } = arguments;
    // Only by those who need it: the others work where no controller is known.
    let client = || contexts::client(&place);
    match command {
        Command::Get(get) => verbs::get::run(&client()?, &get).await,
        Command::Describe(describe) => verbs::describe::run(&client()?, &describe).await,
        Command::Apply(apply) => verbs::apply::run(&client()?, &apply).await,
        Command::Completion(completion) => verbs::shell::completion(&completion),
        Command::Man(man) => verbs::shell::man(&man),
        Command::Create(create) => verbs::create::run(&client()?, &create).await,
        Command::Edit(edit) => verbs::edit::run(&client()?, &edit).await,
        Command::Label(label) => verbs::label::run(&client()?, &label).await,
        Command::Delete(delete) => verbs::delete::run(&client()?, &delete).await,
        Command::Diff(diff) => verbs::diff::run(&client()?, &diff).await,
        Command::Wait(wait) => verbs::wait::run(&client()?, &wait).await,
        Command::Explain(explain) => verbs::graph::explain(&client()?, &explain).await,
        Command::Graph(graph) => verbs::graph::graph(&client()?, &graph).await,
        Command::Backup(backup) => verbs::backup::run(&client()?, &backup.command).await,
        Command::Auth(auth) => verbs::auth::run(&client()?, &auth.command).await,
        Command::Login(login) => verbs::token::login(&place, &login).await,
        Command::Token(tokens) => verbs::token::run(&client()?, &tokens.command).await,
        Command::Passwd(passwd) => verbs::token::passwd(&client()?, &passwd).await,
        Command::Events(events) => verbs::events::run(&client()?, &events).await,
        Command::Audit(audit) => verbs::audit::run(&client()?, &audit).await,
        Command::Node(node) => match node.command {
            NodeCommand::Token(token) => verbs::node::token(&client()?, &token).await,
        },
        Command::Config(config) => verbs::config::run(&config.command),
        Command::Version => verbs::version::run(&client()?).await,
    }
}
