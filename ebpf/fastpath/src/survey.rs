//! Taking stock of maps that are there already, and removing from them what leads to no session.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    str::FromStr,
};

use map_abi::{HomeRef, PortsRef, SVIDS_PER_PORT, UNIT_INDICES_PER_CHUNK, UNITS_PER_CHUNK};
use net_types::Name;

use crate::{
    clerk::Clerk,
    error::OpenError,
    mapped::{Writer, put},
    sessions::{self, Sessions},
    shared::Lines,
    tables::Tables,
};

/// Sessions by the first unit of their home.
type ByUnit = BTreeMap<u32, u32>;

impl Sessions {
    pub(crate) fn survey(
        tables: &Tables,
        pin_dir: &Path,
        writer: &mut Writer,
        clerk: &mut Clerk,
    ) -> Result<Self, OpenError> {
        let mut found = sessions::opened(tables, pin_dir)?;
        let mut by_unit = ByUnit::new();
        for index in tables.sessions_in_use() {
            let session = tables.session(index);
            let home = session.home;
            let is_new = found.indices.take_at(index, 0);
            let records = [home, session.flows, session.rules.record()];
            let taken =
                records.map(|record| !record.is_none() && found.units.take_at(record.unit(), record.order()));
            let has_records = records.iter().zip(taken).all(|(record, taken)| record.is_none() || taken);
            match Name::from_str(&tables.name_of(index)) {
                Ok(name) if is_new && has_records && !found.by_name.contains_key(&name) => {
                    found.by_name.insert(name, index);
                    by_unit.insert(home.unit(), index);
                }
                // Not as this program writes it: nothing may lead there, and then it is free.
                _ => {
                    put!(writer, tables.sessions.at(index), 0, in_use);
                    found.indices.release(index, 0);
                    for (record, _) in records.iter().zip(taken).filter(|(_, taken)| *taken) {
                        found.units.release(record.unit(), record.order());
                    }
                }
            }
        }
        for index in by_unit.values() {
            found.survey_overflow(tables, writer, clerk, *index);
        }
        found.survey_shared(tables, &by_unit);
        found.survey_lines(tables, writer, clerk, &by_unit);
        found.survey_ports(tables, clerk, &by_unit);
        found.wipe_free(tables, clerk);
        clerk.flush().map_err(|error| OpenError::Survey(Box::new(error)))?;
        Ok(found)
    }

    /// Empties what belongs to no session: a process that ended between giving a home away and wiping it left in it
    /// what the session after it must not inherit.
    fn wipe_free(&self, tables: &Tables, clerk: &mut Clerk) {
        let sessions = self.by_name.values().map(|index| tables.session(*index));
        let taken: BTreeSet<u32> = sessions
            .flat_map(|session| [session.home, session.flows, session.rules.record()])
            .chain(self.overflow.held.values().flatten().map(|held| held.record))
            .filter(|record| !record.is_none())
            .flat_map(|record| record.unit()..record.unit() + record.units())
            .collect();
        for chunk in self.homes.held() {
            let first = chunk * UNIT_INDICES_PER_CHUNK;
            (first..first + UNITS_PER_CHUNK)
                .filter(|unit| !taken.contains(unit))
                .filter_map(|unit| HomeRef::new(unit, 0))
                .for_each(|unit| clerk.wipe(unit));
        }
    }

    /// Before the lines: of those that are shared, these are the members.
    fn survey_shared(&mut self, tables: &Tables, by_unit: &ByUnit) {
        for (key, home) in self.members.held() {
            let session = by_unit.get(&home.unit()).filter(|index| {
                let (reach, mac) = (tables.reach(**index), tables.fixed_mac_of(**index));
                tables.session(**index).home == home && Lines::is_of(&key, &reach, mac)
            });
            match session {
                Some(index) => {
                    self.members.found(tables.reach(*index).tags(), *index, tables.fixed_mac_of(*index));
                }
                None => self.members.remove(key),
            }
        }
        self.members.forget_lone();
    }

    fn survey_lines(&mut self, tables: &Tables, writer: &mut Writer, clerk: &mut Clerk, by_unit: &ByUnit) {
        for index in 0..tables.svid_pages.len() {
            let at = tables.svid_pages.at(index);
            // SAFETY: aligned, and inside the mapping.
            let page = unsafe { crate::mapped::Word::load(at) };
            if page == 0 {
                continue;
            }
            let page = u32::try_from(page).unwrap_or(u32::MAX);
            let value = self.lines.pages.read(page);
            let (Some(value), true) = (value, self.line_pages.take_at(page, 0)) else {
                // SAFETY: aligned, and inside a mapping for writing.
                unsafe { writer.put(at, 0_u64) };
                continue;
            };
            let port = u16::try_from(index / SVIDS_PER_PORT).unwrap_or(u16::MAX);
            let s_vid = u16::try_from(index % SVIDS_PER_PORT).unwrap_or(u16::MAX);
            self.population.insert(page, 0);
            for (c_vid, home) in (0_u16..).zip(value.homes).filter(|(_, home)| !home.is_none()) {
                let tags = (port, s_vid, c_vid);
                if home.is_shared() && !self.members.is_empty(tags) {
                    continue;
                }
                let session = by_unit.get(&home.unit()).filter(|index| {
                    tables.session(**index).home == home && tables.reach(**index).tags() == tags
                });
                if let Some(session) = session {
                    self.members.found(tags, *session, tables.fixed_mac_of(*session));
                } else {
                    clerk.poke_line(page, c_vid, HomeRef::NONE);
                }
            }
        }
        for (port, s_vid, c_vid) in self.members.tags() {
            match tables.access_page(port, s_vid) {
                Some(page) => *self.population.entry(page).or_default() += 1,
                None => self.members.forget((port, s_vid, c_vid)),
            }
        }
    }

    fn survey_ports(&mut self, tables: &Tables, clerk: &mut Clerk, by_unit: &ByUnit) {
        for address in self.ports.held().collect::<Vec<_>>() {
            let Some(value) = self.ports.pages.read(address) else { continue };
            for (group, ports) in (0_u16..).zip(value.groups).filter(|(_, ports)| !ports.is_none()) {
                if let Some((holder, first, groups)) = self.further_block(tables, address, group, ports) {
                    let external = tables.session(holder).external.into();
                    self.by_ports.insert((external, first), (groups, holder));
                    continue;
                }
                let session = by_unit
                    .get(&ports.home())
                    .filter(|index| leads_there(tables, **index, address, group, ports));
                let Some(session) = session else {
                    clerk.poke_ports(address, group.into(), 0);
                    continue;
                };
                let reach = tables.reach(*session);
                if let Some(nat) = reach.nat {
                    let (first, count) = reach.groups(nat);
                    self.by_ports.insert((nat.address, first), (count, *session));
                }
            }
        }
    }
}

impl Sessions {
    /// The session whose further block that group of ports of that address really leads to, and the block's first group and
    /// how many it has.
    fn further_block(
        &self,
        tables: &Tables,
        address: u32,
        group: u16,
        ports: PortsRef,
    ) -> Option<(u32, u16, u16)> {
        let (index, held) = self.block_with(ports.home())?;
        let nat = tables.reach(index).nat?;
        let groups = u16::try_from(held.record.units()).ok()?;
        let n = group.checked_sub(held.first).filter(|n| *n < groups)?;
        let is_there =
            tables.nat_address(nat.address) == Some(address) && held.record.ports(n.into()) == ports;
        is_there.then_some((index, held.first, groups))
    }
}

/// Whether the session is really reached by that group of ports of that address.
fn leads_there(tables: &Tables, index: u32, address: u32, group: u16, ports: PortsRef) -> bool {
    let session = tables.session(index);
    let reach = tables.reach(index);
    let Some(nat) = reach.nat else { return false };
    let (first, count) = reach.groups(nat);
    tables.nat_address(nat.address) == Some(address)
        && (first..first + count).contains(&group)
        && session.home.ports((group - first).into()) == ports
}
