use crate::{DecodeError, Version, wire::DEPTH_MAX};

/// Bytes that are read from front to back; none beyond the end is ever looked at.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Of the next byte, from the start of the message.
    at: usize,
    version: Version,
    depth: u8,
    /// What is being read, for errors.
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(version: Version, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0, version, depth: 0, what: "message" }
    }

    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    /// Bytes from the start of the message.
    pub(crate) const fn offset(&self) -> usize {
        self.at
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Names what is read next.
    pub(crate) const fn reading(&mut self, what: &'static str) {
        self.what = what;
    }

    /// An error at the next byte.
    #[cold]
    pub(crate) const fn error(&self, what: &'static str) -> DecodeError {
        DecodeError { offset: self.at, what }
    }

    /// An error about what is being read, at the next byte.
    #[cold]
    pub(crate) const fn wrong(&self) -> DecodeError {
        self.error(self.what)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.wrong())?;
        self.rest = rest;
        self.at += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| self.wrong())?;
        self.rest = rest;
        self.at += N;
        Ok(*taken)
    }

    /// Passes over padding, whatever it holds.
    pub(crate) fn skip(&mut self, len: usize) -> Result<(), DecodeError> {
        self.take(len).map(|_| ())
    }

    /// Passes over padding of which the last may be missing.
    pub(crate) fn skip_up_to(&mut self, len: usize) {
        let len = len.min(self.rest.len());
        self.rest = &self.rest[len..];
        self.at += len;
    }

    /// All that is left.
    pub(crate) const fn take_all(&mut self) -> &'a [u8] {
        let all = self.rest;
        self.rest = &[];
        self.at += all.len();
        all
    }

    /// A reader of the next bytes alone, which this one passes over.
    pub(crate) fn sub(&mut self, len: usize) -> Result<Self, DecodeError> {
        let at = self.at;
        let rest = self.take(len)?;
        Ok(Self { rest, at, ..*self })
    }

    /// A reader of what is left of a structure that began at `start` and is `len` bytes long.
    pub(crate) fn sub_from(&mut self, start: usize, len: u16) -> Result<Self, DecodeError> {
        let left = usize::from(len).checked_sub(self.at - start).ok_or_else(|| self.wrong())?;
        self.sub(left)
    }

    /// One level deeper, where structures of one kind hold each other.
    pub(crate) fn deeper(&mut self) -> Result<(), DecodeError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error("nesting, which is too deep"));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) const fn shallower(&mut self) {
        self.depth -= 1;
    }
}
