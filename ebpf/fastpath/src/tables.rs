//! The maps, as memory.

use std::path::Path;

use aya::maps::MapData;
use map_abi::{FibLine, FibPage, NextHop, NextHopGroup, PortEntry, PortLink, Session, Settings, map};

use crate::{
    error::OpenError,
    mapped::{Access, Mapped, get, get_words},
};

/// All maps that are read and written in place.
pub(crate) struct Tables {
    pub(crate) ports: Mapped<PortEntry>,
    pub(crate) port_links: Mapped<PortLink>,
    pub(crate) svid_pages: Mapped<u64>,
    pub(crate) sessions: Mapped<Session>,
    pub(crate) fib_root: Mapped<FibLine>,
    pub(crate) fib_pages: Mapped<FibPage>,
    pub(crate) fib6_root: Mapped<FibLine>,
    pub(crate) fib6_pages: Mapped<FibPage>,
    pub(crate) next_hops: Mapped<NextHop>,
    pub(crate) next_hop_groups: Mapped<NextHopGroup>,
    pub(crate) settings: Mapped<Settings>,
}

/// Opens a pinned map and maps it.
pub(crate) fn pinned<T>(pin_dir: &Path, name: &'static str, access: Access) -> Result<Mapped<T>, OpenError> {
    let data = MapData::from_pin(pin_dir.join(name)).map_err(|source| OpenError::Map { name, source })?;
    Mapped::new(name, &data, access)
}

impl Tables {
    pub(crate) fn open(pin_dir: &Path, access: Access) -> Result<Self, OpenError> {
        Ok(Self {
            ports: pinned(pin_dir, map::PORTS, access)?,
            port_links: pinned(pin_dir, map::PORT_LINKS, access)?,
            svid_pages: pinned(pin_dir, map::SVID_PAGES, access)?,
            sessions: pinned(pin_dir, map::SESSIONS, access)?,
            fib_root: pinned(pin_dir, map::FIB_ROOT, access)?,
            fib_pages: pinned(pin_dir, map::FIB_PAGES, access)?,
            fib6_root: pinned(pin_dir, map::FIB6_ROOT, access)?,
            fib6_pages: pinned(pin_dir, map::FIB6_PAGES, access)?,
            next_hops: pinned(pin_dir, map::NEXT_HOPS, access)?,
            next_hop_groups: pinned(pin_dir, map::NEXT_HOP_GROUPS, access)?,
            settings: pinned(pin_dir, map::SETTINGS, access)?,
        })
    }

    /// Indices of sessions that are taken.
    pub(crate) fn sessions_in_use(&self) -> impl Iterator<Item = u32> + '_ {
        (1..self.sessions.len()).filter(|index| get!(self.sessions.at(*index), in_use) != 0)
    }

    pub(crate) fn name_of(&self, index: u32) -> String {
        let words: [u64; 8] = get_words!(self.sessions.at(index), name);
        text(&words)
    }
}

/// NUL-padded text in words.
pub(crate) fn text(words: &[u64]) -> String {
    let bytes: Vec<u8> =
        words.iter().flat_map(|word| word.to_ne_bytes()).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Text in words, NUL-padded; what does not fit is cut off.
pub(crate) fn text_words<const N: usize>(text: &str) -> [u64; N] {
    let mut words = [0; N];
    for (word, chunk) in words.iter_mut().zip(text.as_bytes().chunks(8)) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_ne_bytes(bytes);
    }
    words
}
