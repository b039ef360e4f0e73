use alloc::vec::Vec;

use crate::{EncodeError, Problem, Version, wire::DEPTH_MAX};

/// Appends to bytes; the first thing that has no form on the wire is remembered, and what follows does not matter then.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    version: Version,
    depth: u8,
    what: &'static str,
    error: Option<EncodeError>,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(version: Version, out: &'a mut Vec<u8>) -> Self {
        Self { out, version, depth: 0, what: "message", error: None }
    }

    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    pub(crate) const fn position(&self) -> usize {
        self.out.len()
    }

    /// Names what is written next.
    pub(crate) const fn writing(&mut self, what: &'static str) {
        self.what = what;
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    pub(crate) fn zeros(&mut self, len: usize) {
        self.out.resize(self.out.len() + len, 0);
    }

    /// Padding to a multiple of eight bytes from `start`.
    #[inline]
    pub(crate) fn align(&mut self, start: usize) {
        self.zeros(super::padding(self.out.len() - start));
    }

    /// Room for a length that is not known yet; gives back where it is.
    pub(crate) fn length_here(&mut self) -> usize {
        let at = self.out.len();
        self.zeros(2);
        at
    }

    /// Writes at `at` how long what began at `start` has become.
    pub(crate) fn set_length(&mut self, at: usize, start: usize) {
        match u16::try_from(self.out.len() - start) {
            Ok(len) => self.out[at..at + 2].copy_from_slice(&len.to_be_bytes()),
            Err(_) => self.fail(Problem::TooLong),
        }
    }

    #[cold]
    pub(crate) fn fail(&mut self, problem: Problem) {
        let field = self.what;
        self.error.get_or_insert(EncodeError { field, problem });
    }

    pub(crate) fn deeper(&mut self) -> bool {
        if self.depth == DEPTH_MAX {
            self.fail(Problem::TooDeep);
            return false;
        }
        self.depth += 1;
        true
    }

    pub(crate) const fn shallower(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn finish(self) -> Result<(), EncodeError> {
        self.error.map_or(Ok(()), Err)
    }
}
