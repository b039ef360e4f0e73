//! Sets of next hops: what many routes have in common, worked out once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use map_abi::{FibTarget, GROUP_SLOTS, MAX_GROUP_MEMBERS};

use super::{
    super::group_slots::{GroupMember, GroupSlots, group_slots},
    Held, KernelHop, KernelTarget, Neighbour, NextHopObject, RouteOp, RouteProblem,
    next_hops::{Groups, NextHops},
};

/// Names a set for as long as a route has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetId(u32);

/// What makes a set the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SetKey {
    Kernel(KernelTarget),
    /// The agent's own routes in the kernel, which are not followed from there.
    Own(KernelTarget),
    /// A route of the office.
    Office(Neighbour),
}

impl SetKey {
    /// What a route of the kernel's says.
    pub(super) fn kernel_target(&self) -> Option<&KernelTarget> {
        match self {
            Self::Kernel(target) | Self::Own(target) => Some(target),
            Self::Office(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Set {
    key: SetKey,
    /// How many routes have it.
    users: u32,
    /// What they lead to; `None`: nothing that can be used at present.
    target: Option<FibTarget>,
    neighbours: Vec<Neighbour>,
    group: Option<Group>,
    problem: Option<RouteProblem>,
}

#[derive(Clone, Debug)]
struct Group {
    index: u16,
    members: Vec<GroupMember>,
    slots: Box<GroupSlots>,
}

/// One way of a set, with its weight; `None`: the kernel's.
type Way = (Option<Neighbour>, u32);

/// All sets, and what they are worked out from.
#[derive(Clone, Debug)]
pub(super) struct Sets {
    by_id: Vec<Option<Set>>,
    unused: Vec<u32>,
    by_key: HashMap<SetKey, SetId>,
    objects: BTreeMap<u32, NextHopObject>,
    ports: BTreeMap<u32, u16>,
    links_down: BTreeSet<u32>,
    next_hops: NextHops,
    groups: Groups,
    released_groups: Vec<u16>,
    /// What must be there before a route leads to it.
    ops: Vec<RouteOp>,
}

/// Sets that lead elsewhere than before, and to where they led.
pub(super) type Turned = BTreeMap<SetId, Option<FibTarget>>;

impl Sets {
    pub(super) fn new(held: &Held) -> Self {
        Self {
            by_id: Vec::new(),
            unused: Vec::new(),
            by_key: HashMap::new(),
            objects: BTreeMap::new(),
            ports: BTreeMap::new(),
            links_down: BTreeSet::new(),
            next_hops: NextHops::new(held),
            groups: Groups::new(held),
            released_groups: Vec::new(),
            ops: Vec::new(),
        }
    }

    pub(super) fn target(&self, id: SetId) -> Option<FibTarget> {
        self.get(id).target
    }

    pub(super) fn key(&self, id: SetId) -> &SetKey {
        &self.get(id).key
    }

    pub(super) fn find(&self, key: &SetKey) -> Option<SetId> {
        self.by_key.get(key).copied()
    }

    pub(super) fn next_hops(&self) -> &NextHops {
        &self.next_hops
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = (u16, &GroupSlots)> {
        self.by_id.iter().flatten().filter_map(|set| set.group.as_ref()).map(|g| (g.index, &*g.slots))
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = (RouteProblem, u32)> {
        self.by_id.iter().flatten().filter_map(|set| Some((set.problem?, set.users)))
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = u32> + '_ {
        self.objects.keys().copied()
    }

    fn get(&self, id: SetId) -> &Set {
        self.by_id[id.0 as usize].as_ref().expect("whoever names a set is counted among its users")
    }

    fn get_mut(&mut self, id: SetId) -> &mut Set {
        self.by_id[id.0 as usize].as_mut().expect("whoever names a set is counted among its users")
    }

    /// The set of that key, with one user more. Flows of a new group keep to the ways that they had in `before`.
    pub(super) fn acquire(&mut self, key: SetKey, before: Option<SetId>) -> SetId {
        if let Some(id) = self.find(&key) {
            self.get_mut(id).users += 1;
            return id;
        }
        let set = Set {
            key: key.clone(),
            users: 1,
            target: None,
            neighbours: Vec::new(),
            group: None,
            problem: None,
        };
        let id = if let Some(place) = self.unused.pop() {
            self.by_id[place as usize] = Some(set);
            SetId(place)
        } else {
            self.by_id.push(Some(set));
            SetId(u32::try_from(self.by_id.len() - 1).expect("fewer sets than routes"))
        };
        self.by_key.insert(key, id);
        let seed = before.and_then(|before| self.get(before).group.as_ref()).map(|group| *group.slots);
        self.work_out(id, seed);
        id
    }

    pub(super) fn release(&mut self, id: SetId) {
        let set = self.get_mut(id);
        set.users -= 1;
        if set.users > 0 {
            return;
        }
        if let Some(set) = self.by_id[id.0 as usize].take() {
            self.by_key.remove(&set.key);
            self.released_groups.extend(set.group.map(|group| group.index));
            for neighbour in &set.neighbours {
                self.next_hops.release(neighbour);
            }
        }
        self.unused.push(id.0);
    }

    pub(super) fn set_ports(&mut self, ports: BTreeMap<u32, u16>) -> Turned {
        self.ports = ports;
        self.work_out_all(|_| true)
    }

    pub(super) fn set_link(&mut self, ifindex: u32, is_up: bool) -> Turned {
        let is_news = if is_up { self.links_down.remove(&ifindex) } else { self.links_down.insert(ifindex) };
        if is_news { self.work_out_all(|_| true) } else { Turned::new() }
    }

    pub(super) fn set_object(&mut self, id: u32, object: Option<NextHopObject>) -> Turned {
        if self.objects.get(&id) == object.as_ref() {
            return Turned::new();
        }
        match object {
            Some(object) => self.objects.insert(id, object),
            None => self.objects.remove(&id),
        };
        let in_group = |object: &NextHopObject| match object {
            NextHopObject::Group(members) => members.iter().any(|(member, _)| *member == id),
            _ => false,
        };
        let groups = self.objects.iter().filter(|(_, object)| in_group(object)).map(|(group, _)| *group);
        let touched: BTreeSet<u32> = groups.chain([id]).collect();
        self.work_out_all(|key| match key {
            SetKey::Kernel(KernelTarget::Object(id)) => touched.contains(id),
            _ => false,
        })
    }

    pub(super) fn set_resolved(&mut self, neighbour: &Neighbour, is_resolved: bool) {
        let Some(index) = self.next_hops.get(neighbour) else { return };
        if !self.next_hops.set_resolved(index, is_resolved) {
            return;
        }
        let Self { by_id, next_hops, ops, .. } = self;
        for group in by_id.iter_mut().flatten().filter_map(|set| set.group.as_mut()) {
            if group.members.iter().any(|member| member.next_hop == index) {
                group.fill(next_hops, ops);
            }
        }
    }

    /// Ends a change: gives what came before the routes that lead to it.
    pub(super) fn take_ops(&mut self) -> Vec<RouteOp> {
        std::mem::take(&mut self.ops)
    }

    /// Gives up what nobody leads to any more, to be called when no route does in the maps either; true: some of it
    /// was there.
    pub(super) fn collect_unused(&mut self, ops: &mut Vec<RouteOp>) -> bool {
        let groups = std::mem::take(&mut self.released_groups);
        let next_hops = self.next_hops.collect_unused();
        let is_some = !groups.is_empty() || !next_hops.is_empty();
        for index in groups {
            self.groups.release(index);
        }
        ops.extend(next_hops.into_iter().map(|index| RouteOp::NextHop { index, neighbour: None }));
        is_some
    }

    /// The maps are as routes want them: what was in them before needs no place any more.
    pub(super) fn forget_held(&mut self) {
        self.groups.forget_held();
        self.next_hops.forget_held();
    }

    /// Works the sets out again that there was no room for.
    pub(super) fn retry(&mut self) -> Turned {
        let crowded: Vec<SetId> = self
            .ids()
            .filter(|id| self.get(*id).problem.is_some_and(RouteProblem::is_want_of_room))
            .collect();
        self.work_out_these(crowded)
    }

    fn ids(&self) -> impl Iterator<Item = SetId> {
        (0..).zip(&self.by_id).filter(|(_, set)| set.is_some()).map(|(id, _)| SetId(id))
    }

    fn work_out_all(&mut self, of: impl Fn(&SetKey) -> bool) -> Turned {
        let ids: Vec<SetId> = self.ids().filter(|id| of(&self.get(*id).key)).collect();
        self.work_out_these(ids)
    }

    fn work_out_these(&mut self, ids: Vec<SetId>) -> Turned {
        let mut turned = Turned::new();
        for id in ids {
            let before = self.target(id);
            self.work_out(id, None);
            if self.target(id) != before {
                turned.insert(id, before);
            }
        }
        turned
    }

    fn work_out(&mut self, id: SetId, seed: Option<GroupSlots>) {
        let (ways, otherwise) = match &self.get(id).key {
            SetKey::Own(_) => (Vec::new(), None),
            SetKey::Office(neighbour) => (vec![(Some(*neighbour), 1)], None),
            SetKey::Kernel(KernelTarget::Hops(hops)) => {
                (self.ways(hops.iter().map(|hop| (hop, hop.weight))), None)
            }
            SetKey::Kernel(KernelTarget::Object(object)) => match self.objects.get(object) {
                None => (Vec::new(), None),
                Some(NextHopObject::Blackhole) => (Vec::new(), Some(FibTarget::BLACKHOLE)),
                Some(NextHopObject::Hop(hop)) => (self.ways([(hop, 1)]), None),
                Some(NextHopObject::Group(members)) => (self.ways_of_group(members), None),
            },
            SetKey::Kernel(KernelTarget::Blackhole) => (Vec::new(), Some(FibTarget::BLACKHOLE)),
            SetKey::Kernel(KernelTarget::Local) => (Vec::new(), Some(FibTarget::LOCAL)),
            // The kernel answers with ICMP.
            SetKey::Kernel(KernelTarget::Unreachable | KernelTarget::Prohibit | KernelTarget::Other) => {
                (Vec::new(), Some(FibTarget::KERNEL))
            }
        };
        let mut problem = None;
        let target = self.lead(id, &ways, seed, &mut problem).or(otherwise);
        let set = self.get_mut(id);
        set.target = target;
        set.problem = problem;
    }

    fn ways_of_group(&self, members: &[(u32, u32)]) -> Vec<Way> {
        self.ways(members.iter().filter_map(|(id, weight)| match self.objects.get(id) {
            Some(NextHopObject::Hop(hop)) => Some((hop, *weight)),
            _ => None,
        }))
    }

    /// The ways that can be used, each once.
    fn ways<'a>(&self, hops: impl IntoIterator<Item = (&'a KernelHop, u32)>) -> Vec<Way> {
        let mut ways: Vec<Way> = Vec::new();
        for (hop, weight) in hops {
            if self.links_down.contains(&hop.ifindex) {
                continue;
            }
            let by_port =
                |address: IpAddr| self.ports.get(&hop.ifindex).map(|port| Neighbour { address, port: *port });
            let way = hop.gateway.and_then(by_port);
            match ways.iter_mut().find(|(other, _)| *other == way) {
                Some((_, total)) => *total = total.saturating_add(weight),
                None => ways.push((way, weight)),
            }
        }
        ways
    }

    /// Has the set lead these ways.
    fn lead(
        &mut self,
        id: SetId,
        ways: &[Way],
        seed: Option<GroupSlots>,
        problem: &mut Option<RouteProblem>,
    ) -> Option<FibTarget> {
        if ways.len() > MAX_GROUP_MEMBERS {
            *problem = Some(RouteProblem::TooManyMembers);
        }
        let ways = &ways[..ways.len().min(MAX_GROUP_MEMBERS)];
        let neighbours: Vec<Neighbour> = ways.iter().filter_map(|(way, _)| *way).collect();
        let mut members = Vec::new();
        for (way, weight) in ways {
            let next_hop = match way {
                None => 0,
                Some(neighbour) => match self.next_hops.acquire(*neighbour) {
                    None => {
                        // As many as were counted above are given back.
                        let counted =
                            members.iter().filter(|member: &&GroupMember| member.next_hop != 0).count();
                        for neighbour in &neighbours[..counted] {
                            self.next_hops.release(neighbour);
                        }
                        *problem = Some(RouteProblem::NextHopsFull);
                        return Some(FibTarget::KERNEL);
                    }
                    Some((index, is_new)) => {
                        if is_new {
                            self.ops.push(RouteOp::NextHop { index, neighbour: Some(*neighbour) });
                        }
                        index
                    }
                },
            };
            members.push(GroupMember { next_hop, weight: *weight });
        }
        for neighbour in std::mem::replace(&mut self.get_mut(id).neighbours, neighbours) {
            self.next_hops.release(&neighbour);
        }
        members.sort_unstable();
        let has_group = self.get(id).group.is_some();
        match members.as_slice() {
            [] => None,
            [GroupMember { next_hop: 0, .. }] if !has_group => Some(FibTarget::KERNEL),
            [member] if !has_group => Some(FibTarget::new(FibTarget::KIND_NEXT_HOP, member.next_hop.into())),
            _ => Some(self.lead_group(id, members, seed, problem)),
        }
    }

    /// A set that was a group stays one, so that its routes need not be written again.
    fn lead_group(
        &mut self,
        id: SetId,
        members: Vec<GroupMember>,
        seed: Option<GroupSlots>,
        problem: &mut Option<RouteProblem>,
    ) -> FibTarget {
        let mut group = self.get_mut(id).group.take();
        if group.is_none() {
            let next_hops = members.iter().map(|member| member.next_hop).collect();
            let Some((index, held)) = self.groups.acquire(&next_hops) else {
                *problem = Some(RouteProblem::GroupsFull);
                let first = members.iter().find(|member| member.next_hop != 0);
                return first.map_or(FibTarget::KERNEL, |member| {
                    FibTarget::new(FibTarget::KIND_NEXT_HOP, member.next_hop.into())
                });
            };
            let slots = held.or(seed).unwrap_or([0; GROUP_SLOTS]);
            group = Some(Group { index, members: Vec::new(), slots: Box::new(slots) });
        }
        let mut group = group.expect("made above if there was none");
        if group.members != members {
            group.members = members;
            group.fill(&self.next_hops, &mut self.ops);
        }
        let index = group.index;
        self.get_mut(id).group = Some(group);
        FibTarget::new(FibTarget::KIND_GROUP, index.into())
    }
}

impl Group {
    /// Members whose neighbour is not resolved are left out, as long as another's is.
    fn fill(&mut self, next_hops: &NextHops, ops: &mut Vec<RouteOp>) {
        let is_usable =
            |member: &&GroupMember| member.next_hop == 0 || next_hops.is_resolved(member.next_hop);
        let usable: Vec<GroupMember> = self.members.iter().filter(is_usable).copied().collect();
        let members = if usable.is_empty() { &self.members } else { &usable };
        *self.slots = group_slots(&self.slots, members);
        ops.push(RouteOp::Group { index: self.index, slots: self.slots.clone() });
    }
}
