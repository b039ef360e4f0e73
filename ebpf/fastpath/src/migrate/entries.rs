//! Maps with keys, and counters that each CPU has its own of.

use std::{collections::BTreeMap, os::fd::AsFd, path::Path};

use aya::{maps::MapData, util::nr_cpus};
use map_abi::poke_table;

use super::plan::Plan;
use crate::{clerk::Clerk, error::OpenError, sys};

pub(crate) struct EntriesCopy {
    old: MapData,
    new: MapData,
    /// Of keys that are records.
    keys: Option<Plan>,
    grows: bool,
    sizes: (usize, usize),
    /// Entries that are looked at.
    rounds: u32,
}

fn pinned(dir: &Path, name: &'static str) -> Result<MapData, OpenError> {
    MapData::from_pin(dir.join(name)).map_err(|source| OpenError::Map { name, source })
}

/// Bytes of a map's keys and values.
fn sizes(map: &MapData, name: &'static str) -> Result<(usize, usize), OpenError> {
    let info = map.info().map_err(|source| OpenError::Map { name, source })?;
    Ok((info.key_size() as usize, info.value_size() as usize))
}

impl EntriesCopy {
    pub(crate) fn open(
        (old, new): (&Path, &Path),
        name: &'static str,
        keys: Option<Plan>,
        grows: bool,
    ) -> Result<Self, OpenError> {
        let (old, new) = (pinned(old, name)?, pinned(new, name)?);
        let (found, wanted) = (sizes(&old, name)?, sizes(&new, name)?);
        let of_keys = keys.as_ref().map_or((wanted.0, wanted.0), |plan| (plan.old_bytes(), plan.new_bytes()));
        if (found.0, wanted.0) != of_keys || found.1 != wanted.1 {
            return Err(OpenError::ValueSize { name, found: found.1, wanted: wanted.1 });
        }
        let rounds = old.info().map_err(|source| OpenError::Map { name, source })?.max_entries();
        Ok(Self { old, new, keys, grows, sizes: found, rounds: rounds.saturating_mul(2) })
    }

    /// Carries over what is not there yet.
    pub(crate) fn look(&self, is_first: bool) {
        if !is_first && !self.grows {
            return;
        }
        let (mut value, mut next) = (vec![0; self.sizes.1], vec![0; self.sizes.0]);
        let mut key: Option<Vec<u8>> = None;
        // A key that goes meanwhile begins the round anew: hence the limit.
        for _ in 0..self.rounds {
            if sys::next_key(self.old.fd().as_fd(), key.as_deref(), &mut next).is_err() {
                break;
            }
            if sys::lookup(self.old.fd().as_fd(), &next, &mut value).is_ok() {
                let mut to = next.clone();
                if let Some(plan) = &self.keys {
                    to = vec![0; plan.new_bytes()];
                    plan.convert(&next, &mut to);
                }
                // Only a full map takes none, and then it has others.
                let _ =
                    sys::update(self.new.fd().as_fd(), &to, &value, if is_first { 0 } else { sys::NOEXIST });
            }
            key = Some(next.clone());
        }
    }
}

/// Counters by CPU.
pub(crate) struct CountersCopy {
    old: MapData,
    new: MapData,
    /// What the clerk calls the map.
    table: u16,
    /// Indices, old and new, of what has the same name.
    same: Vec<(u32, u32)>,
    /// What was seen at the look before, by old index.
    seen: BTreeMap<u32, Vec<u64>>,
    pub(crate) missing: Vec<(String, u32)>,
}

impl CountersCopy {
    pub(crate) fn open(
        (old, new): (&Path, &Path),
        name: &'static str,
        (before, after): (&[String], &[String]),
    ) -> Result<Self, OpenError> {
        let place = |wanted: &String| after.iter().position(|name| name == wanted);
        let (mut same, mut missing) = (Vec::new(), Vec::new());
        for (index, counter) in (0..).zip(before) {
            match place(counter).and_then(|place| u32::try_from(place).ok()) {
                Some(place) => same.push((index, place)),
                None => missing.push((format!("{name}.{counter}"), index)),
            }
        }
        let table = poke_table::COUNTERS.iter().find(|(known, _)| *known == name);
        let table = table.map(|(_, table)| *table).ok_or(OpenError::NoMap(name))?;
        let (old, new) = (pinned(old, name)?, pinned(new, name)?);
        Ok(Self { old, new, table, same, seen: BTreeMap::new(), missing })
    }

    /// What each CPU has counted; `None`: there is no such index.
    fn read(map: &MapData, index: u32) -> Option<Vec<u64>> {
        let mut bytes = vec![0; nr_cpus().ok()? * 8];
        sys::lookup(map.fd().as_fd(), &index.to_ne_bytes(), &mut bytes).ok()?;
        let words = bytes.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_ne_bytes));
        Some(words.collect())
    }

    /// The first look: nobody counts in the new map yet.
    pub(crate) fn copy(&mut self) {
        for (from, to) in &self.same {
            let Some(now) = Self::read(&self.old, *from) else { continue };
            let bytes: Vec<u8> = now.iter().flat_map(|count| count.to_ne_bytes()).collect();
            if sys::update(self.new.fd().as_fd(), &to.to_ne_bytes(), &bytes, 0).is_ok() {
                self.seen.insert(*from, now);
            }
        }
    }

    /// A later one: the programs count in the new map meanwhile, so that only one of them can add to it.
    pub(crate) fn follow(&mut self, clerk: &mut Clerk) {
        for (from, to) in &self.same {
            let Some(now) = Self::read(&self.old, *from) else { continue };
            let before: u64 = self.seen.get(from).map_or(0, |before| before.iter().sum());
            let grown = now.iter().sum::<u64>().wrapping_sub(before);
            if grown != 0 {
                clerk.count(self.table, *to, grown);
                self.seen.insert(*from, now);
            }
        }
    }

    pub(crate) fn is_missed(&self, index: u32) -> bool {
        Self::read(&self.old, index).is_some_and(|counts| counts.iter().any(|count| *count != 0))
    }
}
