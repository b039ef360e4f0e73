//! A back end's queue, and what it declared.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use super::{Id, Metrics, graph::RelationId};
use crate::{BackEnd, Declaration, Kind, Needs};

pub(super) struct Queue {
    pub(super) name: BackEnd,
    pub(super) declaration: Declaration,
    needs: Vec<Option<Needs>>,
    lazy: HashSet<Kind>,
    pub(super) derives: bool,
    pub(super) ready: VecDeque<Id>,
    /// Calls under way.
    pub(super) calls: usize,
    pub(super) metrics: Metrics,
    pub(super) compare_at: Option<Duration>,
    pub(super) comparisons: u64,
}

impl Queue {
    pub(super) fn new(name: BackEnd, declaration: Declaration) -> Self {
        Self {
            name,
            declaration,
            needs: Vec::new(),
            lazy: HashSet::new(),
            derives: false,
            ready: VecDeque::new(),
            calls: 0,
            metrics: Metrics::default(),
            compare_at: None,
            comparisons: 0,
        }
    }

    pub(super) fn declare(&mut self, id: RelationId, to: Kind, needs: Needs) {
        if self.needs.len() <= id.index() {
            self.needs.resize(id.index() + 1, None);
        }
        self.needs[id.index()] = Some(needs);
        match needs {
            Needs::Order => {}
            Needs::Content => self.derives = true,
            Needs::Lazily => drop(self.lazy.insert(to)),
        }
    }

    /// What the relation means to this back end, if anything.
    pub(super) fn needs(&self, relation: RelationId) -> Option<Needs> {
        self.needs.get(relation.index()).copied().flatten()
    }

    pub(super) fn is_lazy(&self, kind: Kind) -> bool {
        self.lazy.contains(&kind)
    }
}
