//! `wcctl backup`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    cli::{Backup, BackupCommand, Restore},
    client::{Client, text},
    failure::Failure,
    output, paths, progress,
};

/// How long the controller may take for a whole store.
const TIMEOUT: Duration = Duration::from_mins(30);

pub(crate) async fn run(client: &Client, command: &BackupCommand) -> Result<(), Failure> {
    match command {
        BackupCommand::Create(backup) => ask(client, backup, paths::BACKUPS, "written", "writing").await,
        BackupCommand::Verify(backup) => {
            ask(client, backup, paths::BACKUP_VERIFY, "sound", "verifying").await
        }
        BackupCommand::Restore(Restore { backup, yes }) => {
            if !yes && !is_agreed(&backup.path)? {
                return Err(Failure::NotMet("nothing was changed".into()));
            }
            ask(client, backup, paths::BACKUP_RESTORE, "restored", "restoring").await
        }
    }
}

async fn ask(client: &Client, backup: &Backup, path: &str, done: &str, doing: &str) -> Result<(), Failure> {
    let file = backup.path.to_str().filter(|_| backup.path.is_absolute()).ok_or_else(|| {
        let path = backup.path.display();
        Failure::Usage(format!("{path}: the path is one of the controller's machine, and begins with /"))
    })?;
    let what = format!("{doing} {file}");
    let body = json!({"path": file});
    let answer = progress::during(&what, client.post_within(path, &body, TIMEOUT)).await?;
    let line = |answer: &Value| {
        format!(
            "{file} {done}: revision {}, {} objects, {} bytes\n",
            text(&answer["revision"]),
            text(&answer["objects"]),
            text(&answer["bytes"])
        )
    };
    output::print(&output::value(backup.shown.output, &answer, line)?)
}

/// What is undone by a restore cannot be had back, so that somebody must have said so.
fn is_agreed(path: &Path) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("a restore replaces all objects of the office: say --yes".into()));
    }
    let question = format!("Replace all objects of the office by those of {}?", path.display());
    Ok(progress::is_agreed(&question))
}
