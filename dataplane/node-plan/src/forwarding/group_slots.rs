//! How the slots of a group of next hops are shared out among its members.
//!
//! A flow's hash picks a slot, so a flow moves when its slot does. Slots therefore stay with their members as far as
//! can be (resilient hashing): of a member that goes, only its own flows move.

use map_abi::{GROUP_SLOTS, MAX_GROUP_MEMBERS};

/// Indices into `NEXT_HOPS`, 0 for the kernel; [`map_abi::NextHopGroup::slots`].
pub type GroupSlots = [u16; GROUP_SLOTS];

/// One of the ways that a group's flows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupMember {
    /// Index into `NEXT_HOPS`; 0: the kernel.
    pub next_hop: u16,
    /// Its part of the flows, relative to the other members'; not 0.
    pub weight: u32,
}

/// What each member is due, in parts of which `scale` make a slot.
struct Shares {
    due: Vec<i64>,
    scale: i64,
}

/// The slots of a group of these members, at most [`MAX_GROUP_MEMBERS`] and each named once; `before` is what the
/// slots were, or those of a group that these flows were in, or all 0.
///
/// Each member gets its part to within a slot, and one slot at least. When members only went, no slot of another
/// moves, even where weights would share out more evenly if one did. Without members, the slots stay as they are.
pub fn group_slots(before: &GroupSlots, members: &[GroupMember]) -> GroupSlots {
    assert!(
        members.len() <= MAX_GROUP_MEMBERS,
        "a group has no more members than its slots can be shared among"
    );
    if members.is_empty() {
        return *before;
    }
    let shares = Shares::of(members);
    let member_of = |slot: u16| members.iter().position(|member| member.next_hop == slot);
    let mut owners: Vec<Option<usize>> = before.iter().map(|slot| member_of(*slot)).collect();
    let mut counts = vec![0; members.len()];
    for owner in owners.iter().flatten() {
        counts[*owner] += 1;
    }
    let only_gone = owners.contains(&None) && counts.iter().all(|count| *count > 0);
    for owner in owners.iter_mut().filter(|owner| owner.is_none()) {
        let neediest = shares.neediest(&counts);
        counts[neediest] += 1;
        *owner = Some(neediest);
    }
    loop {
        let (from, to) = (shares.richest(&counts), shares.neediest(&counts));
        // Moving a slot is worth while as long as it brings the two nearer to their due.
        if only_gone || shares.over(from, &counts) - shares.over(to, &counts) <= shares.scale {
            break;
        }
        let last = owners.iter().rposition(|owner| *owner == Some(from));
        owners[last.expect("who has slots to spare has one")] = Some(to);
        counts[from] -= 1;
        counts[to] += 1;
    }
    let mut slots = *before;
    for (slot, owner) in slots.iter_mut().zip(owners) {
        *slot = members[owner.expect("all were given out")].next_hop;
    }
    slots
}

impl Shares {
    /// Parts by weight, but for those who would have less than a slot: they have one.
    fn of(members: &[GroupMember]) -> Self {
        let mut is_raised = vec![false; members.len()];
        loop {
            let raised = is_raised.iter().filter(|raised| **raised).count();
            let slots = i64::try_from(GROUP_SLOTS - raised).expect("a few slots");
            let by_weight = || members.iter().zip(&is_raised).filter(|(_, raised)| !**raised);
            let scale: i64 = by_weight().map(|(member, _)| i64::from(member.weight)).sum();
            let due = |(member, raised): (&GroupMember, &bool)| {
                if *raised { scale } else { slots * i64::from(member.weight) }
            };
            let due: Vec<i64> = members.iter().zip(&is_raised).map(due).collect();
            if due.iter().all(|due| *due >= scale) {
                return Self { due, scale };
            }
            is_raised = due.iter().zip(is_raised).map(|(due, raised)| raised || *due < scale).collect();
        }
    }

    /// How much more a member has than it is due.
    fn over(&self, member: usize, counts: &[i64]) -> i64 {
        counts[member] * self.scale - self.due[member]
    }

    fn neediest(&self, counts: &[i64]) -> usize {
        (0..counts.len()).min_by_key(|member| self.over(*member, counts)).expect("there are members")
    }

    fn richest(&self, counts: &[i64]) -> usize {
        (0..counts.len()).max_by_key(|member| self.over(*member, counts)).expect("there are members")
    }
}
