//! Reading a backup: every byte is judged, and every pair.

use std::{
    convert::Infallible,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{
    Companion, Manifest,
    file::{BlockKind, BlockReader, MAGIC, MAGIC_NAME, ReadFault, hex},
    tally::Tally,
};
use crate::disk::Pair;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("cannot read the backup {}: {cause}", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("{} is no backup of Wirecenter's store", path.display())]
    Foreign { path: PathBuf },
    #[error("the backup {} is of another version: this program reads version 2", path.display())]
    Version { path: PathBuf },
    #[error("the backup {} is incomplete: it ends after {bytes} bytes, before its manifest does", path.display())]
    Incomplete { path: PathBuf, bytes: u64 },
    #[error("the backup {} is damaged between its bytes {from} and {to}: {what}", path.display())]
    Damaged { path: PathBuf, from: u64, to: u64, what: String },
}

/// Reads all of a backup, and says what is in it if it is as it was written.
pub fn verify(path: &Path) -> Result<Manifest, VerifyError> {
    verify_bytes(path, open(path)?)
}

/// The same, for who judges what is in it, too: gives the key and value of each object to `visit`, and back the files
/// that came with the store. Only when this returns is it known that all of it is as it was written.
pub fn inspect(
    path: &Path,
    visit: &mut dyn FnMut(&str, &[u8]),
) -> Result<(Manifest, Vec<Companion>), VerifyError> {
    let visit = |key: &[u8], value: &[u8]| {
        if let Some(Pair::Object(key, _, value)) = Pair::read(key, value) {
            visit(key, value);
        }
        Ok::<_, Infallible>(())
    };
    read(path, open(path)?, visit).map_err(unvisited)
}

pub(super) fn verify_bytes(path: &Path, input: impl Read) -> Result<Manifest, VerifyError> {
    let all = read(path, input, |_, _| Ok::<_, Infallible>(()));
    all.map(|(manifest, _)| manifest).map_err(unvisited)
}

fn unvisited(error: ReadError<Infallible>) -> VerifyError {
    match error {
        ReadError::Verify(error) => error,
        ReadError::Visit(never) => match never {},
    }
}

pub(super) fn open(path: &Path) -> Result<impl Read, VerifyError> {
    let file = File::open(path).map_err(|cause| VerifyError::Read { path: path.into(), cause })?;
    Ok(BufReader::new(file))
}

pub(super) enum ReadError<E> {
    Verify(VerifyError),
    Visit(E),
}

/// Gives all pairs of a backup to `visit`; those of a block only when the block is known to be sound.
pub(super) fn read<E>(
    path: &Path,
    input: impl Read,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
) -> Result<(Manifest, Vec<Companion>), ReadError<E>> {
    let unreadable = |cause| ReadError::Verify(VerifyError::Read { path: path.into(), cause });
    let mut blocks = BlockReader::new(input);
    begin(path, &mut blocks).map_err(ReadError::Verify)?;
    let (mut tally, mut files) = (Tally::default(), Vec::new());
    loop {
        let (from, digest) = (blocks.at, blocks.digest());
        let block = blocks.block();
        let to = blocks.at;
        let damaged =
            |what: String| ReadError::Verify(VerifyError::Damaged { path: path.into(), from, to, what });
        let (kind, content) = block.map_err(|fault| match fault {
            ReadFault::Io(cause) => unreadable(cause),
            ReadFault::Ends => ReadError::Verify(VerifyError::Incomplete { path: path.into(), bytes: to }),
            ReadFault::Damaged(what) => damaged(what.into()),
        })?;
        if kind == BlockKind::Manifest {
            let counted = tally.manifest(hex(&digest)).map_err(&damaged)?;
            let said: Manifest = serde_json::from_slice(&content).map_err(|e| damaged(e.to_string()))?;
            if counted != said {
                return Err(damaged(format!("it says that it holds {said:?}, and holds {counted:?}")));
            }
            if !blocks.is_at_end().map_err(unreadable)? {
                return Err(damaged("more follows after its end".into()));
            }
            return Ok((said, files));
        }
        let content = Zeroizing::new(content);
        if kind == BlockKind::Companion {
            let file = Companion::decode(&content).ok_or_else(|| damaged("a file is cut off".into()))?;
            file.check().and_then(|()| tally.note_file(&file.path)).map_err(&damaged)?;
            files.push(file);
            continue;
        }
        let mut rest = content.as_slice();
        while !rest.is_empty() {
            let (key, value) = pair(&mut rest).ok_or_else(|| damaged("a pair is cut off".into()))?;
            tally.note(key, value).map_err(&damaged)?;
            visit(key, value).map_err(ReadError::Visit)?;
        }
    }
}

fn begin(path: &Path, blocks: &mut BlockReader<impl Read>) -> Result<(), VerifyError> {
    match blocks.take(MAGIC.len()) {
        Ok(magic) if magic == MAGIC => Ok(()),
        Ok(magic) if magic.starts_with(MAGIC_NAME) => Err(VerifyError::Version { path: path.into() }),
        Ok(_) => Err(VerifyError::Foreign { path: path.into() }),
        Err(ReadFault::Io(cause)) => Err(VerifyError::Read { path: path.into(), cause }),
        Err(ReadFault::Ends | ReadFault::Damaged(_)) => {
            Err(VerifyError::Incomplete { path: path.into(), bytes: blocks.at })
        }
    }
}

fn pair<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut length = || {
        let (length, after) = rest.split_first_chunk()?;
        *rest = after;
        usize::try_from(u32::from_be_bytes(*length)).ok()
    };
    let (key, value) = (length()?, length()?);
    let (key, after) = rest.split_at_checked(key)?;
    let (value, after) = after.split_at_checked(value)?;
    *rest = after;
    Some((key, value))
}
