//! Work in another network namespace.

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    thread,
};

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace to work in.
#[derive(Debug)]
pub struct NetNs {
    file: File,
}

impl NetNs {
    /// A new namespace without a name: it is gone when this value and all that was opened in it are.
    pub fn unnamed() -> io::Result<Self> {
        on_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            Ok(Self { file: File::open("/proc/thread-self/ns/net")? })
        })?
    }

    /// The namespace of that name, as `ip netns add` makes them.
    pub fn named(name: &str) -> io::Result<Self> {
        Self::open(&Self::path(name))
    }

    /// Where `ip netns` keeps the namespace of that name.
    pub fn path(name: &str) -> PathBuf {
        Path::new("/run/netns").join(name)
    }

    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)? })
    }

    /// Runs `work` on a thread of its own that is in this namespace, and waits for it. Nothing else of the process
    /// moves; sockets that `work` opens stay in the namespace wherever they are used.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        on_thread(|| {
            setns(self.file.as_fd(), CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        })?
    }
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("netns".into()).spawn_scoped(scope, work)?;
        thread.join().map_err(|panic| std::panic::resume_unwind(panic))
    })
}
