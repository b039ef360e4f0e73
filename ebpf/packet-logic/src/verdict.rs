//! What becomes of a packet.

use map_abi::DropReason;

use crate::Tables;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the kernel's to deal with.
    Pass,
    /// Out by the port with this index, which may be the one it came in by.
    Redirect(u32),
    /// On to the program of the core ports: one subscriber talks to another.
    Core,
    /// User space has a copy; nothing is left to do.
    Punted,
    Drop(DropReason),
}

impl Verdict {
    /// Counts the packet if it was dropped.
    #[inline(always)]
    pub(crate) fn counted<T: Tables>(self, tables: &T) -> Self {
        if let Self::Drop(reason) = self {
            tables.count_drop(reason);
        }
        self
    }
}

impl From<Result<Self, DropReason>> for Verdict {
    #[inline(always)]
    fn from(result: Result<Self, DropReason>) -> Self {
        match result {
            Ok(verdict) => verdict,
            Err(reason) => Self::Drop(reason),
        }
    }
}
