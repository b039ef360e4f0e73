//! An engine in memory whose faults can be chosen, for tests of what stands above.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Engine, EngineError, Reader, Visit, Write};

/// An engine whose "disk" outlives it: a clone opened later finds what was committed. Nothing survives the process.
#[derive(Clone, Debug, Default)]
pub struct MemoryEngine {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    commits: u64,
    fault: Option<Fault>,
}

/// How the next commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is durable.
    Lost,
    /// All is durable, but the engine says otherwise.
    Unknown,
}

impl MemoryEngine {
    /// Lets the next commit fail.
    pub fn inject(&self, fault: Fault) {
        self.disk().fault = Some(fault);
    }

    /// Takes back what was injected and has not come to pass.
    pub fn heal(&self) {
        self.disk().fault = None;
    }

    /// How many commits there were.
    pub fn commits(&self) -> u64 {
        self.disk().commits
    }

    fn disk(&self) -> std::sync::MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for MemoryEngine {
    fn scan(&self, range: Range<&[u8]>, visit: &mut Visit<'_>) -> Result<(), EngineError> {
        let pairs: Vec<_> = {
            let disk = self.disk();
            let range =
                disk.pairs.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(range.end)));
            range.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        for (key, value) in pairs {
            if visit(&key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Engine for MemoryEngine {
    fn reader(&self) -> Box<dyn Reader> {
        Box::new(self.clone())
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), EngineError> {
        let mut disk = self.disk();
        let fault = disk.fault.take();
        if fault != Some(Fault::Lost) {
            disk.commits += 1;
            for Write { key, value } in writes {
                match value {
                    Some(value) => drop(disk.pairs.insert(key.clone(), value.clone())),
                    None => drop(disk.pairs.remove(key)),
                }
            }
        }
        match fault {
            Some(fault) => Err(EngineError::new("commit", format!("{fault:?}"))),
            None => Ok(()),
        }
    }
}
