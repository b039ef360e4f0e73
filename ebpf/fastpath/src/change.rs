//! Single resources: how each is put in place, and taken away.

use std::{collections::BTreeSet, net::Ipv4Addr};

use map_abi::{FibTarget, NatRef, port_role};
use net_types::{InterfaceAddress4, Name, Prefix4};
use node_plan::forwarding::{FibPaint, ImageContext, nat_order, session_image};
use node_state::{Port, Resource, ResourceKey, Route, RouteTarget, Session};

use crate::{
    error::ApplyError,
    fastpath::Fastpath,
    mapped::{get, put},
    next_hops::NextHops,
    ports,
    sessions::{HeldNat, Reach, Sessions},
};

const LOCAL: FibPaint = FibPaint::Flat(FibTarget::LOCAL);

impl Fastpath {
    pub(crate) fn upsert_port(&mut self, port: &Port) -> Result<(), ApplyError> {
        let held = ports::describe(&self.tables, &mut self.writer, port)?;
        let key = Resource::Port(port.clone()).key();
        self.set_locals(&key, addresses(&port.addresses))?;
        let attached = ports::attach(&mut self.ebpf, &self.tables, &mut self.writer, &self.pin_dir, &held);
        // Next hops carry the port's address and MTU.
        let source = self.port_mac_and_mtu(held.index);
        for (_, port, index) in self.next_hops.iter().filter(|(_, port, _)| *port == held.index) {
            let resolved = NextHops::resolved(&self.tables, index);
            NextHops::resolve(&self.tables, &mut self.writer, index, port, source, resolved);
        }
        attached
    }

    /// Makes these the node's own addresses by this port or link.
    pub(crate) fn set_locals(
        &mut self,
        key: &ResourceKey,
        wanted: BTreeSet<Ipv4Addr>,
    ) -> Result<(), ApplyError> {
        let before = self.locals.remove(key).unwrap_or_default();
        for address in before.difference(&wanted) {
            if !self.locals.values().any(|others| others.contains(address)) {
                self.fib_remove(Prefix4::host(*address));
            }
        }
        self.locals.insert(key.clone(), wanted.clone());
        for address in wanted {
            self.fib_insert(Prefix4::host(address), LOCAL)?;
        }
        Ok(())
    }

    pub(crate) fn fib_insert(&mut self, prefix: Prefix4, paint: FibPaint) -> Result<(), ApplyError> {
        let ops = self.fib.insert(prefix, paint)?;
        self.tables.write_fib(&mut self.writer, &ops);
        Ok(())
    }

    pub(crate) fn fib_remove(&mut self, prefix: Prefix4) {
        let ops = self.fib.remove(prefix);
        self.tables.write_fib(&mut self.writer, &ops);
    }

    pub(crate) fn upsert_route(&mut self, route: &Route) -> Result<(), ApplyError> {
        let before = self.routes.get(&route.prefix).cloned();
        if before.as_ref() == Some(route) {
            return Ok(());
        }
        let paint = self.paint(route)?;
        if let Some(before) = before {
            self.release_route(&before, paint);
        }
        if let Some(paint) = paint {
            self.fib_insert(route.prefix, paint)?;
        } else {
            let index = self.next_hop_of(route).unwrap_or(0);
            put!(self.writer, self.tables.settings.at(0), index, default_next_hop);
        }
        self.routes.insert(route.prefix, route.clone());
        self.forget_next_hops();
        Ok(())
    }

    pub(crate) fn remove_route(&mut self, prefix: Prefix4) -> Result<(), ApplyError> {
        let Some(route) = self.routes.get(&prefix).cloned() else { return Ok(()) };
        if route.target == RouteTarget::NatPool
            && let Some(user) = self.session_in_pool(prefix)
        {
            return Err(ApplyError::InUse(user));
        }
        self.routes.remove(&prefix);
        self.release_route(&route, None);
        self.forget_next_hops();
        Ok(())
    }

    fn session_in_pool(&self, pool: Prefix4) -> Option<String> {
        let uses = |slot: u32| self.tables.reach(slot).nat.is_some_and(|nat| pool.contains(nat.address));
        self.sessions.by_name.iter().find(|(_, slot)| uses(**slot)).map(|(name, _)| name.to_string())
    }

    /// Gives back what a route held and, unless it is painted anew, what it painted.
    fn release_route(&mut self, route: &Route, replacement: Option<FibPaint>) {
        if let Some(FibPaint::NatPool { first_index }) = self.fib.get(route.prefix)
            && replacement != Some(FibPaint::NatPool { first_index })
        {
            self.nat_addresses.release(first_index, pool_order(route.prefix));
        }
        if route.prefix.is_default() && matches!(route.target, RouteTarget::Via { .. }) {
            put!(self.writer, self.tables.settings.at(0), 0_u32, default_next_hop);
        } else if replacement.is_none() {
            self.fib_remove(route.prefix);
        }
    }

    /// How a route is painted; `None`: it is the default route, which is in the settings.
    pub(crate) fn paint(&mut self, route: &Route) -> Result<Option<FibPaint>, ApplyError> {
        Ok(match &route.target {
            RouteTarget::Pool => Some(FibPaint::Flat(FibTarget::BLACKHOLE)),
            RouteTarget::NatPool => {
                Some(FibPaint::NatPool { first_index: self.nat_pool_index(route.prefix)? })
            }
            RouteTarget::Via { gateway, port } => {
                let held =
                    self.tables.held_port(port).ok_or_else(|| ApplyError::UnknownPort(port.clone()))?;
                let index = self.next_hops.ensure(&self.tables, &mut self.writer, *gateway, held.index)?;
                let is_default = route.prefix.is_default();
                (!is_default).then(|| FibPaint::Flat(FibTarget::new(FibTarget::KIND_NEXT_HOP, index)))
            }
        })
    }

    pub(crate) fn next_hop_of(&self, route: &Route) -> Option<u32> {
        let RouteTarget::Via { gateway, port } = &route.target else { return None };
        self.next_hops.get(*gateway, self.tables.held_port(port)?.index)
    }

    pub(crate) fn forget_next_hops(&mut self) {
        let used: BTreeSet<u32> = self.routes.values().filter_map(|route| self.next_hop_of(route)).collect();
        let unused: Vec<_> = self.next_hops.iter().filter(|(_, _, index)| !used.contains(index)).collect();
        for (gateway, port, _) in unused {
            self.next_hops.remove(&self.tables, &mut self.writer, gateway, port);
        }
    }

    /// Where the pool's addresses are in `NAT_PORTS`: where they are already, if that is free.
    fn nat_pool_index(&mut self, pool: Prefix4) -> Result<u32, ApplyError> {
        if let Some(FibPaint::NatPool { first_index }) = self.fib.get(pool) {
            return Ok(first_index);
        }
        let order = pool_order(pool);
        let held = self.tables.lookup(pool.network());
        if held.kind() == FibTarget::KIND_NAT && self.nat_addresses.take_at(held.index(), order) {
            return Ok(held.index());
        }
        let size = self.tables.nat_ports.len() - 1;
        self.nat_addresses.take(order).ok_or(ApplyError::Full { table: "NAT addresses", size })
    }

    pub(crate) fn remove_session(&mut self, name: &Name) {
        let Some(slot) = self.sessions.by_name.remove(name) else { return };
        self.withdraw(slot);
        put!(self.writer, self.tables.sessions.at(slot), 0_u32, cold.in_use);
        self.sessions.give_back_slot(slot);
    }

    pub(crate) fn withdraw(&mut self, slot: u32) {
        if let Some(network) = self.tables.reach(slot).network
            && self.fib.get(network) == Some(session_paint(slot))
        {
            let is_pool = self.routes.get(&network).is_some_and(|route| route.target == RouteTarget::Pool);
            // Painting one anew needs no page that is not there.
            if !is_pool || self.fib_insert(network, BLACKHOLE).is_err() {
                self.fib_remove(network);
            }
        }
        self.sessions.withdraw(&self.tables, &mut self.writer, slot);
    }

    /// Where a session is to be reached; blocks are those it has, if they are as many as it needs.
    fn wanted_reach(&self, session: &Session, slot: Option<u32>) -> Result<(Reach, Option<u32>), ApplyError> {
        let port = self
            .tables
            .held_port(&session.port)
            .ok_or_else(|| ApplyError::UnknownPort(session.port.clone()))?;
        if port.role != port_role::ACCESS {
            return Err(ApplyError::NotAccess(session.port.clone()));
        }
        let held = slot.and_then(|slot| self.tables.reach(slot).nat);
        let (mut nat, mut order) = (None, None);
        if let Some(wanted) = &session.nat {
            let needed = nat_order(wanted)?;
            let blocks = held.map(|nat| nat.blocks).filter(|blocks| blocks.order() == needed);
            nat = Some(HeldNat {
                address: wanted.address,
                first_port: wanted.first_port,
                blocks: blocks.unwrap_or(NatRef::NONE),
            });
            order = Some(needed);
        }
        let network = if session.nat.is_some() { None } else { Some(session.network) };
        let (s_vid, c_vid) = (session.tags.s_vid.get(), session.tags.c_vid.get());
        Ok((Reach { port: port.index, s_vid, c_vid, nat, network }, order))
    }

    /// Withdraws a session that is to be reached otherwise than now, so that others can have what it leaves.
    pub(crate) fn make_way(&mut self, session: &Session) {
        let Some(slot) = self.slot_of(&session.subscriber) else { return };
        if !self.wanted_reach(session, Some(slot)).is_ok_and(|(wanted, _)| wanted == self.tables.reach(slot))
        {
            self.withdraw(slot);
        }
    }

    pub(crate) fn upsert_session(&mut self, session: &Session) -> Result<(), ApplyError> {
        let held = self.slot_of(&session.subscriber);
        let (mut reach, order) = self.wanted_reach(session, held)?;
        self.check_free(session, &reach, held)?;
        // A learned address belongs to the access that it was learned on.
        let stays = held.filter(|slot| {
            let now = self.tables.reach(*slot);
            (now.port, now.s_vid, now.c_vid) == (reach.port, reach.s_vid, reach.c_vid)
        });
        let mac = session.mac.or_else(|| stays.and_then(|slot| self.tables.mac_of(slot)));
        let is_reached = held.is_some_and(|slot| self.tables.reach(slot) == reach);
        if let Some(slot) = held
            && !is_reached
        {
            self.withdraw(slot);
        }
        let slot = match held {
            Some(slot) => slot,
            None => self.sessions.take_slot(&self.tables)?,
        };
        let done = self.fill(session, slot, &mut reach, order, mac, (held.is_none(), is_reached));
        if done.is_err() && held.is_none() {
            self.sessions.give_back_slot(slot);
        }
        done
    }

    fn fill(
        &mut self,
        session: &Session,
        slot: u32,
        reach: &mut Reach,
        order: Option<u32>,
        mac: Option<net_types::Mac>,
        (is_new, is_reached): (bool, bool),
    ) -> Result<(), ApplyError> {
        if let (Some(nat), Some(order), false) = (&mut reach.nat, order, is_reached) {
            nat.blocks = self.sessions.take_blocks(&self.tables, order)?;
        }
        let blocks = reach.nat.map_or(NatRef::NONE, |nat| nat.blocks);
        let prepared = self.sessions.prepare_page(&self.tables, &mut self.writer, reach.port, reach.s_vid);
        let routed = match (reach.network, is_reached) {
            // A page of the forwarding table may have to be found first; the slot is not complete yet, but inactive.
            (Some(network), false) => prepared.and_then(|()| self.reserve_route(network)),
            _ => prepared,
        };
        if let Err(error) = routed {
            if !blocks.is_none() && !is_reached {
                self.sessions.give_back_blocks(blocks);
            }
            return Err(error);
        }
        let outer_tpid = self.tables.held_ports().find(|port| port.index == reach.port);
        let context = ImageContext {
            port: reach.port,
            outer_tpid: outer_tpid.map(|port| port.outer_tpid).unwrap_or_default(),
            nat: blocks,
            mac,
        };
        let image = session_image(session, &context);
        let at = self.tables.sessions.at(slot);
        if is_reached && get!(at, cold.version) == image.version {
            self.sessions.publish(&self.tables, &mut self.writer, slot, reach);
            return Ok(());
        }
        Sessions::write(&self.tables, &mut self.writer, slot, &session.subscriber, &image, is_new);
        self.sessions.by_name.insert(session.subscriber.clone(), slot);
        if let Some(network) = reach.network {
            self.fib_insert(network, session_paint(slot))?;
        }
        self.sessions.publish(&self.tables, &mut self.writer, slot, reach);
        put!(self.writer, self.tables.sessions.at(slot), image.version, cold.version);
        Ok(())
    }

    /// Makes sure that a route to a session can be written.
    fn reserve_route(&mut self, network: Prefix4) -> Result<(), ApplyError> {
        if self.fib.get(network).is_none() {
            self.fib_insert(network, FibPaint::Flat(FibTarget::BLACKHOLE))?;
        }
        Ok(())
    }

    /// Nobody else has the session's tags, ports or network.
    fn check_free(&self, session: &Session, reach: &Reach, held: Option<u32>) -> Result<(), ApplyError> {
        let own = held.unwrap_or(0);
        let holder = self.tables.slot_by_tags(reach.port, reach.s_vid, reach.c_vid);
        if holder != 0 && holder != own {
            let (s_vid, c_vid) = (reach.s_vid, reach.c_vid);
            let holder = self.tables.name_in_slot(holder);
            return Err(ApplyError::TagsTaken { port: session.port.clone(), s_vid, c_vid, holder });
        }
        if let Some(nat) = &reach.nat {
            let target = self.tables.lookup(nat.address);
            if target.kind() != FibTarget::KIND_NAT {
                return Err(ApplyError::NoNatPool(nat.address));
            }
            let order = session.nat.as_ref().map(nat_order).transpose()?.unwrap_or(0);
            let blocks = NatRef::new(1, order).unwrap_or(NatRef::NONE);
            if let Some(holder) =
                self.tables.holder_of_ports(target.index(), &HeldNat { blocks, ..*nat }, own)
            {
                let holder = self.tables.name_in_slot(holder);
                return Err(ApplyError::PortsTaken {
                    address: nat.address,
                    first_port: nat.first_port,
                    holder,
                });
            }
        }
        if let Some(network) = reach.network {
            let taken =
                self.fib.get(network).is_some_and(|paint| paint != session_paint(own) && paint != BLACKHOLE);
            if taken {
                return Err(ApplyError::PrefixTaken(network));
            }
        }
        Ok(())
    }
}

const BLACKHOLE: FibPaint = FibPaint::Flat(FibTarget::BLACKHOLE);

pub(crate) fn session_paint(slot: u32) -> FibPaint {
    FibPaint::Flat(FibTarget::new(FibTarget::KIND_SESSION, slot))
}

/// The binary logarithm of a pool's size.
fn pool_order(pool: Prefix4) -> u32 {
    32 - u32::from(pool.len())
}

pub(crate) fn addresses<'a>(
    addresses: impl IntoIterator<Item = &'a InterfaceAddress4>,
) -> BTreeSet<Ipv4Addr> {
    addresses.into_iter().map(|address| address.address()).collect()
}
