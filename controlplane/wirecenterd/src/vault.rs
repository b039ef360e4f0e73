//! What lies beside the store and goes into its backups: the office's authority, and the keys of its secrets.

use std::path::{Path, PathBuf};

use agent_link::Authority;
use credentials::Keyring;
use intent_store::Companion;
use zeroize::Zeroizing;

use crate::keys;

/// The directories in the data directory that are its own.
pub(crate) const DIRECTORIES: [&str; 2] = ["ca", keys::DIRECTORY];

/// A data directory, as far as it is not the store.
pub(crate) struct Vault {
    pub(crate) data_dir: PathBuf,
}

fn certificate() -> String {
    format!("ca/{}", Authority::CERTIFICATE_FILE)
}

fn authority_key() -> String {
    format!("ca/{}", Authority::KEY_FILE)
}

fn secrets_keys() -> String {
    format!("{}/{}", keys::DIRECTORY, keys::FILE)
}

fn text<'a>(files: &'a [Companion], path: &str) -> Result<&'a str, String> {
    let file = files.iter().find(|file| file.path == path);
    let file = file.ok_or_else(|| format!("{path} is missing in the backup"))?;
    std::str::from_utf8(&file.content).map_err(|error| format!("{path}: {error}"))
}

impl api::Vault for Vault {
    fn read(&self) -> Result<Vec<Companion>, String> {
        let read = |path: String| {
            let content =
                std::fs::read(self.data_dir.join(&path)).map_err(|error| format!("{path}: {error}"))?;
            Ok(Companion { path, content: Zeroizing::new(content) })
        };
        [certificate(), authority_key(), secrets_keys()].into_iter().map(read).collect()
    }

    fn open(&self, files: &[Companion]) -> Result<Keyring, String> {
        open(files)
    }
}

pub(crate) fn open(files: &[Companion]) -> Result<Keyring, String> {
    let (certificate, key, keys) = (certificate(), authority_key(), secrets_keys());
    Authority::from_pem(
        (Path::new(&certificate), text(files, &certificate)?),
        (Path::new(&key), text(files, &key)?),
    )
    .map_err(|error| error.to_string())?;
    Keyring::from_text(Path::new(&keys), text(files, &keys)?).map_err(|error| error.to_string())
}
