//! `wcctl config`.

use std::path::Path;

use crate::{
    cli::{ConfigCommand, SetContext},
    contexts::{Config, Context},
    failure::Failure,
    output::{self, Table},
};

pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    let mut config = Config::load()?;
    match command {
        ConfigCommand::GetContexts => output::print(&table(&config)),
        ConfigCommand::CurrentContext => {
            let current =
                config.current_context.ok_or_else(|| Failure::Usage("no context is in use".into()))?;
            output::print(&(current + "\n"))
        }
        ConfigCommand::UseContext { name } => {
            config.context(name)?;
            config.current_context = Some(name.clone());
            config.save()?;
            output::print(&format!("context {name} is in use\n"))
        }
        ConfigCommand::SetContext(set) => {
            let context = context(set)?;
            let what = match config.contexts.insert(set.name.clone(), context) {
                Some(_) => "changed",
                None => "created",
            };
            config.save()?;
            output::print(&format!("context {} {what}\n", set.name))
        }
        ConfigCommand::DeleteContext { name } => {
            config.context(name)?;
            config.contexts.remove(name);
            if config.current_context.as_ref() == Some(name) {
                config.current_context = None;
                eprintln!("{name} was in use: now no context is");
            }
            config.save()?;
            output::print(&format!("context {name} deleted\n"))
        }
    }
}

/// Paths are made absolute, because the working directory is another one next time.
fn context(set: &SetContext) -> Result<Context, Failure> {
    let absolute = |path: &Option<std::path::PathBuf>| {
        let absolute = |path: &Path| {
            if path.starts_with("~") { Ok(path.into()) } else { std::path::absolute(path) }
                .map_err(|source| Failure::File { path: path.into(), source })
        };
        path.as_deref().map(absolute).transpose()
    };
    let context = Context {
        socket: absolute(&set.unix_socket)?,
        server: set.server.clone(),
        ca_file: absolute(&set.ca_file)?,
        token_file: absolute(&set.token_file)?,
    };
    context.check().map_err(Failure::Usage)?;
    Ok(context)
}

fn table(config: &Config) -> String {
    if config.contexts.is_empty() {
        return "There are no contexts.\n".into();
    }
    let mut table = Table::new(&["CURRENT", "NAME", "CONTROLLER", "CA-FILE", "TOKEN-FILE"]);
    let show = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map_or(String::new(), |path| path.display().to_string())
    };
    for (name, context) in &config.contexts {
        let current = if config.current_context.as_ref() == Some(name) { "*" } else { "" };
        let controller = context.server.clone().unwrap_or_else(|| show(&context.socket));
        table.add(vec![
            current.into(),
            name.clone(),
            controller,
            show(&context.ca_file),
            show(&context.token_file),
        ]);
    }
    table.render()
}
