//! The desired state of every node, as the agents' link takes it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use agent_link::NodeTable;
use net_types::Name;

/// The table of each node that there is.
#[derive(Default)]
pub(crate) struct Nodes(RwLock<HashMap<Name, Arc<NodeTable>>>);

impl Nodes {
    pub(crate) fn get(&self, node: &Name) -> Option<Arc<NodeTable>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }

    pub(crate) fn insert(&self, node: &Name, table: Arc<NodeTable>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(node.clone(), table);
    }

    /// The node is gone, and its agent's stream with it.
    pub(crate) fn remove(&self, node: &Name) {
        let table = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(node);
        if let Some(table) = table {
            table.close();
        }
    }
}
