//! The whole desired state, or some changes of it.

use std::collections::{BTreeMap, BTreeSet};

use map_abi::FibTarget;
use net_types::{IfName, Name, Prefix4};
use node_plan::forwarding::{Fib, FibPaint, Runs, home_order};
use node_state::{NodeState, Resource, ResourceKey, Route, RouteTarget, Session};

use crate::{
    change::addresses,
    error::ApplyError,
    fastpath::{Change, Fastpath},
    ports,
};

type Outcome = (ResourceKey, Result<(), ApplyError>);

impl Fastpath {
    /// Compares everything with what the maps hold and writes what differs, removal of what is not desired included.
    /// Ports are attached here too (natively, by name); links only contribute their addresses.
    ///
    /// What is not desired goes first, then the forwarding table is made right as a whole, then sessions come: so
    /// nothing ever leads to a home that was given to somebody else.
    pub fn reconcile(&mut self, desired: &NodeState) -> Vec<Outcome> {
        self.begin();
        let mut outcomes = Vec::new();
        self.set_nat_log(desired.nat_log.as_ref());
        outcomes.extend(desired.nat_log.map(|log| (Resource::NatLog(log).key(), Ok(()))));
        let gone: Vec<Name> = self
            .sessions
            .by_name
            .keys()
            .filter(|name| !desired.sessions.contains_key(*name))
            .cloned()
            .collect();
        for name in &gone {
            self.remove_session(name);
        }
        self.remove_ports_but(&desired.ports.keys().collect());
        self.withdraw_without_pool(desired);
        self.rebuild_fib(desired, &mut outcomes);
        for port in desired.ports.values() {
            outcomes.push((Resource::Port(port.clone()).key(), self.upsert_port(port)));
        }
        for link in desired.links.values() {
            let key = Resource::Link(link.clone()).key();
            let done = self.set_locals(&key, addresses(&link.addresses));
            outcomes.push((key, done));
        }
        let done = self.set_garden(desired.garden.as_ref());
        if desired.garden.is_some() {
            outcomes.push((Resource::GARDEN_KEY.to_owned().into(), done));
        } else if let Err(error) = done {
            tracing::warn!(%error, "what was in the walled garden cannot be removed");
        }
        let done = self.set_voice(desired.voice.as_ref());
        if desired.voice.is_some() {
            outcomes.push((Resource::VOICE_KEY.to_owned().into(), done));
        } else if let Err(error) = done {
            tracing::warn!(%error, "where voice platforms were cannot be removed");
        }
        let done = self.set_nat_exempt(desired.nat_exempt.as_ref());
        if desired.nat_exempt.is_some() {
            outcomes.push((Resource::NAT_EXEMPT_KEY.to_owned().into(), done));
        } else if let Err(error) = done {
            tracing::warn!(%error, "what was exempt from NAT cannot be removed");
        }
        outcomes.extend(self.set_block_lists(&desired.block_lists));
        for session in desired.sessions.values() {
            self.make_way(session);
        }
        if let Err(error) = self.reserve(desired) {
            // Each session will say so for itself, if it needs what there is no room for.
            tracing::warn!(%error, "room cannot be made for all sessions at once");
        }
        for session in desired.sessions.values() {
            outcomes.push((ResourceKey::session(&session.subscriber), self.upsert_session(session)));
        }
        self.finish(&mut outcomes);
        outcomes
    }

    fn begin(&mut self) {
        self.writer.writes = 0;
        self.clerk.writes = 0;
        self.garden.count_anew();
        self.voice.writes = 0;
        self.nat_exempt.writes = 0;
        self.dns.count_anew();
        self.devices.writes = 0;
        self.moving.clear();
    }

    /// What was written is in place, or no session is as desired.
    fn finish(&mut self, outcomes: &mut [Outcome]) {
        let Err(error) = self.sessions.finish(&self.tables, &mut self.writer, &mut self.clerk) else {
            return;
        };
        let text = error.to_string();
        for (key, done) in outcomes.iter_mut().filter(|(key, _)| key.subscriber().is_some()) {
            tracing::error!(%key, error = text, "session may not be in place");
            if done.is_ok() {
                *done = Err(ApplyError::NotWritten(text.clone()));
            }
        }
    }

    /// Makes room at once for all that is desired: chunk by chunk and page by page it would take long.
    fn reserve(&mut self, desired: &NodeState) -> Result<(), ApplyError> {
        let mut homes: BTreeMap<u32, u32> = BTreeMap::new();
        let mut s_vids = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        for session in desired.sessions.values() {
            if let Ok(order) = home_order(session) {
                *homes.entry(order).or_default() += 1;
            }
            s_vids.insert((&session.port, session.tags.s_vid));
            addresses.extend(session.nat.map(|nat| nat.address));
        }
        self.sessions.reserve(&homes, u32::try_from(s_vids.len()).unwrap_or(u32::MAX))?;
        let indices = addresses.into_iter().filter_map(|address| self.tables.nat_address(address));
        self.sessions.reserve_ports(indices.collect())
    }

    /// A few changes on a large table, without a rescan; made in the right order, whatever the order given.
    pub fn apply(&mut self, changes: &[Change]) -> Vec<Outcome> {
        self.begin();
        let mut outcomes = Vec::new();
        let removed = |prefix: &'static str| {
            changes.iter().filter_map(move |change| match change {
                Change::Remove(key) => key.as_str().strip_prefix(prefix).map(|rest| (key, rest)),
                Change::Upsert(_) => None,
            })
        };
        let upserted = || {
            changes.iter().filter_map(|change| match change {
                Change::Upsert(resource) => Some(resource),
                Change::Remove(_) => None,
            })
        };
        for (key, name) in removed("session/") {
            if let Ok(name) = name.parse() {
                self.remove_session(&name);
            }
            outcomes.push((key.clone(), Ok(())));
        }
        for resource in upserted() {
            match resource {
                Resource::Port(port) => outcomes.push((resource.key(), self.upsert_port(port))),
                Resource::Link(link) => {
                    outcomes
                        .push((resource.key(), self.set_locals(&resource.key(), addresses(&link.addresses))));
                }
                Resource::Garden(garden) => outcomes.push((resource.key(), self.set_garden(Some(garden)))),
                Resource::Voice(voice) => outcomes.push((resource.key(), self.set_voice(Some(voice)))),
                Resource::NatExempt(exempt) => {
                    outcomes.push((resource.key(), self.set_nat_exempt(Some(exempt))));
                }
                Resource::BlockList(list) => {
                    outcomes.push((resource.key(), self.upsert_block_list(list)));
                }
                Resource::NatLog(log) => {
                    self.set_nat_log(Some(log));
                    outcomes.push((resource.key(), Ok(())));
                }
                Resource::Route(_) | Resource::Route6(_) | Resource::Session(_) | Resource::Station(_) => {}
            }
        }
        for resource in upserted() {
            match resource {
                Resource::Route(route) => outcomes.push((resource.key(), self.upsert_route(route))),
                Resource::Route6(route) => outcomes.push((resource.key(), self.upsert_route6(route))),
                _ => {}
            }
        }
        let sessions: Vec<&Session> = upserted()
            .filter_map(
                |resource| if let Resource::Session(session) = resource { Some(session) } else { None },
            )
            .collect();
        for session in &sessions {
            self.make_way(session);
        }
        for session in sessions {
            outcomes.push((ResourceKey::session(&session.subscriber), self.upsert_session(session)));
        }
        for (key, _) in removed("garden/") {
            outcomes.push((key.clone(), self.set_garden(None)));
        }
        for (key, _) in removed("voice/") {
            outcomes.push((key.clone(), self.set_voice(None)));
        }
        for (key, _) in removed("natExempt/") {
            outcomes.push((key.clone(), self.set_nat_exempt(None)));
        }
        for (key, name) in removed("blockList/") {
            outcomes.push((key.clone(), self.remove_block_list(name)));
        }
        for (key, prefix) in removed("route/") {
            outcomes.push((key.clone(), prefix.parse().map_or(Ok(()), |prefix| self.remove_route(prefix))));
        }
        for (key, prefix) in removed("route6/") {
            if let Ok(prefix) = prefix.parse() {
                self.remove_route6(prefix);
            }
            outcomes.push((key.clone(), Ok(())));
        }
        for (key, _) in removed("natLog/") {
            self.set_nat_log(None);
            outcomes.push((key.clone(), Ok(())));
        }
        for (key, _) in removed("link/") {
            outcomes.push((key.clone(), self.forget_locals(key)));
        }
        for (key, name) in removed("port/") {
            let done = match name.parse::<IfName>().ok().filter(|name| self.tables.held_port(name).is_some())
            {
                Some(name) => self.detach(&name).and_then(|()| self.forget_locals(key)),
                None => Ok(()),
            };
            outcomes.push((key.clone(), done));
        }
        self.finish(&mut outcomes);
        outcomes
    }

    fn forget_locals(&mut self, key: &ResourceKey) -> Result<(), ApplyError> {
        self.set_locals(key, BTreeSet::new())?;
        self.locals.remove(key);
        Ok(())
    }

    /// Sessions on a port that goes are withdrawn when their own turn comes: without the port they cannot be.
    fn remove_ports_but(&mut self, desired: &BTreeSet<&IfName>) {
        let gone: Vec<_> = self.tables.held_ports().filter(|port| !desired.contains(&port.name)).collect();
        for port in gone {
            let on_port: Vec<Name> = self
                .sessions
                .by_name
                .iter()
                .filter(|(_, index)| self.tables.reach(**index).port == port.index)
                .map(|(name, _)| name.clone())
                .collect();
            for name in &on_port {
                self.remove_session(name);
            }
            ports::remove(&self.tables, &mut self.writer, &self.pin_dir, &port);
        }
    }

    /// Where a public address is in the maps is known only while its pool is: sessions go before it.
    fn withdraw_without_pool(&mut self, desired: &NodeState) {
        let pools: Vec<Prefix4> = desired
            .routes
            .values()
            .filter(|route| route.target == RouteTarget::NatPool)
            .map(|route| route.prefix)
            .collect();
        let indices: Vec<u32> = self.sessions.by_name.values().copied().collect();
        for index in indices {
            if let Some(nat) = self.tables.reach(index).nat
                && !pools.iter().any(|pool| pool.contains(nat.address))
            {
                self.withdraw(index);
            }
        }
    }

    /// Works the forwarding table out anew from routes, the node's addresses and the sessions that there are, and makes
    /// the maps be so.
    fn rebuild_fib(&mut self, desired: &NodeState, outcomes: &mut Vec<Outcome>) {
        for port in desired.ports.values() {
            // Routes name ports by their index.
            if let Err(error) = ports::describe(&self.tables, &mut self.writer, port) {
                tracing::warn!(port = %port.name, %error, "port cannot be described");
            }
        }
        let mut prefixes: BTreeMap<Prefix4, FibPaint> = BTreeMap::new();
        let held_pages = self.tables.held_fib_pages();
        self.fib = Fib::new(self.tables.fib_pages.len());
        self.nat_addresses = Runs::new(self.sessions.nat_addresses());
        self.routes.clear();
        self.locals.clear();
        // Until all is known, nothing is written.
        self.is_built = false;
        let gone: Vec<Prefix4> = self.route_table.office_prefixes().collect();
        for prefix in gone.into_iter().filter(|prefix| !desired.routes.contains_key(prefix)) {
            drop(self.route_table.set_office_route(prefix, None));
        }
        self.set_core_ports();
        // Pools that have their place in the maps keep it before others look for one.
        let has_place =
            |route: &&Route| self.tables.lookup(route.prefix.network()).kind() == FibTarget::KIND_NAT;
        let (placed, others): (Vec<&Route>, Vec<&Route>) = desired.routes.values().partition(has_place);
        for route in placed.into_iter().chain(others) {
            let key = Resource::Route(route.clone()).key();
            let done = self.paint(route).and_then(|paint| {
                let via = self.neighbour_of(route)?;
                prefixes.extend(paint.map(|paint| (route.prefix, paint)));
                self.set_office_route(route.prefix, via)
            });
            if let Err(error) = done {
                drop(self.route_table.set_office_route(route.prefix, None));
                outcomes.push((key, Err(error)));
                continue;
            }
            self.routes.insert(route.prefix, route.clone());
        }
        let with_addresses = desired
            .ports
            .values()
            .map(|port| (Resource::Port(port.clone()).key(), addresses(&port.addresses)))
            .chain(
                desired
                    .links
                    .values()
                    .map(|link| (Resource::Link(link.clone()).key(), addresses(&link.addresses))),
            );
        for (key, addresses) in with_addresses {
            prefixes.extend(addresses.iter().map(|a| (Prefix4::host(*a), FibPaint::Flat(FibTarget::LOCAL))));
            self.locals.insert(key, addresses);
        }
        prefixes.extend(self.paint_networks(desired));
        let routes = self.route_table.routes().filter(|(prefix, _)| !prefix.is_default());
        let (fib, errors) = Fib::build(self.tables.fib_pages.len(), &held_pages, prefixes, routes);
        self.fib = fib;
        let mut full: BTreeMap<Prefix4, ApplyError> = errors
            .into_iter()
            .map(|error| match error {
                node_plan::forwarding::FibError::Full(prefix) => (prefix, error.into()),
            })
            .collect();
        for route in desired.routes.values().filter(|route| self.routes.contains_key(&route.prefix)) {
            let done = full.remove(&route.prefix).map_or(Ok(()), Err);
            outcomes.push((Resource::Route(route.clone()).key(), done));
        }
        for (prefix, error) in full {
            tracing::warn!(%prefix, %error, "a route of the kernel's cannot be followed");
        }
        self.rebuild_fib6(desired, outcomes);
        self.write_next_hops();
        self.tables.sync_fib(&mut self.writer, &self.fib);
        self.tables.write_fib6(&mut self.writer, &self.fib6.all());
        if let Err(error) = self.forget_next_hops() {
            tracing::warn!(%error, "routes cannot be followed");
        }
    }
}
