//! The nodes as machines are placed on them.

use std::collections::{BTreeMap, HashMap};

use net_types::Name;
use office_plan::Candidate;
use xos_model::Node;

/// What placement goes by: of each node its labels, its site and how many machines of which slice are there.
#[derive(Default)]
pub(super) struct Ground {
    nodes: BTreeMap<Name, Plot>,
    counts: HashMap<Name, Counts>,
}

struct Plot {
    labels: BTreeMap<String, String>,
    site: Option<Name>,
    deleting: bool,
}

#[derive(Default)]
struct Counts {
    all: usize,
    slices: HashMap<Name, usize>,
}

impl Ground {
    pub(super) fn put(&mut self, node: &Node) {
        let plot = Plot {
            labels: node.metadata.labels.clone(),
            site: node.spec.site.clone(),
            deleting: node.metadata.deleted_at.is_some(),
        };
        self.nodes.insert(node.name().clone(), plot);
    }

    pub(super) fn remove(&mut self, node: &Name) {
        self.nodes.remove(node);
    }

    pub(super) fn has(&self, node: &Name) -> bool {
        self.nodes.contains_key(node)
    }

    /// A machine of the slice has come to the node, or has left it.
    pub(super) fn count(&mut self, node: &Name, slice: &Name, comes: bool) {
        let counts = self.counts.entry(node.clone()).or_default();
        let of_slice = counts.slices.entry(slice.clone()).or_default();
        for count in [&mut counts.all, &mut *of_slice] {
            *count = if comes { *count + 1 } else { count.saturating_sub(1) };
        }
        if *of_slice == 0 {
            counts.slices.remove(slice);
        }
    }

    /// The nodes, for a machine of the slice.
    pub(super) fn candidates(&self, slice: &Name) -> impl Iterator<Item = Candidate<'_>> {
        self.nodes.iter().map(move |(name, plot)| {
            let counts = self.counts.get(name);
            Candidate {
                name,
                labels: &plot.labels,
                site: plot.site.as_ref(),
                deleting: plot.deleting,
                of_slice: counts.and_then(|counts| counts.slices.get(slice)).copied().unwrap_or(0),
                of_all: counts.map_or(0, |counts| counts.all),
            }
        })
    }
}
