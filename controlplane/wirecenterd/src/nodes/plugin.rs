//! Objects whose turn it is, into the tables.

use std::{sync::Arc, time::Duration};

use api::{CHAIN, CHAINS, POOL};
use synchronizer::{
    Declaration, Failure, Item, Journal, Kind, Limits, Made, Outcome, Plugin, Relation, Retry,
};
use xos_model::{AnyObject, Graph, KindName};

use super::{
    Nodes,
    world::{Place, World},
};

/// Objects in one call: the tables are locked that long.
const BATCH: usize = 1024;

/// The plug-in behind all nodes.
pub(crate) struct NodesPlugin(pub(crate) Arc<Nodes>);

impl Plugin<AnyObject> for NodesPlugin {
    fn declare(&self) -> Declaration {
        let kind = Kind::of;
        let (node, pool, subscriber) =
            (kind(KindName::Node), kind(KindName::AddressPool), kind(KindName::Subscriber));
        let block_list = kind(KindName::BlockList);
        Declaration {
            relations: vec![
                Relation::new(pool, "node", node),
                Relation::new(subscriber, "access.node", node),
                Relation::new(subscriber, "bundle.parentalControl.rules.block", block_list),
                Relation::new(subscriber, POOL, pool).derived(),
                Relation::new(subscriber, CHAIN, CHAINS).derived(),
            ],
            // The tables know their resources by name; the agents' inventories say what the kernels have.
            journal: Journal::Keyed,
            // It is all in memory: a second call would only wait for the first.
            limits: Limits {
                concurrent: 1,
                batch_max: BATCH,
                timeout: Duration::from_mins(1),
                ..Limits::default()
            },
            ..Declaration::new([block_list, node, pool, subscriber])
        }
    }

    async fn apply(&self, item: &Item<AnyObject>) -> Outcome {
        self.apply_batch(std::slice::from_ref(item)).await.remove(0)
    }

    async fn remove(&self, item: &Item<AnyObject>) -> Outcome {
        self.remove_batch(std::slice::from_ref(item)).await.remove(0)
    }

    async fn apply_batch(&self, items: &[Item<AnyObject>]) -> Vec<Outcome> {
        let graph = self.0.office.chained_services();
        self.0.change(|world| items.iter().map(|item| self.put(world, &graph, item)).collect())
    }

    async fn remove_batch(&self, items: &[Item<AnyObject>]) -> Vec<Outcome> {
        self.0.change(|world| {
            for item in items {
                let (kind, name) = (item.operation.key.kind, &item.operation.key.name);
                if kind == Kind::of(KindName::Node) {
                    world.no_node(name);
                } else if kind == Kind::of(KindName::AddressPool) {
                    world.pool(name, None);
                } else if kind == Kind::of(KindName::BlockList) {
                    world.block_list(name, None);
                } else {
                    world.no_session(name);
                }
            }
        });
        items.iter().map(|_| Outcome::done()).collect()
    }
}

impl NodesPlugin {
    fn put(&self, world: &mut World, graph: &Graph, item: &Item<AnyObject>) -> Outcome {
        let name = &item.operation.key.name;
        match item.body.as_deref() {
            Some(AnyObject::Node(node)) => world.node(name, node.spec.clone()),
            Some(AnyObject::AddressPool(pool)) => world.pool(name, Some(pool.spec.clone())),
            Some(AnyObject::BlockList(list)) => world.block_list(name, Some(list.spec.clone())),
            Some(AnyObject::Subscriber(subscriber)) => {
                let (version, place) = match world.session(subscriber, graph) {
                    Ok(placed) => placed,
                    Err(none) => {
                        return Outcome::Failed(Failure {
                            message: none.to_string(),
                            retry: Retry::OnChange,
                        });
                    }
                };
                let made = Made::default().digest(version.0);
                return match place {
                    Place::Kernel => Outcome::Done(made),
                    Place::Table => Outcome::Pending(made),
                    Place::Refused(error) => {
                        // Of this session the node has spoken already, and does not again.
                        let node = &subscriber.spec.access.node;
                        self.0.acknowledge(node, name.clone(), version.0, Err(error.into()));
                        Outcome::Pending(made)
                    }
                };
            }
            _ => return Outcome::failed(format!("{} is nothing for a node", item.operation.key)),
        }
        Outcome::done()
    }
}
