//! All maps of one layout, and those of the other that they are carried over to.

use std::path::Path;

use map_abi::{
    LinePage, NatPorts,
    layout::{Carried, MAPS},
    map,
};

use super::{
    Migration,
    arrays::ArrayCopy,
    conversions::CONVERSIONS,
    description::{Description, RecordLayout},
    entries::{CountersCopy, EntriesCopy},
    homes::{HomesCopy, KINDS},
    pages::{self, survey},
    plan::{Lost, Plan},
};
use crate::{clerk::Clerk, error::OpenError, paged::Page};

pub(crate) struct Carrier<'a> {
    dirs: (&'a Path, &'a Path),
    arrays: Vec<ArrayCopy>,
    /// Arrays of maps whose values only user space writes.
    pages: Vec<(&'static str, Plan)>,
    entries: Vec<EntriesCopy>,
    counters: Vec<CountersCopy>,
    homes: HomesCopy,
    sessions: ArrayCopy,
    session_layout: RecordLayout,
}

struct Plans<'a>(&'a Description, &'a Description);

impl Plans<'_> {
    fn of(&self, record: &'static str) -> Result<Plan, OpenError> {
        let none = || OpenError::NoRecord(record);
        let (old, new) = (self.0.record(record).ok_or_else(none)?, self.1.record(record).ok_or_else(none)?);
        Ok(Plan::new(record, old, new, CONVERSIONS))
    }
}

impl<'a> Carrier<'a> {
    pub(crate) fn open(
        old_dir: &'a Path,
        new_dir: &'a Path,
        old: &Description,
        new: &Description,
    ) -> Result<Self, OpenError> {
        let dirs = (old_dir, new_dir);
        let plans = Plans(old, new);
        let session_layout = old.record("Session").cloned().ok_or(OpenError::NoRecord("Session"))?;
        let six = old.record("Six").cloned().ok_or(OpenError::NoRecord("Six"))?;
        let sessions = ArrayCopy::open(old_dir, new_dir, map::SESSIONS, plans.of("Session")?)?;
        let of_lines = KINDS.into_iter().map(|kind| plans.of(kind)).collect::<Result<Vec<Plan>, _>>()?;
        let homes = HomesCopy::open(dirs, &sessions, (&session_layout, &six), of_lines)?;
        let mut carrier = Self {
            dirs,
            arrays: Vec::new(),
            pages: Vec::new(),
            entries: Vec::new(),
            counters: Vec::new(),
            homes,
            sessions,
            session_layout,
        };
        // A map that is new begins empty.
        for map in MAPS.iter().filter(|map| old_dir.join(map.name).exists()) {
            match map.carried {
                Carried::Array { .. } if map.name == map::SESSIONS => {}
                Carried::Array { record } => {
                    carrier.arrays.push(ArrayCopy::open(old_dir, new_dir, map.name, plans.of(record)?)?);
                }
                Carried::Pages { record } => carrier.pages.push((map.name, plans.of(record)?)),
                Carried::Entries { key, grows } => {
                    let keys = if key.is_empty() { None } else { Some(plans.of(key)?) };
                    carrier.entries.push(EntriesCopy::open(dirs, map.name, keys, grows)?);
                }
                Carried::Counters => {
                    let names =
                        |layout: &Description| layout.indices.get(map.name).cloned().unwrap_or_default();
                    let names = (names(old), names(new));
                    carrier.counters.push(CountersCopy::open(dirs, map.name, (&names.0, &names.1))?);
                }
                Carried::Homes | Carried::Anew => {}
            }
        }
        Ok(carrier)
    }

    /// The first look, at everything.
    pub(crate) fn copy(&mut self) -> Result<(), OpenError> {
        let (old, new) = self.dirs;
        for (name, plan) in &self.pages {
            if *name == LinePage::MAP {
                pages::copy::<LinePage>(old, new, plan)?;
            } else {
                pages::copy::<NatPorts>(old, new, plan)?;
            }
        }
        self.homes.copy()?;
        self.sessions.look(true);
        self.arrays.iter_mut().for_each(|array| {
            array.look(true);
        });
        self.entries.iter().for_each(|entries| entries.look(true));
        self.counters.iter_mut().for_each(CountersCopy::copy);
        Ok(())
    }

    /// A later one, at what the kernel writes; how much had changed. `is_in_use`: its programs write to the new maps.
    pub(crate) fn follow(&mut self, clerk: &mut Clerk, is_in_use: bool) -> Result<u64, OpenError> {
        // First what packets miss at once.
        let mut changed = self.homes.follow(clerk, is_in_use)?;
        changed += self.sessions.look(false);
        for array in &mut self.arrays {
            changed += array.look(false);
        }
        if is_in_use {
            self.entries.iter().for_each(|entries| entries.look(false));
            self.counters.iter_mut().for_each(|counters| counters.follow(clerk));
            clerk.flush().map_err(survey)?;
        }
        Ok(changed)
    }

    pub(crate) fn report(&mut self) -> Migration {
        let mut lost = Lost::new();
        self.homes.count(&mut lost);
        self.sessions.count_lost(&mut lost);
        self.arrays.iter().for_each(|array| array.count_lost(&mut lost));
        for counters in &self.counters {
            let missed = counters.missing.iter().filter(|(_, index)| counters.is_missed(*index));
            lost.extend(missed.map(|(name, _)| (name.clone(), 1)));
        }
        let mut record = vec![0; self.sessions.old.row_bytes()];
        let sessions = (0..self.sessions.old.rows())
            .filter(|row| {
                self.sessions.old.read(*row, &mut record)
                    && self.session_layout.number(&record, "in_use") != 0
            })
            .count();
        Migration {
            sessions: sessions as u64,
            mappings: self.homes.mappings,
            flows: self.homes.flows,
            lost,
            ..Migration::default()
        }
    }
}
