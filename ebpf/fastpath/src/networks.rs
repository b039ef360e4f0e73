//! IPv4 networks that lead to sessions: they come and go without touching the rest of them.

use std::collections::BTreeMap;

use map_abi::{FibTarget, HomeRef};
use net_types::Prefix4;
use node_plan::forwarding::{FibPaint, networks};
use node_state::{NodeState, RouteTarget, Session};

use crate::{error::ApplyError, fastpath::Fastpath};

const BLACKHOLE: FibPaint = FibPaint::Flat(FibTarget::BLACKHOLE);

fn home_paint(home: HomeRef) -> FibPaint {
    FibPaint::Flat(FibTarget::new(FibTarget::KIND_SESSION, home.unit()))
}

impl Fastpath {
    /// Nobody else has a network that a session is to have.
    pub(crate) fn check_networks_free(&self, session: &Session, held: Option<u32>) -> Result<(), ApplyError> {
        let own = held.map(|index| home_paint(self.tables.session(index).home));
        for network in networks(session)? {
            let taken = self.fib.get(network).is_some_and(|paint| Some(paint) != own && paint != BLACKHOLE);
            if taken {
                return Err(ApplyError::PrefixTaken(network));
            }
        }
        Ok(())
    }

    /// Makes sure that routes to a session can be written, before anything else of it is: a page of the forwarding table
    /// may have to be found first.
    pub(crate) fn reserve_networks(&mut self, session: &Session) -> Result<(), ApplyError> {
        for network in networks(session)? {
            if self.fib.get(network).is_none() {
                self.fib_insert(network, BLACKHOLE)?;
            }
        }
        Ok(())
    }

    /// Makes these the networks that lead to a session.
    pub(crate) fn lead_to_networks(
        &mut self,
        session: &Session,
        index: u32,
        home: HomeRef,
    ) -> Result<(), ApplyError> {
        let wanted = networks(session)?;
        self.leave_networks(index, &wanted);
        for network in &wanted {
            self.fib_insert(*network, home_paint(home))?;
        }
        if !wanted.is_empty() {
            self.networks.insert(index, wanted);
        }
        Ok(())
    }

    /// Takes away what leads to a session by networks other than these.
    pub(crate) fn leave_networks(&mut self, index: u32, but: &[Prefix4]) {
        let Some(held) = self.networks.remove(&index) else { return };
        let home = self.tables.session(index).home;
        let (stay, gone): (Vec<Prefix4>, Vec<Prefix4>) =
            held.into_iter().partition(|network| but.contains(network));
        for network in gone {
            if self.fib.get(network) != Some(home_paint(home)) {
                continue;
            }
            let is_pool = self.routes.get(&network).is_some_and(|route| route.target == RouteTarget::Pool);
            // Painting one anew needs no page that is not there.
            if !is_pool || self.fib_insert(network, BLACKHOLE).is_err() {
                self.fib_remove(network);
            }
        }
        if !stay.is_empty() {
            self.networks.insert(index, stay);
        }
    }

    /// The painting of the networks that lead to the sessions which are there, as they are to be.
    pub(crate) fn paint_networks(&mut self, desired: &NodeState) -> BTreeMap<Prefix4, FibPaint> {
        let mut painted = BTreeMap::new();
        self.networks.clear();
        for (name, index) in &self.sessions.by_name {
            let home = self.tables.session(*index).home;
            let wanted = desired.sessions.get(name).and_then(|session| networks(session).ok());
            let Some(wanted) = wanted.filter(|wanted| !home.is_none() && !wanted.is_empty()) else {
                continue;
            };
            painted.extend(wanted.iter().map(|network| (*network, home_paint(home))));
            self.networks.insert(*index, wanted);
        }
        painted
    }
}
