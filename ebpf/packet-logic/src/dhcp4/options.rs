//! The options of a message, in any order, up to an end option.

use core::ptr::NonNull;

use map_abi::DhcpScratch;

use crate::{frame::opaque_size, sheet::Sheet};

/// Where options begin in a message (RFC 2131, section 2).
pub(super) const OPTIONS_AT: usize = 240;
/// Options and bytes of padding that are walked over; a message with more is user space's.
const STEPS_MAX: usize = 128;
/// Entries of a parameter request list that are looked at.
const ASKED_MAX: usize = 64;
const OFFSET_MASK: usize = 1023;

/// Option codes (RFC 2132; RFC 3046 for the relay's).
pub(super) mod code {
    pub(crate) const PAD: u8 = 0;
    pub(crate) const SUBNET_MASK: u8 = 1;
    pub(crate) const ROUTER: u8 = 3;
    pub(crate) const RESOLVERS: u8 = 6;
    pub(crate) const REQUESTED_ADDRESS: u8 = 50;
    pub(crate) const OVERLOAD: u8 = 52;
    pub(crate) const MESSAGE_TYPE: u8 = 53;
    pub(crate) const SERVER_IDENTIFIER: u8 = 54;
    pub(crate) const PARAMETER_REQUEST_LIST: u8 = 55;
    pub(crate) const CLIENT_IDENTIFIER: u8 = 61;
    pub(crate) const RELAY_AGENT_INFORMATION: u8 = 82;
    pub(crate) const END: u8 = 255;
}

/// Indices of `DhcpScratch::options`.
pub(super) mod slot {
    pub(crate) const REQUESTED_ADDRESS: usize = 0;
    pub(crate) const MESSAGE_TYPE: usize = 1;
    pub(crate) const SERVER_IDENTIFIER: usize = 2;
    pub(crate) const PARAMETER_REQUEST_LIST: usize = 3;
    pub(crate) const CLIENT_IDENTIFIER: usize = 4;
    pub(crate) const RELAY_AGENT_INFORMATION: usize = 5;
    /// Where the walk has got to.
    pub(crate) const PLACE: usize = 6;
    /// Of an option that an answer does not depend on.
    pub(crate) const NONE: usize = 7;
}

/// An option that was found: where its data begins in the message, and their length.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) at: usize,
    pub(super) len: usize,
}

/// Where the options are. Kept in the scratch memory, of which the verifier remembers nothing: with values in registers it
/// would go through the rest of the program once for each set of options that were found.
#[derive(Clone, Copy)]
pub(super) struct Options {
    sheet: Sheet,
    slots: *mut u32,
}

const PRESENT: u32 = 1 << 31;

impl Options {
    /// Finds the options of a message of `len` bytes; `None`: one that matters is there twice (RFC 3396), they overload
    /// other fields, they have no end, or are too many.
    #[inline(always)]
    pub(super) fn find(scratch: NonNull<DhcpScratch>, sheet: Sheet, len: usize) -> Option<Self> {
        // SAFETY: a part of a live map value.
        let slots = unsafe { core::ptr::addr_of_mut!((*scratch.as_ptr()).options) }.cast::<u32>();
        let found = Self { sheet, slots };
        for slot in 0..slot::PLACE {
            found.set(slot, 0);
        }
        if found.walk(len) { Some(found) } else { None }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "places in the message")]
    fn walk(self, len: usize) -> bool {
        self.set(slot::PLACE, OPTIONS_AT as u32);
        for _ in 0..STEPS_MAX {
            // Out of the memory, of which the verifier remembers nothing: else it would go on once for each place that it
            // has got to by options of other lengths.
            let at = self.get(slot::PLACE) as usize & OFFSET_MASK;
            if at >= len {
                return false;
            }
            let code = self.sheet.get::<u8>(at);
            if code == code::END {
                return true;
            }
            let mut next = at + 1;
            if code != code::PAD {
                let data_len = usize::from(self.sheet.get::<u8>(next));
                next = at + 2 + data_len;
                if next > len || code == code::OVERLOAD || !self.keep(slot_of(code), at + 2, data_len) {
                    return false;
                }
            }
            self.set(slot::PLACE, next as u32);
        }
        false
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "both are inside the message")]
    fn keep(self, slot: usize, at: usize, len: usize) -> bool {
        if slot == slot::NONE {
            return true;
        }
        let is_first = self.get(slot) == 0;
        self.set(slot, PRESENT | (at as u32) << 8 | len as u32);
        is_first
    }

    #[inline(always)]
    fn get(self, slot: usize) -> u32 {
        // SAFETY: there are eight of them.
        unsafe { self.slots.add(slot & 7).read_volatile() }
    }

    #[inline(always)]
    fn set(self, slot: usize, value: u32) {
        // SAFETY: as in `get`.
        unsafe { self.slots.add(slot & 7).write_volatile(value) }
    }

    #[inline(always)]
    pub(super) fn option(self, slot: usize) -> Option<Found> {
        let bits = self.get(slot);
        if bits & PRESENT == 0 {
            return None;
        }
        Some(Found { at: (bits >> 8) as usize & OFFSET_MASK, len: (bits & 255) as usize })
    }

    /// The address in an option; an error: there is something else in it.
    #[inline(always)]
    pub(super) fn address(self, slot: usize) -> Result<Option<u32>, ()> {
        match self.option(slot) {
            None => Ok(None),
            Some(Found { at, len: 4 }) => Ok(Some(self.sheet.get::<u32>(at))),
            Some(_) => Err(()),
        }
    }

    /// Which of the options with codes below 64 the client wants to have, a bit for each; `None`: the list is too long.
    #[inline(always)]
    pub(super) fn asked(self) -> Option<u64> {
        let Some(list) = self.option(slot::PARAMETER_REQUEST_LIST) else { return Some(u64::MAX) };
        if list.len > ASKED_MAX {
            return None;
        }
        let len = opaque_size(list.len);
        let mut asked = 0_u64;
        for n in 0..ASKED_MAX {
            if n >= len {
                break;
            }
            let code = u32::from(self.sheet.get::<u8>(list.at + n));
            // No branch: the last factor is 0 for what is not below 64.
            asked |= (1 << (code & 63)) * u64::from(code.wrapping_sub(64) >> 31);
        }
        Some(asked)
    }
}

#[inline(always)]
fn slot_of(code: u8) -> usize {
    match code {
        code::REQUESTED_ADDRESS => slot::REQUESTED_ADDRESS,
        code::MESSAGE_TYPE => slot::MESSAGE_TYPE,
        code::SERVER_IDENTIFIER => slot::SERVER_IDENTIFIER,
        code::PARAMETER_REQUEST_LIST => slot::PARAMETER_REQUEST_LIST,
        code::CLIENT_IDENTIFIER => slot::CLIENT_IDENTIFIER,
        code::RELAY_AGENT_INFORMATION => slot::RELAY_AGENT_INFORMATION,
        _ => slot::NONE,
    }
}
