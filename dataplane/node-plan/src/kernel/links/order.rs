//! Which links are made before others.

use std::collections::BTreeSet;

use net_types::IfName;
use node_state::{Link, NodeState};

/// Links, each after the one that it stands on. Those that stand on each other in a circle are left as they come: what
/// they stand on is then not there.
pub(super) fn parents_first(desired: &NodeState) -> Vec<&Link> {
    let mut ordered = Vec::with_capacity(desired.links.len());
    let mut seen = BTreeSet::new();
    for link in desired.links.values() {
        visit(desired, link, &mut seen, &mut ordered);
    }
    ordered
}

fn visit<'a>(
    desired: &'a NodeState,
    link: &'a Link,
    seen: &mut BTreeSet<&'a IfName>,
    ordered: &mut Vec<&'a Link>,
) {
    // Whoever comes by a second time is in a circle, or was there before.
    let mut chain = Vec::new();
    let mut at = Some(link);
    while let Some(link) = at.filter(|link| seen.insert(&link.name)) {
        chain.push(link);
        at = link.parent().and_then(|parent| desired.links.get(parent));
    }
    ordered.extend(chain.into_iter().rev());
}
