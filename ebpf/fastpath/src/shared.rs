//! Who is behind which tags: one session, or several with an address each (N:1 VLANs: TR-101, section 3.1).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use aya::maps::{HashMap, Map, MapData, MapError};
use map_abi::{HomeRef, SharedKey, map};
use net_types::Mac;

use crate::{
    error::{ApplyError, OpenError},
    reach::Reach,
};

/// Port, S-VID, C-VID.
pub(crate) type Tags = (u16, u16, u16);

/// A key in words, as the map library wants it.
type Words = [u64; 2];

/// The sessions behind each pair of tags, and the map that tells those apart that have the same.
pub(crate) struct Lines {
    /// By index; with the address that was configured.
    members: BTreeMap<Tags, BTreeMap<u32, Option<Mac>>>,
    map: HashMap<MapData, Words, u32>,
    /// Of lines that are not shared any more: they go when nothing leads to them.
    stale: BTreeSet<SharedKey>,
}

fn key(tags: Tags, mac: Mac) -> SharedKey {
    let (port, s_vid, c_vid) = tags;
    let [a, b, c, d, e, f] = mac.octets();
    let mac = u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]);
    SharedKey { mac_and_port: mac | u64::from(port) << 48, c_vid: c_vid.into(), s_vid: s_vid.into() }
}

impl Lines {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Map { name: map::SHARED, source };
        let data = MapData::from_pin(pin_dir.join(map::SHARED)).map_err(failed)?;
        let map = HashMap::try_from(Map::HashMap(data)).map_err(failed)?;
        Ok(Self { members: BTreeMap::new(), map, stale: BTreeSet::new() })
    }

    /// A session other than `index` that the tags belong to, as far as they cannot be shared.
    pub(crate) fn holder(&self, tags: Tags, index: u32, mac: Option<Mac>) -> Option<u32> {
        let others = self.members.get(&tags)?.iter().filter(|(other, _)| **other != index);
        others
            .filter(|(_, other)| mac.is_none() || other.is_none() || **other == mac)
            .map(|(it, _)| *it)
            .next()
    }

    /// Whether the session has another address now on a line that it shares, or has shared until a moment ago.
    pub(crate) fn has_moved(&self, tags: Tags, index: u32, mac: Option<Mac>) -> bool {
        let Some(before) = self.members.get(&tags).and_then(|members| members.get(&index)) else {
            return false;
        };
        let is_left = || before.is_some_and(|before| self.stale.contains(&key(tags, before)));
        *before != mac && (self.is_shared(tags) || is_left())
    }

    pub(crate) fn is_empty(&self, tags: Tags) -> bool {
        !self.members.contains_key(&tags)
    }

    fn is_shared(&self, tags: Tags) -> bool {
        self.members.get(&tags).is_some_and(|members| members.len() > 1)
    }

    /// Where frames with the tags are to be led.
    pub(crate) fn target(&self, tags: Tags, home_of: impl Fn(u32) -> HomeRef) -> HomeRef {
        match self.members.get(&tags).map(|members| (members.len(), members.first_key_value())) {
            Some((1, Some((index, _)))) => home_of(*index),
            Some((2.., _)) => HomeRef::SHARED,
            _ => HomeRef::NONE,
        }
    }

    /// Notes that a session is behind the tags. Nothing leads to it yet, unless the line is shared already.
    pub(crate) fn join(
        &mut self,
        tags: Tags,
        (index, mac, home): (u32, Option<Mac>, HomeRef),
        home_of: impl Fn(u32) -> HomeRef,
    ) -> Result<(), ApplyError> {
        let before = self.members.entry(tags).or_default().insert(index, mac);
        if let Some(Some(before)) = before
            && Some(before) != mac
        {
            self.remove(key(tags, before));
        }
        if !self.is_shared(tags) {
            return Ok(());
        }
        let members: Vec<(u32, Mac)> =
            self.members[&tags].iter().filter_map(|(index, mac)| Some((*index, (*mac)?))).collect();
        for (member, mac) in members {
            let home = if member == index { home } else { home_of(member) };
            if let Err(error) = self.insert(key(tags, mac), home) {
                match before {
                    Some(before) => drop(self.members.entry(tags).or_default().insert(index, before)),
                    None => drop(self.leave(tags, index)),
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// The reverse; true: it was behind the tags.
    pub(crate) fn leave(&mut self, tags: Tags, index: u32) -> bool {
        let Some(members) = self.members.get_mut(&tags) else { return false };
        let Some(mac) = members.remove(&index) else { return false };
        match members.len() {
            0 => drop(self.members.remove(&tags)),
            // Until the line leads to it by itself, packets find it so.
            1 => self.stale.extend(members.values().filter_map(|mac| Some(key(tags, (*mac)?)))),
            _ => {}
        }
        if let Some(mac) = mac {
            self.remove(key(tags, mac));
        }
        true
    }

    /// Takes out what no line leads to any more.
    pub(crate) fn settle(&mut self) {
        for key in std::mem::take(&mut self.stale) {
            let word = |word: u32| u16::try_from(word).unwrap_or(0);
            let port = u16::try_from(key.mac_and_port >> 48).unwrap_or(0);
            if !self.is_shared((port, word(key.s_vid), word(key.c_vid))) {
                self.remove(key);
            }
        }
    }

    /// What the map has.
    pub(crate) fn held(&self) -> Vec<(SharedKey, HomeRef)> {
        let held = self.map.iter().filter_map(Result::ok);
        held.map(|(words, bits)| (zerocopy::transmute!(words), HomeRef::from_bits(bits))).collect()
    }

    /// Notes a session that a line, or the map, was found to lead to.
    pub(crate) fn found(&mut self, tags: Tags, index: u32, mac: Option<Mac>) {
        self.members.entry(tags).or_default().insert(index, mac);
    }

    /// Those that somebody is behind.
    pub(crate) fn tags(&self) -> Vec<Tags> {
        self.members.keys().copied().collect()
    }

    /// Nobody is behind the tags any more.
    pub(crate) fn forget(&mut self, tags: Tags) {
        for (_, mac) in self.members.remove(&tags).unwrap_or_default() {
            self.stale.extend(mac.map(|mac| key(tags, mac)));
        }
    }

    /// Whether the map leads to that session, of which this is what the maps say.
    pub(crate) fn is_of(found: &SharedKey, reach: &Reach, mac: Option<Mac>) -> bool {
        mac.is_some_and(|mac| key(reach.tags(), mac) == *found)
    }

    /// A line that leads to one home by itself needs no address.
    pub(crate) fn forget_lone(&mut self) {
        let lone = self.members.iter().filter(|(_, members)| members.len() == 1);
        let lone =
            lone.flat_map(|(tags, members)| members.values().filter_map(|mac| Some(key(*tags, (*mac)?))));
        self.stale.extend(lone);
    }

    fn insert(&mut self, key: SharedKey, home: HomeRef) -> Result<(), ApplyError> {
        self.stale.remove(&key);
        let words: Words = zerocopy::transmute!(key);
        if matches!(self.map.get(&words, 0), Ok(bits) if bits == home.to_bits()) {
            return Ok(());
        }
        self.map.insert(words, home.to_bits(), 0).map_err(|error| ApplyError::Shared(error.to_string()))
    }

    pub(crate) fn remove(&mut self, key: SharedKey) {
        let words: Words = zerocopy::transmute!(key);
        match self.map.remove(&words) {
            Ok(()) | Err(MapError::KeyNotFound) => {}
            Err(error) => tracing::warn!(?key, %error, "an address of a shared line cannot be forgotten"),
        }
    }
}
