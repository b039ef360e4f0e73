//! What an object stands on.

use office_plan::OfficePools;
use synchronizer::{Edge, Key, Kind, Object, Origin};
use xos_model::{ATTACHED, AnyObject, KindName};
use xxhash_rust::xxh3::xxh3_64;

use super::attachments::Attachments;

/// The relation of a subscriber to the pools that its addresses are from.
pub const POOL: &str = "pool";

/// What the chains of subscribers go by, as one thing: it is told of like an object that turns when they go another way. It is
/// no kind of the model, and not stored.
pub const CHAINS: Kind = Kind::new("Chains");
/// The relation of a subscriber to [`CHAINS`].
pub const CHAIN: &str = "chain";

/// How they go since a revision.
pub(super) fn chains(since: u64) -> Object {
    Object {
        key: chains_key(),
        uid: "".into(),
        generation: since,
        deleting: false,
        origin: Origin::Ours,
        beside: 0,
        edges: Vec::new(),
        records: Vec::new(),
        history: Vec::new(),
    }
}

fn chains_key() -> Key {
    Key::new(CHAINS, "office".parse().expect("a name"))
}

/// A digest of what back ends are told of an object beside its spec: of an instance, where the office has placed it and what
/// it is attached to.
pub(super) fn beside(object: &AnyObject, attachments: &Attachments) -> u64 {
    let AnyObject::Instance(instance) = object else { return 0 };
    let (node, networks) = (&instance.status.node, attachments.networks(&instance.spec.slice));
    if node.is_none() && networks.is_empty() {
        return 0;
    }
    // No name has a slash in it.
    let node = node.as_ref().map_or("", |node| node.as_str());
    let names = networks.iter().fold(node.to_owned(), |names, network| names + "/" + network.as_str());
    xxh3_64(names.as_bytes())
}

/// All that the object names, and what else it stands on: a subscriber on the pools that it has something of and on how
/// chains go, an instance on the networks of its slice.
pub(super) fn edges(object: &AnyObject, pools: &OfficePools, attachments: &Attachments) -> Vec<Edge> {
    let mut edges: Vec<Edge> = object.references().iter().map(Edge::from).collect();
    match object {
        AnyObject::Subscriber(subscriber) => {
            let used = pools.of(&subscriber.spec.access.node).into_iter();
            let used = used.flat_map(|pools| pools.used_by(&subscriber.status));
            edges.extend(used.map(|name| Edge::new(POOL, Key::new(KindName::AddressPool, name.clone()))));
            edges.push(Edge::new(CHAIN, chains_key()));
        }
        AnyObject::Instance(instance) => {
            let networks = attachments.networks(&instance.spec.slice).into_iter();
            edges.extend(networks.map(|name| Edge::new(ATTACHED, Key::new(KindName::Network, name))));
        }
        _ => {}
    }
    edges
}
