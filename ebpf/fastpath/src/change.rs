//! Single resources: how each is put in place, and taken away.

use std::{collections::BTreeSet, net::Ipv4Addr};

use map_abi::{FibTarget, HomeRef, RulesRef, flags, port_role};
use net_types::{InterfaceAddress4, Name, Prefix4, Vid};
use node_plan::forwarding::{
    FibPaint, ImageContext, check_devices, forwards, home_order, networks, overflow_share, prefixes6,
    rule_record, session_image,
};
use node_state::{Port, Resource, ResourceKey, Route, RouteTarget, Session};

use crate::{
    error::ApplyError,
    fastpath::Fastpath,
    garden::resolvers,
    mapped::put,
    ports,
    reach::{HeldNat, Reach},
};

const LOCAL: FibPaint = FibPaint::Flat(FibTarget::LOCAL);

impl Fastpath {
    pub(crate) fn upsert_port(&mut self, port: &Port) -> Result<(), ApplyError> {
        let held = ports::describe(&self.tables, &mut self.writer, port)?;
        let key = Resource::Port(port.clone()).key();
        self.set_locals(&key, addresses(&port.addresses))?;
        let to = (&mut self.ebpf, &self.tables, &mut self.writer);
        let attached = ports::attach(to, &self.pin_dir, &held, ports::flags_of(port));
        // Next hops carry the port's address and MTU.
        let source = self.port_mac_and_mtu(held.index);
        for (index, neighbour) in self.route_table.next_hops().filter(|(_, other)| other.port == held.index) {
            let resolved = self.tables.resolved_next_hop(index);
            self.tables.resolve_next_hop(&mut self.writer, index, neighbour.port, source, resolved);
        }
        self.set_core_ports();
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
        let via = self.neighbour_of(route)?;
        if let Some(before) = before
            && !(via.is_some() && matches!(before.target, RouteTarget::Via { .. }))
        {
            self.release_route(&before, paint);
        }
        if let Some(paint) = paint {
            self.fib_insert(route.prefix, paint)?;
        }
        if via.is_some() {
            self.set_office_route(route.prefix, via)?;
        }
        self.routes.insert(route.prefix, route.clone());
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
        Ok(())
    }

    fn session_in_pool(&self, pool: Prefix4) -> Option<String> {
        let uses = |index: u32| self.tables.reach(index).nat.is_some_and(|nat| pool.contains(nat.address));
        self.sessions.by_name.iter().find(|(_, index)| uses(**index)).map(|(name, _)| name.to_string())
    }

    /// Gives back what a route held and, unless it is painted anew, what it painted.
    fn release_route(&mut self, route: &Route, replacement: Option<FibPaint>) {
        if let Some(FibPaint::NatPool { first_index }) = self.fib.get(route.prefix)
            && replacement != Some(FibPaint::NatPool { first_index })
        {
            self.nat_addresses.release(first_index, pool_order(route.prefix));
        }
        if let RouteTarget::Via { .. } = route.target {
            if let Err(error) = self.set_office_route(route.prefix, None) {
                tracing::warn!(prefix = %route.prefix, %error, "what lay under a route cannot be written");
            }
        } else if replacement.is_none() {
            self.fib_remove(route.prefix);
        }
    }

    /// How a route paints what is the office's own; `None`: it leads to a neighbour.
    pub(crate) fn paint(&mut self, route: &Route) -> Result<Option<FibPaint>, ApplyError> {
        Ok(match &route.target {
            RouteTarget::Pool => Some(FibPaint::Flat(FibTarget::BLACKHOLE)),
            RouteTarget::NatPool => {
                Some(FibPaint::NatPool { first_index: self.nat_pool_index(route.prefix)? })
            }
            RouteTarget::Via { .. } => None,
        })
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
        let size = self.sessions.nat_addresses() - 1;
        self.nat_addresses.take(order).ok_or(ApplyError::Full { table: "NAT addresses", size })
    }

    pub(crate) fn remove_session(&mut self, name: &Name) {
        let Some(index) = self.sessions.by_name.remove(name) else { return };
        self.withdraw(index);
        self.forget_dhcp_profile(index);
        self.forget_blocked(index);
        put!(self.writer, self.tables.sessions.at(index), 0_u32, in_use);
        self.sessions.give_back_index(index);
        if let Err(error) = self.garden.set_resolvers(index, &BTreeSet::new()) {
            tracing::warn!(subscriber = %name, %error, "a session's resolvers cannot be forgotten");
        }
    }

    pub(crate) fn withdraw(&mut self, index: u32) {
        let session = self.tables.session(index);
        if session.flags & flags::DEVICES != 0 {
            self.forget_devices(session.home);
        }
        self.leave_networks(index, &[]);
        self.leave_prefixes6(index, &[]);
        self.sessions.withdraw(&self.tables, &mut self.writer, &mut self.clerk, index);
        self.forget_record(session.flows);
        self.forget_record(session.rules.record());
    }

    /// Where a session is to be reached.
    fn wanted_reach(&self, session: &Session) -> Result<Reach, ApplyError> {
        let port = self
            .tables
            .held_port(&session.port)
            .ok_or_else(|| ApplyError::UnknownPort(session.port.clone()))?;
        if port.role != port_role::ACCESS {
            return Err(ApplyError::NotAccess(session.port.clone()));
        }
        Ok(Reach {
            port: port.index,
            s_vid: session.tags.s_vid.map_or(0, Vid::get),
            c_vid: session.tags.c_vid.map_or(0, Vid::get),
            order: Some(home_order(session)?),
            nat: session.nat.map(|nat| HeldNat { address: nat.address, first_port: nat.first_port }),
            own: session.nat.is_none().then_some((session.network, session.nat_address)),
            devices: session.has_devices().then_some(session.network),
        })
    }

    /// Withdraws a session that is to be reached otherwise than now, so that others can have what it leaves.
    pub(crate) fn make_way(&mut self, session: &Session) {
        let Some(index) = self.index_of(&session.subscriber) else { return };
        let now = self.tables.reach(index);
        if now.order.is_none() {
            return;
        }
        if !self.wanted_reach(session).is_ok_and(|wanted| wanted == now) {
            self.keep_counted(index);
            self.withdraw(index);
            return;
        }
        if self.sessions.members.has_moved(now.tags(), index, session.mac) {
            let to = (&self.tables, &mut self.writer, &mut self.clerk);
            self.sessions.leave_line(to, index, &now);
        }
        if let (Ok(networks), Ok(prefixes)) = (networks(session), prefixes6(session)) {
            self.leave_networks(index, &networks);
            self.leave_prefixes6(index, &prefixes);
        }
    }

    /// What a session that moves has counted goes with it.
    fn keep_counted(&mut self, index: u32) {
        let home = self.tables.session(index).home;
        if let Some(counted) = self.sessions.counted(home) {
            self.moving.insert(index, counted);
        }
    }

    pub(crate) fn upsert_session(&mut self, session: &Session) -> Result<(), ApplyError> {
        let held = self.index_of(&session.subscriber);
        let reach = self.wanted_reach(session)?;
        self.check_networks_free(session, held)?;
        self.check_free6(session, held)?;
        forwards(session)?;
        rule_record(session)?;
        overflow_share(session)?;
        check_devices(session)?;
        self.clear_ports(&reach, held.unwrap_or(0));
        self.check_free(session, &reach, held)?;
        // A learned address belongs to the access that it was learned on.
        let stays = held.filter(|index| self.tables.reach(*index).tags() == reach.tags());
        let mac = session.mac.or_else(|| stays.and_then(|index| self.tables.mac_of(index)));
        let is_reached = held.is_some_and(|index| self.tables.reach(index) == reach);
        if !is_reached {
            self.make_way(session);
        }
        let index = match held {
            Some(index) => index,
            None => self.sessions.take_index(&self.tables)?,
        };
        let home = if is_reached {
            self.tables.session(index).home
        } else {
            match self.sessions.take_home(reach.order.unwrap_or(0)) {
                Ok(home) => home,
                Err(error) => {
                    self.give_up(index, held, None);
                    return Err(error);
                }
            }
        };
        let now = self.tables.session(index);
        let context = ImageContext { index, port: reach.port, home, flows: now.flows, rules: now.rules, mac };
        let is_written = is_reached && now.version == session_image(session, &context).session.version;
        let prepared = self
            .prepare(&reach)
            .and_then(|()| self.reserve_networks(session))
            .and_then(|()| self.reserve_prefixes6(session));
        let prepared = prepared
            .and_then(|()| if is_written { Ok(context) } else { self.with_records(session, context) });
        let context = match prepared {
            Ok(context) => context,
            Err(error) => {
                self.give_up(index, held, (!is_reached).then_some(home));
                return Err(error);
            }
        };
        if let Err(error) = self.sessions.join_line(&self.tables, (index, session.mac, home), &reach) {
            self.forget_records_but(&context, (now.flows, now.rules));
            self.give_up(index, held, (!is_reached).then_some(home));
            return Err(error);
        }
        if is_written {
            self.lead_to_networks(session, index, home)?;
            self.lead_to6(session, index, home)?;
            self.sessions.publish(&self.tables, &mut self.clerk, index, home, &reach);
            return Ok(());
        }
        self.fill(session, held.is_none(), &context, &reach)
    }

    /// Sees to it that there are records for a session's flows and rules.
    fn with_records(&mut self, session: &Session, held: ImageContext) -> Result<ImageContext, ApplyError> {
        let flows = self.flows_for(session, held.index)?;
        let with_flows = ImageContext { flows, ..held };
        match self.rules_for(session, held.index) {
            Ok(rules) => Ok(ImageContext { rules, ..with_flows }),
            Err(error) => {
                self.forget_records_but(&with_flows, (held.flows, held.rules));
                Err(error)
            }
        }
    }

    /// Gives back the records of a context that is not to be.
    fn forget_records_but(&mut self, context: &ImageContext, (flows, rules): (HomeRef, RulesRef)) {
        if context.flows != flows {
            self.forget_record(context.flows);
        }
        if context.rules.record() != rules.record() {
            self.forget_record(context.rules.record());
        }
    }

    /// Gives back what was taken for a session that cannot be.
    fn give_up(&mut self, index: u32, held: Option<u32>, home: Option<HomeRef>) {
        if let Some(home) = home {
            self.sessions.give_back_home(home);
        }
        if held.is_none() {
            self.sessions.give_back_index(index);
        }
    }

    /// Sees to it that what leads to a session can be written.
    fn prepare(&mut self, reach: &Reach) -> Result<(), ApplyError> {
        self.sessions.prepare_page(&self.tables, &mut self.writer, reach.port, reach.s_vid)?;
        if let Some(nat) = reach.nat {
            self.sessions.prepare_ports(&self.tables, nat)?;
        }
        Ok(())
    }

    fn fill(
        &mut self,
        session: &Session,
        is_new: bool,
        context: &ImageContext,
        reach: &Reach,
    ) -> Result<(), ApplyError> {
        let ImageContext { index, home, flows, rules, .. } = *context;
        let held = self.tables.session(index);
        let image = session_image(session, context);
        self.leave_prefixes6(index, &prefixes6(session)?);
        let counted = self.moving.remove(&index);
        self.set_dhcp_profile(session, index, is_new);
        let to = (&self.tables, &mut self.writer, &mut self.clerk);
        self.sessions.write(to, index, (&session.subscriber, is_new), &image, counted);
        if !session.port_forwards.is_empty() || held.forwards != 0 {
            self.sessions.forward(&mut self.clerk, home, &forwards(session)?)?;
        }
        self.lead_to_networks(session, index, home)?;
        self.lead_to6(session, index, home)?;
        self.sessions.publish(&self.tables, &mut self.clerk, index, home, reach);
        if held.flows != flows {
            self.forget_record(held.flows);
        }
        if held.rules.record() != rules.record() {
            self.forget_record(held.rules.record());
        }
        self.garden.set_resolvers(index, &resolvers(session))?;
        if session.parental_control.is_none() {
            self.forget_blocked(index);
        }
        self.sessions.written(index, image.session.version);
        Ok(())
    }

    /// Nobody else has the session's tags or ports.
    fn check_free(&self, session: &Session, reach: &Reach, held: Option<u32>) -> Result<(), ApplyError> {
        let own = held.unwrap_or(0);
        if let Some(holder) = self.sessions.members.holder(reach.tags(), own, session.mac) {
            let (s_vid, c_vid) = (reach.s_vid, reach.c_vid);
            let holder = self.tables.name_of(holder);
            return Err(ApplyError::TagsTaken { port: session.port.clone(), s_vid, c_vid, holder });
        }
        if let Some(HeldNat { address, first_port }) = reach.nat {
            if self.tables.nat_address(address).is_none() {
                return Err(ApplyError::NoNatPool(address));
            }
            if let Some(holder) = self.sessions.with_ports(reach, own) {
                let holder = self.tables.name_of(holder);
                return Err(ApplyError::PortsTaken { address, first_port, holder });
            }
        }
        Ok(())
    }
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
