//! What the store needs from below: load everything, commit a batch.

/// Where the bytes lie. Small enough that an engine of several machines can stand here as well.
pub trait Engine: Send + 'static {
    /// Gives every pair there is to `visit`, in any order. Called once, before any commit.
    fn load(&mut self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), EngineError>;

    /// Makes all of `writes` durable, or none. After an error it is open which of the two, and the engine is not
    /// used again.
    fn commit(&mut self, writes: &[Write]) -> Result<(), EngineError>;
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
