//! What the node's ports, links, stations and routes should be, in a file, so that `wcnode diff` can compare with no agent.

use std::path::{Path, PathBuf};

use node_state::{NodeState, Resource, Version};

pub(crate) struct DesiredFile {
    path: PathBuf,
    written: Option<Version>,
}

impl DesiredFile {
    pub(crate) fn new(run_dir: &Path) -> Self {
        Self { path: run_dir.join(node_state::DESIRED_FILE), written: None }
    }

    /// Writes the file if it would say something else than before.
    pub(crate) fn update(&mut self, desired: &NodeState) {
        let resources: Vec<Resource> = desired.kernel_resources().collect();
        let text = match serde_json::to_vec(&resources) {
            Ok(text) => text,
            Err(error) => return tracing::warn!(%error, "the desired state cannot be written out"),
        };
        let version = Version::of(&text);
        if self.written == Some(version) {
            return;
        }
        match super::replace(&self.path, &text) {
            Ok(()) => self.written = Some(version),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the desired state cannot be written out");
            }
        }
    }
}
