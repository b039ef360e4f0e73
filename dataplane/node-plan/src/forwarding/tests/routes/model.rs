//! The kernel's routes kept naively, and the maps that operations are carried out on.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use map_abi::FibTarget;
use net_types::{Prefix4, Prefix6};

use super::super::super::*;

/// The maps, as whoever carries operations out leaves them.
#[derive(Default)]
pub(super) struct Maps {
    pub(super) next_hops: BTreeMap<u16, Neighbour>,
    pub(super) groups: BTreeMap<u16, GroupSlots>,
    pub(super) routes: BTreeMap<Prefix4, FibTarget>,
    pub(super) routes6: BTreeMap<Prefix6, FibTarget>,
    /// Next hops that went: should they come again, they are not resolved.
    pub(super) forgotten: BTreeSet<Neighbour>,
}

/// Where packets go: to neighbours (0.0.0.0 on port 0: to the kernel), to the node itself, or to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Ways(BTreeSet<Neighbour>),
    Local,
    Dropped,
}

pub(super) const KERNEL: Neighbour = Neighbour { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 };

impl Maps {
    /// Carries operations out; at no moment does anything lead to what is not there.
    pub(super) fn apply(&mut self, ops: Vec<RouteOp>) {
        for op in ops {
            match op {
                RouteOp::NextHop { index, neighbour: Some(neighbour) } => {
                    let before = self.next_hops.insert(index, neighbour);
                    assert_eq!(before, None, "{index} was in use");
                }
                RouteOp::NextHop { index, neighbour: None } => {
                    self.forgotten.insert(self.next_hops.remove(&index).expect("it was there"));
                }
                RouteOp::Group { index, slots } => drop(self.groups.insert(index, *slots)),
                RouteOp::Route { prefix, target: Some(target) } => {
                    assert_ne!(self.routes.insert(prefix, target), Some(target), "nothing new");
                }
                RouteOp::Route { prefix, target: None } => {
                    self.routes.remove(&prefix).expect("it was there");
                }
                RouteOp::Route6 { prefix, target: Some(target) } => {
                    assert_ne!(self.routes6.insert(prefix, target), Some(target), "nothing new");
                }
                RouteOp::Route6 { prefix, target: None } => {
                    self.routes6.remove(&prefix).expect("it was there");
                }
            }
            for target in self.routes.values().chain(self.routes6.values()) {
                self.fate(*target);
            }
        }
    }

    pub(super) fn fate(&self, target: FibTarget) -> Fate {
        let next_hop = |index: u16| if index == 0 { KERNEL } else { self.next_hops[&index] };
        let index = u16::try_from(target.index()).expect("a small table");
        match target.kind() {
            FibTarget::KIND_NEXT_HOP => Fate::Ways([next_hop(index)].into()),
            FibTarget::KIND_GROUP => {
                Fate::Ways(self.groups[&index].iter().map(|slot| next_hop(*slot)).collect())
            }
            FibTarget::KIND_KERNEL => Fate::Ways([KERNEL].into()),
            FibTarget::KIND_BLACKHOLE => Fate::Dropped,
            FibTarget::KIND_LOCAL => Fate::Local,
            kind => panic!("no route leads to kind {kind}"),
        }
    }
}

/// The kernel.
#[derive(Default)]
pub(super) struct Kernel {
    /// By prefix in the order of use.
    pub(super) routes: BTreeMap<Prefix4, Vec<KernelRoute>>,
    pub(super) objects: BTreeMap<u32, NextHopObject>,
    pub(super) links_down: BTreeSet<u32>,
    pub(super) ports: BTreeMap<u32, u16>,
    pub(super) office: BTreeMap<Prefix4, Neighbour>,
    pub(super) resolved: BTreeSet<Neighbour>,
}

impl Kernel {
    /// Puts a route in as the kernel does; gives back whether it did.
    pub(super) fn put(&mut self, prefix: Prefix4, route: &KernelRoute, placed: Placed) -> bool {
        let there = self.routes.entry(prefix).or_default();
        let same = |other: &KernelRoute| other.metric == route.metric;
        match placed {
            Placed::Instead if there.iter().any(same) => {
                let first = there.iter().position(same).expect("one was found");
                let is_elsewhere = there.iter().enumerate().any(|(at, other)| other == route && at != first);
                if !is_elsewhere {
                    there[first] = route.clone();
                }
                return !is_elsewhere;
            }
            _ if there.contains(route) => return false,
            Placed::Found | Placed::Last => {
                let at = there.iter().filter(|other| other.metric <= route.metric).count();
                there.insert(at, route.clone());
            }
            Placed::First | Placed::Instead => {
                let at = there.iter().filter(|other| other.metric < route.metric).count();
                there.insert(at, route.clone());
            }
        }
        true
    }

    /// Takes an object away, and with it what leads to it.
    pub(super) fn remove_object(&mut self, id: u32) {
        self.objects.remove(&id);
        for routes in self.routes.values_mut() {
            routes.retain(|route| route.target != KernelTarget::Object(id));
        }
    }

    pub(super) fn dump(&self) -> Vec<RouteEvent> {
        let objects =
            self.objects.iter().map(|(id, object)| RouteEvent::NextHop { id: *id, object: object.clone() });
        let routes = self.routes.values().flatten();
        let routes = routes.map(|route| RouteEvent::Route { route: route.clone(), placed: Placed::Found });
        objects.chain(routes).collect()
    }

    pub(super) fn prefixes(&self) -> BTreeSet<Prefix4> {
        self.routes.keys().chain(self.office.keys()).copied().collect()
    }

    /// Where packets to just this prefix go, if there is a route that can be used.
    pub(super) fn fate(&self, prefix: Prefix4) -> Option<Fate> {
        if let Some(neighbour) = self.office.get(&prefix) {
            return Some(Fate::Ways([*neighbour].into()));
        }
        let routes = self.routes.get(&prefix)?;
        routes
            .iter()
            .filter(|route| !route.is_own() && route.tos == 0)
            .find_map(|route| self.fate_of(&route.target))
    }

    fn fate_of(&self, target: &KernelTarget) -> Option<Fate> {
        match target {
            KernelTarget::Blackhole => Some(Fate::Dropped),
            KernelTarget::Local => Some(Fate::Local),
            KernelTarget::Unreachable | KernelTarget::Prohibit | KernelTarget::Other => {
                Some(Fate::Ways([KERNEL].into()))
            }
            KernelTarget::Hops(hops) => self.ways(hops),
            KernelTarget::Object(id) => match self.objects.get(id)? {
                NextHopObject::Blackhole => Some(Fate::Dropped),
                NextHopObject::Hop(hop) => self.ways([hop]),
                NextHopObject::Group(members) => {
                    self.ways(members.iter().filter_map(|(id, _)| match self.objects.get(id) {
                        Some(NextHopObject::Hop(hop)) => Some(hop),
                        _ => None,
                    }))
                }
            },
        }
    }

    fn ways<'a>(&self, hops: impl IntoIterator<Item = &'a KernelHop>) -> Option<Fate> {
        let usable = hops.into_iter().filter(|hop| !self.links_down.contains(&hop.ifindex));
        let ways: BTreeSet<Neighbour> = usable
            .map(|hop| match (hop.gateway, self.ports.get(&hop.ifindex)) {
                (Some(address), Some(port)) => Neighbour { address, port: *port },
                _ => KERNEL,
            })
            .collect();
        let resolved: BTreeSet<Neighbour> =
            ways.iter().filter(|way| **way == KERNEL || self.resolved.contains(way)).copied().collect();
        let ways = if resolved.is_empty() { ways } else { resolved };
        (!ways.is_empty()).then_some(Fate::Ways(ways))
    }
}
