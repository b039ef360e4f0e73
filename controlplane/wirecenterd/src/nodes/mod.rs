//! The nodes as a back end of the synchronizer.
//!
//! ```text
//! synchronizer ── nodes, pools, subscribers whose turn it is ──► NodesPlugin ─► World (pure) ─► a NodeTable each ─► agent
//!              ◄── this version is in the kernel, or refused ── Nodes ◄── Desk ◄── what the agents report ◄──────────┘
//! ```
//!
//! A session is applied when it is in its node's table, and acknowledged when it is in the node's kernel. A node that is
//! off holds up nobody: its table waits for it.

mod desk;
mod plugin;
mod world;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use agent_link::{NodeTable, Outcome, REMOVED};
use api::Office;
use net_types::{Generation, Name};
use synchronizer::{BackEnd, Control, Failure, Key, Retry};
use xos_model::{AnyObject, KindName};

pub(crate) use desk::Desk;
pub(crate) use plugin::NodesPlugin;

use world::{Place, World};

/// What the synchronizer calls this back end.
pub(crate) const BACK_END: &str = "nodes";

/// What every node should have, and what is known to be there.
pub(crate) struct Nodes {
    office: Office,
    control: Control<AnyObject>,
    back_end: BackEnd,
    world: Mutex<World>,
    /// As the agents' link takes them.
    tables: RwLock<HashMap<Name, Arc<NodeTable>>>,
}

impl Nodes {
    pub(crate) fn new(office: Office, control: Control<AnyObject>) -> Self {
        let back_end = BackEnd::new(BACK_END);
        Self { office, control, back_end, world: Mutex::default(), tables: RwLock::default() }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }

    /// Brings the tables to where the world is. The world is held meanwhile: no acknowledgement comes between.
    fn publish(&self, world: &mut World) {
        let changes = world.take_changes();
        let revision = Generation(self.office.store().revision());
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for (node, changes) in changes {
            match changes {
                Some(changes) => {
                    let table = tables.entry(node).or_default();
                    if !changes.is_empty() {
                        table.apply(revision, changes);
                    }
                }
                // The node is gone, and its agent's stream with it.
                None => tables.remove(&node).into_iter().for_each(|table| table.close()),
            }
        }
    }

    /// A node has said what became of resources of its table.
    fn reported(&self, node: &Name, results: Vec<Outcome>) {
        let mut world = self.world();
        for (key, version, outcome) in results {
            if version != REMOVED
                && let Some(subscriber) = key.subscriber()
                && world.placed(node, &subscriber, version, Place::of(&outcome))
            {
                self.acknowledge(node, subscriber, version.0, outcome);
            }
        }
    }

    fn acknowledge(&self, node: &Name, subscriber: Name, digest: u64, outcome: Result<(), String>) {
        // The agent itself tries again what may yet work, and says so.
        let failure = |error| Failure { message: format!("{node}: {error}"), retry: Retry::OnChange };
        let key = Key::new(KindName::Subscriber, subscriber);
        // Without a synchronizer the controller is ending.
        let _: Result<_, _> = self.control.acknowledge(&self.back_end, key, digest, outcome.map_err(failure));
    }
}
