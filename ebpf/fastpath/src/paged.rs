//! Arrays of maps: values that the kernel keeps in its large pages, and that come one by one.

use std::{collections::BTreeSet, marker::PhantomData, os::fd::OwnedFd, path::Path};

use aya::{
    Pod,
    maps::{Array, ArrayOfMaps, Map, MapData, MapError},
};
use map_abi::{Chunk, LinePage, NatPorts, map};
use zerocopy::{FromBytes, KnownLayout};

use crate::{
    error::{ApplyError, OpenError},
    sys,
};

/// A value that is a map of its own.
pub(crate) trait Page: FromBytes + KnownLayout {
    type Bytes: Pod + AsRef<[u8]>;
    const MAP: &'static str;
    /// What a full table is called.
    const TABLE: &'static str;
    /// How many are made when one more is needed: the kernel's wait for all CPUs is then for as many.
    const AT_ONCE: u32;
}

impl Page for Chunk {
    type Bytes = [u8; size_of::<Self>()];
    const MAP: &'static str = map::HOMES;
    const TABLE: &'static str = "homes";
    const AT_ONCE: u32 = 8;
}

impl Page for LinePage {
    type Bytes = [u8; size_of::<Self>()];
    const MAP: &'static str = map::LINES;
    const TABLE: &'static str = "S-VIDs";
    const AT_ONCE: u32 = 1;
}

impl Page for NatPorts {
    type Bytes = [u8; size_of::<Self>()];
    const MAP: &'static str = map::NAT_PORTS;
    const TABLE: &'static str = "NAT addresses";
    const AT_ONCE: u32 = 1;
}

/// Most maps that are made before they are put in place; each is a file descriptor until then.
const BATCH: usize = 512;

/// An array of maps.
pub(crate) struct Paged<P: Page> {
    outer: ArrayOfMaps<MapData, Array<MapData, P::Bytes>>,
    /// For what aya does not offer.
    data: MapData,
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
        let failed = |source| OpenError::Map { name: P::MAP, source };
        let open = || MapData::from_pin(pin_dir.join(P::MAP));
        let outer = Map::ArrayOfMaps(open().map_err(failed)?);
        Ok(Self {
            outer: ArrayOfMaps::try_from(outer).map_err(failed)?,
            data: open().map_err(failed)?,
            page: PhantomData,
        })
    }

    pub(crate) fn len(&self) -> u32 {
        self.outer.len()
    }

    /// A value as it is now; `None`: it is not there.
    pub(crate) fn read(&self, index: u32) -> Option<Box<P>> {
        if index >= self.len() {
            return None;
        }
        let bytes = self.outer.get(&index, 0).and_then(|page| page.get(&0, 0)).ok()?;
        P::read_from_bytes(bytes.as_ref()).ok().map(Box::new)
    }

    /// The values that are there.
    pub(crate) fn held(&self) -> Result<BTreeSet<u32>, OpenError> {
        let mut held = BTreeSet::new();
        for index in 0..self.len() {
            match self.outer.get(&index, 0) {
                Ok(_) => drop(held.insert(index)),
                Err(MapError::KeyNotFound) => {}
                Err(source) => return Err(OpenError::Map { name: P::MAP, source }),
            }
        }
        Ok(held)
    }

    fn put(&self, pages: &mut Vec<(u32, OwnedFd)>) -> Result<(), ApplyError> {
        let done = sys::insert_maps(&self.data, pages);
        pages.clear();
        done.map_err(|source| ApplyError::Memory { table: P::TABLE, source })
    }
}

/// An array of maps that this process lets grow.
pub(crate) struct Growing<P: Page> {
    pub(crate) pages: Paged<P>,
    held: BTreeSet<u32>,
}

impl<P: Page> Growing<P> {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let pages = Paged::open(pin_dir)?;
        let held = pages.held()?;
        Ok(Self { pages, held })
    }

    pub(crate) fn held(&self) -> impl Iterator<Item = u32> + '_ {
        self.held.iter().copied()
    }

    /// Sees to it that a value is there, and a few more after it.
    pub(crate) fn ensure(&mut self, index: u32) -> Result<(), ApplyError> {
        if self.held.contains(&index) {
            return Ok(());
        }
        let end = index.saturating_add(P::AT_ONCE).min(self.pages.len()).max(index + 1);
        self.ensure_all(index..end)
    }

    /// Sees to it that these values are there.
    pub(crate) fn ensure_all(&mut self, indices: impl IntoIterator<Item = u32>) -> Result<(), ApplyError> {
        let mut made = Vec::new();
        let mut wanted = BTreeSet::new();
        for index in indices {
            if index >= self.pages.len() {
                return Err(ApplyError::Full { table: P::TABLE, size: self.pages.len() });
            }
            if self.held.contains(&index) || !wanted.insert(index) {
                continue;
            }
            let page = sys::create_page(size_of::<P>());
            made.push((index, page.map_err(|source| ApplyError::Memory { table: P::TABLE, source })?));
            if made.len() == BATCH {
                self.pages.put(&mut made)?;
                self.held.append(&mut wanted);
            }
        }
        if !made.is_empty() {
            self.pages.put(&mut made)?;
            self.held.append(&mut wanted);
        }
        Ok(())
    }
}
