//! What the forwarding table should say of routes: the kernel's, and the office's own before them.

mod entry;
mod family;
mod kernel;
mod next_hops;
mod sets;

use std::{collections::BTreeMap, net::Ipv4Addr};

use map_abi::FibTarget;
use net_types::{Prefix4, Prefix6};

use self::{
    entry::{Candidate, Place, joins, without},
    family::{Family, Released, sets_by},
    sets::{SetKey, Sets, Turned},
};
use super::GroupSlots;

pub use self::{
    kernel::{KernelHop, KernelRoute, KernelTarget, NextHopObject, Placed, RouteEvent, RoutePrefix},
    next_hops::Neighbour,
};

/// One thing to write, in the order given: a next hop is there before a group or a route that leads to it, and goes
/// after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteOp {
    /// A next hop of the index becomes this, and is not resolved yet; `None`: it is free.
    NextHop { index: u16, neighbour: Option<Neighbour> },
    /// The slots of a group become this.
    Group { index: u16, slots: Box<GroupSlots> },
    /// Packets to the prefix, which may be the default route's, go there; `None`: no route of that prefix.
    Route { prefix: Prefix4, target: Option<FibTarget> },
    /// The same for IPv6.
    Route6 { prefix: Prefix6, target: Option<FibTarget> },
}

/// What the maps had before: it keeps its places.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pub next_hops: BTreeMap<Neighbour, u16>,
    pub groups: BTreeMap<u16, GroupSlots>,
}

/// Why routes do not go quite as they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum RouteProblem {
    #[error("there is no room for another next hop: the kernel forwards")]
    NextHopsFull,
    #[error("there is no room for another group of next hops: one of them takes all flows")]
    GroupsFull,
    #[error("more next hops than a group can have: the first {} share the flows", map_abi::MAX_GROUP_MEMBERS)]
    TooManyMembers,
}

/// Routes of the kernel and of the office, of both families, and the next hops that they lead to.
///
/// A route out of an interface that is no port leads to the kernel ([`FibTarget::KERNEL`]). The agent's own routes in
/// the kernel ([`KernelRoute::is_own`]), and those for one type of service, are not followed, nor are those of IPv6 that
/// no packet is forwarded by: to link-local addresses and to groups.
#[derive(Clone, Debug)]
pub struct RouteTable {
    four: Family<Prefix4>,
    six: Family<Prefix6>,
    sets: Sets,
    /// Of what was told since the last dump began; what the dump itself tells has the one above.
    generation: u32,
    /// Nexthop objects that it has not told of yet.
    untold_objects: Vec<u32>,
    is_in_doubt: bool,
}

impl RouteTable {
    pub fn new(held: &Held) -> Self {
        Self {
            four: Family::new(),
            six: Family::new(),
            sets: Sets::new(held),
            generation: 0,
            untold_objects: Vec::new(),
            is_in_doubt: false,
        }
    }

    /// Where packets go, by prefix; the default route is among them.
    pub fn routes(&self) -> impl Iterator<Item = (Prefix4, FibTarget)> {
        self.four.routes(&self.sets)
    }

    /// The same for IPv6.
    pub fn routes6(&self) -> impl Iterator<Item = (Prefix6, FibTarget)> {
        self.six.routes(&self.sets)
    }

    /// The neighbours that routes lead to, with their indices: they must be resolved, and kept so.
    pub fn next_hops(&self) -> impl Iterator<Item = (u16, Neighbour)> {
        self.sets.next_hops().iter()
    }

    pub fn index_of(&self, neighbour: &Neighbour) -> Option<u16> {
        self.sets.next_hops().get(neighbour)
    }

    /// Where packets of IPv4 go that no longer prefix than 0.0.0.0/0 is for.
    pub fn default_route(&self) -> Option<FibTarget> {
        self.four.target(Prefix4::new(Ipv4Addr::UNSPECIFIED, 0).expect("a legal length"), &self.sets)
    }

    /// The prefixes that the office has routes of its own to.
    pub fn office_prefixes(&self) -> impl Iterator<Item = Prefix4> {
        self.four.office_prefixes()
    }

    /// The same for IPv6.
    pub fn office_prefixes6(&self) -> impl Iterator<Item = Prefix6> {
        self.six.office_prefixes()
    }

    pub fn groups(&self) -> impl Iterator<Item = (u16, &GroupSlots)> {
        self.sets.groups()
    }

    /// What goes not quite as it should, and with how many routes.
    pub fn problems(&self) -> BTreeMap<RouteProblem, u32> {
        let mut problems = BTreeMap::new();
        for (problem, routes) in self.sets.problems() {
            *problems.entry(problem).or_default() += routes;
        }
        problems
    }

    /// Whether, since this was asked last, something was told after which only another dump can tell which of several
    /// routes the kernel uses: of IPv6, whose changes do not say where they happened among routes to one prefix that have
    /// one metric and are not one.
    pub fn take_doubt(&mut self) -> bool {
        std::mem::take(&mut self.is_in_doubt)
    }

    /// The office's core ports: their indices, by the interfaces that they are.
    pub fn set_ports(&mut self, ports: BTreeMap<u32, u16>) -> Vec<RouteOp> {
        let turned = self.sets.set_ports(ports);
        self.finish(&turned, None)
    }

    /// Puts a route of the office's own in, or takes it out. It is followed and not the kernel's to the same prefix.
    pub fn set_office_route(&mut self, prefix: Prefix4, via: Option<Neighbour>) -> Vec<RouteOp> {
        let op = self.four.set_office(prefix, via, &mut self.sets);
        self.finish(&Turned::new(), op)
    }

    /// The same for IPv6.
    pub fn set_office_route6(&mut self, prefix: Prefix6, via: Option<Neighbour>) -> Vec<RouteOp> {
        let op = self.six.set_office(prefix, via, &mut self.sets);
        self.finish(&Turned::new(), op)
    }

    /// Whether a neighbour's Ethernet address is known: in a group, it is left out while it is not and another's is.
    pub fn set_resolved(&mut self, neighbour: &Neighbour, is_resolved: bool) -> Vec<RouteOp> {
        self.sets.set_resolved(neighbour, is_resolved);
        self.finish(&Turned::new(), None)
    }

    /// Gives up the places that the maps had before and that nothing asked for: to be called when all routes have been
    /// told once, and the maps lead to none of them any more.
    pub fn forget_held(&mut self) -> Vec<RouteOp> {
        self.sets.forget_held();
        self.finish(&Turned::new(), None)
    }

    /// What must be written after something happened in the kernel.
    pub fn apply(&mut self, event: RouteEvent) -> Vec<RouteOp> {
        match event {
            RouteEvent::Route { route, placed } => {
                let op = self.put(route, placed);
                self.finish(&Turned::new(), op)
            }
            RouteEvent::RouteGone(route) => {
                let op = self.take(route);
                self.finish(&Turned::new(), op)
            }
            RouteEvent::NextHop { id, object } => {
                self.untold_objects.retain(|untold| *untold != id);
                let turned = self.sets.set_object(id, Some(object));
                self.finish(&turned, None)
            }
            RouteEvent::NextHopGone { id } => {
                let ops = self.drop_routes_by(id);
                let turned = self.sets.set_object(id, None);
                self.finish(&turned, ops)
            }
            RouteEvent::Link { ifindex, is_up } => {
                let turned = self.sets.set_link(ifindex, is_up);
                self.finish(&turned, None)
            }
            RouteEvent::DumpBegins => {
                self.generation += 2;
                self.untold_objects = self.sets.objects().collect();
                Vec::new()
            }
            RouteEvent::DumpEnds => {
                let ops = self.end_dump();
                self.finish(&Turned::new(), ops)
            }
        }
    }

    fn put(&mut self, route: KernelRoute, placed: Placed) -> Option<RouteOp> {
        let relevant = relevant(route)?;
        let generation = self.generation + u32::from(placed == Placed::Found);
        let is_found = placed == Placed::Found;
        let Relevant { metric, key, .. } = relevant;
        match relevant.prefix {
            RoutePrefix::V4(prefix) => {
                let set = self.sets.acquire(key, self.four.used(prefix));
                let new = Candidate { metric, set, generation };
                self.four.change(prefix, &mut self.sets, |entry, _| {
                    let place = |alike: &[Candidate]| Place::of_ipv4(placed, alike);
                    entry.put(new, is_found, place).into_iter().collect()
                })
            }
            RoutePrefix::V6(prefix) => {
                let is_joined = key.kernel_target().is_some_and(joins);
                let set = self.sets.acquire(key, self.six.used(prefix));
                let new = Candidate { metric, set, generation };
                let is_in_doubt = &mut self.is_in_doubt;
                self.six.change(prefix, &mut self.sets, |entry, sets| {
                    let joins = |id| sets.key(id).kernel_target().is_some_and(joins);
                    let place = |alike: &[Candidate]| Place::of_ipv6(placed, alike, is_joined, joins);
                    let released = entry.put(new, is_found, place);
                    *is_in_doubt |= !is_found && entry.count(metric) > 1;
                    released.into_iter().collect()
                })
            }
        }
    }

    fn take(&mut self, route: KernelRoute) -> Option<RouteOp> {
        let Relevant { prefix, metric, key } = relevant(route)?;
        let set = self.sets.find(&key);
        let is_other = move |other: &Candidate| (other.metric, Some(other.set)) != (metric, set);
        match prefix {
            RoutePrefix::V4(prefix) => {
                self.four.change(prefix, &mut self.sets, |entry, _| entry.drop_but(is_other))
            }
            RoutePrefix::V6(prefix) => {
                let is_in_doubt = &mut self.is_in_doubt;
                self.six.change(prefix, &mut self.sets, |entry, sets| {
                    *is_in_doubt |= entry.count(metric) > 1;
                    let gone = entry.drop_but(is_other);
                    if gone.is_empty() { take_ways(entry, sets, metric, &key) } else { gone }
                })
            }
        }
    }

    fn drop_routes_by(&mut self, object: u32) -> Vec<RouteOp> {
        let by_it = sets_by(object, &self.sets);
        if by_it.is_empty() {
            return Vec::new();
        }
        self.retain(|candidate| !by_it.contains(&candidate.set))
    }

    fn retain(&mut self, is_kept: impl Fn(&Candidate) -> bool) -> Vec<RouteOp> {
        let mut ops = self.four.retain(&mut self.sets, &is_kept);
        ops.extend(self.six.retain(&mut self.sets, is_kept));
        ops
    }

    fn end_dump(&mut self) -> Vec<RouteOp> {
        let generation = self.generation;
        let mut ops = self.retain(|candidate| candidate.generation >= generation);
        for object in std::mem::take(&mut self.untold_objects) {
            ops.extend(self.drop_routes_by(object));
            let turned = self.sets.set_object(object, None);
            ops.extend(self.repainted(&turned));
        }
        ops
    }

    /// The routes that go elsewhere because these sets do.
    fn repainted(&self, turned: &Turned) -> Vec<RouteOp> {
        if turned.is_empty() {
            return Vec::new();
        }
        let mut ops = self.four.repainted(turned, &self.sets);
        ops.extend(self.six.repainted(turned, &self.sets));
        ops
    }

    /// Next hops and groups first, then routes, then what they do not lead to any more.
    fn finish(&mut self, turned: &Turned, routes: impl IntoIterator<Item = RouteOp>) -> Vec<RouteOp> {
        let mut ops = self.sets.take_ops();
        ops.extend(routes);
        ops.extend(self.repainted(turned));
        if self.sets.collect_unused(&mut ops) {
            // There may be room now.
            let turned = self.sets.retry();
            ops.extend(self.sets.take_ops());
            ops.extend(self.repainted(&turned));
            self.sets.collect_unused(&mut ops);
        }
        ops
    }
}

impl RouteProblem {
    fn is_want_of_room(self) -> bool {
        match self {
            Self::NextHopsFull | Self::GroupsFull => true,
            Self::TooManyMembers => false,
        }
    }
}

/// Takes ways from a route of IPv6 that has others beside them.
fn take_ways(entry: &mut entry::Entry, sets: &mut Sets, metric: u32, key: &SetKey) -> Released {
    let Some(KernelTarget::Hops(gone)) = key.kernel_target() else { return Released::new() };
    for candidate in entry.0.iter_mut().filter(|candidate| candidate.metric == metric) {
        let Some(KernelTarget::Hops(hops)) = sets.key(candidate.set).kernel_target() else { continue };
        let Some(rest) = without(hops, gone) else { continue };
        let before = candidate.set;
        if rest.is_empty() {
            return entry.drop_but(|candidate| (candidate.metric, candidate.set) != (metric, before));
        }
        candidate.set = sets.acquire(SetKey::Kernel(KernelTarget::Hops(rest)), Some(before));
        return [before].into_iter().collect();
    }
    Released::new()
}

/// What of a route is needed here.
struct Relevant {
    prefix: RoutePrefix,
    metric: u32,
    key: SetKey,
}

/// `None`: the route is not to be followed.
fn relevant(route: KernelRoute) -> Option<Relevant> {
    let mut target = route.target;
    if let RoutePrefix::V6(prefix) = route.prefix {
        if prefix.network().is_unicast_link_local() || prefix.network().is_multicast() {
            return None;
        }
        // Of several ways, a change may tell any first.
        if let KernelTarget::Hops(hops) = &mut target {
            hops.sort_unstable();
        }
    }
    let key = if route.protocol == crate::kernel::OWN_PROTOCOL {
        SetKey::Own(target)
    } else {
        SetKey::Kernel(target)
    };
    (route.tos == 0).then_some(Relevant { prefix: route.prefix, metric: route.metric, key })
}
