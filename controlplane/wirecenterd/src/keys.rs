//! The keys of the office's secrets: a file of the controller's own, beside the store.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use credentials::Keyring;
use intent_store::Store;

use crate::socket;

/// In the data directory, where the key file is.
pub(crate) const DIRECTORY: &str = "keys";
pub(crate) const FILE: &str = "office";

/// The key file; its directory is made if it is missing.
fn path(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let directory = data_dir.join(DIRECTORY);
    socket::make_private_directory(&directory)?;
    Ok(directory.join(FILE))
}

/// The keys; one is made at the first start.
pub(crate) fn open(data_dir: &Path) -> anyhow::Result<Keyring> {
    Keyring::load_or_create(&path(data_dir)?).context("the keys of secrets")
}

/// A new key for all secrets. Wherever this is cut off, the file has every key that a secret is sealed with, and the next
/// rotation seals what is left.
pub(crate) async fn rotate(data_dir: &Path, store: Store) -> anyhow::Result<()> {
    let path = path(data_dir)?;
    let keyring = Keyring::load_or_create(&path)?.rotate(&path).context("a new key for secrets")?;
    let key = keyring.sealing_key();
    let resealed = api::Office::new(store).with_keyring(keyring).reseal_secrets().await?;
    tracing::info!(%key, resealed, "secrets are sealed with a new key");
    Ok(())
}
