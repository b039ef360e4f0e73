//! Indices of next hops and of groups of them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
};

use map_abi::{FibTarget, MAX_NEXT_HOP_GROUPS, MAX_NEXT_HOPS};

use super::{GroupSlots, Held};

/// A router on a link of a core port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbour {
    pub address: IpAddr,
    /// Index of the port.
    pub port: u16,
}

/// Indices 1 to a limit. One that is given back is handed out again only when all others were, so that what is read
/// in the very moment does not become something else.
#[derive(Clone, Debug)]
struct Indices(VecDeque<u16>);

/// Which next hop has which index, and how many sets of next hops have it in them.
#[derive(Clone, Debug)]
pub(super) struct NextHops {
    indices: Indices,
    by_neighbour: BTreeMap<Neighbour, (u16, u32)>,
    resolved: BTreeSet<u16>,
    /// Those that the maps had before, counted as one user each.
    held: Vec<Neighbour>,
}

/// Which groups there are, and those that the maps had before and nobody has asked for yet.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    indices: Indices,
    held: BTreeMap<u16, GroupSlots>,
}

impl Indices {
    fn new(limit: u32, taken: impl Fn(u16) -> bool) -> Self {
        let limit = u16::try_from(limit.min(FibTarget::INDEX_MAX)).expect("tables of at most 65,535");
        Self((1..limit).filter(|index| !taken(*index)).collect())
    }
}

impl NextHops {
    pub(super) fn new(held: &Held) -> Self {
        let by_neighbour: BTreeMap<Neighbour, (u16, u32)> =
            held.next_hops.iter().map(|(neighbour, index)| (*neighbour, (*index, 1))).collect();
        let taken: BTreeSet<u16> = held.next_hops.values().copied().collect();
        let indices = Indices::new(MAX_NEXT_HOPS, |index| taken.contains(&index));
        let held = held.next_hops.keys().copied().collect();
        Self { indices, by_neighbour, resolved: BTreeSet::new(), held }
    }

    pub(super) fn get(&self, neighbour: &Neighbour) -> Option<u16> {
        self.by_neighbour.get(neighbour).map(|(index, _)| *index)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, Neighbour)> + '_ {
        self.by_neighbour.iter().map(|(neighbour, (index, _))| (*index, *neighbour))
    }

    /// Counts one more user; gives its index and whether it is new. `None`: the table is full.
    pub(super) fn acquire(&mut self, neighbour: Neighbour) -> Option<(u16, bool)> {
        if let Some((index, users)) = self.by_neighbour.get_mut(&neighbour) {
            *users += 1;
            return Some((*index, false));
        }
        let index = self.indices.0.pop_front()?;
        self.by_neighbour.insert(neighbour, (index, 1));
        Some((index, true))
    }

    pub(super) fn release(&mut self, neighbour: &Neighbour) {
        if let Some((_, users)) = self.by_neighbour.get_mut(neighbour) {
            *users -= 1;
        }
    }

    pub(super) fn forget_held(&mut self) {
        for neighbour in std::mem::take(&mut self.held) {
            self.release(&neighbour);
        }
    }

    /// Forgets those that nobody uses.
    pub(super) fn collect_unused(&mut self) -> Vec<u16> {
        let unused: Vec<u16> = self
            .by_neighbour
            .extract_if(.., |_, (_, users)| *users == 0)
            .map(|(_, (index, _))| index)
            .collect();
        for index in &unused {
            self.resolved.remove(index);
            self.indices.0.push_back(*index);
        }
        unused
    }

    pub(super) fn is_resolved(&self, index: u16) -> bool {
        self.resolved.contains(&index)
    }

    /// Whether that is news.
    pub(super) fn set_resolved(&mut self, index: u16, is_resolved: bool) -> bool {
        if is_resolved { self.resolved.insert(index) } else { self.resolved.remove(&index) }
    }
}

impl Groups {
    pub(super) fn new(held: &Held) -> Self {
        let held = held.groups.clone();
        Self { indices: Indices::new(MAX_NEXT_HOP_GROUPS, |index| held.contains_key(&index)), held }
    }

    /// A group for these next hops: one that the maps have, with its slots, or a new one.
    pub(super) fn acquire(&mut self, next_hops: &BTreeSet<u16>) -> Option<(u16, Option<GroupSlots>)> {
        // Slots name no member whose neighbour was not resolved.
        let in_common = |slots: &GroupSlots| {
            let named: BTreeSet<u16> = slots.iter().copied().collect();
            named.is_subset(next_hops).then_some(named.len())
        };
        let nearest = self.held.iter().filter_map(|(index, slots)| Some((in_common(slots)?, *index))).max();
        if let Some((_, index)) = nearest {
            return Some((index, self.held.remove(&index)));
        }
        self.indices.0.pop_front().map(|index| (index, None))
    }

    pub(super) fn release(&mut self, index: u16) {
        self.indices.0.push_back(index);
    }

    /// Gives up those that nobody has asked for.
    pub(super) fn forget_held(&mut self) {
        self.indices.0.extend(std::mem::take(&mut self.held).into_keys());
    }
}
