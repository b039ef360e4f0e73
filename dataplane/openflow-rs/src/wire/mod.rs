//! Bounded reading and writing, and the one way in which a structure's layout is said.

mod layout;
mod primitive;
mod reader;
mod writer;

pub(crate) use layout::{bounded, closed, flags, layout, open};
pub(crate) use reader::Reader;
pub(crate) use writer::Writer;

use alloc::vec::Vec;

use crate::DecodeError;

/// How deep actions may nest in actions and messages in messages.
pub(crate) const DEPTH_MAX: u8 = 8;

/// What has a form on the wire, which may depend on the version that reader and writer know.
pub(crate) trait Wire: Sized {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn put(&self, w: &mut Writer<'_>);

    /// All that follow, up to the reader's end.
    ///
    /// What is allocated grows with what was read, so that no length field on the wire decides about memory.
    fn get_all(r: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut all = Vec::new();
        while !r.is_empty() {
            all.push(Self::get(r)?);
        }
        Ok(all)
    }

    fn put_all(all: &[Self], w: &mut Writer<'_>) {
        for one in all {
            one.put(w);
        }
    }
}

/// How many bytes are wanted up to the next multiple of eight.
pub(crate) const fn padding(len: usize) -> usize {
    len.wrapping_neg() % 8
}
