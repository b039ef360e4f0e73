//! The tenancy graph, changed with its objects and asked when a transaction's operations are done.

use intent_store::{Key, Record, Table};
use net_types::Name;
use xos_model::{Fault, Graph, NetworkSpec, Object, SliceSpec, Vertex};

use super::{Admission, Managed, Misplaced};
use crate::office::{Rejection, graph::Objects};

/// What is wrong with one changed object, now that all have changed.
pub(super) type Question = Box<dyn FnOnce(&Graph) -> Vec<Fault>>;

impl Admission<'_, '_> {
    pub(super) fn regraph<K: Vertex>(
        &mut self,
        old: Option<&Object<K>>,
        new: Option<&Object<K>>,
        judge: fn(&Graph, &Name, Option<&K>) -> Vec<Fault>,
    ) -> Result<(), Rejection> {
        let name = match (old, new) {
            (Some(object), _) | (None, Some(object)) => object.name().clone(),
            (None, None) => return Ok(()),
        };
        // As it is before this change: the object itself is written after this.
        self.know_graph()?;
        self.follow(old, new);
        let before = old.cloned();
        let undo_name = name.clone();
        self.scratch.change_graph(
            |graph| match new {
                Some(new) => graph.put(new),
                None => graph.remove(K::KIND, &name),
            },
            Box::new(move |graph| match &before {
                Some(before) => graph.put(before),
                None => graph.remove(K::KIND, &undo_name),
            }),
        );
        if new.is_some() {
            let before = old.map(|old| old.spec.clone());
            self.questions.push((self.place, Box::new(move |graph| judge(graph, &name, before.as_ref()))));
        }
        Ok(())
    }

    /// All operations are done: the graph must be sound where it has changed.
    pub(super) fn ask_graph(&mut self) -> Result<(), Misplaced> {
        let questions = std::mem::take(&mut self.questions);
        let Some(graph) = self.scratch.graph() else { return Ok(()) };
        for (operation, question) in questions {
            let faults = question(graph);
            if !faults.is_empty() {
                return Err(Misplaced { operation, rejection: Rejection::invalid(faults) });
            }
        }
        Ok(())
    }
}

/// As this transaction sees them.
impl Objects for Admission<'_, '_> {
    fn each(
        &self,
        prefix: &str,
        visit: &mut dyn FnMut(Key, Record) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        self.txn.prefixed(Table::Objects, prefix).try_for_each(|(key, record)| visit(key, record))
    }
}

macro_rules! graphed {
    ($($spec:ident $judge:expr;)*) => {
        $(impl Managed for $spec {
            fn regraph(
                admission: &mut Admission<'_, '_>,
                old: Option<&Object<Self>>,
                new: Option<&Object<Self>>,
            ) -> Result<(), Rejection> {
                admission.regraph(old, new, $judge)
            }
        })*
    };
}

graphed! {
    SliceSpec |graph, name, _| graph.admit_slice(name);
    NetworkSpec |graph, name, _| graph.admit_network(name);
}
