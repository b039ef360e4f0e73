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
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError},
};

use agent_link::{NodeTable, Outcome, REMOVED};
use api::{NodeCounters, Office};
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
    /// What nodes have said and nobody has taken in yet.
    said: Mutex<Vec<(Name, Vec<Outcome>)>>,
    /// As the agents' link takes them.
    tables: RwLock<HashMap<Name, Arc<NodeTable>>>,
}

impl Nodes {
    pub(crate) fn new(office: Office, control: Control<AnyObject>) -> Self {
        let back_end = BackEnd::new(BACK_END);
        Self {
            office,
            control,
            back_end,
            world: Mutex::default(),
            said: Mutex::default(),
            tables: RwLock::default(),
        }
    }

    /// Works on the world, and publishes what came of it.
    fn change<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let outcome = {
            let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = work(&mut world);
            self.publish(&mut world);
            outcome
        };
        self.hear();
        outcome
    }

    fn said(&self) -> MutexGuard<'_, Vec<(Name, Vec<Outcome>)>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }

    /// The revision of the intent that the node was last given.
    fn generation(&self, node: &Name) -> u64 {
        self.table(node).map_or(0, |table| table.generation().0)
    }

    /// What the nodes that are connected count, as their agents told it last.
    pub(crate) fn counted(&self) -> NodeCounters {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.iter().map(|(node, table)| (node.clone(), table.counters())).collect()
    }

    /// Brings the tables to where the world is. The world is held meanwhile: no acknowledgement comes between.
    fn publish(&self, world: &mut World) {
        let changes = world.take_changes();
        let revision = Generation(self.office.store().revision());
        let tables = || self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for (node, changes) in changes {
            let Some(changes) = changes else {
                // The node is gone, and its agent's stream with it.
                let gone = tables().remove(&node);
                if let Some(table) = gone {
                    table.close();
                }
                continue;
            };
            let known = self.table(&node);
            let table = known.clone().unwrap_or_default();
            if !changes.is_empty() {
                table.apply(revision, changes);
            }
            // Only now that it is filled, and the tables are not locked for as long as that takes.
            if known.is_none() {
                tables().insert(node, table);
            }
        }
    }

    /// A node has said what became of resources of its table. This does not wait for the world: while a bulk comes in,
    /// somebody has it nearly always, and a stream that stood still for it would fall behind the bulk.
    fn reported(&self, node: &Name, results: Vec<Outcome>) {
        self.said().push((node.clone(), results));
        self.hear();
    }

    /// Takes in what nodes have said. Whoever has the world now does the same when they have left it.
    fn hear(&self) {
        while !self.said().is_empty() {
            let mut world = match self.world.try_lock() {
                Ok(world) => world,
                Err(TryLockError::Poisoned(world)) => world.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let said = std::mem::take(&mut *self.said());
            for (node, results) in said {
                self.place(&mut world, &node, results);
            }
        }
    }

    fn place(&self, world: &mut World, node: &Name, results: Vec<Outcome>) {
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

#[cfg(test)]
mod tests;
