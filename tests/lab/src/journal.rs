//! What the lab has made, on disk before it is made.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use net_types::IfName;
use serde::{Deserialize, Serialize};

use crate::{LabConfig, LabError, command::Result, process::ProcessId};

/// Something outside the state directory that `down` must undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Made {
    /// A network namespace, by name; nobody had one of that name before.
    Namespace(String),
    /// A directory under /etc/netns.
    NetnsConfig(PathBuf),
    /// A BPF file system.
    BpfMount(PathBuf),
    /// An interface of the machine that was moved into the node.
    Moved { interface: IfName, port: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) config: LabConfig,
    pub(crate) made: Vec<Made>,
    /// Programs by name, such as `agent`.
    pub(crate) processes: BTreeMap<String, ProcessId>,
    /// Whether everything was built.
    pub(crate) complete: bool,
}

impl Journal {
    pub(crate) fn new(config: LabConfig) -> Self {
        Self { config, made: Vec::new(), processes: BTreeMap::new(), complete: false }
    }

    pub(crate) fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("lab.json")
    }

    pub(crate) fn load(state_dir: &Path) -> Result<Option<Self>> {
        let path = Self::path(state_dir);
        let bytes = match fs::read(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(LabError::io(format!("read {}", path.display())))?,
        };
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Some).map_err(|e| LabError::State(format!("{}: {e}", path.display())))
    }

    /// Writes a new file and puts it in place of the old one, so that there is always a whole one.
    pub(crate) fn save(&self) -> Result<()> {
        let path = Self::path(&self.config.state_dir);
        let text = serde_json::to_vec_pretty(self).expect("a journal holds nothing that JSON cannot");
        let write = || {
            let new = path.with_extension("json.new");
            let mut file = fs::File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(LabError::io(format!("write {}", path.display())))
    }

    /// Records what is about to be made.
    pub(crate) fn record(&mut self, made: Made) -> Result<()> {
        if self.made.contains(&made) {
            return Ok(());
        }
        self.made.push(made);
        self.save()
    }
}
