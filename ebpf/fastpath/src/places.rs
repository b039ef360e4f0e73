//! A set of prefixes of both families in a map of the kernel's: the walled garden, the voice platforms, destinations exempt from NAT.

use std::{collections::BTreeSet, path::Path};

use aya::maps::{LpmTrie, Map, MapData, MapError, lpm_trie::Key};
use net_types::Prefix;

use crate::error::{ApplyError, OpenError};

/// An address of IPv6, or one of IPv4 mapped into it, and how many of its bits count.
pub(crate) type Place = ([u8; 16], u32);

/// The map, and what is in it.
pub(crate) struct Places {
    name: &'static str,
    map: LpmTrie<MapData, [u8; 16], u8>,
    held: BTreeSet<Place>,
    pub(crate) writes: u64,
}

impl Places {
    pub(crate) fn open(pin_dir: &Path, name: &'static str) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Map { name, source };
        let data = MapData::from_pin(pin_dir.join(name)).map_err(failed)?;
        let map = LpmTrie::try_from(Map::LpmTrie(data)).map_err(failed)?;
        let mut held = BTreeSet::new();
        for key in map.keys() {
            let key: Key<[u8; 16]> = key.map_err(failed)?;
            held.insert((key.data(), key.prefix_len()));
        }
        Ok(Self { name, map, held, writes: 0 })
    }

    /// Makes these the prefixes. What is not wanted goes first, so that there is room.
    pub(crate) fn set(&mut self, wanted: &BTreeSet<Place>) -> Result<(), ApplyError> {
        let name = self.name;
        let failed = |source| ApplyError::Map { name, source };
        for place in self.held.difference(wanted).copied().collect::<Vec<_>>() {
            forgotten(self.map.remove(&Key::new(place.1, place.0))).map_err(failed)?;
            self.held.remove(&place);
            self.writes += 1;
        }
        for place in wanted.difference(&self.held).copied().collect::<Vec<_>>() {
            self.map.insert(&Key::new(place.1, place.0), 1, 0).map_err(failed)?;
            self.held.insert(place);
            self.writes += 1;
        }
        Ok(())
    }
}

/// What is not there is gone.
pub(crate) fn forgotten(removed: Result<(), MapError>) -> Result<(), MapError> {
    match removed {
        Err(MapError::KeyNotFound) => Ok(()),
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        removed => removed,
    }
}

pub(crate) fn place(prefix: Prefix) -> Place {
    match prefix {
        Prefix::V4(prefix) => (prefix.network().to_ipv6_mapped().octets(), 96 + u32::from(prefix.len())),
        Prefix::V6(prefix) => (prefix.network().octets(), prefix.len().into()),
    }
}
