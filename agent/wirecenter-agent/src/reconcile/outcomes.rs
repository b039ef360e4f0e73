//! What is wrong with which resource, and of that, what the controller does not know yet.

use std::collections::BTreeMap;

use node_state::ResourceKey;

type Results = Vec<(ResourceKey, Result<(), String>)>;

/// Only errors are held: whatever is not here is in the kernel.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    kernel: BTreeMap<ResourceKey, String>,
    fastpath: BTreeMap<ResourceKey, String>,
    /// What was told last.
    told: BTreeMap<ResourceKey, String>,
}

impl Outcomes {
    /// After a comparison of everything in the kernel.
    pub(super) fn kernel(&mut self, results: Results) {
        self.kernel = errors(results);
    }

    /// After a comparison of everything in the fast path.
    pub(super) fn fastpath(&mut self, results: Results) {
        self.fastpath = errors(results);
    }

    /// After changes of some resources.
    pub(super) fn fastpath_some(&mut self, results: Results) {
        for (key, result) in results {
            match result {
                Ok(()) => drop(self.fastpath.remove(&key)),
                Err(error) => drop(self.fastpath.insert(key, error)),
            }
        }
    }

    pub(super) fn of(&self, key: &ResourceKey) -> Result<(), String> {
        match (self.kernel.get(key), self.fastpath.get(key)) {
            (None, None) => Ok(()),
            (Some(error), None) | (None, Some(error)) => Err(error.clone()),
            (Some(kernel), Some(fastpath)) if kernel == fastpath => Err(kernel.clone()),
            (Some(kernel), Some(fastpath)) => Err(format!("{kernel}; {fastpath}")),
        }
    }

    /// How many resources have errors.
    pub(super) fn count(&self) -> usize {
        self.kernel.len() + self.fastpath.keys().filter(|key| !self.kernel.contains_key(*key)).count()
    }

    /// Errors in words, of ports, links and routes first.
    pub(super) fn errors(&self) -> impl Iterator<Item = (ResourceKey, String)> {
        let others = self.fastpath.keys().filter(|key| !self.kernel.contains_key(*key));
        self.kernel.keys().chain(others).filter_map(|key| Some((key.clone(), self.of(key).err()?)))
    }

    /// These are being told just now, as they are.
    pub(super) fn told<'a>(&mut self, keys: impl Iterator<Item = &'a ResourceKey>) {
        for key in keys {
            match self.of(key) {
                Ok(()) => drop(self.told.remove(key)),
                Err(error) => drop(self.told.insert(key.clone(), error)),
            }
        }
    }

    /// The same of these alone.
    pub(super) fn take_changed_of<'a>(&mut self, keys: impl Iterator<Item = &'a ResourceKey>) -> Results {
        let mut changed = Vec::new();
        for key in keys {
            let now = self.of(key);
            if now.as_ref().err() != self.told.get(key) {
                self.told(std::iter::once(key));
                changed.push((key.clone(), now));
            }
        }
        changed
    }

    /// The resource is no longer wanted, and what is wrong with it has been told.
    pub(super) fn forget(&mut self, key: &ResourceKey) {
        self.kernel.remove(key);
        self.fastpath.remove(key);
        self.told.remove(key);
    }

    /// What differs from what was told; from then on it counts as told.
    pub(super) fn take_changed(&mut self) -> Results {
        let now = self.errors().collect();
        let before = std::mem::replace(&mut self.told, now);
        let now = &self.told;
        let healed = before.keys().filter(|key| !now.contains_key(*key)).map(|key| (key.clone(), Ok(())));
        let failed = now.iter().filter(|(key, error)| before.get(*key) != Some(*error));
        healed.chain(failed.map(|(key, error)| (key.clone(), Err(error.clone())))).collect()
    }
}

fn errors(results: Results) -> BTreeMap<ResourceKey, String> {
    results.into_iter().filter_map(|(key, result)| Some((key, result.err()?))).collect()
}
