//! What the store needs from below: commit a batch, and read all as it was at one moment.

use std::ops::{ControlFlow, Range};

/// Where the bytes lie. Small enough that an engine of several machines can stand here as well.
pub trait Engine: Send + 'static {
    /// Reads what was committed, beside the commits. The engine stays open until its readers are gone too.
    fn reader(&self) -> Box<dyn Reader>;

    /// Makes all of `writes` durable, or none; each key occurs once. After an error it is open which of the two, and
    /// the engine is not used again.
    fn commit(&mut self, writes: &[Write]) -> Result<(), EngineError>;
}

/// What a scan gives its pairs to; breaks off when it has enough.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Reads from another thread than the one that commits.
pub trait Reader: Send + Sync {
    /// Gives the pairs whose keys are in `range` to `visit`, in the order of their keys: all as they were at one
    /// moment between two commits, however many follow before the scan ends. No commit waits for it.
    fn scan(&self, range: Range<&[u8]>, visit: &mut Visit<'_>) -> Result<(), EngineError>;
}

/// One key's new value; without a value the key is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
#[error("storage engine cannot {doing}: {cause}")]
pub struct EngineError {
    pub doing: &'static str,
    pub cause: String,
}

impl EngineError {
    pub(crate) fn new(doing: &'static str, cause: impl std::fmt::Display) -> Self {
        Self { doing, cause: cause.to_string() }
    }
}
