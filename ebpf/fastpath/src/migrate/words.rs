//! An array in this process's memory, whatever its values are: rows of words of eight bytes.

use std::{
    path::Path,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use aya::maps::MapData;

use super::plan::Op;
use crate::{
    error::OpenError,
    mapped::{Access, memory},
};

pub(crate) struct Words {
    start: NonNull<u64>,
    rows: usize,
    /// Words of a row.
    width: usize,
    bytes: usize,
}

impl Words {
    pub(crate) fn open(pin_dir: &Path, name: &'static str, access: Access) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Map { name, source };
        let map = MapData::from_pin(pin_dir.join(name)).map_err(failed)?;
        let info = map.info().map_err(failed)?;
        // The kernel pads values to eight bytes.
        let width = (info.value_size() as usize).div_ceil(8);
        let rows = info.max_entries() as usize;
        let bytes = (rows * width * 8).next_multiple_of(4096);
        Ok(Self { start: memory(name, &map, bytes, access)?, rows, width, bytes })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.width * 8
    }

    fn word(&self, row: usize, word: usize) -> &AtomicU64 {
        assert!(row < self.rows && word < self.width, "word {word} of row {row}");
        // SAFETY: aligned, and inside the mapping, by the line above.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(row * self.width + word)) }
    }

    /// Reads a row; false: it is all zero.
    pub(crate) fn read(&self, row: usize, to: &mut [u8]) -> bool {
        let mut any = 0;
        for (word, to) in to.chunks_exact_mut(8).take(self.width).enumerate() {
            let value = self.word(row, word).load(Ordering::Acquire);
            any |= value;
            to.copy_from_slice(&value.to_ne_bytes());
        }
        any != 0
    }

    /// Changes a word as long as somebody else does too.
    pub(crate) fn change(&self, row: usize, word: usize, op: Op) {
        // `Err` says that it is as it should be.
        let _ = self.word(row, word).fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| op.on(held));
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing borrowed from it outlives it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
