//! Routes, the kernel's and the office's own, carried into the maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use map_abi::{FibTarget, MAX_NEXT_HOPS, port_role};
use net_types::{IfName, Mac, Prefix4, Prefix6};
use node_plan::forwarding::{Neighbour, RouteEvent, RouteOp, RouteProblem, RouteTable};
use node_state::{Route, RouteTarget};

use crate::{error::ApplyError, fastpath::Fastpath, ports};

impl Fastpath {
    /// What the kernel's routes are and become. True: there are next hops to be resolved that were not there.
    ///
    /// What is told before the first `reconcile` is written with it: a whole dump told before leaves the maps of the
    /// process before as they are, and packets go on.
    pub fn apply_routes(&mut self, events: impl IntoIterator<Item = RouteEvent>) -> bool {
        let mut has_new = false;
        for event in events {
            let ops = self.route_table.apply(event);
            has_new |= ops.iter().any(|op| matches!(op, RouteOp::NextHop { neighbour: Some(_), .. }));
            if let Err(error) = self.carry_out(ops) {
                tracing::warn!(%error, "a route of the kernel's cannot be followed");
            }
        }
        has_new
    }

    /// Whether only another dump of the kernel's routes can tell what some of them are (see `RouteTable::take_doubt`).
    pub fn take_route_doubt(&mut self) -> bool {
        self.route_table.take_doubt()
    }

    /// What goes not quite as the kernel's routes say, and with how many of them.
    pub fn route_problems(&self) -> BTreeMap<RouteProblem, u32> {
        self.route_table.problems()
    }

    /// What the kernel's neighbour table says of a gateway; `None`: unresolved. A gateway that no route names is left
    /// alone.
    pub fn set_next_hop(
        &mut self,
        gateway: IpAddr,
        port: &IfName,
        resolved: Option<Mac>,
    ) -> Result<(), ApplyError> {
        let held = self.tables.held_port(port).ok_or_else(|| ApplyError::UnknownPort(port.clone()))?;
        let neighbour = Neighbour { address: gateway, port: held.index };
        let Some(index) = self.route_table.index_of(&neighbour) else { return Ok(()) };
        let source = self.port_mac_and_mtu(held.index);
        let ops = self.route_table.set_resolved(&neighbour, resolved.is_some());
        // Groups lead to a neighbour only while it is resolved: they come after, and go before.
        if resolved.is_some() {
            self.tables.resolve_next_hop(&mut self.writer, index, held.index, source, resolved);
            return self.carry_out(ops);
        }
        let done = self.carry_out(ops);
        self.tables.resolve_next_hop(&mut self.writer, index, held.index, source, resolved);
        done
    }

    /// Next hops that routes name: gateway, port, its Ethernet address if it is known.
    pub fn next_hops(&self) -> Vec<(IpAddr, IfName, Option<Mac>)> {
        let ports: BTreeMap<u16, IfName> =
            self.tables.held_ports().map(|port| (port.index, port.name)).collect();
        let named = |(index, neighbour): (u16, Neighbour)| {
            let port = ports.get(&neighbour.port)?.clone();
            Some((neighbour.address, port, self.tables.resolved_next_hop(index)))
        };
        self.route_table.next_hops().filter_map(named).collect()
    }

    /// Writes what routes lead to, all but IPv4's default route into the forwarding table. Goes on after an error, and gives
    /// back the first.
    pub(crate) fn carry_out(&mut self, ops: Vec<RouteOp>) -> Result<(), ApplyError> {
        let mut done = Ok(());
        if !self.is_built {
            // All is written at once when it is.
            return done;
        }
        for op in ops {
            match op {
                RouteOp::NextHop { index, neighbour } => {
                    self.tables.place_next_hop(&mut self.writer, index, neighbour);
                }
                RouteOp::Group { index, slots } => self.tables.write_group(&mut self.writer, index, &slots),
                RouteOp::Route { prefix, target } if prefix.is_default() => self.write_default_route(target),
                RouteOp::Route { prefix, target } => match self.fib.set_route(prefix, target) {
                    Ok(ops) => self.tables.write_fib(&mut self.writer, &ops),
                    Err(error) => done = done.and(Err(error.into())),
                },
                RouteOp::Route6 { prefix, target } => match self.fib6.set_route(prefix, target) {
                    Ok(ops) => self.tables.write_fib6(&mut self.writer, &ops),
                    Err(error) => done = done.and(Err(error.into())),
                },
            }
        }
        done
    }

    fn write_default_route(&mut self, target: Option<FibTarget>) {
        let target = target.unwrap_or(FibTarget::DEFAULT).to_bits();
        let at = self.tables.settings.at(0);
        // SAFETY: as in `put`; a `FibTarget` is a `u32`.
        let at = unsafe { core::ptr::addr_of_mut!((*at).default_route) }.cast::<u32>();
        // SAFETY: aligned, and inside a mapping for writing.
        unsafe { self.writer.put(at, target) };
    }

    /// The route's neighbour, if it leads to one.
    pub(crate) fn neighbour_of(&self, route: &Route) -> Result<Option<Neighbour>, ApplyError> {
        let RouteTarget::Via { gateway, port } = &route.target else { return Ok(None) };
        let held = self.tables.held_port(port).ok_or_else(|| ApplyError::UnknownPort(port.clone()))?;
        Ok(Some(Neighbour { address: (*gateway).into(), port: held.index }))
    }

    /// Has the office's own route lead there, or takes it out; it is out after an error.
    pub(crate) fn set_office_route(
        &mut self,
        prefix: Prefix4,
        via: Option<Neighbour>,
    ) -> Result<(), ApplyError> {
        self.set_office_route_by(via, |table, via| table.set_office_route(prefix, via))
    }

    /// The same for IPv6.
    pub(crate) fn set_office_route6(
        &mut self,
        prefix: Prefix6,
        via: Option<Neighbour>,
    ) -> Result<(), ApplyError> {
        self.set_office_route_by(via, |table, via| table.set_office_route6(prefix, via))
    }

    fn set_office_route_by(
        &mut self,
        via: Option<Neighbour>,
        set: impl Fn(&mut RouteTable, Option<Neighbour>) -> Vec<RouteOp>,
    ) -> Result<(), ApplyError> {
        let ops = set(&mut self.route_table, via);
        let mut done = self.carry_out(ops);
        if via.is_some_and(|neighbour| self.route_table.index_of(&neighbour).is_none()) {
            done = Err(ApplyError::Full { table: "next hops", size: MAX_NEXT_HOPS - 1 });
        }
        if done.is_err() {
            let ops = set(&mut self.route_table, None);
            done = done.and(self.carry_out(ops));
        }
        done
    }

    /// Tells routes which interfaces are core ports now.
    pub(crate) fn set_core_ports(&mut self) {
        let core = self.tables.held_ports().filter(|port| port.role == port_role::CORE);
        // A port that is not attached yet will be.
        let ports = core.filter_map(|port| {
            let ifindex = Some(port.ifindex).filter(|ifindex| *ifindex != 0);
            Some((ifindex.or_else(|| ports::ifindex_of(&port.name))?, port.index))
        });
        let ports = ports.collect();
        let ops = self.route_table.set_ports(ports);
        if let Err(error) = self.carry_out(ops) {
            tracing::warn!(%error, "a route of the kernel's cannot be followed");
        }
    }

    /// Makes next hops and groups what routes lead to, before the forwarding table is.
    pub(crate) fn write_next_hops(&mut self) {
        for (index, neighbour) in self.route_table.next_hops() {
            self.tables.place_next_hop(&mut self.writer, index, Some(neighbour));
        }
        for (index, slots) in self.route_table.groups() {
            self.tables.write_group(&mut self.writer, index, slots);
        }
    }

    /// The other half of that, after: what was in the maps before and is led to no more.
    pub(crate) fn forget_next_hops(&mut self) -> Result<(), ApplyError> {
        self.write_default_route(self.route_table.default_route());
        self.is_built = true;
        let ops = self.route_table.forget_held();
        self.carry_out(ops)?;
        let used: BTreeSet<u16> = self.route_table.next_hops().map(|(index, _)| index).collect();
        for index in (1..self.tables.next_hops.len()).filter_map(|index| u16::try_from(index).ok()) {
            if !used.contains(&index) {
                self.tables.place_next_hop(&mut self.writer, index, None);
            }
        }
        Ok(())
    }
}
