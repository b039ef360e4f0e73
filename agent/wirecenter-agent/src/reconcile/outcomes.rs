//! What is wrong with which resource, and of that, what the controller does not know yet.

use std::collections::BTreeMap;

use node_state::ResourceKey;

type Results = Vec<(ResourceKey, Result<(), String>)>;

/// What takes part in making a resource be as desired.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Kernel,
    Fastpath,
    Log,
}

/// Only errors are held: whatever is not here is in the kernel.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// By part.
    errors: [BTreeMap<ResourceKey, String>; 3],
    /// What was told last.
    told: BTreeMap<ResourceKey, String>,
}

impl Outcomes {
    /// After a comparison of everything that a part does.
    pub(super) fn all(&mut self, part: Part, results: Results) {
        self.errors[part as usize] = errors(results);
    }

    /// After changes of some resources.
    pub(super) fn some(&mut self, part: Part, results: Results) {
        for (key, result) in results {
            match result {
                Ok(()) => drop(self.errors[part as usize].remove(&key)),
                Err(error) => drop(self.errors[part as usize].insert(key, error)),
            }
        }
    }

    pub(super) fn of(&self, key: &ResourceKey) -> Result<(), String> {
        let mut errors: Vec<&str> =
            self.errors.iter().filter_map(|part| part.get(key)).map(|e| &**e).collect();
        errors.dedup();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    /// Resources with errors, each once: of ports, links and routes first.
    fn keys(&self) -> impl Iterator<Item = &ResourceKey> {
        let is_before = |part: usize, key| self.errors[..part].iter().any(|errors| errors.contains_key(key));
        let parts = self.errors.iter().enumerate();
        parts.flat_map(move |(part, errors)| errors.keys().filter(move |key| !is_before(part, key)))
    }

    /// How many resources have errors.
    pub(super) fn count(&self) -> usize {
        self.keys().count()
    }

    /// Errors in words.
    pub(super) fn errors(&self) -> impl Iterator<Item = (ResourceKey, String)> {
        self.keys().filter_map(|key| Some((key.clone(), self.of(key).err()?)))
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
        self.errors.iter_mut().for_each(|part| drop(part.remove(key)));
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
