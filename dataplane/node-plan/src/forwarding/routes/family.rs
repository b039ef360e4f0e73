//! Routes of one family: the kernel's, and the office's own before them.

use std::collections::{BTreeMap, BTreeSet};

use map_abi::FibTarget;
use net_types::{Prefix4, Prefix6};
use smallvec::SmallVec;

use super::{
    Neighbour, RouteOp,
    entry::{Candidate, Entry},
    sets::{SetId, SetKey, Sets, Turned},
};

/// A prefix of either family.
pub(super) trait Prefix: Copy + Ord {
    fn op(self, target: Option<FibTarget>) -> RouteOp;
}

impl Prefix for Prefix4 {
    fn op(self, target: Option<FibTarget>) -> RouteOp {
        RouteOp::Route { prefix: self, target }
    }
}

impl Prefix for Prefix6 {
    fn op(self, target: Option<FibTarget>) -> RouteOp {
        RouteOp::Route6 { prefix: self, target }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Family<P> {
    entries: BTreeMap<P, Entry>,
    office: BTreeMap<P, SetId>,
}

/// Sets that an entry does not need any more.
pub(super) type Released = SmallVec<[SetId; 1]>;

impl<P: Prefix> Family<P> {
    pub(super) fn new() -> Self {
        Self { entries: BTreeMap::new(), office: BTreeMap::new() }
    }

    pub(super) fn routes<'a>(&'a self, sets: &'a Sets) -> impl Iterator<Item = (P, FibTarget)> + use<'a, P> {
        let target_of = |id: SetId| sets.target(id);
        let kernel = self.entries.iter().filter(|(prefix, _)| !self.office.contains_key(prefix));
        let kernel = kernel.filter_map(move |(prefix, entry)| Some((*prefix, entry.target(target_of)?)));
        let office = self.office.iter().filter_map(move |(prefix, set)| Some((*prefix, target_of(*set)?)));
        kernel.chain(office)
    }

    pub(super) fn office_prefixes(&self) -> impl Iterator<Item = P> + use<'_, P> {
        self.office.keys().copied()
    }

    pub(super) fn target(&self, prefix: P, sets: &Sets) -> Option<FibTarget> {
        self.target_by(prefix, self.entries.get(&prefix), |id| sets.target(id))
    }

    fn target_by(
        &self,
        prefix: P,
        entry: Option<&Entry>,
        target_of: impl Fn(SetId) -> Option<FibTarget>,
    ) -> Option<FibTarget> {
        match self.office.get(&prefix) {
            Some(set) => target_of(*set),
            None => entry?.target(target_of),
        }
    }

    fn difference(&self, prefix: P, before: Option<FibTarget>, sets: &Sets) -> Option<RouteOp> {
        let target = self.target(prefix, sets);
        (target != before).then(|| prefix.op(target))
    }

    /// Puts a route of the office's own in, or takes it out.
    pub(super) fn set_office(
        &mut self,
        prefix: P,
        via: Option<Neighbour>,
        sets: &mut Sets,
    ) -> Option<RouteOp> {
        let before = self.target(prefix, sets);
        let new = via.map(|neighbour| sets.acquire(SetKey::Office(neighbour), None));
        let old = match new {
            Some(set) => self.office.insert(prefix, set),
            None => self.office.remove(&prefix),
        };
        let op = self.difference(prefix, before, sets);
        if let Some(old) = old {
            sets.release(old);
        }
        op
    }

    /// Changes the kernel's routes to a prefix.
    pub(super) fn change(
        &mut self,
        prefix: P,
        sets: &mut Sets,
        change: impl FnOnce(&mut Entry, &mut Sets) -> Released,
    ) -> Option<RouteOp> {
        let before = self.target(prefix, sets);
        let entry = self.entries.entry(prefix).or_default();
        let released = change(entry, sets);
        if entry.0.is_empty() {
            self.entries.remove(&prefix);
        }
        let op = self.difference(prefix, before, sets);
        for set in released {
            sets.release(set);
        }
        op
    }

    /// Keeps of all routes those that `is_kept` says.
    pub(super) fn retain(&mut self, sets: &mut Sets, is_kept: impl Fn(&Candidate) -> bool) -> Vec<RouteOp> {
        let has_other = |entry: &Entry| entry.0.iter().any(|candidate| !is_kept(candidate));
        let prefixes: Vec<P> =
            self.entries.iter().filter(|(_, entry)| has_other(entry)).map(|(prefix, _)| *prefix).collect();
        let drop = |prefix: P| self.change(prefix, sets, |entry, _| entry.drop_but(&is_kept));
        prefixes.into_iter().filter_map(drop).collect()
    }

    /// The routes that go elsewhere because these sets do.
    pub(super) fn repainted(&self, turned: &Turned, sets: &Sets) -> Vec<RouteOp> {
        let now = |id: SetId| sets.target(id);
        let before = |id: SetId| turned.get(&id).copied().unwrap_or_else(|| now(id));
        let only_office = self.office.keys().filter(|prefix| !self.entries.contains_key(prefix));
        let prefixes = self.entries.iter().map(|(prefix, entry)| (*prefix, Some(entry)));
        let prefixes = prefixes.chain(only_office.map(|prefix| (*prefix, None)));
        let changed = prefixes.filter_map(|(prefix, entry)| {
            let target = self.target_by(prefix, entry, now);
            let is_same = target == self.target_by(prefix, entry, before);
            (!is_same).then(|| prefix.op(target))
        });
        changed.collect()
    }

    /// The set of the route to a prefix that is used first.
    pub(super) fn used(&self, prefix: P) -> Option<SetId> {
        Some(self.entries.get(&prefix)?.0.first()?.set)
    }
}

impl Entry {
    /// Keeps of its routes those that `is_kept` says.
    pub(super) fn drop_but(&mut self, is_kept: impl Fn(&Candidate) -> bool) -> Released {
        let gone = self.0.iter().filter(|candidate| !is_kept(candidate)).map(|gone| gone.set).collect();
        self.0.retain(|candidate| is_kept(candidate));
        gone
    }
}

/// Which sets lead to a nexthop object.
pub(super) fn sets_by(object: u32, sets: &Sets) -> BTreeSet<SetId> {
    let target = super::KernelTarget::Object(object);
    [SetKey::Kernel(target.clone()), SetKey::Own(target)].iter().filter_map(|key| sets.find(key)).collect()
}
