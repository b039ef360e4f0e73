//! A back end's queue, and what it declared.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use super::{Id, Metrics, graph::RelationId};
use crate::{BackEnd, Declaration, Kind, Needs};

pub(super) struct Queue {
    pub(super) name: BackEnd,
    pub(super) standing: Standing,
    pub(super) declaration: Declaration,
    needs: Vec<Option<Needs>>,
    lazy: HashSet<Kind>,
    pub(super) derives: bool,
    /// By which relations objects are led to its anchor.
    leading: Vec<RelationId>,
    pub(super) ready: VecDeque<Id>,
    /// Calls under way.
    pub(super) calls: usize,
    /// A look at it is under way.
    pub(super) looking: bool,
    pub(super) metrics: Metrics,
    pub(super) compare_at: Option<Duration>,
    pub(super) comparisons: u64,
}

/// Whether a back end is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Gone, or not come yet: only what is recorded of objects there is known of it.
    Absent,
    /// It has yet to see what there is, and begins nothing before.
    New,
    Known,
    /// It is about to go, and begins nothing any more.
    Retiring,
}

impl Queue {
    pub(super) fn new(name: BackEnd, standing: Standing, declaration: Declaration) -> Self {
        Self {
            name,
            standing,
            declaration,
            needs: Vec::new(),
            lazy: HashSet::new(),
            derives: false,
            leading: Vec::new(),
            ready: VecDeque::new(),
            calls: 0,
            looking: false,
            metrics: Metrics::default(),
            compare_at: None,
            comparisons: 0,
        }
    }

    /// Begins anew with another declaration; what was counted goes on.
    pub(super) fn redeclare(&mut self, standing: Standing, declaration: Declaration) {
        let Self { name, metrics, comparisons, .. } = self;
        let (name, metrics, comparisons) = (name.clone(), *metrics, *comparisons);
        *self = Self { metrics, comparisons, ..Self::new(name, standing, declaration) };
    }

    pub(super) fn is_absent(&self) -> bool {
        self.standing == Standing::Absent
    }

    pub(super) fn is_idle(&self) -> bool {
        self.calls == 0 && !self.looking
    }

    pub(super) fn leads(&self, relation: RelationId) -> bool {
        self.leading.contains(&relation)
    }

    pub(super) fn lead(&mut self, relation: RelationId) {
        self.leading.push(relation);
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
