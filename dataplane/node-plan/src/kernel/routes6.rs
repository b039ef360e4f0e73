//! Routes of the main table of IPv6.
//!
//! One that changes is removed before the new one is made: it is a pool's, and in between, packets for addresses that no
//! session holds go where a shorter prefix says.

use node_state::{NodeState, Resource, Route6, Route6Target};

use super::{NodePlan, OWN_METRIC6, Observed, ObservedRoute6, ObservedTarget6, Op, Why, links::Links};

pub(super) fn plan(observed: &Observed, desired: &NodeState, links: &Links, plan: &mut NodePlan) {
    let has_port = |route: &Route6| match &route.target {
        Route6Target::Via { port, .. } => desired.ports.contains_key(port),
        Route6Target::Pool => true,
    };
    let is_wanted = |found: &ObservedRoute6| {
        let wanted = desired.routes6.get(&found.prefix).filter(|route| has_port(route));
        found.metric == OWN_METRIC6 && wanted.is_some_and(|route| is(found, route))
    };
    for stray in observed.routes6.iter().filter(|found| found.is_own() && !is_wanted(found)) {
        plan.clear(Op::DeleteRoute6(stray.clone()));
    }
    for route in desired.routes6.values() {
        let key = Resource::Route6(route.clone()).key();
        if let Route6Target::Via { port, .. } = &route.target
            && !has_port(route)
        {
            plan.problem(Why::Wanted(key), format!("{port} is not a port of this node"));
            continue;
        }
        // What stands on a link of ours that goes is not in the way: it goes along.
        let stays =
            |found: &&ObservedRoute6| found.prefix == route.prefix && !found.goes_with(&links.removed);
        let mut here = observed.routes6.iter().filter(stays);
        if here.clone().any(|found| found.is_own() && is_wanted(found)) {
            continue;
        }
        // What another made and is just what is wanted will do.
        let obstacle = here.clone().find(|found| !found.is_own() && !is(found, route));
        match obstacle {
            Some(found) => {
                let text = format!(
                    "there is a route {found} already, which is not ours: remove it or give it another table"
                );
                plan.problem(Why::Wanted(key), text);
            }
            None if here.any(|found| !found.is_own()) => {}
            None => plan.want(&key, Op::AddRoute6(route.clone())),
        }
    }
}

fn is(found: &ObservedRoute6, wanted: &Route6) -> bool {
    match (&found.target, &wanted.target) {
        (ObservedTarget6::Via { gateway, link }, Route6Target::Via { gateway: to, port }) => {
            gateway == to && link == port
        }
        (ObservedTarget6::Blackhole, Route6Target::Pool) => true,
        _ => false,
    }
}
