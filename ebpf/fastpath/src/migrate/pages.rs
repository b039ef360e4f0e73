//! Arrays of maps: which values there are, and those that only user space writes.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use map_abi::map;

use super::{plan::Plan, words::Words};
use crate::{
    error::{ApplyError, OpenError},
    mapped::Access,
    paged::{Growing, Page, READER, array, read_page},
    sys,
};

/// An array of maps of another layout, to be read.
pub(crate) struct OldPages {
    reader: OwnedFd,
    number: u16,
    bytes: usize,
    pub(crate) held: Vec<u32>,
}

impl OldPages {
    pub(crate) fn open<P: Page>(pin_dir: &Path, bytes: usize) -> Result<Self, OpenError> {
        let lengths = [map::HOMES, map::LINES, map::NAT_PORTS].map(|name| array(pin_dir, name));
        let mut lens = Vec::new();
        for found in lengths {
            lens.push(found?.1);
        }
        let first: u32 = lens[..P::ORDINAL].iter().map(|len| len.div_ceil(64)).sum();
        let bits = Words::open(pin_dir, map::PAGES, Access::Read)?;
        let holds = |index: &u32| {
            let mut word = [0; 8];
            let row = (first + index / 64) as usize;
            row < bits.rows()
                && bits.read(row, &mut word)
                && u64::from_ne_bytes(word) >> (index % 64) & 1 != 0
        };
        let held = (0..lens[P::ORDINAL]).filter(holds).collect();
        let reader =
            sys::pinned(&pin_dir.join(READER)).map_err(|source| OpenError::Make { name: READER, source })?;
        Ok(Self { reader, number: P::NUMBER, bytes, held })
    }

    /// A value as it is now.
    pub(crate) fn read(&self, index: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; self.bytes];
        read_page(self.reader.as_fd(), self.number, index, &mut page).then_some(page)
    }
}

/// Carries over values that are a record each.
pub(crate) fn copy<P: Page>(old: &Path, new: &Path, plan: &Plan) -> Result<(), OpenError> {
    let from = OldPages::open::<P>(old, plan.old_bytes())?;
    let mut to = Growing::<P>::open(new)?;
    let mut unread = None;
    let pages = from.held.iter().filter_map(|index| {
        let Some(page) = from.read(*index) else {
            unread = Some(*index);
            return None;
        };
        let mut converted = vec![0; plan.new_bytes()];
        plan.convert(&page, &mut converted);
        Some((*index, converted))
    });
    let done = to.fill(pages);
    done.map_err(survey)?;
    unread.map_or(Ok(()), |index| Err(OpenError::Unread { name: P::MAP, index }))
}

pub(crate) fn survey(error: ApplyError) -> OpenError {
    OpenError::Survey(Box::new(error))
}
