//! Kernels, as Debian packs them.

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::{Result, VmError, output};

/// A kernel that tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The one that Debian 12 came with: the oldest that Wirecenter supports.
    Debian12,
}

/// The package that depends on the newest kernel. The kernel for clouds boots fastest; what it lacks is drivers.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// What is loaded before anything runs: the command channel, and the devices that the tests make.
const MODULES: [&str; 7] = ["virtio_pci", "virtio_console", "veth", "bridge", "vxlan", "8021q", "tun"];

impl Kernel {
    /// What `uname -r` begins with.
    pub fn release(self) -> &'static str {
        match self {
            Self::Debian12 => "6.1.0-",
        }
    }

    fn suite(self) -> &'static str {
        match self {
            Self::Debian12 => "bookworm",
        }
    }

    /// Whether it was fetched.
    pub fn is_here(self) -> Result<bool> {
        Ok(self.folder()?.exists())
    }

    /// Downloads the kernel and unpacks it below the target folder. Nothing is installed.
    pub fn fetch(self) -> Result<()> {
        let folder = self.folder()?;
        let parent = folder.parent().expect("a folder in the target folder");
        fs::create_dir_all(parent).map_err(VmError::io(format!("make {}", parent.display())))?;
        let scratch = tempfile::tempdir_in(parent)
            .map_err(VmError::io(format!("make a folder in {}", parent.display())))?;
        // This machine's own sources know its mirror, but may be of another suite, or out of date.
        let own = self.download(scratch.path(), &[]);
        let unpacked = own.or_else(|own| {
            let sources = self.sources(scratch.path())?;
            // Not every mirror has the suite, and one is enough: the download tells.
            let updated = output(Command::new("apt-get").args(&sources).args(["-qq", "update"])).err();
            self.download(scratch.path(), &sources).map_err(|theirs| {
                let updated = updated.map(|error| format!(" ({error})")).unwrap_or_default();
                let reason = format!(
                    "by this machine's sources: {own}; of {} at its mirrors: {theirs}{updated}",
                    self.suite()
                );
                VmError::Download { kernel: self.suite(), reason }
            })
        })?;
        let release = release_in(&unpacked)?;
        // Debian's packages leave this to their installation.
        output(Command::new("depmod").arg("-b").arg(&unpacked).arg(release))?;
        fs::rename(&unpacked, &folder).map_err(VmError::io(format!("make {}", folder.display())))
    }

    fn download(self, scratch: &Path, sources: &[String]) -> Result<PathBuf> {
        let shown =
            output(Command::new("apt-cache").args(sources).args(["show", "--no-all-versions", PACKAGE]))?;
        let start = format!("linux-image-{}", self.release());
        let mut words = shown
            .lines()
            .filter(|line| line.starts_with("Depends:"))
            .flat_map(|line| line.split([' ', ',']).filter(|word| word.starts_with(&start)));
        let package = words.next().ok_or_else(|| VmError::Download {
            kernel: self.suite(),
            reason: format!("{PACKAGE} depends on no {start}*"),
        })?;
        output(
            Command::new("apt-get")
                .args(sources)
                .args(["-qq", "-o", "APT::Sandbox::User=root", "download", package])
                .current_dir(scratch),
        )?;
        let files = fs::read_dir(scratch).map_err(VmError::io("list the downloaded package"))?;
        let deb = files
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .ok_or_else(|| VmError::Download {
                kernel: self.suite(),
                reason: format!("no file came of {package}"),
            })?;
        let unpacked = scratch.join("unpacked");
        output(Command::new("dpkg").arg("-x").arg(deb).arg(&unpacked))?;
        Ok(unpacked)
    }

    /// The options that make apt look at this suite alone, at the mirrors of this machine's own sources.
    fn sources(self, scratch: &Path) -> Result<Vec<String>> {
        let suite = self.suite();
        let mirrors = output(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
        ]))?;
        // A mirror of updates or of other suites lacks the file, which apt only warns of.
        let mirrors: BTreeSet<_> = mirrors.lines().filter(|mirror| !mirror.contains("security")).collect();
        let text: Vec<_> = mirrors.iter().map(|mirror| format!("deb {mirror} {suite} main\n")).collect();
        let list = scratch.join("sources.list");
        let lists = scratch.join("lists");
        fs::create_dir_all(lists.join("partial"))
            .and_then(|()| fs::write(&list, text.concat()))
            .map_err(VmError::io("write a list of sources"))?;
        let options = [
            format!("Dir::Etc::SourceList={}", list.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", lists.display()),
            format!("Dir::Cache={}", scratch.display()),
            "APT::Sandbox::User=root".to_owned(),
        ];
        Ok(options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect())
    }

    /// Below the target folder, which outlives builds and is not in the way of anybody.
    fn folder(self) -> Result<PathBuf> {
        let exe = env::current_exe().map_err(VmError::io("find this program"))?;
        // Cargo keeps what it knows of the compiler at the top of its target folder.
        let target = exe.ancestors().find(|folder| folder.join(".rustc_info.json").is_file());
        let none = || io::Error::other(format!("{} is in no target folder of cargo's", exe.display()));
        let target = target.ok_or_else(none).map_err(VmError::io("find the target folder"))?;
        Ok(target.join("kernels").join(self.suite()))
    }

    /// The unpacked package.
    fn unpacked(self) -> Result<PathBuf> {
        let folder = self.folder()?;
        if folder.exists() { Ok(folder) } else { Err(VmError::NoKernel(self.suite())) }
    }

    pub(crate) fn image(self) -> Result<PathBuf> {
        let folder = self.unpacked()?;
        let release = release_in(&folder)?;
        Ok(folder.join("boot").join(format!("vmlinuz-{release}")))
    }

    /// The modules to load, in the order of their dependencies.
    pub(crate) fn modules(self) -> Result<Vec<PathBuf>> {
        let folder = self.unpacked()?;
        let release = release_in(&folder)?;
        let mut modules = Vec::new();
        for name in MODULES {
            let listed = output(Command::new("modprobe").arg("-d").arg(&folder).args([
                "-S",
                &release,
                "--show-depends",
                name,
            ]))?;
            for file in listed.lines().filter_map(|line| line.strip_prefix("insmod ")) {
                let file = PathBuf::from(file.trim());
                if !modules.contains(&file) {
                    modules.push(file);
                }
            }
        }
        Ok(modules)
    }
}

fn release_in(unpacked: &Path) -> Result<String> {
    let folder = unpacked.join("lib/modules");
    let release = fs::read_dir(&folder).and_then(|mut entries| {
        let entry = entries.next().ok_or_else(|| io::Error::other("is empty"))??;
        Ok(entry.file_name().to_string_lossy().into_owned())
    });
    release.map_err(VmError::io(format!("list {}", folder.display())))
}
