//! Parental control in the maps: the names on the node's lists, and what is blocked for whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use aya::maps::{HashMap, Map, MapData};
use map_abi::{CATEGORIES_MAX, Category, DeviceKey, LISTED_NAMES_MAX, NameHash, map};
use net_types::Name;
use node_state::{BlockList, Blocked, ResourceKey};
use zerocopy::FromBytes;

use crate::{
    error::{ApplyError, OpenError},
    fastpath::Fastpath,
    mapped::{Access, Mapped, Writer, get_words, put_words},
    places::{Place, Places, forgotten, place},
    tables::{pinned, text, text_words},
};

type DeviceBytes = [u8; size_of::<DeviceKey>()];

const _: () = assert!(
    BlockList::LISTS_MAX == CATEGORIES_MAX as usize && BlockList::DOMAINS_MAX == LISTED_NAMES_MAX as usize,
    "there is room for all that is accepted"
);

/// The maps, and what is in them.
pub(crate) struct DnsMaps {
    names: HashMap<MapData, u64, u64>,
    resolvers: Places,
    blocked: HashMap<MapData, DeviceBytes, u64>,
    categories: Mapped<Category>,
    hash_key: [u64; 2],
    held_names: BTreeMap<u64, u64>,
    /// By session and station address.
    held_blocked: BTreeMap<(u32, u64), u64>,
    /// The bit of each category.
    bits: BTreeMap<Name, u32>,
    lists: BTreeMap<(Name, u16), Hashed>,
    writes: u64,
}

/// A list as the maps have it.
#[derive(PartialEq, Eq)]
struct Hashed {
    names: BTreeSet<u64>,
    resolvers: BTreeSet<Place>,
}

impl DnsMaps {
    pub(crate) fn open(pin_dir: &Path, hash_key: [u64; 2]) -> Result<Self, OpenError> {
        let data =
            |name| MapData::from_pin(pin_dir.join(name)).map_err(|source| OpenError::Map { name, source });
        let failed = |name| move |source| OpenError::Map { name, source };
        let names = HashMap::try_from(Map::HashMap(data(map::LISTED_NAMES)?));
        let blocked = HashMap::try_from(Map::HashMap(data(map::BLOCKED)?));
        let mut maps = Self {
            names: names.map_err(failed(map::LISTED_NAMES))?,
            resolvers: Places::open(pin_dir, map::ENCRYPTED_RESOLVERS)?,
            blocked: blocked.map_err(failed(map::BLOCKED))?,
            categories: pinned(pin_dir, map::CATEGORIES, Access::Write)?,
            hash_key,
            held_names: BTreeMap::new(),
            held_blocked: BTreeMap::new(),
            bits: BTreeMap::new(),
            lists: BTreeMap::new(),
            writes: 0,
        };
        maps.survey()?;
        Ok(maps)
    }

    fn survey(&mut self) -> Result<(), OpenError> {
        let failed = |name| move |source| OpenError::Map { name, source };
        for entry in &self.names {
            let (name, bits) = entry.map_err(failed(map::LISTED_NAMES))?;
            self.held_names.insert(name, bits);
        }
        for entry in &self.blocked {
            let (key, bits) = entry.map_err(failed(map::BLOCKED))?;
            let Ok(key) = DeviceKey::read_from_bytes(&key) else { continue };
            self.held_blocked.insert((key.session, key.mac), bits);
        }
        for bit in 0..self.categories.len() {
            let words: [u64; 8] = get_words!(self.categories.at(bit), name);
            if let Ok(name) = text(&words).parse() {
                self.bits.insert(name, bit);
            }
        }
        Ok(())
    }

    /// Since `count_anew`.
    pub(crate) fn writes(&self) -> u64 {
        self.writes + self.resolvers.writes
    }

    pub(crate) fn count_anew(&mut self) {
        (self.writes, self.resolvers.writes) = (0, 0);
    }

    /// Forgets what is held for sessions that there are not.
    pub(crate) fn keep_only(&mut self, sessions: &BTreeSet<u32>) -> Result<(), ApplyError> {
        let gone = self.held_blocked.keys().map(|(session, _)| *session);
        let gone: BTreeSet<u32> = gone.filter(|session| !sessions.contains(session)).collect();
        gone.into_iter().try_for_each(|session| self.set_blocked(session, &BTreeMap::new()))
    }

    /// What is blocked for the devices of a session, by station address.
    fn set_blocked(&mut self, session: u32, wanted: &BTreeMap<u64, u64>) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Map { name: map::BLOCKED, source };
        let key = |mac: u64| -> DeviceBytes { zerocopy::transmute!(DeviceKey { mac, session, spare: 0 }) };
        let held = self.held_blocked.range((session, 0)..=(session, u64::MAX));
        let held: BTreeMap<u64, u64> = held.map(|((_, mac), bits)| (*mac, *bits)).collect();
        for (mac, bits) in wanted.iter().filter(|(mac, bits)| held.get(mac) != Some(bits)) {
            self.blocked.insert(key(*mac), bits, 0).map_err(failed)?;
            self.held_blocked.insert((session, *mac), *bits);
            self.writes += 1;
        }
        for mac in held.keys().filter(|mac| !wanted.contains_key(mac)) {
            forgotten(self.blocked.remove(&key(*mac))).map_err(failed)?;
            self.held_blocked.remove(&(session, *mac));
            self.writes += 1;
        }
        Ok(())
    }

    fn hashed(&self, list: &BlockList) -> Hashed {
        let names = list.domains.iter().map(|name| NameHash::of(self.hash_key, &name.wire()));
        Hashed { names: names.collect(), resolvers: list.resolvers.iter().copied().map(place).collect() }
    }

    /// Takes a list in, or says why there is no room for it.
    fn add(&mut self, list: &BlockList) -> Result<(), ApplyError> {
        let hashed = self.hashed(list);
        let key = (list.name.clone(), list.part);
        let others = self.lists.iter().filter(|(other, _)| **other != key);
        let taken: usize = others.map(|(_, other)| other.names.len()).sum();
        if taken + hashed.names.len() > BlockList::DOMAINS_MAX {
            return Err(ApplyError::Full { table: "names on block lists", size: LISTED_NAMES_MAX });
        }
        let names: BTreeSet<&Name> = self.lists.keys().map(|(name, _)| name).collect();
        if !names.contains(&list.name) && names.len() >= BlockList::LISTS_MAX {
            return Err(ApplyError::Full { table: "block lists", size: CATEGORIES_MAX });
        }
        self.lists.insert(key, hashed);
        Ok(())
    }

    /// Makes the maps be as the lists are. A bit that is given to another category blocks nothing of the one before.
    fn sync(&mut self, writer: &mut Writer) -> Result<(), ApplyError> {
        let wanted: BTreeSet<Name> = self.lists.keys().map(|(name, _)| name.clone()).collect();
        let gone: Vec<(Name, u32)> = self
            .bits
            .iter()
            .filter(|(name, _)| !wanted.contains(*name))
            .map(|(name, bit)| (name.clone(), *bit))
            .collect();
        let kept = gone.iter().fold(u64::MAX, |kept, (_, bit)| kept & !(1 << bit));
        self.unblock(kept)?;
        for (name, bit) in gone {
            self.bits.remove(&name);
            put_words!(writer, self.categories.at(bit), [0_u64; 8], name);
        }
        let names: Vec<Name> = wanted.into_iter().filter(|name| !self.bits.contains_key(name)).collect();
        for name in names {
            let taken: BTreeSet<u32> = self.bits.values().copied().collect();
            let Some(bit) = (0..CATEGORIES_MAX).find(|bit| !taken.contains(bit)) else { break };
            put_words!(writer, self.categories.at(bit), text_words::<8>(name.as_str()), name);
            self.bits.insert(name, bit);
        }
        let mut names: BTreeMap<u64, u64> = BTreeMap::new();
        let mut resolvers = BTreeSet::new();
        for ((name, _), list) in &self.lists {
            let bit = self.bits.get(name).map_or(0, |bit| 1_u64 << bit);
            list.names.iter().for_each(|name| *names.entry(*name).or_default() |= bit);
            resolvers.extend(list.resolvers.iter().copied());
        }
        self.write_names(&names)?;
        self.resolvers.set(&resolvers)
    }

    fn unblock(&mut self, kept: u64) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Map { name: map::BLOCKED, source };
        for ((session, mac), bits) in self.held_blocked.iter_mut().filter(|(_, bits)| **bits & !kept != 0) {
            let key: DeviceBytes = zerocopy::transmute!(DeviceKey { mac: *mac, session: *session, spare: 0 });
            self.blocked.insert(key, *bits & kept, 0).map_err(failed)?;
            *bits &= kept;
            self.writes += 1;
        }
        Ok(())
    }

    /// What is not wanted goes first, so that there is room.
    fn write_names(&mut self, wanted: &BTreeMap<u64, u64>) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Map { name: map::LISTED_NAMES, source };
        let gone: Vec<u64> =
            self.held_names.keys().filter(|name| !wanted.contains_key(name)).copied().collect();
        for name in gone {
            forgotten(self.names.remove(&name)).map_err(failed)?;
            self.held_names.remove(&name);
            self.writes += 1;
        }
        for (name, bits) in wanted {
            if self.held_names.get(name) != Some(bits) {
                self.names.insert(name, bits, 0).map_err(failed)?;
                self.held_names.insert(*name, *bits);
                self.writes += 1;
            }
        }
        Ok(())
    }
}

impl Fastpath {
    /// Makes these the node's lists; what came of each.
    pub(crate) fn set_block_lists(
        &mut self,
        lists: &BTreeMap<(Name, u16), BlockList>,
    ) -> Vec<(ResourceKey, Result<(), ApplyError>)> {
        self.dns.lists.retain(|part, _| lists.contains_key(part));
        let taken_in =
            |list: &BlockList| (ResourceKey::block_list(&list.name, list.part), self.dns.add(list));
        let mut outcomes: Vec<_> = lists.values().map(taken_in).collect();
        if let Err(error) = self.dns.sync(&mut self.writer) {
            let text = error.to_string();
            tracing::error!(error = text, "the lists of names may not be in place");
            for (_, done) in outcomes.iter_mut().filter(|(_, done)| done.is_ok()) {
                *done = Err(ApplyError::NotWritten(text.clone()));
            }
        }
        outcomes
    }

    pub(crate) fn upsert_block_list(&mut self, list: &BlockList) -> Result<(), ApplyError> {
        self.dns.add(list)?;
        self.dns.sync(&mut self.writer)
    }

    /// `name`: what its key says after its kind.
    pub(crate) fn remove_block_list(&mut self, name: &str) -> Result<(), ApplyError> {
        if let Some(part) = ResourceKey::parse_block_list(name) {
            self.dns.lists.remove(&part);
        }
        self.dns.sync(&mut self.writer)
    }

    /// Of a session that goes.
    pub(crate) fn forget_blocked(&mut self, index: u32) {
        if let Err(error) = self.dns.set_blocked(index, &BTreeMap::new()) {
            tracing::warn!(index, %error, "what was blocked for a session cannot be forgotten");
        }
    }

    /// What is blocked for the devices of a session from now on. Lists that the node does not have block nothing.
    pub fn set_blocked(&mut self, subscriber: &Name, blocked: &Blocked) -> Result<(), ApplyError> {
        let index = self.index_of(subscriber).ok_or(ApplyError::NoSession(0))?;
        let bits_of = |lists: &BTreeSet<Name>| {
            lists.iter().filter_map(|list| self.dns.bits.get(list)).fold(0, |bits, bit| bits | 1_u64 << bit)
        };
        let by_mac = blocked.iter().map(|(device, lists)| {
            let mac = device.map_or(0, |mac| {
                let [a, b, c, d, e, f] = mac.octets();
                u64::from_ne_bytes([a, b, c, d, e, f, 0, 0])
            });
            (mac, bits_of(lists))
        });
        let by_mac = by_mac.collect();
        self.dns.set_blocked(index, &by_mac)
    }
}
