//! Taking a backup.

use std::{
    io::{self, BufWriter},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::{
    Companion, Manifest,
    file::{BLOCK_BYTES, BlockKind, BlockWriter, PAIR_BYTES_MAX, hex},
    tally::Tally,
};
use crate::{EngineError, Reader, Stopped, disk};

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("another backup is being taken")]
    Busy,
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot write the backup {}: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
    #[error("{0}")]
    File(String),
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Writes all that `reader` has, as of one moment, and the files that belong with it.
pub(crate) fn write(
    reader: &dyn Reader,
    path: &Path,
    files: &[Companion],
    is_stopped: &dyn Fn() -> bool,
) -> Result<Manifest, BackupError> {
    let failed = |cause| BackupError::Write { path: path.into(), cause };
    if path.try_exists().map_err(failed)? {
        return Err(BackupError::Exists(path.into()));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Readable by its owner alone, and gone if anything fails.
    let file = tempfile::Builder::new().prefix(".backup-").tempfile_in(directory).map_err(failed)?;
    let mut blocks = BlockWriter::new(BufWriter::new(file)).map_err(failed)?;
    let mut tally = Tally::default();
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files {
        file.check().and_then(|()| tally.note_file(&file.path)).map_err(BackupError::File)?;
        blocks.block(BlockKind::Companion, &file.encode()).map_err(failed)?;
    }
    dump(reader, &mut blocks, &mut tally, is_stopped).map_err(|fault| fault.error(path))?;
    let manifest = tally.manifest(hex(&blocks.digest())).map_err(BackupError::Damaged)?;
    let json = serde_json::to_vec(&manifest).expect("plain fields");
    blocks.block(BlockKind::Manifest, &json).map_err(failed)?;
    let file = blocks.into_inner().into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(path.into()),
        _ => failed(error.error),
    })?;
    std::fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    Ok(manifest)
}

/// Why a dump broke off.
enum Fault {
    Stopped,
    Write(io::Error),
    Damaged(String),
    Engine(EngineError),
}

impl Fault {
    fn error(self, path: &Path) -> BackupError {
        match self {
            Self::Stopped => BackupError::Stopped(Stopped),
            Self::Write(cause) => BackupError::Write { path: path.into(), cause },
            Self::Damaged(what) => BackupError::Damaged(what),
            Self::Engine(error) => BackupError::Engine(error),
        }
    }
}

fn dump(
    reader: &dyn Reader,
    blocks: &mut BlockWriter<impl io::Write>,
    tally: &mut Tally,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), Fault> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let mut step = |key: &[u8], value: &[u8]| -> Result<(), Fault> {
        tally.note(key, value).map_err(Fault::Damaged)?;
        if key.len() + value.len() > PAIR_BYTES_MAX {
            return Err(Fault::Damaged(format!("{:?} is too large", String::from_utf8_lossy(key))));
        }
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("no pair is so long").to_be_bytes();
        block.extend_from_slice(&length(key));
        block.extend_from_slice(&length(value));
        block.extend_from_slice(key);
        block.extend_from_slice(value);
        if block.len() >= BLOCK_BYTES {
            if is_stopped() {
                return Err(Fault::Stopped);
            }
            blocks.block(BlockKind::Pairs, &block).map_err(Fault::Write)?;
            block.clear();
        }
        Ok(())
    };
    let mut fault = None;
    let scanned = reader.scan(&[]..disk::END, &mut |key, value| match step(key, value) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            fault = Some(error);
            ControlFlow::Break(())
        }
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    scanned.map_err(Fault::Engine)?;
    if block.is_empty() { Ok(()) } else { blocks.block(BlockKind::Pairs, &block).map_err(Fault::Write) }
}
