//! What lies beside the store and belongs in its backups.

use credentials::Keyring;
use intent_store::Companion;

/// The office's authority and the keys of its secrets, as the controller keeps them on its disk. The errors say what is
/// wrong with which file.
pub trait Vault: Send + Sync {
    /// All of it, as it is.
    fn read(&self) -> Result<Vec<Companion>, String>;

    /// The keys among these files, of which none is missing or of no use.
    fn open(&self, files: &[Companion]) -> Result<Keyring, String>;
}
