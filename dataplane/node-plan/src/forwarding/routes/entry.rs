//! The kernel's routes to one prefix.

use map_abi::FibTarget;
use smallvec::SmallVec;

use super::{KernelHop, KernelTarget, Placed, sets::SetId};

/// The one that the kernel uses is first.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry(pub(super) SmallVec<[Candidate; 1]>);

#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) metric: u32,
    pub(super) set: SetId,
    /// When it was told.
    pub(super) generation: u32,
}

/// Where a route goes among those with its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Before(usize),
    InsteadOf(usize),
}

impl Place {
    /// As the kernel does it with IPv4's (`fib_table_insert()`).
    pub(super) fn of_ipv4(placed: Placed, alike: &[Candidate]) -> Self {
        match placed {
            Placed::Instead if !alike.is_empty() => Self::InsteadOf(0),
            Placed::Last => Self::Before(alike.len()),
            Placed::Instead | Placed::First | Placed::Found => Self::Before(0),
        }
    }

    /// As the kernel does it with IPv6's (`fib6_add_rt2node()`): those by gateways are one route with several ways, of
    /// which each change tells all, and what is new comes last. `joins` says of the new one and of others whether they are
    /// of that kind.
    pub(super) fn of_ipv6(
        placed: Placed,
        alike: &[Candidate],
        is_joined: bool,
        joins: impl Fn(SetId) -> bool,
    ) -> Self {
        let of_its_kind = alike.iter().position(|other| joins(other.set) == is_joined);
        let replaced = match placed {
            Placed::Instead => of_its_kind.or_else(|| (!alike.is_empty()).then_some(0)),
            _ => of_its_kind.filter(|_| is_joined),
        };
        replaced.map_or(Self::Before(alike.len()), Self::InsteadOf)
    }
}

/// Whether IPv6 makes one route of this and others with its metric (`rt6_qualify_for_ecmp()`).
pub(super) fn joins(target: &KernelTarget) -> bool {
    match target {
        KernelTarget::Hops(hops) => hops.len() > 1 || hops.iter().all(|hop| hop.gateway.is_some()),
        _ => false,
    }
}

/// What is left of a route's ways without these; `None`: they are not all its own.
pub(super) fn without(hops: &[KernelHop], gone: &[KernelHop]) -> Option<Vec<KernelHop>> {
    // One way that is told of alone has no weight.
    let is_same =
        |one: &KernelHop, other: &KernelHop| (one.gateway, one.ifindex) == (other.gateway, other.ifindex);
    let is_in = |hop: &KernelHop, among: &[KernelHop]| among.iter().any(|other| is_same(hop, other));
    gone.iter()
        .all(|hop| is_in(hop, hops))
        .then(|| hops.iter().filter(|hop| !is_in(hop, gone)).cloned().collect())
}

impl Entry {
    /// The first route that can be used.
    pub(super) fn target(&self, target_of: impl Fn(SetId) -> Option<FibTarget>) -> Option<FibTarget> {
        self.0.iter().find_map(|candidate| target_of(candidate.set))
    }

    /// Gives back the set that is not needed for it, or not any more.
    pub(super) fn put(
        &mut self,
        new: Candidate,
        is_found: bool,
        place: impl FnOnce(&[Candidate]) -> Place,
    ) -> Option<SetId> {
        let first = self.0.partition_point(|other| other.metric < new.metric);
        let last = self.0.partition_point(|other| other.metric <= new.metric);
        let alike = &mut self.0[first..last];
        // Told again, it stays where it is: the kernel does so as `Instead` when a nexthop object changes.
        if let Some(there) = alike.iter_mut().find(|other| other.set == new.set) {
            let is_found = there.generation < new.generation && is_found;
            there.generation = there.generation.max(new.generation);
            if is_found {
                // Those that a dump tells of are in its order, and before those that it has not told of.
                alike.sort_by_key(|other| (other.generation != new.generation, other.set == new.set));
            }
            return Some(new.set);
        }
        let place = if is_found {
            Place::Before(alike.iter().filter(|other| other.generation == new.generation).count())
        } else {
            place(alike)
        };
        match place {
            Place::InsteadOf(at) => Some(std::mem::replace(&mut alike[at], new).set),
            Place::Before(at) => {
                self.0.insert(first + at, new);
                None
            }
        }
    }

    /// How many routes have that metric.
    pub(super) fn count(&self, metric: u32) -> usize {
        self.0.iter().filter(|candidate| candidate.metric == metric).count()
    }
}
