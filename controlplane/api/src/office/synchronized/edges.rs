//! What an object stands on.

use office_plan::OfficePools;
use synchronizer::{Edge, Key};
use xos_model::{AnyObject, KindName};

/// The relation of a subscriber to the pools that its addresses are from.
pub(super) const POOL: &str = "pool";

/// All that the object names, and the pools that it has something of.
pub(super) fn edges(object: &AnyObject, pools: &OfficePools) -> Vec<Edge> {
    let mut edges: Vec<Edge> = object.references().iter().map(Edge::from).collect();
    if let AnyObject::Subscriber(subscriber) = object {
        let used = pools.of(&subscriber.spec.access.node).into_iter();
        let used = used.flat_map(|pools| pools.used_by(&subscriber.status));
        edges.extend(used.map(|name| Edge::new(POOL, Key::new(KindName::AddressPool, name.clone()))));
    }
    edges
}
