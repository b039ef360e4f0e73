//! Restoring a backup, where nothing is.

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::{
    Companion, Manifest,
    verify::{ReadError, VerifyError, open, read, verify},
};
use crate::{
    Engine, EngineError, RocksEngine, Write,
    disk::{self, Pair},
};

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Backup(#[from] VerifyError),
    #[error("{} is not an empty directory: a backup is only restored where nothing is", .0.display())]
    NotEmpty(PathBuf),
    #[error("the storage engine is not empty: a backup is only restored where nothing is")]
    EngineNotEmpty,
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot make {}: {cause}", path.display())]
    Make { path: PathBuf, cause: io::Error },
}

/// What one commit writes ends with the pair that brings it to so many bytes.
const COMMIT_BYTES: usize = 4 << 20;

/// Makes a store for [`RocksEngine`] from a backup. `directory` must be empty or not be there; it has all of the
/// backup when this returns, and nothing of it after an error. The files that came with the store are given back. It
/// blocks.
pub fn restore(backup: &Path, directory: &Path) -> Result<(Manifest, Vec<Companion>), RestoreError> {
    let failed = |cause| RestoreError::Make { path: directory.into(), cause };
    match std::fs::read_dir(directory) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(RestoreError::NotEmpty(directory.into()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(RestoreError::NotEmpty(directory.into()));
        }
        Err(error) => return Err(failed(error)),
    }
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let beside = tempfile::Builder::new().prefix(".restore-").tempdir_in(parent).map_err(failed)?;
    let restored = restore_into(backup, &mut RocksEngine::open(beside.path())?)?;
    std::fs::rename(beside.path(), directory).map_err(failed)?;
    // It is no longer there to be removed.
    let _: PathBuf = beside.keep();
    std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)?;
    Ok(restored)
}

/// Fills an empty engine from a backup, which is verified first. If this breaks off half way, no store opens there.
pub fn restore_into(
    backup: &Path,
    engine: &mut impl Engine,
) -> Result<(Manifest, Vec<Companion>), RestoreError> {
    let mut is_empty = true;
    engine.reader().scan(&[]..disk::END, &mut |_, _| {
        is_empty = false;
        ControlFlow::Break(())
    })?;
    if !is_empty {
        return Err(RestoreError::EngineNotEmpty);
    }
    verify(backup)?;
    let (mut writes, mut bytes, mut format) = (Vec::new(), 0, None);
    let visit = |key: &[u8], value: &[u8]| {
        let write = Write { key: key.to_vec(), value: Some(value.to_vec()) };
        if matches!(Pair::read(key, value), Some(Pair::Format(_))) {
            format = Some(write);
            return Ok(());
        }
        bytes += key.len() + value.len();
        writes.push(write);
        if bytes < COMMIT_BYTES {
            return Ok(());
        }
        bytes = 0;
        engine.commit(&std::mem::take(&mut writes))
    };
    let restored = read(backup, open(backup)?, visit).map_err(|error| match error {
        ReadError::Verify(error) => RestoreError::Backup(error),
        ReadError::Visit(error) => RestoreError::Engine(error),
    })?;
    // Without it no store is opened: it comes last.
    writes.extend(format);
    engine.commit(&writes)?;
    Ok(restored)
}
