//! Where maps are pinned while those of another layout are in use, and what a process left that ended meanwhile.
//!
//! ```text
//! DIR/…            the maps in use, and the links of the ports
//! DIR/next/…       maps that are being filled; a process that finds them begins anew
//! DIR/swapped/…    maps that ports' programs may be on: they take the place of those before, whoever finds them
//! ```

use std::{fs, io, path::Path};

use map_abi::layout::MAPS;

use crate::paged::READER;

const NEXT: &str = "next";
pub(crate) const SWAPPED: &str = "swapped";
pub(crate) const LINK_PREFIX: &str = "link-";

/// An empty directory for maps to be filled.
pub(crate) fn next(pin_dir: &Path) -> io::Result<std::path::PathBuf> {
    let next = pin_dir.join(NEXT);
    clear(&next)?;
    fs::create_dir(&next)?;
    Ok(next)
}

fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives up what was being filled.
pub(crate) fn give_up(pin_dir: &Path) {
    if let Err(error) = clear(&pin_dir.join(NEXT)) {
        tracing::warn!(%error, "maps that were being filled stay pinned");
    }
}

/// From here on the maps that were filled are the ones.
pub(crate) fn commit(pin_dir: &Path) -> io::Result<()> {
    fs::rename(pin_dir.join(NEXT), pin_dir.join(SWAPPED))
}

/// Puts maps that were filled in the place of those before, if there are any, and removes what belongs to neither.
pub(crate) fn settle(pin_dir: &Path) -> io::Result<()> {
    clear(&pin_dir.join(NEXT))?;
    let swapped = pin_dir.join(SWAPPED);
    if !swapped.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&swapped)? {
        let entry = entry?;
        fs::rename(entry.path(), pin_dir.join(entry.file_name()))?;
    }
    for entry in fs::read_dir(pin_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_known =
            name == READER || name.starts_with(LINK_PREFIX) || MAPS.iter().any(|map| map.name == name);
        if !is_known && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(&swapped)
}

/// Removes everything, which takes the programs off the ports.
pub(crate) fn remove_all(pin_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(pin_dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
