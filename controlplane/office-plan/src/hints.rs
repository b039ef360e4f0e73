//! Where to begin to look for what is free.

use std::collections::HashMap;

use net_types::Name;

/// For each pool a position below which nothing is free. Only a shortcut: with or without it the same is found.
///
/// Positions are the pool's own: addresses, port blocks, or the first addresses of subnets of one length.
#[derive(Debug, Default)]
pub struct Hints {
    lowest: HashMap<(Name, u8), u64>,
    /// What [`Hints::rollback`] puts back.
    undo: Vec<((Name, u8), Option<u64>)>,
}

impl Hints {
    /// Keeps what was learnt since the last call of this or of [`Hints::rollback`].
    pub fn keep(&mut self) {
        self.undo.clear();
    }

    /// Forgets it: the allocations that it comes from were not made after all.
    pub fn rollback(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(position) => self.lowest.insert(key, position),
                None => self.lowest.remove(&key),
            };
        }
    }

    pub(crate) fn lowest(&self, pool: &Name, len: u8) -> u64 {
        self.lowest.get(&(pool.clone(), len)).copied().unwrap_or(0)
    }

    pub(crate) fn raise(&mut self, pool: &Name, len: u8, position: u64) {
        self.set((pool.clone(), len), position);
    }

    /// Something of a pool has become free: what was learnt of the pool no longer holds above that position.
    pub(crate) fn lower(&mut self, pool: &Name, position: impl Fn(u8) -> u64) {
        let stale = self.lowest.iter().filter(|((name, len), at)| name == pool && **at > position(*len));
        for key in stale.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            let position = position(key.1);
            self.set(key, position);
        }
    }

    /// A pool has changed or is gone.
    pub fn forget(&mut self, pool: &Name) {
        self.lower(pool, |_| 0);
    }

    fn set(&mut self, key: (Name, u8), position: u64) {
        let before = self.lowest.insert(key.clone(), position);
        self.undo.push((key, before));
    }
}
