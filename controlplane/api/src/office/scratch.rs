//! What the writer remembers between transactions, all of which could be read again from the store.

use std::{collections::HashMap, sync::Arc};

use net_types::Name;
use office_plan::{Hints, NodePools};
use xos_model::{Graph, NodeSpec};

use super::ground::Ground;

#[derive(Default)]
pub(super) struct Scratch {
    pub(super) hints: Hints,
    nodes: HashMap<Name, Arc<NodeSpec>>,
    pools: HashMap<Name, Arc<NodePools>>,
    /// Whether the running transaction has written a node or a pool.
    dirty: bool,
    /// The nodes and the machines on them, unless nobody has asked so far.
    ground: Option<Ground>,
    /// Whether the running transaction has written a node.
    ground_dirty: bool,
    /// The machines that came (`true`) and left in the running transaction, by node and slice, in their order.
    counted: Vec<(Name, Name, bool)>,
    /// The tenancy graph, unless it could not be read so far.
    graph: Option<Graph>,
    /// What takes the running transaction's changes of the graph back, in their order.
    undo: Vec<Undo>,
}

pub(super) type Undo = Box<dyn FnOnce(&mut Graph) + Send>;

impl Scratch {
    /// The transaction has ended.
    pub(super) fn end(&mut self, kept: bool) {
        if kept {
            self.hints.keep();
        } else {
            self.hints.rollback();
            if self.dirty {
                self.nodes.clear();
                self.pools.clear();
            }
        }
        self.dirty = false;
        let counted = std::mem::take(&mut self.counted);
        if std::mem::take(&mut self.ground_dirty) && !kept {
            self.ground = None;
        }
        if let Some(ground) = self.ground.as_mut().filter(|_| !kept) {
            counted.iter().rev().for_each(|(node, slice, came)| ground.count(node, slice, !came));
        }
        let undo = std::mem::take(&mut self.undo);
        if let Some(graph) = self.graph.as_mut().filter(|_| !kept) {
            undo.into_iter().rev().for_each(|undo| undo(graph));
        }
    }

    pub(super) fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref()
    }

    pub(super) fn keep_graph(&mut self, graph: Graph) {
        self.graph = Some(graph);
    }

    pub(super) fn change_graph(&mut self, change: impl FnOnce(&mut Graph), undo: Undo) {
        if let Some(graph) = &mut self.graph {
            change(graph);
            self.undo.push(undo);
        }
    }

    pub(super) fn ground(&self) -> Option<&Ground> {
        self.ground.as_ref()
    }

    /// The nodes as they are in the running transaction.
    pub(super) fn keep_ground(&mut self, ground: Ground) {
        self.ground = Some(ground);
        // Some of it may be this transaction's own.
        self.ground_dirty = true;
    }

    pub(super) fn ground_changed(&mut self, change: impl FnOnce(&mut Ground)) {
        if let Some(ground) = &mut self.ground {
            change(ground);
            self.ground_dirty = true;
        }
    }

    /// A machine of the slice has come to the node, or has left it.
    pub(super) fn count_machine(&mut self, node: &Name, slice: &Name, comes: bool) {
        if let Some(ground) = &mut self.ground {
            ground.count(node, slice, comes);
            self.counted.push((node.clone(), slice.clone(), comes));
        }
    }

    /// A node, or a pool on it, has changed.
    pub(super) fn changed(&mut self, node: &Name) {
        self.nodes.remove(node);
        self.pools.remove(node);
        self.dirty = true;
    }

    pub(super) fn node(&self, name: &Name) -> Option<Arc<NodeSpec>> {
        self.nodes.get(name).cloned()
    }

    pub(super) fn pools(&self, node: &Name) -> Option<Arc<NodePools>> {
        self.pools.get(node).cloned()
    }

    pub(super) fn keep_node(&mut self, name: &Name, spec: Arc<NodeSpec>) {
        self.nodes.insert(name.clone(), spec);
    }

    pub(super) fn keep_pools(&mut self, node: &Name, pools: Arc<NodePools>) {
        self.pools.insert(node.clone(), pools);
    }
}
