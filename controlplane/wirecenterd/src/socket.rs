//! Files that only root may touch.

use std::{
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use tokio::net::UnixListener;

pub(crate) fn make_private_directory(path: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("making {}", path.display()))
}

/// Listens at `path`, in place of a socket that an earlier run left there. Whoever holds the store's lock is the only
/// controller, so that nobody can be listening there still.
pub(crate) fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    if let Ok(found) = std::fs::symlink_metadata(path) {
        use std::os::unix::fs::FileTypeExt as _;
        anyhow::ensure!(found.file_type().is_socket(), "{} is there and is no socket", path.display());
    }
    // Under another name until its mode is right: nobody can connect before.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let _: std::io::Result<()> = std::fs::remove_file(temporary);
    let listening = || -> std::io::Result<UnixListener> {
        let listener = UnixListener::bind(temporary)?;
        std::fs::set_permissions(temporary, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(temporary, path)?;
        Ok(listener)
    };
    listening().with_context(|| format!("listening on {}", path.display()))
}
