//! Backups: one file with all pairs of the engine as they were at one moment, and the files that belong with them.
//!
//! ```text
//! "wirecenter backup 2\n"
//! block: length (u32) · kind and content, of that length · SHA-256 of all of the file up to here, 32 bytes
//!   …      kind `F`: a file beside the store: length of path (u32) · path · content, in the order of the paths
//!   …      kind `P`: pairs: length of key (u32) · length of value (u32) · key · value, in the order of the keys
//!   last   kind `M`: the manifest, in JSON
//! ```
//!
//! Numbers are big-endian. That every block carries the digest of all before it tells where damage begins, and that
//! the last one is the manifest tells whether the file is complete.

mod companion;
mod file;
mod restore;
mod tally;
mod verify;
mod write;

pub use companion::Companion;
pub use restore::{RestoreError, restore, restore_into};
pub use tally::Manifest;
pub use verify::{VerifyError, inspect, verify};
pub use write::BackupError;
pub(crate) use write::write;

#[cfg(test)]
mod tests;
