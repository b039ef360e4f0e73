//! The walled garden in the maps: the prefixes in it, and whom each session may ask for names.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv6Addr,
    path::Path,
};

use aya::maps::{HashMap, LpmTrie, Map, MapData, MapError, lpm_trie::Key};
use map_abi::{GARDEN_PREFIXES_MAX, ResolverKey, map};
use net_types::Prefix;
use node_state::{Garden, Session};
use zerocopy::FromBytes;

use crate::{
    error::{ApplyError, OpenError},
    fastpath::Fastpath,
    mapped::put,
};

/// An address of IPv6, or one of IPv4 mapped into it, and how many of its bits count.
pub(crate) type Place = ([u8; 16], u32);
type ResolverBytes = [u8; size_of::<ResolverKey>()];

const _: () =
    assert!(Garden::ALLOWED_MAX == GARDEN_PREFIXES_MAX as usize, "there is room for all of a garden");

/// Both maps, and what is in them.
pub(crate) struct GardenMaps {
    prefixes: LpmTrie<MapData, [u8; 16], u8>,
    resolvers: HashMap<MapData, ResolverBytes, u8>,
    held_prefixes: BTreeSet<Place>,
    /// By session.
    held_resolvers: BTreeMap<u32, BTreeSet<[u8; 16]>>,
    pub(crate) writes: u64,
}

impl GardenMaps {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let data =
            |name| MapData::from_pin(pin_dir.join(name)).map_err(|source| OpenError::Map { name, source });
        let of_garden = |source| OpenError::Map { name: map::GARDEN, source };
        let of_resolvers = |source| OpenError::Map { name: map::RESOLVERS, source };
        let prefixes = LpmTrie::try_from(Map::LpmTrie(data(map::GARDEN)?)).map_err(of_garden)?;
        let resolvers = HashMap::try_from(Map::HashMap(data(map::RESOLVERS)?)).map_err(of_resolvers)?;
        let mut maps = Self {
            prefixes,
            resolvers,
            held_prefixes: BTreeSet::new(),
            held_resolvers: BTreeMap::new(),
            writes: 0,
        };
        for key in maps.prefixes.keys() {
            let key: Key<[u8; 16]> = key.map_err(of_garden)?;
            maps.held_prefixes.insert((key.data(), key.prefix_len()));
        }
        for key in maps.resolvers.keys() {
            let key: ResolverBytes = key.map_err(of_resolvers)?;
            let Ok(key) = ResolverKey::read_from_bytes(&key) else { continue };
            maps.held_resolvers.entry(key.session).or_default().insert(zerocopy::transmute!(key.address));
        }
        Ok(maps)
    }

    /// Forgets what is held for sessions that there are not.
    pub(crate) fn keep_only(&mut self, sessions: &BTreeSet<u32>) -> Result<(), ApplyError> {
        let gone: Vec<u32> =
            self.held_resolvers.keys().filter(|index| !sessions.contains(index)).copied().collect();
        gone.into_iter().try_for_each(|index| self.set_resolvers(index, &BTreeSet::new()))
    }

    /// What is not wanted goes first, so that there is room.
    fn set_prefixes(&mut self, wanted: &BTreeSet<Place>) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Map { name: map::GARDEN, source };
        for place in self.held_prefixes.difference(wanted).copied().collect::<Vec<_>>() {
            forgotten(self.prefixes.remove(&Key::new(place.1, place.0))).map_err(failed)?;
            self.held_prefixes.remove(&place);
            self.writes += 1;
        }
        for place in wanted.difference(&self.held_prefixes).copied().collect::<Vec<_>>() {
            self.prefixes.insert(&Key::new(place.1, place.0), 1, 0).map_err(failed)?;
            self.held_prefixes.insert(place);
            self.writes += 1;
        }
        Ok(())
    }

    /// Whom a session may ask for names while it is in the garden.
    pub(crate) fn set_resolvers(
        &mut self,
        session: u32,
        wanted: &BTreeSet<[u8; 16]>,
    ) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Map { name: map::RESOLVERS, source };
        let key = |address: [u8; 16]| -> ResolverBytes {
            let key = ResolverKey { address: zerocopy::transmute!(address), session, spare: 0 };
            zerocopy::transmute!(key)
        };
        let held = self.held_resolvers.entry(session).or_default();
        for address in held.difference(wanted).copied().collect::<Vec<_>>() {
            forgotten(self.resolvers.remove(&key(address))).map_err(failed)?;
            held.remove(&address);
            self.writes += 1;
        }
        for address in wanted.difference(held).copied().collect::<Vec<_>>() {
            self.resolvers.insert(key(address), 1, 0).map_err(failed)?;
            held.insert(address);
            self.writes += 1;
        }
        if held.is_empty() {
            self.held_resolvers.remove(&session);
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

/// The resolvers that a session may ask while it is in the garden.
pub(crate) fn resolvers(session: &Session) -> BTreeSet<[u8; 16]> {
    if !session.is_in_garden() {
        return BTreeSet::new();
    }
    let of_six = session.ipv6.iter().flat_map(|line| line.dns_servers.iter().copied());
    let of_four = session.dns_servers.iter().map(std::net::Ipv4Addr::to_ipv6_mapped);
    of_six.chain(of_four).map(|address: Ipv6Addr| address.octets()).collect()
}

impl Fastpath {
    /// Opens or shuts the walled garden: it is open only while all of it is in place.
    pub(crate) fn set_garden(&mut self, garden: Option<&Garden>) -> Result<(), ApplyError> {
        let wanted = garden.map(|garden| garden.allowed.iter().copied().map(place).collect());
        if wanted.is_none() {
            put!(self.writer, self.tables.settings.at(0), 0_u64, garden);
        }
        self.garden.set_prefixes(&wanted.unwrap_or_default())?;
        if garden.is_some() {
            put!(self.writer, self.tables.settings.at(0), 1_u64, garden);
        }
        Ok(())
    }
}
