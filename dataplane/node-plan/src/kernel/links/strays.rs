//! Links of ours that are to go.

use std::collections::BTreeSet;

use net_types::IfName;
use node_state::NodeState;

use super::{Links, is_kind, peer};
use crate::kernel::{NodePlan, Observed, ObservedKind, ObservedLink, Op, OwnLinkName, Why, is_own_link};

/// Ours that are not wanted, or are of another kind than is wanted, go with all that stands on them. Where that is
/// somebody else's, they stay.
pub(super) fn plan(observed: &Observed, desired: &NodeState, links: &mut Links, plan: &mut NodePlan) {
    let peers: BTreeSet<&IfName> = desired.links.values().filter_map(peer).collect();
    let mut gone: BTreeSet<u32> = BTreeSet::new();
    let mut strays: Vec<&ObservedLink> = observed
        .links
        .iter()
        .filter(|link| is_own_link(link))
        .filter(|link| match desired.links.get(&link.name) {
            Some(wanted) => !is_kind(observed, link, &wanted.kind),
            None => !(peers.contains(&link.name) && matches!(link.kind, ObservedKind::Veth { .. })),
        })
        .collect();
    // What others stand on first: they go with it.
    strays.sort_by_key(|link| depth(observed, link));
    for stray in strays {
        let Some(name) = OwnLinkName::new(&stray.name).filter(|_| !gone.contains(&stray.index)) else {
            continue;
        };
        let falling = falls_with(observed, stray.index);
        let is_foreign = |link: &&ObservedLink| {
            let holds = |on: Option<u32>| on.is_some_and(|index| falling.contains(&index));
            !is_own_link(link) && (holds(link.stands_on) || holds(link.bridge))
        };
        if let Some(foreign) = observed.links.iter().find(is_foreign) {
            let (other, how) =
                (&foreign.name, if foreign.bridge.is_some() { "a port of it" } else { "on it" });
            plan.problem(Why::Stray, format!("{name} stays, for {other} is {how}, which is not ours"));
            continue;
        }
        plan.clear(Op::DeleteLink { name, index: stray.index });
        gone.extend(falling);
    }
    links.removed.extend(
        observed.links.iter().filter(|link| gone.contains(&link.index)).map(|link| link.name.clone()),
    );
}

/// How many links a link stands on, one on the other.
fn depth(observed: &Observed, link: &ObservedLink) -> usize {
    let by_index = |index| observed.links.iter().find(|link| link.index == index);
    std::iter::successors(Some(link), |link| link.stands_on.and_then(by_index))
        .take(observed.links.len())
        .count()
}

/// A link, and those that the kernel removes with it: the other end of a pair, and what stands on either.
fn falls_with(observed: &Observed, index: u32) -> BTreeSet<u32> {
    let mut falling = BTreeSet::from([index]);
    loop {
        let before = falling.len();
        for link in &observed.links {
            let follows = match link.kind {
                ObservedKind::Veth { peer } => peer,
                _ => link.stands_on,
            };
            if follows.is_some_and(|index| falling.contains(&index)) {
                falling.insert(link.index);
            }
        }
        if falling.len() == before {
            return falling;
        }
    }
}
