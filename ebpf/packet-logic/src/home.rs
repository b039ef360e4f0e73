//! A subscriber's home in its chunk.

use core::ptr::NonNull;

use map_abi::{
    Chunk, Down, LINE_BYTES, LINES_PER_UNIT, NatEntry, Session, Six, UNIT_INDICES_PER_CHUNK, UNITS_PER_CHUNK,
    Up,
};

use crate::{Tables, frame::opaque_size, live::field};

const UNIT_BYTES: usize = LINES_PER_UNIT as usize * LINE_BYTES;
/// Where the last line of a chunk begins.
const LAST_LINE: usize = UNITS_PER_CHUNK as usize * UNIT_BYTES - LINE_BYTES;

/// A home: the lines of its chunk, and where in them it begins, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Home {
    lines: NonNull<u8>,
    at: usize,
}

impl Home {
    /// The home whose first unit this is; `None`: there is no such unit.
    #[inline(always)]
    pub(crate) fn find<T: Tables>(tables: &T, unit: u32) -> Option<Self> {
        let chunk: NonNull<Chunk> = tables.chunk(unit / UNIT_INDICES_PER_CHUNK)?;
        let at = opaque_size((unit % UNIT_INDICES_PER_CHUNK) as usize * UNIT_BYTES);
        if at > (UNITS_PER_CHUNK as usize - 1) * UNIT_BYTES {
            return None;
        }
        // SAFETY: inside the chunk.
        let lines =
            unsafe { NonNull::new_unchecked(core::ptr::addr_of_mut!((*chunk.as_ptr()).lines).cast()) };
        Some(Self { lines, at })
    }

    #[inline(always)]
    pub(crate) fn up(self) -> NonNull<Up> {
        // SAFETY: `find` saw to it that a whole unit follows.
        unsafe { self.lines.add(self.at).cast() }
    }

    #[inline(always)]
    pub(crate) fn down(self) -> NonNull<Down> {
        // SAFETY: as in `up`.
        unsafe { self.lines.add(self.at + LINE_BYTES).cast() }
    }

    #[inline(always)]
    pub(crate) fn six(self) -> NonNull<Six> {
        // SAFETY: as in `up`.
        unsafe { self.lines.add(self.at + 2 * LINE_BYTES).cast() }
    }

    /// The first of the four mappings of a line of the home; `None`: the chunk does not reach so far.
    #[inline(always)]
    pub(crate) fn bucket(self, line: u32) -> Option<NonNull<NatEntry>> {
        let at = opaque_size(self.at + line as usize * LINE_BYTES);
        if at > LAST_LINE {
            return None;
        }
        // SAFETY: by the line above, a whole line of the chunk follows.
        Some(unsafe { self.lines.add(at).cast() })
    }

    /// The session that the home is of.
    #[inline(always)]
    pub(crate) fn session<T: Tables>(self, tables: &T) -> Option<NonNull<Session>> {
        tables.session(self.session_index())
    }

    #[inline(always)]
    pub(crate) fn session_index(self) -> u32 {
        field!(self.down(), owner).get().session()
    }
}
