//! Disks that outlive the store on them, and how a process can end on each.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Engine, Fault, MemoryEngine, RocksEngine};

/// When the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// Before anything of the commit is on disk.
    Before,
    /// When a part of it is, which counts for nothing.
    Amid,
    /// When all is on disk, but no one was told.
    After,
}

pub(super) trait Disk {
    type Engine: Engine;

    fn engine(&self) -> Self::Engine;

    /// Lets the process end with what `work` commits.
    fn crash(&mut self, crash: Crash, work: impl FnOnce());

    /// Another disk, empty.
    fn another(&self) -> Self;
}

impl Disk for MemoryEngine {
    type Engine = Self;

    fn engine(&self) -> Self {
        self.clone()
    }

    fn crash(&mut self, crash: Crash, work: impl FnOnce()) {
        self.inject(if crash == Crash::After { Fault::Unknown } else { Fault::Lost });
        work();
        self.heal();
    }

    fn another(&self) -> Self {
        Self::default()
    }
}

/// A directory for the database as it is now: a crash leaves a copy, whose log ends where the crash wants it to.
pub(super) struct RocksDisk {
    directory: TempDir,
}

impl Default for RocksDisk {
    fn default() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }
}

impl Disk for RocksDisk {
    type Engine = RocksEngine;

    fn engine(&self) -> RocksEngine {
        RocksEngine::open(self.directory.path()).expect("opens")
    }

    fn crash(&mut self, crash: Crash, work: impl FnOnce()) {
        let before = log(self.directory.path());
        work();
        let after = loop {
            if let Some(copy) = copy(self.directory.path()) {
                break Self { directory: copy };
            }
        };
        if let Some((path, length)) = log(after.directory.path()) {
            let before =
                before.filter(|(old, _)| old.file_name() == path.file_name()).map_or(0, |(_, length)| length);
            let wanted = match crash {
                Crash::Before => before,
                Crash::Amid => before + (length - before) / 2,
                Crash::After => length,
            };
            let file = std::fs::OpenOptions::new().write(true).open(path).expect("opens");
            file.set_len(wanted).expect("cuts");
        }
        *self = after;
    }

    fn another(&self) -> Self {
        Self::default()
    }
}

/// The directory's files. None: one went while they were copied, as those that the database no longer needs do.
fn copy(directory: &Path) -> Option<TempDir> {
    let copy = tempfile::tempdir().expect("a directory");
    for entry in std::fs::read_dir(directory).expect("lists") {
        let path = entry.expect("an entry").path();
        match std::fs::copy(&path, copy.path().join(path.file_name().expect("a name"))) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => panic!("{} cannot be copied: {error}", path.display()),
        }
    }
    Some(copy)
}

/// The newest write-ahead log, and how long it is.
fn log(directory: &Path) -> Option<(PathBuf, u64)> {
    let entries = std::fs::read_dir(directory).expect("lists").map(|entry| entry.expect("an entry").path());
    let path = entries.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max()?;
    let length = path.metadata().expect("is there").len();
    Some((path, length))
}
