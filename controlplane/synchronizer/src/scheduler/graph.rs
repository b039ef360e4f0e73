//! The objects and the edges between them, as they are and as they still hold at back ends.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{Id, slab::Slab};
use crate::{Edge, ErrorEntry, Key, Kind, Origin};

/// A relation: from one kind, by one name, to one kind. Two names are two relations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RelationId(u16);

impl RelationId {
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Default)]
pub(super) struct Relations {
    by_kinds: HashMap<(Kind, Kind), Vec<(&'static str, RelationId)>>,
    names: Vec<&'static str>,
}

impl Relations {
    pub(super) fn declare(&mut self, from: Kind, name: &'static str, to: Kind) -> RelationId {
        if let Some(known) = self.find(from, name, to) {
            return known;
        }
        let id = RelationId(u16::try_from(self.names.len()).expect("plug-ins declare tens of relations"));
        self.names.push(name);
        self.by_kinds.entry((from, to)).or_default().push((name, id));
        id
    }

    pub(super) fn find(&self, from: Kind, name: &str, to: Kind) -> Option<RelationId> {
        self.by_kinds.get(&(from, to))?.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
    }
}

/// An object, or the place of one that others refer to.
#[expect(clippy::struct_excessive_bools, reason = "facts that hold independently of each other")]
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) meta: Option<Meta>,
    pub(super) out: Vec<Out>,
    pub(super) into: BTreeSet<(RelationId, Id)>,
    pub(super) units: Vec<Id>,
    /// Units that wait for the object to be there.
    pub(super) waiters: Vec<Id>,
    pub(super) history: Vec<ErrorEntry>,
    /// Its status is to be reported.
    pub(super) dirty: bool,
    /// A back end acts on it or did: its status says how it stands.
    pub(super) enacted: bool,
    /// Told of in the snapshot that is being read.
    pub(super) seen: bool,
    /// An instance that its tenancies' providers may know of: has been ready, and is not going.
    pub(super) member: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) uid: Arc<str>,
    pub(super) generation: u64,
    pub(super) deleting: bool,
    pub(super) origin: Origin,
    pub(super) beside: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Out {
    pub(super) relation: RelationId,
    pub(super) to: Id,
    /// No longer in the object's spec, but the back ends may still have it so.
    pub(super) held: bool,
    /// An action began with it.
    pub(super) used: bool,
}

impl Node {
    fn new(key: Key) -> Self {
        Self {
            key,
            meta: None,
            out: Vec::new(),
            into: BTreeSet::new(),
            units: Vec::new(),
            waiters: Vec::new(),
            history: Vec::new(),
            dirty: false,
            enacted: false,
            seen: false,
            member: false,
        }
    }

    pub(super) fn is_going(&self) -> bool {
        self.meta.as_ref().is_none_or(|meta| meta.deleting)
    }

    /// The objects that it refers to by a relation, now.
    pub(super) fn targets(&self, relation: RelationId) -> impl Iterator<Item = Id> {
        self.out.iter().filter(move |out| out.relation == relation && !out.held).map(|out| out.to)
    }

    /// The objects that refer to it by a relation, now or still.
    pub(super) fn sources(&self, relation: RelationId) -> impl Iterator<Item = Id> {
        self.into.range((relation, Id::MIN)..=(relation, Id::MAX)).map(|(_, from)| *from)
    }
}

#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Slab<Node>,
    pub(super) index: HashMap<Key, Id>,
    pub(super) relations: Relations,
}

impl Graph {
    pub(super) fn intern(&mut self, key: &Key) -> Id {
        if let Some(id) = self.index.get(key) {
            return *id;
        }
        let id = self.nodes.insert(Node::new(key.clone()));
        self.index.insert(key.clone(), id);
        id
    }

    /// The object's edges by which somebody orders.
    pub(super) fn resolve<'a>(
        &mut self,
        from: Kind,
        named: impl IntoIterator<Item = &'a Edge>,
    ) -> Vec<(RelationId, Id)> {
        let mut edges = Vec::new();
        for edge in named {
            if let Some(relation) = self.relations.find(from, &edge.relation, edge.to.kind) {
                edges.push((relation, self.intern(&edge.to)));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Whether the edges are the object's already.
    pub(super) fn has_edges(&self, id: Id, edges: &[(RelationId, Id)]) -> bool {
        self.nodes[id]
            .out
            .iter()
            .filter(|out| !out.held)
            .map(|out| (out.relation, out.to))
            .eq(edges.iter().copied())
    }

    /// Gives the object new edges; of the old ones, keeps (`hold`) what may still be so at a back end.
    pub(super) fn set_edges(&mut self, id: Id, edges: &[(RelationId, Id)], hold: bool) -> Vec<Id> {
        let old = std::mem::take(&mut self.nodes[id].out);
        let mut out: Vec<Out> =
            edges.iter().map(|&(relation, to)| Out { relation, to, held: false, used: false }).collect();
        let mut dropped = Vec::new();
        for Out { relation, to, used, .. } in old {
            if let Some(kept) = out.iter_mut().find(|new| new.relation == relation && new.to == to) {
                kept.used |= used;
                continue;
            }
            if hold && used {
                out.push(Out { relation, to, held: true, used });
            } else {
                self.nodes[to].into.remove(&(relation, id));
                dropped.push(to);
            }
        }
        for &(relation, to) in edges {
            self.nodes[to].into.insert((relation, id));
        }
        self.nodes[id].out = out;
        dropped
    }

    /// What was recorded of an object's edges, and is not so any more, is held as if it had been seen to change.
    pub(super) fn hold(&mut self, id: Id, recorded: &[(RelationId, Id)]) {
        for &(relation, to) in recorded {
            let out = &mut self.nodes[id].out;
            if let Some(known) = out.iter_mut().find(|known| known.relation == relation && known.to == to) {
                known.used = true;
            } else {
                out.push(Out { relation, to, held: true, used: true });
                self.nodes[to].into.insert((relation, id));
            }
        }
    }

    /// An action begins: from now on a back end may have the object with its edges.
    pub(super) fn use_edges(&mut self, id: Id) {
        for out in &mut self.nodes[id].out {
            out.used = true;
        }
    }

    /// The object's edges by name: as they are, or as they still are.
    pub(super) fn named(&self, id: Id, held: bool) -> Vec<Edge> {
        let of = self.nodes[id].out.iter().filter(|out| out.held == held);
        of.map(|out| Edge::new(self.relations.names[out.relation.index()], self.nodes[out.to].key.clone()))
            .collect()
    }

    /// Lets go of the edges that no back end can have any more; gives back what they led to.
    pub(super) fn drop_held(&mut self, id: Id) -> Vec<Id> {
        if !self.nodes[id].out.iter().any(|out| out.held) {
            return Vec::new();
        }
        let current: Vec<_> =
            self.nodes[id].out.iter().filter(|out| !out.held).map(|out| (out.relation, out.to)).collect();
        self.set_edges(id, &current, false)
    }
}
