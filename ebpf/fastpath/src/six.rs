//! What a session has of IPv6 and of a firewall, which come and go without touching the rest of it.

use map_abi::{FibTarget, HomeRef, MAX_NEXT_HOPS};
use net_types::Prefix6;
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
        for prefix in held_prefixes6(&session) {
            if but.contains(&prefix) || self.fib6.get(prefix) != Some(home_target(session.home)) {
                continue;
            }
            let is_pool = self.routes6.get(&prefix).is_some_and(|target| *target == BLACKHOLE);
            // Painting one anew needs no page that is not there.
            if !is_pool || self.fib6_insert(prefix, BLACKHOLE).is_err() {
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

    pub(crate) fn lead_to6(&mut self, session: &Session, home: HomeRef) -> Result<(), ApplyError> {
        for prefix in prefixes6(session)? {
            self.fib6_insert(prefix, home_target(home))?;
        }
        Ok(())
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

    /// What a route is painted as; its next hop is prepared.
    fn paint6(&mut self, route: &Route6) -> Result<FibTarget, ApplyError> {
        let via = match &route.target {
            Route6Target::Pool => None,
            Route6Target::Via { gateway, port } => {
                let held =
                    self.tables.held_port(port).ok_or_else(|| ApplyError::UnknownPort(port.clone()))?;
                Some(Neighbour { address: (*gateway).into(), port: held.index })
            }
        };
        let ops = self.route_table.set_office_route6(route.prefix, via);
        self.carry_out(ops)?;
        if via.is_none() {
            return Ok(BLACKHOLE);
        }
        let target = self.route_table.target6(route.prefix);
        target.ok_or(ApplyError::Full { table: "next hops", size: MAX_NEXT_HOPS - 1 })
    }

    pub(crate) fn upsert_route6(&mut self, route: &Route6) -> Result<(), ApplyError> {
        let target = self.paint6(route)?;
        self.fib6_insert(route.prefix, target)?;
        self.routes6.insert(route.prefix, target);
        Ok(())
    }

    pub(crate) fn remove_route6(&mut self, prefix: Prefix6) {
        if self.routes6.remove(&prefix).is_none() {
            return;
        }
        self.fib6_remove(prefix);
        let ops = self.route_table.set_office_route6(prefix, None);
        if let Err(error) = self.carry_out(ops) {
            tracing::warn!(%prefix, %error, "a next hop cannot be given up");
        }
    }

    /// Works the table out anew from the office's routes and the sessions that there are; writes nothing of it yet.
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
        for route in desired.routes6.values() {
            let done = self.paint6(route).and_then(|target| {
                self.fib6.insert(route.prefix, target)?;
                self.routes6.insert(route.prefix, target);
                Ok(())
            });
            outcomes.push((Resource::Route6(route.clone()).key(), done));
        }
        let held: Vec<u32> = self.sessions.by_name.values().copied().collect();
        for (prefix, target) in
            held.into_iter().flat_map(|index| held_paints6(&self.tables.session(index))).collect::<Vec<_>>()
        {
            if let Err(error) = self.fib6.insert(prefix, target) {
                tracing::warn!(%prefix, %error, "a subscriber's prefix has no place");
            }
        }
        self.fib6.settle();
    }
}
