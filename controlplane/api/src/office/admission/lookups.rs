//! What the rules look up.

use std::sync::Arc;

use intent_store::{Record, Table};
use net_types::Name;
use office_plan::{NodePool, NodePools};
use xos_model::{AddressPoolSpec, Kind, KindName, NodeSpec, Object};

use super::{Admission, references::referrers_of};
use crate::office::{Rejection, object_key, stored::decode};

impl Admission<'_, '_> {
    pub(in crate::office) fn load<K: Kind>(&self, name: &Name) -> Result<Option<Object<K>>, Rejection> {
        let key = object_key(K::KIND, name);
        self.txn.get(Table::Objects, &key).map(|record| decode(&key, &record)).transpose()
    }

    pub(in crate::office) fn node(&mut self, name: &Name) -> Result<Option<Arc<NodeSpec>>, Rejection> {
        if let Some(spec) = self.scratch.node(name) {
            return Ok(Some(spec));
        }
        let Some(node) = self.load::<NodeSpec>(name)? else { return Ok(None) };
        let spec = Arc::new(node.spec);
        self.scratch.keep_node(name, spec.clone());
        Ok(Some(spec))
    }

    pub(in crate::office) fn pools(&mut self, node: &Name) -> Result<Arc<NodePools>, Rejection> {
        if let Some(pools) = self.scratch.pools(node) {
            return Ok(pools);
        }
        let names = self.holders(&pools_of(node));
        let mut pools = Vec::with_capacity(names.len());
        for name in names {
            if let Some(pool) = self.load::<AddressPoolSpec>(&name)? {
                pools.push(NodePool { name, spec: pool.spec });
            }
        }
        let pools = Arc::new(NodePools::new(pools));
        self.scratch.keep_pools(node, pools.clone());
        Ok(pools)
    }

    /// Who holds claims with this prefix.
    pub(in crate::office) fn holders(&self, prefix: &str) -> Vec<Name> {
        self.txn.prefixed(Table::Claims, prefix).filter_map(|(_, record)| holder(&record)).collect()
    }

    /// Who holds the first claim with this prefix.
    pub(in crate::office) fn first_holder(&self, prefix: &str) -> Option<Name> {
        self.txn.prefixed(Table::Claims, prefix).find_map(|(_, record)| holder(&record))
    }
}

/// The prefix under which a node's pools are found.
fn pools_of(node: &Name) -> String {
    format!("{}{}/", referrers_of(KindName::Node, node), KindName::AddressPool.plural())
}

/// Whom a claim names.
pub(in crate::office) fn holder(record: &Record) -> Option<Name> {
    std::str::from_utf8(&record.value).ok()?.parse().ok()
}
