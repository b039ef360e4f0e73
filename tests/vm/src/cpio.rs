//! The archive that a kernel unpacks into its first file system: cpio in the "newc" form
//! (Documentation/driver-api/early-userspace/buffer-format.rst in the kernel's sources).

use std::{
    io::{self, Write},
    path::Path,
};

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const SYMLINK: u32 = 0o120_777;
const CHARACTER_DEVICE: u32 = 0o020_600;

pub(crate) struct Archive<W> {
    out: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, entries: 0 }
    }

    pub(crate) fn directory(&mut self, path: &Path) -> io::Result<()> {
        self.entry(path, DIRECTORY, (0, 0), &[])
    }

    /// Every file can be executed: who reads one does not mind.
    pub(crate) fn file(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.entry(path, FILE, (0, 0), content)
    }

    pub(crate) fn symlink(&mut self, path: &Path, target: &str) -> io::Result<()> {
        self.entry(path, SYMLINK, (0, 0), target.as_bytes())
    }

    pub(crate) fn character_device(&mut self, path: &Path, major: u32, minor: u32) -> io::Result<()> {
        self.entry(path, CHARACTER_DEVICE, (major, minor), &[])
    }

    /// Ends the archive and returns what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.entry(Path::new("TRAILER!!!"), 0, (0, 0), &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(&mut self, path: &Path, mode: u32, device: (u32, u32), content: &[u8]) -> io::Result<()> {
        let name = path.strip_prefix("/").unwrap_or(path).as_os_str().as_encoded_bytes();
        let len = |bytes: usize| u32::try_from(bytes).map_err(|_| io::Error::other("longer than 4 GiB"));
        self.entries += 1;
        // inode, mode, owner, group, links, time of change, length, device (two), the device it stands for (two), length
        // of the name with its NUL, checksum (none in this form).
        let fields = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            len(content.len())?,
            0,
            0,
            device.0,
            device.1,
            len(name.len() + 1)?,
            0,
        ];
        let mut head = String::from("070701");
        head.extend(fields.iter().map(|field| format!("{field:08x}")));
        self.out.write_all(head.as_bytes())?;
        self.out.write_all(name)?;
        // Name and content end at a multiple of four; the head is 110 bytes, and the name has at least one NUL.
        self.out.write_all(&[0; 4][..4 - (head.len() + name.len()) % 4])?;
        self.out.write_all(content)?;
        self.out.write_all(&[0; 3][..content.len().next_multiple_of(4) - content.len()])
    }
}

#[cfg(test)]
mod tests;
