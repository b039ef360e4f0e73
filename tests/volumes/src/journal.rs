//! What was asked for, on disk before it is done.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Entry {
    Service { name: String, thing: Thing },
    NoService { name: String },
    Tenant { name: String, thing: Thing },
    NoTenant { name: String },
    Instances { tenant: String, instances: Vec<String> },
}

/// Which object a thing is for, and as of when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) uid: String,
    pub(crate) generation: u64,
}

pub(crate) struct Journal(File);

impl Journal {
    /// Opens the journal, and reads what is there. A last line that was cut off was never answered for.
    pub(crate) fn open(path: &Path) -> anyhow::Result<(Self, Vec<Entry>)> {
        let mut entries = Vec::new();
        let mut whole = 0;
        if path.exists() {
            let mut reader = BufReader::new(File::open(path)?);
            let mut line = String::new();
            while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
                entries.push(serde_json::from_str(&line).with_context(|| format!("the journal: {line}"))?);
                whole += line.len() as u64;
                line.clear();
            }
        }
        let file = File::options().create(true).append(true).open(path)?;
        file.set_len(whole)?;
        Ok((Self(file), entries))
    }

    pub(crate) fn write(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let mut line = serde_json::to_string(entry)?;
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(self.0.sync_data()?)
    }
}
