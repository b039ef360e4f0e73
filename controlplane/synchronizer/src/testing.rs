//! A back end in memory that fails as it is told to, and its plug-in: for tests of what stands above the framework.

mod back_end;
mod plugin;

use xos_model::AnyObject;

use crate::Key;

pub use back_end::{BackEndInMemory, Fault, Thing};
pub use plugin::TestPlugin;

/// What the plug-in reads of an object.
pub trait Content: Send + Sync + 'static {
    fn generation(&self) -> u64;

    /// What the object stands on.
    fn needs(&self) -> Vec<Key>;
}

impl Content for AnyObject {
    fn generation(&self) -> u64 {
        self.metadata().generation.unwrap_or(0)
    }

    fn needs(&self) -> Vec<Key> {
        self.references().into_iter().map(|reference| Key::new(reference.kind, reference.name)).collect()
    }
}
