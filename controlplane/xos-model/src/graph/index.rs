//! Names by name.

use std::collections::{BTreeMap, BTreeSet};

use net_types::Name;

#[derive(Clone, Debug, Default)]
pub(super) struct Index(BTreeMap<Name, BTreeSet<Name>>);

impl Index {
    /// Whether `name` is one of those of `key` from now on.
    pub(super) fn set(&mut self, key: &Name, name: &Name, present: bool) {
        if present {
            self.0.entry(key.clone()).or_default().insert(name.clone());
        } else if let Some(names) = self.0.get_mut(key) {
            names.remove(name);
            if names.is_empty() {
                self.0.remove(key);
            }
        }
    }

    pub(super) fn get(&self, key: &Name) -> impl Iterator<Item = &Name> {
        self.0.get(key).into_iter().flatten()
    }

    pub(super) fn count(&self, key: &Name) -> usize {
        self.0.get(key).map_or(0, BTreeSet::len)
    }
}
