//! Arrays of maps: values that the kernel keeps in its large pages, and that come one by one.

use std::{
    io,
    marker::PhantomData,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use aya::{Ebpf, maps::MapData};
use map_abi::{Chunk, LinePage, NatPorts, PEEK_WORDS_MAX, Peek, map, poke_table};
use zerocopy::{FromBytes, IntoBytes};

use crate::{
    clerk::loaded,
    error::{ApplyError, OpenError},
    mapped::{Access, Mapped, Writer},
    sys,
    tables::pinned,
};

/// A value that is a map of its own.
pub(crate) trait Page: FromBytes + IntoBytes {
    const MAP: &'static str;
    /// What a full table is called.
    const TABLE: &'static str;
    /// Its number for the reader.
    const NUMBER: u16;
    /// Which of the three it is in `PAGES`.
    const ORDINAL: usize;
    /// How many are made when one more is needed: the kernel's wait for all CPUs is then for as many.
    const AT_ONCE: u32;
}

impl Page for Chunk {
    const MAP: &'static str = map::HOMES;
    const TABLE: &'static str = "homes";
    const NUMBER: u16 = poke_table::HOMES;
    const ORDINAL: usize = 0;
    const AT_ONCE: u32 = 8;
}

impl Page for LinePage {
    const MAP: &'static str = map::LINES;
    const TABLE: &'static str = "S-VIDs";
    const NUMBER: u16 = poke_table::LINES;
    const ORDINAL: usize = 1;
    const AT_ONCE: u32 = 1;
}

impl Page for NatPorts {
    const MAP: &'static str = map::NAT_PORTS;
    const TABLE: &'static str = "NAT addresses";
    const NUMBER: u16 = poke_table::NAT_PORTS;
    const ORDINAL: usize = 2;
    const AT_ONCE: u32 = 1;
}

pub(crate) const READER: &str = "reader";
/// Most maps that are made before they are put in place; each is a file descriptor until then.
const BATCH: usize = 512;

/// Loads the program that reads pages, and pins it, for those who look while no agent runs.
pub(crate) fn pin_reader(ebpf: &mut Ebpf, pin_dir: &Path) -> Result<(), OpenError> {
    let program = loaded(ebpf, READER)?;
    let path = pin_dir.join(READER);
    // Of the agent before.
    let _ = std::fs::remove_file(&path);
    sys::pin(&path, program.as_fd()).map_err(|source| OpenError::Make { name: READER, source })
}

/// Words of `PAGES` that arrays of these lengths take.
pub(crate) fn page_words(lengths: [u32; 3]) -> u32 {
    lengths.iter().map(|len| len.div_ceil(64)).sum()
}

/// An array of maps, to be read.
pub(crate) struct Paged<P: Page> {
    map: MapData,
    len: u32,
    reader: OwnedFd,
    page: PhantomData<P>,
}

impl<P: Page> Paged<P> {
    /// Makes the array, with room for `len` values, unless it is there.
    pub(crate) fn make(pin_dir: &Path, len: u32) -> Result<(), OpenError> {
        let path = pin_dir.join(P::MAP);
        if path.exists() {
            return Ok(());
        }
        sys::pin_array_of_pages(&path, size_of::<P>(), len)
            .map_err(|source| OpenError::Make { name: P::MAP, source })
    }

    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let (map, len) = array(pin_dir, P::MAP)?;
        let reader =
            sys::pinned(&pin_dir.join(READER)).map_err(|source| OpenError::Make { name: READER, source })?;
        Ok(Self { map, len, reader, page: PhantomData })
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// A value as it is now; `None`: it is not there.
    pub(crate) fn read(&self, index: u32) -> Option<Box<P>> {
        let mut page = Box::new(P::new_zeroed());
        read_page(self.reader.as_fd(), P::NUMBER, index, page.as_mut_bytes()).then_some(page)
    }
}

/// Reads a value through the program `reader`, of whatever length; false: it is not there.
pub(crate) fn read_page(reader: BorrowedFd<'_>, table: u16, index: u32, page: &mut [u8]) -> bool {
    let mut first: usize = 0;
    page.chunks_mut(PEEK_WORDS_MAX * 8).all(|piece| {
        let Ok(word) = u16::try_from(first) else { return false };
        let peek = Peek { page: index, word, table };
        let mut frame = vec![0; size_of::<Peek>() + piece.len()];
        frame[..size_of::<Peek>()].copy_from_slice(peek.as_bytes());
        let mut out = frame.clone();
        if sys::run(reader, &frame, &mut out).is_err() {
            return false;
        }
        let Ok((Peek { table: 0, .. }, words)) = Peek::read_from_prefix(&out) else { return false };
        piece.copy_from_slice(words);
        first += piece.len() / 8;
        true
    })
}

pub(crate) fn array(pin_dir: &Path, name: &'static str) -> Result<(MapData, u32), OpenError> {
    let failed = |source| OpenError::Map { name, source };
    let map = MapData::from_pin(pin_dir.join(name)).map_err(failed)?;
    let len = map.info().map_err(failed)?.max_entries();
    Ok((map, len))
}

/// An array of maps that this process lets grow.
pub(crate) struct Growing<P: Page> {
    pub(crate) pages: Paged<P>,
    /// `PAGES`, of which this array's bits begin at word `first`.
    bits: Mapped<u64>,
    first: u32,
}

impl<P: Page> Growing<P> {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let lengths = [map::HOMES, map::LINES, map::NAT_PORTS].map(|name| array(pin_dir, name));
        let before = lengths.into_iter().take(P::ORDINAL).map(|found| Ok(found?.1.div_ceil(64)));
        let first = before.sum::<Result<u32, OpenError>>()?;
        Ok(Self { pages: Paged::open(pin_dir)?, bits: pinned(pin_dir, map::PAGES, Access::Write)?, first })
    }

    fn word(&self, index: u32) -> u64 {
        // SAFETY: aligned, and inside the mapping.
        unsafe { crate::mapped::Word::load(self.bits.at(self.first + index / 64)) }
    }

    fn holds(&self, index: u32) -> bool {
        self.word(index) >> (index % 64) & 1 != 0
    }

    /// The values that are there.
    pub(crate) fn held(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.pages.len()).filter(|index| self.holds(*index))
    }

    /// Sees to it that a value is there, and a few more after it.
    pub(crate) fn ensure(&mut self, index: u32) -> Result<(), ApplyError> {
        let is_beyond = index >= self.pages.len();
        if !is_beyond && self.holds(index) {
            return Ok(());
        }
        let end = index.saturating_add(P::AT_ONCE).min(self.pages.len()).max(index.saturating_add(1));
        self.ensure_all(index..end)
    }

    /// Sees to it that these values are there.
    pub(crate) fn ensure_all(&mut self, indices: impl IntoIterator<Item = u32>) -> Result<(), ApplyError> {
        let mut made: Vec<(u32, OwnedFd)> = Vec::new();
        for index in indices {
            if index >= self.pages.len() {
                return Err(ApplyError::Full { table: P::TABLE, size: self.pages.len() });
            }
            if self.holds(index) {
                continue;
            }
            made.push((index, sys::create_page(size_of::<P>()).map_err(no_room::<P>)?));
            if made.len() == BATCH {
                self.put(&mut made)?;
            }
        }
        self.put(&mut made)
    }

    /// Puts values in place that are not there, each filled as given.
    pub(crate) fn fill(&mut self, pages: impl IntoIterator<Item = (u32, Vec<u8>)>) -> Result<(), ApplyError> {
        let mut made: Vec<(u32, OwnedFd)> = Vec::new();
        for (index, page) in pages {
            let filled = sys::create_page(page.len())
                .and_then(|map| sys::update(map.as_fd(), &[0; 4], &page, 0).map(|()| map));
            made.push((index, filled.map_err(no_room::<P>)?));
            if made.len() == BATCH {
                self.put(&mut made)?;
            }
        }
        self.put(&mut made)
    }

    /// A value that is there, but is not said to be, after a crash in between, is empty and can be replaced.
    fn put(&mut self, made: &mut Vec<(u32, OwnedFd)>) -> Result<(), ApplyError> {
        if made.is_empty() {
            return Ok(());
        }
        sys::insert_maps(&self.pages.map, made).map_err(no_room::<P>)?;
        for (index, _) in made.drain(..) {
            let word = self.word(index) | 1 << (index % 64);
            // SAFETY: aligned, and inside a mapping for writing.
            unsafe { Writer::default().put(self.bits.at(self.first + index / 64), word) };
        }
        Ok(())
    }
}

fn no_room<P: Page>(source: io::Error) -> ApplyError {
    ApplyError::Memory { table: P::TABLE, source }
}
