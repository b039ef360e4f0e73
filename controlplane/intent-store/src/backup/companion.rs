//! Files that lie beside the store and belong with it.

use zeroize::Zeroizing;

/// A file beside the store without which a restored one is worth less: a key, say. Its content is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Companion {
    /// Relative to the directory in which the store's lies, with `/` between its parts.
    pub path: String,
    pub content: Zeroizing<Vec<u8>>,
}

/// Bytes of a file.
const BYTES_MAX: usize = 64 << 10;
const PARTS_MAX: usize = 4;

impl Companion {
    /// Whether it may be in a backup: it leads nowhere but below the directory.
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |part: &str| {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            !matches!(part, "" | "." | "..") && part.bytes().all(is_plain)
        };
        let parts: Vec<_> = self.path.split('/').collect();
        if parts.len() > PARTS_MAX || self.path.len() > 255 || !parts.iter().all(|part| plain(part)) {
            return Err(format!("a backup has no file {:?}", self.path));
        }
        if self.content.len() > BYTES_MAX {
            return Err(format!("the file {} is longer than {BYTES_MAX} bytes", self.path));
        }
        Ok(())
    }

    /// Length of the path (u32), the path, the content.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let length = u32::try_from(self.path.len()).expect("checked").to_be_bytes();
        // At its full size at once: what grows leaves copies behind.
        let mut bytes =
            Zeroizing::new(Vec::with_capacity(length.len() + self.path.len() + self.content.len()));
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(self.path.as_bytes());
        bytes.extend_from_slice(&self.content);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (path, content) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let path = std::str::from_utf8(path).ok()?.to_owned();
        Some(Self { path, content: Zeroizing::new(content.to_vec()) })
    }
}

impl std::fmt::Debug for Companion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Companion").field("path", &self.path).finish_non_exhaustive()
    }
}
