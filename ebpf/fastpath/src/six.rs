//! What a session has of IPv6 and of a firewall, which come and go without touching the rest of it.

use std::collections::BTreeMap;

use map_abi::{FibTarget, HomeRef};
use net_types::{Name, Prefix6};
use node_plan::forwarding::{Fib6, Neighbour, flows_order, prefixes6};
use node_state::{NodeState, Resource, ResourceKey, Route6, Route6Target, Session};

use crate::{error::ApplyError, fastpath::Fastpath};

const BLACKHOLE: FibTarget = FibTarget::BLACKHOLE;

fn home_target(home: HomeRef) -> FibTarget {
    FibTarget::new(FibTarget::KIND_SESSION, home.unit())
}

/// Prefixes that a session in the maps says are its own.
pub(crate) fn held_prefixes6(session: &map_abi::Session) -> Vec<Prefix6> {
    let prefix = |upper: [u8; 8], len: u8| {
        let address = u128::from(u64::from_be_bytes(upper)) << 64;
        Prefix6::new(address.into(), len).ok()
    };
    if session.has_ipv6 == 0 {
        return Vec::new();
    }
    let delegated = (session.delegated_len != 0).then(|| prefix(session.delegated, session.delegated_len));
    prefix(session.link, 64).into_iter().chain(delegated.flatten()).collect()
}

/// The painting of those prefixes.
pub(crate) fn held_paints6(session: &map_abi::Session) -> Vec<(Prefix6, FibTarget)> {
    if session.home.is_none() {
        return Vec::new();
    }
    held_prefixes6(session).into_iter().map(|prefix| (prefix, home_target(session.home))).collect()
}

impl Fastpath {
    pub(crate) fn fib6_insert(&mut self, prefix: Prefix6, target: FibTarget) -> Result<(), ApplyError> {
        let ops = self.fib6.insert(prefix, target)?;
        self.tables.write_fib6(&mut self.writer, &ops);
        Ok(())
    }

    pub(crate) fn fib6_remove(&mut self, prefix: Prefix6) {
        let ops = self.fib6.remove(prefix);
        self.tables.write_fib6(&mut self.writer, &ops);
    }

    /// Whether nobody else has what a session wants of IPv6.
    pub(crate) fn check_free6(&self, session: &Session, held: Option<u32>) -> Result<(), ApplyError> {
        let own = held.map(|index| home_target(self.tables.session(index).home));
        for prefix in prefixes6(session)? {
            let taken = self.fib6.get(prefix).filter(|target| Some(*target) != own && *target != BLACKHOLE);
            if taken.is_some() {
                return Err(ApplyError::Prefix6Taken(prefix));
            }
        }
        flows_order(session)?;
        Ok(())
    }

    /// Takes away what leads to a session by prefixes other than these.
    pub(crate) fn leave_prefixes6(&mut self, index: u32, but: &[Prefix6]) {
        let session = self.tables.session(index);
        let further = self.networks6.remove(&index).unwrap_or_default();
        let stay: Vec<Prefix6> = further.iter().copied().filter(|prefix| but.contains(prefix)).collect();
        if !stay.is_empty() {
            self.networks6.insert(index, stay);
        }
        for prefix in held_prefixes6(&session).into_iter().chain(further) {
            if but.contains(&prefix) || self.fib6.get(prefix) != Some(home_target(session.home)) {
                continue;
            }
            // Painting one anew needs no page that is not there.
            if !self.is_pool6(prefix) || self.fib6_insert(prefix, BLACKHOLE).is_err() {
                self.fib6_remove(prefix);
            }
        }
    }

    /// Sees to it that routes to a session can be written, before anything else of it is.
    pub(crate) fn reserve_prefixes6(&mut self, session: &Session) -> Result<(), ApplyError> {
        for prefix in prefixes6(session)? {
            if self.fib6.get(prefix).is_none() {
                self.fib6_insert(prefix, BLACKHOLE)?;
            }
        }
        Ok(())
    }

    pub(crate) fn lead_to6(
        &mut self,
        session: &Session,
        index: u32,
        home: HomeRef,
    ) -> Result<(), ApplyError> {
        for prefix in prefixes6(session)? {
            self.fib6_insert(prefix, home_target(home))?;
        }
        self.note_networks6(session, index);
        Ok(())
    }

    /// Keeps which networks, beside those that the session says, lead to it.
    fn note_networks6(&mut self, session: &Session, index: u32) {
        match &session.ipv6 {
            Some(line) if !line.more_networks.is_empty() => {
                self.networks6.insert(index, line.more_networks.clone());
            }
            _ => {
                self.networks6.remove(&index);
            }
        }
    }

    /// The painting of those networks of the sessions which are there, as they are to be.
    fn paint_networks6(&mut self, desired: &NodeState) -> Vec<(Prefix6, FibTarget)> {
        self.networks6.clear();
        let mut painted = Vec::new();
        let held: Vec<(Name, u32)> =
            self.sessions.by_name.iter().map(|(name, index)| (name.clone(), *index)).collect();
        for (name, index) in held {
            let home = self.tables.session(index).home;
            let wanted = desired.sessions.get(&name).filter(|session| prefixes6(session).is_ok());
            let Some(session) = wanted.filter(|_| !home.is_none()) else { continue };
            self.note_networks6(session, index);
            let networks = self.networks6.get(&index).into_iter().flatten();
            painted.extend(networks.map(|prefix| (*prefix, home_target(home))));
        }
        painted
    }

    /// The record of a session's firewall: the one it has, if that is of the right size.
    pub(crate) fn flows_for(&mut self, session: &Session, index: u32) -> Result<HomeRef, ApplyError> {
        let held = self.tables.session(index).flows;
        let wanted = flows_order(session)?;
        let held_order = (!held.is_none()).then(|| held.order());
        if held_order == wanted {
            return Ok(held);
        }
        match wanted {
            Some(order) => self.sessions.take_home(order),
            None => Ok(HomeRef::NONE),
        }
    }

    /// Gives back a record of flows or rules that a session does not use any more.
    pub(crate) fn forget_record(&mut self, record: HomeRef) {
        if !record.is_none() {
            self.clerk.wipe(record);
            self.sessions.give_back_home(record);
        }
    }

    /// The neighbour that a route leads to; `None`: it is a pool's.
    fn neighbour_of6(&self, route: &Route6) -> Result<Option<Neighbour>, ApplyError> {
        let Route6Target::Via { gateway, port } = &route.target else { return Ok(None) };
        let held = self.tables.held_port(port).ok_or_else(|| ApplyError::UnknownPort(port.clone()))?;
        Ok(Some(Neighbour { address: (*gateway).into(), port: held.index }))
    }

    pub(crate) fn upsert_route6(&mut self, route: &Route6) -> Result<(), ApplyError> {
        let via = self.neighbour_of6(route)?;
        if via.is_some() {
            self.remove_pool6(route.prefix);
        } else if self.fib6.get(route.prefix).is_none() {
            self.fib6_insert(route.prefix, BLACKHOLE)?;
        }
        self.set_office_route6(route.prefix, via)?;
        self.routes6.insert(route.prefix, route.clone());
        Ok(())
    }

    pub(crate) fn remove_route6(&mut self, prefix: Prefix6) {
        self.remove_pool6(prefix);
        self.routes6.remove(&prefix);
        if let Err(error) = self.set_office_route6(prefix, None) {
            tracing::warn!(%prefix, %error, "what lay under a route cannot be written");
        }
    }

    /// Paints nothing of a pool any more, but for what sessions have of it.
    fn remove_pool6(&mut self, prefix: Prefix6) {
        if self.is_pool6(prefix) && self.fib6.get(prefix) == Some(BLACKHOLE) {
            self.fib6_remove(prefix);
        }
    }

    fn is_pool6(&self, prefix: Prefix6) -> bool {
        self.routes6.get(&prefix).is_some_and(|route| route.target == Route6Target::Pool)
    }

    /// Works the table out anew from all routes and the sessions that there are; writes nothing of it yet.
    pub(crate) fn rebuild_fib6(
        &mut self,
        desired: &NodeState,
        outcomes: &mut Vec<(ResourceKey, Result<(), ApplyError>)>,
    ) {
        self.fib6 = Fib6::new(self.tables.fib6_pages.len(), self.tables.held_fib6_pages());
        self.routes6.clear();
        let gone: Vec<Prefix6> = self.route_table.office_prefixes6().collect();
        for prefix in gone.into_iter().filter(|prefix| !desired.routes6.contains_key(prefix)) {
            drop(self.route_table.set_office_route6(prefix, None));
        }
        // The office's own come first, should there be too few pages.
        let mut done: BTreeMap<Prefix6, Result<(), ApplyError>> = BTreeMap::new();
        for route in desired.routes6.values() {
            let made = self.neighbour_of6(route).and_then(|via| {
                self.set_office_route6(route.prefix, via)?;
                if via.is_none() {
                    self.fib6.insert(route.prefix, BLACKHOLE)?;
                }
                Ok(())
            });
            if made.is_ok() {
                self.routes6.insert(route.prefix, route.clone());
            } else {
                drop(self.route_table.set_office_route6(route.prefix, None));
            }
            done.insert(route.prefix, made);
        }
        let held: Vec<u32> = self.sessions.by_name.values().copied().collect();
        let further = self.paint_networks6(desired);
        let held = held.into_iter().flat_map(|index| held_paints6(&self.tables.session(index)));
        let held: Vec<(Prefix6, FibTarget)> = held.chain(further).collect();
        for (prefix, target) in held {
            if let Err(error) = self.fib6.insert(prefix, target) {
                tracing::warn!(%prefix, %error, "a subscriber's prefix has no place");
            }
        }
        let (mut office, mut kernel) = (Vec::new(), Vec::new());
        for (prefix, target) in self.route_table.routes6() {
            let is_office = self.routes6.contains_key(&prefix);
            if is_office { &mut office } else { &mut kernel }.push((prefix, target));
        }
        for (prefix, target) in office.into_iter().chain(kernel) {
            let Err(error) = self.fib6.set_route(prefix, Some(target)) else { continue };
            if let Some(done) = done.get_mut(&prefix) {
                *done = Err(error.into());
            } else {
                tracing::warn!(%prefix, %error, "a route of the kernel's cannot be followed");
            }
        }
        let key = |prefix: &Prefix6| Some(Resource::Route6(desired.routes6.get(prefix)?.clone()).key());
        outcomes.extend(done.into_iter().filter_map(|(prefix, done)| Some((key(&prefix)?, done))));
        self.fib6.settle();
    }
}
