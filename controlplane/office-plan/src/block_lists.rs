//! What nodes get of the office's lists of names.

use std::collections::{BTreeMap, BTreeSet};

use net_types::Name;
use node_state::{BlockList, Resource};
use xos_model::BlockListSpec;

const _: () =
    assert!(BlockListSpec::LISTS_MAX == BlockList::LISTS_MAX, "a node takes as many as are accepted");
const _: () = assert!(
    BlockListSpec::LISTS_MAX * BlockListSpec::DOMAINS_MAX <= BlockList::DOMAINS_MAX,
    "a node takes all names that are accepted"
);

/// The lists of an office, each in parts that are small enough to travel.
#[derive(Clone, Debug, Default)]
pub struct BlockLists(BTreeMap<Name, BlockListSpec>);

impl BlockLists {
    /// Takes over how a list is now; nothing: it is gone. Says whether that is news to nodes.
    pub fn change(&mut self, name: &Name, spec: Option<BlockListSpec>) -> bool {
        match spec {
            Some(spec) => {
                let before = self.0.insert(name.clone(), spec);
                before.is_none_or(|before| {
                    let now = &self.0[name];
                    before.domains != now.domains || before.resolvers != now.resolvers
                })
            }
            None => self.0.remove(name).is_some(),
        }
    }

    pub fn resources(&self) -> Vec<Resource> {
        let parts = self.0.iter().flat_map(|(name, spec)| parts(name, spec));
        parts.map(Resource::BlockList).collect()
    }
}

/// A list with no names is one part, so that a node knows the category.
fn parts(name: &Name, spec: &BlockListSpec) -> Vec<BlockList> {
    let empty =
        |part| BlockList { name: name.clone(), part, domains: BTreeSet::new(), resolvers: BTreeSet::new() };
    let mut parts = vec![BlockList { resolvers: spec.resolvers.clone(), ..empty(0) }];
    let mut bytes = 0;
    for domain in &spec.domains {
        bytes += domain.as_str().len() + 3;
        if bytes > BlockList::PART_BYTES {
            bytes = domain.as_str().len() + 3;
            parts.push(empty(u16::try_from(parts.len()).unwrap_or(u16::MAX)));
        }
        parts.last_mut().expect("there is one").domains.insert(domain.clone());
    }
    parts
}
