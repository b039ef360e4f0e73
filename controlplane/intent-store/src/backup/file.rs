//! The file's blocks, written and read.

use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

pub(super) const MAGIC: &[u8; 20] = b"wirecenter backup 2\n";
/// What stands before the number of the file's format.
pub(super) const MAGIC_NAME: &[u8] = b"wirecenter backup ";
/// A block ends with the first pair that brings it to so many bytes.
pub(super) const BLOCK_BYTES: usize = 256 << 10;
/// No block is longer: there is always room for one pair whose key and value are of `PAIR_BYTES_MAX`.
pub(super) const BLOCK_BYTES_MAX: usize = BLOCK_BYTES + PAIR_BYTES_MAX + 16;
pub(super) const PAIR_BYTES_MAX: usize = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Pairs = b'P' as isize,
    Companion = b'F' as isize,
    Manifest = b'M' as isize,
}

pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

pub(super) fn hex(digest: &Digest) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut text, byte| {
        let _: std::fmt::Result = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of what has passed so far.
struct Running(Context);

impl Running {
    fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    fn now(&self) -> Digest {
        self.0.clone().finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

pub(super) struct BlockWriter<W> {
    out: W,
    digest: Running,
}

impl<W: Write> BlockWriter<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, digest: Running::new() };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.0.update(bytes);
        self.out.write_all(bytes)
    }

    pub(super) fn block(&mut self, kind: BlockKind, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len() + 1).map_err(io::Error::other)?;
        self.put(&length.to_be_bytes())?;
        self.put(&[kind as u8])?;
        self.put(content)?;
        let digest = self.digest.now();
        self.put(&digest)
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest.now()
    }

    pub(super) fn into_inner(self) -> W {
        self.out
    }
}

pub(super) struct BlockReader<R> {
    input: R,
    digest: Running,
    /// How many bytes were read.
    pub(super) at: u64,
}

#[derive(Debug)]
pub(super) enum ReadFault {
    Io(io::Error),
    /// The file ends where more should come.
    Ends,
    Damaged(&'static str),
}

impl From<io::Error> for ReadFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read> BlockReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, digest: Running::new(), at: 0 }
    }

    /// Exactly so many bytes; memory is taken as they come, whatever a damaged length says.
    pub(super) fn take(&mut self, length: usize) -> Result<Vec<u8>, ReadFault> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(length as u64).read_to_end(&mut bytes)?;
        self.digest.0.update(&bytes);
        self.at += bytes.len() as u64;
        if bytes.len() == length { Ok(bytes) } else { Err(ReadFault::Ends) }
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest.now()
    }

    /// The next block, which is as it was written.
    pub(super) fn block(&mut self) -> Result<(BlockKind, Vec<u8>), ReadFault> {
        let length = self.take(size_of::<u32>())?;
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        if !(1..=BLOCK_BYTES_MAX).contains(&length) {
            return Err(ReadFault::Damaged("a block's length is impossible"));
        }
        let mut content = self.take(length)?;
        let expected = self.digest();
        if self.take(SHA256_OUTPUT_LEN)? != expected {
            return Err(ReadFault::Damaged("its SHA-256 is another"));
        }
        let kind = match content.remove(0) {
            b'P' => BlockKind::Pairs,
            b'F' => BlockKind::Companion,
            b'M' => BlockKind::Manifest,
            _ => return Err(ReadFault::Damaged("a block is of no known kind")),
        };
        Ok((kind, content))
    }

    pub(super) fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(self.input.read(&mut [0])? == 0)
    }
}
