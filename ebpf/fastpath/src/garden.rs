//! The walled garden in the maps: the prefixes in it, and whom each session may ask for names.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv6Addr,
    path::Path,
};

use aya::maps::{HashMap, Map, MapData};
use map_abi::{GARDEN_PREFIXES_MAX, ResolverKey, map};
use node_state::{Garden, Session};
use zerocopy::FromBytes;

use crate::{
    error::{ApplyError, OpenError},
    fastpath::Fastpath,
    mapped::put,
    places::{Places, forgotten, place},
};

type ResolverBytes = [u8; size_of::<ResolverKey>()];

const _: () =
    assert!(Garden::ALLOWED_MAX == GARDEN_PREFIXES_MAX as usize, "there is room for all of a garden");

/// Both maps, and what is in them.
pub(crate) struct GardenMaps {
    prefixes: Places,
    resolvers: HashMap<MapData, ResolverBytes, u8>,
    /// By session.
    held_resolvers: BTreeMap<u32, BTreeSet<[u8; 16]>>,
    resolver_writes: u64,
}

impl GardenMaps {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let of_resolvers = |source| OpenError::Map { name: map::RESOLVERS, source };
        let data = MapData::from_pin(pin_dir.join(map::RESOLVERS)).map_err(of_resolvers)?;
        let resolvers = HashMap::try_from(Map::HashMap(data)).map_err(of_resolvers)?;
        let prefixes = Places::open(pin_dir, map::GARDEN)?;
        let mut maps = Self { prefixes, resolvers, held_resolvers: BTreeMap::new(), resolver_writes: 0 };
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

    /// Since `count_anew`.
    pub(crate) fn writes(&self) -> u64 {
        self.prefixes.writes + self.resolver_writes
    }

    pub(crate) fn count_anew(&mut self) {
        (self.prefixes.writes, self.resolver_writes) = (0, 0);
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
            self.resolver_writes += 1;
        }
        for address in wanted.difference(held).copied().collect::<Vec<_>>() {
            self.resolvers.insert(key(address), 1, 0).map_err(failed)?;
            held.insert(address);
            self.resolver_writes += 1;
        }
        if held.is_empty() {
            self.held_resolvers.remove(&session);
        }
        Ok(())
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
        if garden.is_none() {
            put!(self.writer, self.tables.settings.at(0), 0_u64, garden);
        }
        let allowed = garden.iter().flat_map(|garden| garden.allowed.iter().copied());
        self.garden.prefixes.set(&allowed.map(place).collect())?;
        if garden.is_some() {
            put!(self.writer, self.tables.settings.at(0), 1_u64, garden);
        }
        Ok(())
    }
}
