//! What became of a resource.

use node_state::{ResourceKey, Version};

/// What became of one resource on its node: in the kernel, or why not, in words.
///
/// The version says which one is meant, [`REMOVED`] that it was to go.
pub type Outcome = (ResourceKey, Version, Result<(), String>);

/// Stands where a version stands in the outcome of a removal.
pub const REMOVED: Version = Version(0);
