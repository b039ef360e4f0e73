//! A data directory out of a backup.
//!
//! ```text
//! DATA/.restore/{store,ca,keys}    being filled; worth nothing, and thrown away by the next attempt
//!        │ renamed, when all of it is on the disk
//! DATA/.restored/{store,ca,keys}   complete: whatever starts next puts its parts in their places, and so ends it
//! ```
//!
//! Wherever this is cut off, either nothing has been restored or the next start has all of it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use intent_store::Companion;

use crate::{socket, vault};

const FILLING: &str = ".restore";
const COMPLETE: &str = ".restored";
const STORE: &str = "store";

/// Fills a data directory that has neither store nor keys yet. Without an error, it has all of the backup.
pub(crate) fn restore(data_dir: &Path, backup: &Path) -> anyhow::Result<()> {
    socket::make_private_directory(data_dir)?;
    finish(data_dir)?;
    for part in parts() {
        let place = data_dir.join(part);
        if !is_empty(&place).with_context(|| place.display().to_string())? {
            bail!(
                "{} is not empty: a backup is only restored where no store, CA and keys are",
                place.display()
            );
        }
    }
    let filling = data_dir.join(FILLING);
    if filling.exists() {
        fs::remove_dir_all(&filling).with_context(|| format!("removing {}", filling.display()))?;
    }
    socket::make_private_directory(&filling)?;
    let (manifest, files) = intent_store::restore(backup, &filling.join(STORE))?;
    vault::open(&files).map_err(anyhow::Error::msg).context("what the backup has beside the store")?;
    write(&filling, &files).with_context(|| format!("writing to {}", filling.display()))?;
    fs::rename(&filling, data_dir.join(COMPLETE)).context("completing")?;
    sync(data_dir).context("completing")?;
    finish(data_dir)?;
    tracing::info!(revision = manifest.revision, objects = manifest.objects, "restored");
    Ok(())
}

/// Puts in its place what a restore that was cut off has completed.
pub(crate) fn finish(data_dir: &Path) -> anyhow::Result<()> {
    let complete = data_dir.join(COMPLETE);
    if !complete.exists() {
        return Ok(());
    }
    for part in parts() {
        let (from, to) = (complete.join(part), data_dir.join(part));
        // What is not there any more has been moved.
        if from.exists() {
            fs::rename(&from, &to)
                .with_context(|| format!("moving {} to {}", from.display(), to.display()))?;
        }
    }
    let ended = sync(data_dir).and_then(|()| fs::remove_dir(&complete)).and_then(|()| sync(data_dir));
    ended.with_context(|| format!("removing {}", complete.display()))
}

fn parts() -> impl Iterator<Item = &'static str> {
    vault::DIRECTORIES.into_iter().chain([STORE])
}

/// Whether there is no such directory, or nothing in it.
fn is_empty(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn write(directory: &Path, files: &[Companion]) -> io::Result<()> {
    for Companion { path, content } in files {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(directory);
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(content)?;
        file.sync_all()?;
        sync(parent)?;
    }
    sync(directory)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
