//! A CPU's scratch memory, by offsets that the verifier knows to be inside it.

use core::ptr::NonNull;

use map_abi::{DHCP_MESSAGE_MAX, DNS_LOOKED_AT, DhcpScratch, DnsScratch};

use crate::{checksum::fold, frame::opaque_size};

/// `DhcpScratch` and `DnsScratch` have room behind their parts for whatever this lets through.
const OFFSET_MASK: usize = 1023;
/// Longest answer: the header, the options of a profile, an option each for the client and the relay, and some room.
const REPLY_MAX: usize = 832;
const _: () = assert!(DHCP_MESSAGE_MAX <= REPLY_MAX && DNS_LOOKED_AT + 17 <= REPLY_MAX);

/// A message in the scratch memory.
#[derive(Clone, Copy)]
pub(crate) struct Sheet(*mut u8);

impl Sheet {
    #[inline(always)]
    pub(crate) fn request(scratch: NonNull<DhcpScratch>) -> Self {
        // SAFETY: a part of a live map value.
        Self(unsafe { core::ptr::addr_of_mut!((*scratch.as_ptr()).request) }.cast())
    }

    #[inline(always)]
    pub(crate) fn reply(scratch: NonNull<DhcpScratch>) -> Self {
        // SAFETY: a part of a live map value.
        Self(unsafe { core::ptr::addr_of_mut!((*scratch.as_ptr()).reply) }.cast())
    }

    #[inline(always)]
    pub(crate) fn query(scratch: NonNull<DnsScratch>) -> Self {
        // SAFETY: a part of a live map value.
        Self(unsafe { core::ptr::addr_of_mut!((*scratch.as_ptr()).message) }.cast())
    }

    /// Where the byte at an offset is. The compiler must not find out that the mask changes nothing: the verifier goes by it.
    #[inline(always)]
    pub(crate) fn at(self, offset: usize) -> *mut u8 {
        // SAFETY: the mask keeps it inside.
        unsafe { self.0.add(opaque_size(offset) & OFFSET_MASK) }
    }

    #[inline(always)]
    pub(crate) fn get<T: Copy>(self, offset: usize) -> T {
        const { assert!(size_of::<T>() <= 8) };
        // SAFETY: behind the last offset there are eight bytes more. Numbers have no illegal values.
        unsafe { self.at(offset).cast::<T>().read_unaligned() }
    }

    #[inline(always)]
    pub(crate) fn put<T: Copy>(self, offset: usize, value: T) {
        const { assert!(size_of::<T>() <= 8) };
        // SAFETY: as in `get`; the memory is this CPU's alone while the program runs.
        unsafe { self.at(offset).cast::<T>().write_unaligned(value) }
    }

    /// The sum of the words of a message of `len` bytes, behind which at least seven more are zero.
    #[inline(always)]
    pub(crate) fn sum(self, len: usize) -> u64 {
        // Shifted, so that what the verifier learns at the loop's end does not stick to the length itself.
        let words = opaque_size(opaque_size(len + 7) >> 3);
        let mut sum = 0;
        for word in 0..REPLY_MAX / 8 {
            if word >= words {
                break;
            }
            // SAFETY: inside the sheet, which is aligned as its words are.
            let word = unsafe { self.0.cast::<u64>().add(word).read() };
            sum += (word & 0xffff_ffff) + (word >> 32);
        }
        sum
    }
}

/// A sum of words of any length, as one of 16 bits (RFC 1071).
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "folded first")]
pub(crate) fn fold_long(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    fold(sum as u32)
}

/// The sum of the two halves of a word.
#[inline(always)]
pub(crate) fn halves(word: u32) -> u64 {
    u64::from(word & 0xffff) + u64::from(word >> 16)
}
