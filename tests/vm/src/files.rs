//! What a machine finds in its file system.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cpio::Archive,
    error::{Result, VmError, missing, output},
    kernel::Kernel,
};

/// Files of this machine that a virtual one is to have, each under the path that it has here.
///
/// There always are a shell, `ip` and `busybox`'s small tools.
#[derive(Clone, Debug)]
pub struct Files {
    /// From the path there to the path here.
    copies: BTreeMap<PathBuf, PathBuf>,
}

const INIT: &str = include_str!("init.sh");

const PROGRAM_FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// From `busybox`; never its `ip`, `ping` or `sh`, which are not what runs elsewhere.
const APPLETS: [&str; 29] = [
    "awk",
    "logger",
    "ln",
    "run-parts",
    "cat",
    "chmod",
    "chown",
    "cp",
    "date",
    "env",
    "grep",
    "head",
    "hostname",
    "insmod",
    "ls",
    "mkdir",
    "mount",
    "mv",
    "poweroff",
    "readlink",
    "rm",
    "sed",
    "sleep",
    "stat",
    "sync",
    "tail",
    "touch",
    "true",
    "uname",
];

/// Debian has had these in /usr since 2023, and the libraries' paths say so only at times.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// What the shell expects to be there.
const FOLDERS: [&str; 8] = ["/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var/lib"];

impl Files {
    pub fn new() -> Result<Self> {
        let mut files = Self { copies: BTreeMap::new() };
        for program in ["busybox", "dash", "ip"] {
            files = files.program(program)?;
        }
        Ok(files)
    }

    /// A program of the system, with the libraries that it is linked with.
    pub fn program(self, name: &str) -> Result<Self> {
        let found =
            PROGRAM_FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
        self.executable(&found.ok_or_else(|| missing(name))?)
    }

    /// A program of the workspace, with the libraries that it is linked with.
    pub fn executable(mut self, path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(VmError::NotBuilt(path.to_owned()));
        }
        self.copy(path);
        let is_elf = {
            let mut magic = [0; 4];
            let read = File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut magic));
            read.is_ok() && magic == *b"\x7fELF"
        };
        if is_elf {
            // `name => path (address)` or, for the loader, `path (address)`.
            for line in output(Command::new("ldd").arg(path))?.lines() {
                let path = line.split_whitespace().find(|word| word.starts_with('/'));
                if let Some(path) = path {
                    self.copy(Path::new(path));
                }
            }
        }
        Ok(self)
    }

    /// A file, or a folder with all that is in it.
    pub fn tree(mut self, path: &Path) -> Result<Self> {
        let doing = || VmError::io(format!("read {}", path.display()));
        if !path.is_dir() {
            // That it is there is seen here, where the caller is.
            fs::metadata(path).map_err(doing())?;
            self.copy(path);
            return Ok(self);
        }
        for entry in fs::read_dir(path).map_err(doing())? {
            self = self.tree(&entry.map_err(doing())?.path())?;
        }
        Ok(self)
    }

    fn copy(&mut self, path: &Path) {
        self.copies.insert(merged(path), path.to_owned());
    }

    /// Packs all of this, the kernel's modules and the first process into an archive for the kernel.
    pub(crate) fn pack(&self, kernel: Kernel, archive: &Path) -> Result<()> {
        let modules = kernel.modules()?;
        let pack = || {
            let mut out = Archive::new(BufWriter::new(File::create(archive)?));
            let module_names: Vec<_> = modules
                .iter()
                .filter_map(|module| Some(Path::new("/modules").join(module.file_name()?)))
                .collect();
            let all = self.copies.keys().chain(&module_names);
            let parents = all.filter_map(|path| path.parent()).chain(FOLDERS.map(Path::new));
            let folders: BTreeSet<&Path> = parents
                .flat_map(Path::ancestors)
                .chain(MERGED_FOLDERS.map(Path::new))
                .filter(|folder| folder.parent().is_some())
                .collect();
            // Sorted, a folder comes before what is in it.
            for folder in folders {
                out.directory(folder)?;
            }
            for name in MERGED {
                out.symlink(&Path::new("/").join(name), &format!("usr/{name}"))?;
            }
            // Where the first process's output goes.
            out.character_device(Path::new("/dev/console"), 5, 1)?;
            for (there, here) in &self.copies {
                let content = fs::read(here)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", here.display())))?;
                out.file(there, &content)?;
            }
            for applet in APPLETS {
                let path = Path::new("/usr/bin").join(applet);
                if !self.copies.contains_key(&path) {
                    out.symlink(&path, "busybox")?;
                }
            }
            out.symlink(Path::new("/usr/bin/sh"), "dash")?;
            for (module, name) in modules.iter().zip(&module_names) {
                out.file(name, &fs::read(module)?)?;
            }
            let load: Vec<_> = module_names.iter().map(|name| format!("insmod {}", name.display())).collect();
            out.file(Path::new("/modules/load"), load.join("\n").as_bytes())?;
            out.file(Path::new("/init"), INIT.as_bytes())?;
            out.finish().map(drop)
        };
        pack().map_err(VmError::io(format!("write {}", archive.display())))
    }
}

const MERGED_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64"];

/// The path below /usr of what is there through a link.
fn merged(path: &Path) -> PathBuf {
    let rest = path.strip_prefix("/").unwrap_or(path);
    match rest.iter().next() {
        Some(first) if MERGED.iter().any(|name| first == *name) => Path::new("/usr").join(rest),
        _ => path.to_owned(),
    }
}
