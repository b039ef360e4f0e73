//! Bind mounts, in a namespace that nobody else sees.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};

/// What is mounted from here on is this thread's alone.
pub(crate) fn private_namespace() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}

/// An instance and the tenancy whose volume it has.
pub(crate) type Place = (String, String);

pub(crate) struct Mounts {
    dir: PathBuf,
}

impl Mounts {
    /// `dir` has no symbolic link in it: so the kernel tells of mounts.
    pub(crate) fn new(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir.join("volumes"))?;
        fs::create_dir_all(dir.join("instances"))?;
        Ok(Self { dir: dir.canonicalize()? })
    }

    pub(crate) fn volume(&self, tenancy: &str) -> PathBuf {
        self.dir.join("volumes").join(tenancy)
    }

    fn point(&self, (instance, tenancy): &Place) -> PathBuf {
        self.dir.join("instances").join(instance).join(tenancy)
    }

    /// What the kernel has.
    fn there(&self) -> anyhow::Result<Vec<Place>> {
        let instances = self.dir.join("instances");
        let table = fs::read_to_string("/proc/thread-self/mountinfo")?;
        let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
        let place = |point: &Path| {
            let (instance, tenancy) = point.strip_prefix(&instances).ok()?.to_str()?.split_once('/')?;
            Some((instance.to_owned(), tenancy.to_owned()))
        };
        Ok(points.filter_map(place).collect())
    }

    /// Mounts what is missing, and unmounts what should not be there.
    pub(crate) fn reconcile(&self, wanted: &BTreeSet<Place>) -> anyhow::Result<()> {
        let there = self.there()?;
        for place in there.iter().filter(|place| !wanted.contains(place)) {
            let point = self.point(place);
            umount2(&point, MntFlags::MNT_DETACH).with_context(|| format!("unmount {}", point.display()))?;
            fs::remove_dir(&point)?;
            self.note("unmount", place)?;
        }
        for place in wanted.iter().filter(|place| !there.contains(place)) {
            let (point, volume) = (self.point(place), self.volume(&place.1));
            fs::create_dir_all(&point)?;
            mount(Some(&volume), &point, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .with_context(|| format!("mount {}", point.display()))?;
            self.note("mount", place)?;
        }
        Ok(())
    }

    fn note(&self, verb: &str, (instance, tenancy): &Place) -> anyhow::Result<()> {
        let mut done = fs::File::options().create(true).append(true).open(self.dir.join("done"))?;
        Ok(writeln!(done, "{verb} {instance}/{tenancy}")?)
    }
}
