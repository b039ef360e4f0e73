//! IPv6 of a subscriber: up from its access port, down from the core.

mod down;
mod networks;
mod up;

pub(crate) use down::find6;
pub use down::{down6, garden_down6};
pub use up::{garden_up6, open6, up6};

use core::ptr::NonNull;

use map_abi::Six;

use crate::live::{Field, field};

/// A prefix's upper half as a mask, as it lies in a packet.
#[inline(always)]
fn mask(len: u8) -> u64 {
    (u64::MAX << ((64 - u32::from(len)) & 63)).to_be()
}

/// Eight bytes of a map value as they lie in memory.
#[inline(always)]
fn upper_half(bytes: Field<[u8; 8]>) -> u64 {
    u64::from_ne_bytes(bytes.get())
}

/// Whether an address's upper half is the subscriber's.
#[inline(always)]
fn is_own(six: NonNull<Six>, upper: u64) -> bool {
    let len = field!(six, delegated_len).get();
    let is_delegated = len != 0 && upper & mask(len) == upper_half(field!(six, delegated));
    upper == upper_half(field!(six, link)) || is_delegated
}
