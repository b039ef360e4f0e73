//! What the forwarding table should say of routes: the kernel's, and the office's own before them.

mod kernel;
mod next_hops;
mod sets;

use std::{
    collections::{BTreeMap, btree_map},
    net::Ipv4Addr,
};

use map_abi::FibTarget;
use net_types::{Prefix4, Prefix6};
use smallvec::SmallVec;

use self::sets::{SetId, SetKey, Sets, Turned};
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

/// IPv4 routes of the kernel and of the office, and the next hops that they lead to.
///
/// A route out of an interface that is no port leads to the kernel ([`FibTarget::KERNEL`]). The agent's own routes in
/// the kernel ([`KernelRoute::is_own`]), those for one type of service, and IPv6's are not followed.
#[derive(Clone, Debug)]
pub struct RouteTable {
    entries: BTreeMap<Prefix4, Entry>,
    office: BTreeMap<Prefix4, SetId>,
    /// What the office's own routes of IPv6 lead to; where they lie is `Fib6`'s.
    office6: BTreeMap<Prefix6, SetId>,
    sets: Sets,
    /// Of what was told since the last dump began; what the dump itself tells has the one above.
    generation: u32,
    /// Nexthop objects that it has not told of yet.
    untold_objects: Vec<u32>,
}

/// The kernel's routes to one prefix, the one that it uses first.
#[derive(Clone, Debug, Default)]
struct Entry(SmallVec<[Candidate; 1]>);

#[derive(Clone, Copy, Debug)]
struct Candidate {
    metric: u32,
    set: SetId,
    /// When it was told.
    generation: u32,
}

impl Entry {
    /// The first route that can be used.
    fn target(&self, target_of: impl Fn(SetId) -> Option<FibTarget>) -> Option<FibTarget> {
        self.0.iter().find_map(|candidate| target_of(candidate.set))
    }

    /// Gives back the set that is not needed for it, or not any more.
    fn put(&mut self, new: Candidate, placed: Placed) -> Option<SetId> {
        let first = self.0.partition_point(|other| other.metric < new.metric);
        let last = self.0.partition_point(|other| other.metric <= new.metric);
        let alike = &mut self.0[first..last];
        // Told again, it stays where it is: the kernel does so as `Instead` when a nexthop object changes.
        if let Some(there) = alike.iter_mut().find(|other| other.set == new.set) {
            let is_found = there.generation < new.generation && placed == Placed::Found;
            there.generation = there.generation.max(new.generation);
            if is_found {
                // Those that a dump tells of are in its order, and before those that it has not told of.
                alike.sort_by_key(|other| (other.generation != new.generation, other.set == new.set));
            }
            return Some(new.set);
        }
        let at = match placed {
            Placed::Instead if first < last => {
                return Some(std::mem::replace(&mut self.0[first], new).set);
            }
            Placed::Instead | Placed::First => first,
            Placed::Last => last,
            Placed::Found => first + alike.iter().filter(|other| other.generation == new.generation).count(),
        };
        self.0.insert(at, new);
        None
    }
}

impl RouteTable {
    pub fn new(held: &Held) -> Self {
        Self {
            entries: BTreeMap::new(),
            office: BTreeMap::new(),
            office6: BTreeMap::new(),
            sets: Sets::new(held),
            generation: 0,
            untold_objects: Vec::new(),
        }
    }

    /// Where packets go, by prefix; the default route is among them.
    pub fn routes(&self) -> impl Iterator<Item = (Prefix4, FibTarget)> {
        let target_of = |id: SetId| self.sets.target(id);
        let kernel = self.entries.iter().filter(|(prefix, _)| !self.office.contains_key(prefix));
        let kernel = kernel.filter_map(move |(prefix, entry)| Some((*prefix, entry.target(target_of)?)));
        let office = self.office.iter().filter_map(move |(prefix, set)| Some((*prefix, target_of(*set)?)));
        kernel.chain(office)
    }

    /// The neighbours that routes lead to, with their indices: they must be resolved, and kept so.
    pub fn next_hops(&self) -> impl Iterator<Item = (u16, Neighbour)> {
        self.sets.next_hops().iter()
    }

    pub fn index_of(&self, neighbour: &Neighbour) -> Option<u16> {
        self.sets.next_hops().get(neighbour)
    }

    /// Where packets go that no longer prefix than 0.0.0.0/0 is for.
    pub fn default_route(&self) -> Option<FibTarget> {
        self.target(Prefix4::new(Ipv4Addr::UNSPECIFIED, 0).expect("a legal length"))
    }

    /// The prefixes that the office has routes of its own to.
    pub fn office_prefixes(&self) -> impl Iterator<Item = Prefix4> {
        self.office.keys().copied()
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

    /// The office's core ports: their indices, by the interfaces that they are.
    pub fn set_ports(&mut self, ports: BTreeMap<u32, u16>) -> Vec<RouteOp> {
        let turned = self.sets.set_ports(ports);
        self.finish(&turned, Vec::new())
    }

    /// Puts a route of the office's own in, or takes it out. It is followed and not the kernel's to the same prefix.
    pub fn set_office_route(&mut self, prefix: Prefix4, via: Option<Neighbour>) -> Vec<RouteOp> {
        let before = self.target(prefix);
        let new = via.map(|neighbour| self.sets.acquire(SetKey::Office(neighbour), None));
        let old = match new {
            Some(set) => self.office.insert(prefix, set),
            None => self.office.remove(&prefix),
        };
        let op = self.difference(prefix, before);
        if let Some(old) = old {
            self.sets.release(old);
        }
        self.finish(&Turned::new(), op)
    }

    /// The same for IPv6; what it leads to is then [`Self::target6`].
    pub fn set_office_route6(&mut self, prefix: Prefix6, via: Option<Neighbour>) -> Vec<RouteOp> {
        let new = via.map(|neighbour| self.sets.acquire(SetKey::Office(neighbour), None));
        let old = match new {
            Some(set) => self.office6.insert(prefix, set),
            None => self.office6.remove(&prefix),
        };
        if let Some(old) = old {
            self.sets.release(old);
        }
        self.finish(&Turned::new(), Vec::new())
    }

    /// Where an IPv6 route of the office's own leads to, if it leads to a neighbour.
    pub fn target6(&self, prefix: Prefix6) -> Option<FibTarget> {
        self.office6.get(&prefix).and_then(|set| self.sets.target(*set))
    }

    /// The IPv6 prefixes that the office has routes of its own to.
    pub fn office_prefixes6(&self) -> impl Iterator<Item = Prefix6> {
        self.office6.keys().copied()
    }

    /// Whether a neighbour's Ethernet address is known: in a group, it is left out while it is not and another's is.
    pub fn set_resolved(&mut self, neighbour: &Neighbour, is_resolved: bool) -> Vec<RouteOp> {
        self.sets.set_resolved(neighbour, is_resolved);
        self.finish(&Turned::new(), Vec::new())
    }

    /// Gives up the places that the maps had before and that nothing asked for: to be called when all routes have been
    /// told once, and the maps lead to none of them any more.
    pub fn forget_held(&mut self) -> Vec<RouteOp> {
        self.sets.forget_held();
        self.finish(&Turned::new(), Vec::new())
    }

    /// What must be written after something happened in the kernel.
    pub fn apply(&mut self, event: RouteEvent) -> Vec<RouteOp> {
        let (turned, ops) = match event {
            RouteEvent::Route { route, placed } => (Turned::new(), self.put(route, placed)),
            RouteEvent::RouteGone(route) => (Turned::new(), self.take(route)),
            RouteEvent::NextHop { id, object } => {
                self.untold_objects.retain(|untold| *untold != id);
                (self.sets.set_object(id, Some(object)), Vec::new())
            }
            RouteEvent::NextHopGone { id } => {
                let ops = self.drop_routes_by(id);
                (self.sets.set_object(id, None), ops)
            }
            RouteEvent::Link { ifindex, is_up } => (self.sets.set_link(ifindex, is_up), Vec::new()),
            RouteEvent::DumpBegins => {
                self.generation += 2;
                self.untold_objects = self.sets.objects().collect();
                return Vec::new();
            }
            RouteEvent::DumpEnds => (Turned::new(), self.end_dump()),
        };
        self.finish(&turned, ops)
    }

    fn put(&mut self, route: KernelRoute, placed: Placed) -> Vec<RouteOp> {
        let Some((prefix, metric, key)) = relevant(route) else { return Vec::new() };
        let before = self.target(prefix);
        let used = self.entries.get(&prefix).and_then(|entry| entry.0.first()).map(|used| used.set);
        let set = self.sets.acquire(key, used);
        let generation = self.generation + u32::from(placed == Placed::Found);
        let new = Candidate { metric, set, generation };
        let released = self.entries.entry(prefix).or_default().put(new, placed);
        let op = self.difference(prefix, before);
        if let Some(set) = released {
            self.sets.release(set);
        }
        op
    }

    fn take(&mut self, route: KernelRoute) -> Vec<RouteOp> {
        let Some((prefix, metric, key)) = relevant(route) else { return Vec::new() };
        let Some(set) = self.sets.find(&key) else { return Vec::new() };
        self.retain(prefix, |other| (other.metric, other.set) != (metric, set))
    }

    /// Keeps of a prefix's routes those that `is_kept` says.
    fn retain(&mut self, prefix: Prefix4, is_kept: impl Fn(&Candidate) -> bool) -> Vec<RouteOp> {
        let before = self.target(prefix);
        let btree_map::Entry::Occupied(mut occupied) = self.entries.entry(prefix) else { return Vec::new() };
        let candidates = &mut occupied.get_mut().0;
        let gone: SmallVec<[Candidate; 1]> =
            candidates.iter().copied().filter(|candidate| !is_kept(candidate)).collect();
        candidates.retain(|candidate| is_kept(candidate));
        if candidates.is_empty() {
            occupied.remove();
        }
        let op = self.difference(prefix, before);
        for candidate in gone {
            self.sets.release(candidate.set);
        }
        op
    }

    fn drop_routes_by(&mut self, object: u32) -> Vec<RouteOp> {
        let target = KernelTarget::Object(object);
        let keys = [SetKey::Kernel(target.clone()), SetKey::Own(target)];
        let sets: SmallVec<[SetId; 2]> = keys.iter().filter_map(|key| self.sets.find(key)).collect();
        if sets.is_empty() {
            return Vec::new();
        }
        let has_one = |entry: &Entry| entry.0.iter().any(|candidate| sets.contains(&candidate.set));
        let prefixes: Vec<Prefix4> =
            self.entries.iter().filter(|(_, entry)| has_one(entry)).map(|(prefix, _)| *prefix).collect();
        let retain = |prefix| self.retain(prefix, |candidate| !sets.contains(&candidate.set));
        prefixes.into_iter().flat_map(retain).collect()
    }

    fn end_dump(&mut self) -> Vec<RouteOp> {
        let generation = self.generation;
        let is_untold = |entry: &Entry| entry.0.iter().any(|other| other.generation < generation);
        let untold = self.entries.iter().filter(|(_, entry)| is_untold(entry));
        let untold: Vec<Prefix4> = untold.map(|(prefix, _)| *prefix).collect();
        let mut ops: Vec<RouteOp> = untold
            .into_iter()
            .flat_map(|prefix| self.retain(prefix, |other| other.generation >= generation))
            .collect();
        for object in std::mem::take(&mut self.untold_objects) {
            ops.extend(self.drop_routes_by(object));
            let turned = self.sets.set_object(object, None);
            ops.extend(self.repainted(&turned));
        }
        ops
    }

    fn target(&self, prefix: Prefix4) -> Option<FibTarget> {
        self.target_by(prefix, self.entries.get(&prefix), |id| self.sets.target(id))
    }

    fn target_by(
        &self,
        prefix: Prefix4,
        entry: Option<&Entry>,
        target_of: impl Fn(SetId) -> Option<FibTarget>,
    ) -> Option<FibTarget> {
        match self.office.get(&prefix) {
            Some(set) => target_of(*set),
            None => entry?.target(target_of),
        }
    }

    fn difference(&self, prefix: Prefix4, before: Option<FibTarget>) -> Vec<RouteOp> {
        let target = self.target(prefix);
        if target == before { Vec::new() } else { vec![RouteOp::Route { prefix, target }] }
    }

    /// The routes that go elsewhere because these sets do.
    fn repainted(&self, turned: &Turned) -> Vec<RouteOp> {
        if turned.is_empty() {
            return Vec::new();
        }
        let now = |id: SetId| self.sets.target(id);
        let before = |id: SetId| turned.get(&id).copied().unwrap_or_else(|| now(id));
        let only_office = self.office.keys().filter(|prefix| !self.entries.contains_key(prefix));
        let prefixes = self.entries.iter().map(|(prefix, entry)| (*prefix, Some(entry)));
        let prefixes = prefixes.chain(only_office.map(|prefix| (*prefix, None)));
        prefixes
            .filter_map(|(prefix, entry)| {
                let target = self.target_by(prefix, entry, now);
                let is_same = target == self.target_by(prefix, entry, before);
                (!is_same).then_some(RouteOp::Route { prefix, target })
            })
            .collect()
    }

    /// Next hops and groups first, then routes, then what they do not lead to any more.
    fn finish(&mut self, turned: &Turned, routes: Vec<RouteOp>) -> Vec<RouteOp> {
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

/// What of a route is needed here, if it is.
fn relevant(route: KernelRoute) -> Option<(Prefix4, u32, SetKey)> {
    let RoutePrefix::V4(prefix) = route.prefix else { return None };
    let key = if route.is_own() { SetKey::Own(route.target) } else { SetKey::Kernel(route.target) };
    (route.tos == 0).then_some((prefix, route.metric, key))
}
