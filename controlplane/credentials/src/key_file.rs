//! The key file: a first line that says what it is, then a key on each line, as id and key in hexadecimal digits, the
//! sealing one first. It is its owner's alone (mode 0600). Whoever has it and the store has every secret.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::{
    KeyId, Keyring, NoRandom,
    keyring::{KEY_BYTES, Key},
};

const TITLE: &str = "wirecenter keys 1";
const KEYS_MAX: usize = 64;
const FILE_BYTES_MAX: usize = 8 << 10;

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{what} {path:?}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{path:?} has mode {mode:04o}: others than its owner could read the keys; chmod 600 it once you know who did"
    )]
    Open { path: PathBuf, mode: u32 },
    #[error("{path:?} is not a key file, or is damaged: line {line}")]
    Damaged { path: PathBuf, line: usize },
    #[error("{path:?} would have more than {KEYS_MAX} keys: retire old ones")]
    TooManyKeys { path: PathBuf },
    #[error("key {0} seals: it cannot be retired")]
    Sealing(KeyId),
    #[error("there is no key {0}")]
    NoSuchKey(KeyId),
    #[error(transparent)]
    Random(#[from] NoRandom),
}

impl Keyring {
    /// Reads the key file at `path`; makes one with a new key if there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        match File::open(path) {
            Ok(file) => read(path, file),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let ring = Self::of(vec![Key::generate()?]);
                write(path, &ring, Mode::New)?;
                Ok(ring)
            }
            Err(source) => Err(KeyFileError::Io { what: "opening", path: path.into(), source }),
        }
    }

    /// The keys of a key file's text, which is called `path`.
    pub fn from_text(path: &Path, text: &str) -> Result<Self, KeyFileError> {
        parse(text).map_err(|line| KeyFileError::Damaged { path: path.into(), line })
    }

    /// A ring that seals with a new key and opens with all others too; when this returns, it is durable.
    pub fn rotate(&self, path: &Path) -> Result<Self, KeyFileError> {
        if self.keys().len() >= KEYS_MAX {
            return Err(KeyFileError::TooManyKeys { path: path.into() });
        }
        let new = Key::generate()?;
        let ring = Self::of(std::iter::once(new).chain(self.keys().iter().map(Key::copy)).collect());
        write(path, &ring, Mode::Replace)?;
        Ok(ring)
    }

    /// A ring without a key with which nothing is sealed any more.
    pub fn retire(&self, path: &Path, id: KeyId) -> Result<Self, KeyFileError> {
        if id == self.sealing_key() {
            return Err(KeyFileError::Sealing(id));
        }
        let keys: Vec<_> = self.keys().iter().filter(|key| key.id() != id).map(Key::copy).collect();
        if keys.len() == self.keys().len() {
            return Err(KeyFileError::NoSuchKey(id));
        }
        let ring = Self::of(keys);
        write(path, &ring, Mode::Replace)?;
        Ok(ring)
    }
}

fn read(path: &Path, file: File) -> Result<Keyring, KeyFileError> {
    let failed = |source| KeyFileError::Io { what: "reading", path: path.into(), source };
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX));
    file.take(FILE_BYTES_MAX as u64).read_to_string(&mut text).map_err(failed)?;
    Keyring::from_text(path, &text)
}

/// The keys, or the line that is not as it should be.
fn parse(text: &str) -> Result<Keyring, usize> {
    let mut lines = text.lines().zip(1_usize..);
    if lines.next().is_none_or(|(title, _)| title != TITLE) {
        return Err(1);
    }
    let keys = lines.map(|(line, number)| key(line).ok_or(number)).collect::<Result<Vec<_>, _>>()?;
    // A file that was cut ends in the middle of a line.
    if keys.is_empty() || keys.len() > KEYS_MAX || !text.ends_with('\n') {
        return Err(keys.len() + 1);
    }
    Ok(Keyring::of(keys))
}

/// A key whose id fits it.
fn key(line: &str) -> Option<Key> {
    let (id, digits) = line.split_once(' ')?;
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    HEXLOWER.decode_mut(digits.as_bytes(), &mut *bytes).ok()?;
    Some(Key::new(bytes)).filter(|key| key.id().to_string() == id)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// There must be none.
    New,
    Replace,
}

/// Written wholly beside its place and then put there, so that there is never half a key file.
fn write(path: &Path, ring: &Keyring, mode: Mode) -> Result<(), KeyFileError> {
    let failed = |what| move |source| KeyFileError::Io { what, path: path.into(), source };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("replacing")(error)),
        Ok(()) | Err(_) => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let mut file = file.map_err(failed("creating"))?;
    file.write_all(text(ring).as_bytes()).map_err(failed("writing"))?;
    file.sync_all().map_err(failed("writing"))?;
    match mode {
        // Unlike a rename, a link never takes the place of keys that another start has just made.
        Mode::New => {
            fs::hard_link(&beside, path).map_err(failed("creating"))?;
            fs::remove_file(&beside).map_err(failed("creating"))?;
        }
        Mode::Replace => fs::rename(&beside, path).map_err(failed("replacing"))?,
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("writing the folder of"))
}

fn text(ring: &Keyring) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX));
    text.push_str(TITLE);
    text.push('\n');
    for key in ring.keys() {
        text.push_str(&key.id().to_string());
        text.push(' ');
        HEXLOWER.encode_append(key.bytes(), &mut text);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
