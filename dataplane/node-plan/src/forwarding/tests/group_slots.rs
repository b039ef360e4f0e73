//! How slots are shared out, and what moves when members come and go.

use map_abi::{GROUP_SLOTS, MAX_GROUP_MEMBERS};
use proptest::prelude::*;

use super::super::*;

const NONE: GroupSlots = [0; GROUP_SLOTS];

fn members(weights: &[u32]) -> Vec<GroupMember> {
    (1..).zip(weights).map(|(next_hop, weight)| GroupMember { next_hop, weight: *weight }).collect()
}

fn count(slots: &GroupSlots, member: GroupMember) -> usize {
    slots.iter().filter(|slot| **slot == member.next_hop).count()
}

/// Weights as routes have them, alike or not.
fn some_weights() -> impl Strategy<Value = Vec<u32>> {
    let alike = (1..=MAX_GROUP_MEMBERS, 1..=65_536_u32).prop_map(|(n, weight)| vec![weight; n]);
    let any = prop::collection::vec(prop_oneof![1..=4_u32, 1..=65_536_u32], 1..=MAX_GROUP_MEMBERS);
    prop_oneof![alike, any]
}

proptest! {
    #[test]
    fn each_member_has_its_part(weights in some_weights()) {
        let members = members(&weights);
        let slots = group_slots(&NONE, &members);
        let counts: Vec<usize> = members.iter().map(|member| count(&slots, *member)).collect();
        prop_assert_eq!(counts.iter().sum::<usize>(), GROUP_SLOTS);
        prop_assert!(counts.iter().all(|count| *count >= 1));
        for (one, has) in weights.iter().zip(&counts) {
            for (other, others) in weights.iter().zip(&counts) {
                prop_assert!(one < other || has + 1 >= *others, "{one} has {has}, {other} {others}");
            }
        }
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        // Where nobody's part is less than a slot, parts are by weight to within one.
        if weights.iter().all(|weight| u64::from(*weight) * GROUP_SLOTS as u64 >= total) {
            for (weight, count) in weights.iter().zip(&counts) {
                let off = (*count as u64 * total).abs_diff(u64::from(*weight) * GROUP_SLOTS as u64);
                prop_assert!(off <= total, "{weight} of {total} has {count}");
            }
        }
        prop_assert_eq!(group_slots(&slots, &members), slots, "what is right stays");
    }

    #[test]
    fn a_member_that_goes_moves_only_its_own_flows(
        weights in some_weights(),
        goers in prop::collection::vec(any::<prop::sample::Index>(), 1..MAX_GROUP_MEMBERS),
    ) {
        let mut members = members(&weights);
        let mut slots = group_slots(&NONE, &members);
        for goer in goers {
            if members.len() == 1 {
                break;
            }
            let gone = members.remove(goer.index(members.len()));
            let after = group_slots(&slots, &members);
            for (before, after) in slots.iter().zip(&after) {
                prop_assert!(before == after || *before == gone.next_hop);
                prop_assert_ne!(*after, gone.next_hop);
            }
            slots = after;
            prop_assert!(members.iter().all(|member| count(&slots, *member) >= 1));
        }
    }

    #[test]
    fn a_member_that_comes_takes_its_part_and_moves_no_other(n in 1..MAX_GROUP_MEMBERS, weight in 1..9_u32) {
        let all = members(&vec![weight; n + 1]);
        let (new, others) = all.split_last().expect("not empty");
        let slots = group_slots(&NONE, others);
        let after = group_slots(&slots, &all);
        for (before, after) in slots.iter().zip(&after) {
            prop_assert!(before == after || *after == new.next_hop);
        }
        let part = GROUP_SLOTS / all.len();
        prop_assert!((part..=part + 1).contains(&count(&after, *new)));
    }

    #[test]
    fn other_weights_move_no_more_than_they_must(weights in some_weights(), others in some_weights()) {
        let n = weights.len().min(others.len());
        let slots = group_slots(&NONE, &members(&weights[..n]));
        let others = members(&others[..n]);
        let after = group_slots(&slots, &others);
        let moved = slots.iter().zip(&after).filter(|(before, after)| before != after).count();
        let gained: usize =
            others.iter().map(|member| count(&after, *member).saturating_sub(count(&slots, *member))).sum();
        prop_assert_eq!(moved, gained);
    }
}
