//! What follows from nodes, pools and subscribers for the nodes' tables. No clock, no I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use agent_link::Change;
use net_types::Name;
use node_state::{Resource, ResourceKey, Version};
use office_plan::{BlockLists, NodePools, OfficePools, node_resources, session};
use xos_model::{
    AddressPoolSpec, BlockListSpec, ConditionStatus, Graph, NodeSpec, READY, SessionVersion, Subscriber,
};

/// What has been applied so far.
#[derive(Default)]
pub(super) struct World {
    nodes: HashMap<Name, Known>,
    pools: OfficePools,
    block_lists: BlockLists,
    sessions: HashMap<Name, Session>,
    /// What is not published yet; nothing for a node that is gone.
    changes: BTreeMap<Name, Option<Vec<Change>>>,
    /// Nodes of which all but the sessions is to be derived again.
    stale: BTreeSet<Name>,
}

struct Known {
    spec: NodeSpec,
    /// Of what is not a session.
    versions: BTreeMap<ResourceKey, Version>,
}

struct Session {
    node: Name,
    version: Version,
    place: Place,
}

/// How far a session has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On its way.
    Table,
    Kernel,
    /// The node does not take it, and why.
    Refused(Box<str>),
}

/// Why a subscriber has no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoSession {
    #[error("there is no node {0}")]
    Node(Name),
    #[error(transparent)]
    Planned(#[from] office_plan::NoSession),
}

impl Place {
    /// Where an agent's word puts a session.
    pub(super) fn of(outcome: &Result<(), String>) -> Self {
        match outcome {
            Ok(()) => Self::Kernel,
            Err(error) => Self::Refused(error.as_str().into()),
        }
    }
}

impl World {
    pub(super) fn node(&mut self, name: &Name, spec: NodeSpec) {
        match self.nodes.get_mut(name) {
            Some(known) => known.spec = spec,
            None => drop(self.nodes.insert(name.clone(), Known { spec, versions: BTreeMap::new() })),
        }
        self.stale.insert(name.clone());
    }

    pub(super) fn no_node(&mut self, name: &Name) {
        self.nodes.remove(name);
        self.stale.remove(name);
        self.changes.insert(name.clone(), None);
    }

    pub(super) fn pool(&mut self, name: &Name, spec: Option<AddressPoolSpec>) {
        self.stale.extend(self.pools.change(name, spec));
    }

    /// Every node has every list.
    pub(super) fn block_list(&mut self, name: &Name, spec: Option<BlockListSpec>) {
        if self.block_lists.change(name, spec) {
            self.stale.extend(self.nodes.keys().cloned());
        }
    }

    /// Puts a subscriber's session where it belongs. Says which version it is, and how far it has come.
    pub(super) fn session(
        &mut self,
        subscriber: &Subscriber,
        graph: &Graph,
    ) -> Result<(Version, Place), NoSession> {
        let (name, node) = (subscriber.name(), &subscriber.spec.access.node);
        if !self.nodes.contains_key(node) {
            self.no_session(name);
            return Err(NoSession::Node(node.clone()));
        }
        let empty = NodePools::default();
        let session = match session(subscriber, graph, self.pools.of(node).unwrap_or(&empty)) {
            Ok(session) => session,
            Err(why) => {
                self.no_session(name);
                return Err(why.into());
            }
        };
        let resource = Resource::Session(session);
        let version = resource.version();
        let before = self.sessions.get(name);
        if let Some(before) = before
            && before.node == *node
            && before.version == version
        {
            return Ok((version, before.place.clone()));
        }
        // After a start nothing is known but what the status says: it was so, and the node's agent will say if it is not.
        let known = before.is_none() && was_programmed(subscriber, version);
        let place = if known { Place::Kernel } else { Place::Table };
        if before.is_some_and(|before| before.node != *node) {
            self.no_session(name);
        }
        let here = Session { node: node.clone(), version, place: place.clone() };
        self.sessions.insert(name.clone(), here);
        self.change(&node.clone(), Change::Upsert(resource));
        Ok((version, place))
    }

    pub(super) fn no_session(&mut self, subscriber: &Name) {
        if let Some(before) = self.sessions.remove(subscriber) {
            self.change(&before.node, Change::Remove(ResourceKey::session(subscriber)));
        }
    }

    /// A node has said how far a session has come. Says whether that is about the one that it should have, and news.
    pub(super) fn placed(&mut self, node: &Name, subscriber: &Name, version: Version, place: Place) -> bool {
        let Some(session) = self.sessions.get_mut(subscriber) else { return false };
        if session.node != *node || session.version != version || session.place == place {
            return false;
        }
        session.place = place;
        true
    }

    /// What the tables must take over, by node; nothing for a node that is gone.
    pub(super) fn take_changes(&mut self) -> BTreeMap<Name, Option<Vec<Change>>> {
        let none = NodePools::default();
        let stale = std::mem::take(&mut self.stale);
        let lists = if stale.is_empty() { Vec::new() } else { self.block_lists.resources() };
        for name in stale {
            if let Some(known) = self.nodes.get_mut(&name) {
                let changes = known.derive(self.pools.of(&name).unwrap_or(&none), &lists);
                let slot = self.changes.entry(name).or_default().get_or_insert_default();
                // Ports and routes before what leans on them.
                slot.splice(..0, changes);
            }
        }
        std::mem::take(&mut self.changes)
    }

    fn change(&mut self, node: &Name, change: Change) {
        if self.nodes.contains_key(node) {
            match self.changes.get_mut(node) {
                Some(slot) => slot.get_or_insert_default().push(change),
                None => drop(self.changes.insert(node.clone(), Some(vec![change]))),
            }
        }
    }
}

impl Known {
    /// Ports, links, routes and lists anew, and what of them is no longer wanted.
    fn derive(&mut self, pools: &NodePools, lists: &[Resource]) -> Vec<Change> {
        let mut resources = node_resources(&self.spec, pools);
        resources.extend(lists.iter().cloned());
        let versions: BTreeMap<_, _> = resources.iter().map(|new| (new.key(), new.version())).collect();
        let gone = self.versions.keys().filter(|key| !versions.contains_key(*key));
        let mut changes: Vec<_> = gone.cloned().map(Change::Remove).collect();
        let news = resources.into_iter().filter(|new| self.versions.get(&new.key()) != Some(&new.version()));
        changes.extend(news.map(Change::Upsert));
        self.versions = versions;
        changes
    }
}

/// Whether the status says that this very session has been in the kernel, and works.
fn was_programmed(subscriber: &Subscriber, version: Version) -> bool {
    let ready = subscriber.status.conditions.iter().find(|condition| condition.kind == READY);
    ready.is_some_and(|ready| ready.status == ConditionStatus::True)
        && subscriber.status.programmed == Some(SessionVersion(version.0))
}

#[cfg(test)]
pub(super) mod tests;
