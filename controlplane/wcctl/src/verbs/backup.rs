//! `wcctl backup`. To restore one is no verb: `wirecenterd --restore` does it, before there is a controller to ask.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    cli::{Backup, BackupCommand},
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
            "{file} {done}: revision {}, {} objects, {} bytes, {} files of CA and keys\n",
            text(&answer["revision"]),
            text(&answer["objects"]),
            text(&answer["bytes"]),
            answer["files"].as_array().map_or(0, Vec::len)
        )
    };
    output::print(&output::value(backup.shown.output, &answer, line)?)
}
