//! Values in maps, which other CPUs and user space read and write meanwhile.

use core::ptr::NonNull;

/// A field of a map value. Never read twice where once was written, and changed atomically where that matters.
pub(crate) struct Field<T>(*mut T);

impl<T> Clone for Field<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Field<T> {}

impl<T: Copy> Field<T> {
    /// # Safety
    /// `pointer` is aligned and points into a live map value.
    #[inline(always)]
    pub(crate) unsafe fn new(pointer: *mut T) -> Self {
        Self(pointer)
    }

    #[inline(always)]
    pub(crate) fn get(self) -> T {
        // SAFETY: as promised to `new`.
        unsafe { self.0.read_volatile() }
    }

    #[inline(always)]
    pub(crate) fn set(self, value: T) {
        // SAFETY: as promised to `new`.
        unsafe { self.0.write_volatile(value) }
    }
}

impl Field<[u8; 4]> {
    /// The four bytes as they lie in memory. Every address in `map_abi` begins at a multiple of four.
    #[inline(always)]
    pub(crate) fn raw(self) -> u32 {
        // SAFETY: as promised to `new`; the alignment is what `map_abi` keeps.
        unsafe { self.0.cast::<u32>().read_volatile() }
    }
}

impl Field<[u8; 2]> {
    /// The two bytes as they lie in memory. Where `map_abi` has two bytes, they begin at a multiple of two.
    #[inline(always)]
    pub(crate) fn raw(self) -> u16 {
        // SAFETY: as promised to `new`; the alignment is what `map_abi` keeps.
        unsafe { self.0.cast::<u16>().read_volatile() }
    }
}

impl Field<u64> {
    #[inline(always)]
    pub(crate) fn add(self, value: u64) {
        atomic::add(self.0, value);
    }

    /// Stores `new` if the value is still `old`.
    #[inline(always)]
    pub(crate) fn replace(self, old: u64, new: u64) -> bool {
        atomic::replace_u64(self.0, old, new)
    }
}

impl Field<u32> {
    /// Stores `new` if the value is still `old`.
    #[inline(always)]
    pub(crate) fn replace(self, old: u32, new: u32) -> bool {
        atomic::replace_u32(self.0, old, new)
    }
}

/// A map value, or a part of one, that is one number.
#[inline(always)]
pub(crate) fn value<T>(pointer: NonNull<T>) -> Field<T> {
    Field(pointer.as_ptr())
}

/// The field of the map value that a `NonNull` points to.
macro_rules! field {
    ($pointer:expr, $($field:tt)+) => {
        // SAFETY: `Tables` gives out pointers to live map values only.
        unsafe { $crate::live::Field::new(core::ptr::addr_of_mut!((*$pointer.as_ptr()).$($field)+)) }
    };
}
pub(crate) use field;

/// A part of a map value that is more than a number.
macro_rules! part {
    ($pointer:expr, $($field:tt)+) => {
        // SAFETY: as in `field`; a part of a value is not null.
        unsafe { core::ptr::NonNull::new_unchecked(core::ptr::addr_of_mut!((*$pointer.as_ptr()).$($field)+)) }
    };
}
pub(crate) use part;

/// The eight bytes that a map value or a part of it begins with, of which the first six are an Ethernet address.
macro_rules! mac_field {
    ($pointer:expr, $($field:tt)+) => {
        // SAFETY: as in `field`; `map_abi` has another two bytes after each such address, and aligns it to eight.
        unsafe { $crate::live::Field::new(core::ptr::addr_of_mut!((*$pointer.as_ptr()).$($field)+).cast::<u64>()) }
    };
}
pub(crate) use mac_field;

#[cfg(target_arch = "bpf")]
mod atomic {
    use core::intrinsics::{AtomicOrdering, atomic_cxchg, atomic_xadd};

    #[inline(always)]
    pub(super) fn add(pointer: *mut u64, value: u64) {
        // SAFETY: the pointer is that of a `Field`.
        unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(pointer, value) };
    }

    #[inline(always)]
    pub(super) fn replace_u64(pointer: *mut u64, old: u64, new: u64) -> bool {
        // SAFETY: the pointer is that of a `Field`.
        unsafe {
            atomic_cxchg::<u64, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(pointer, old, new).1
        }
    }

    #[inline(always)]
    pub(super) fn replace_u32(pointer: *mut u32, old: u32, new: u32) -> bool {
        // SAFETY: the pointer is that of a `Field`.
        unsafe {
            atomic_cxchg::<u32, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(pointer, old, new).1
        }
    }
}

#[cfg(not(target_arch = "bpf"))]
mod atomic {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    pub(super) fn add(pointer: *mut u64, value: u64) {
        // SAFETY: the pointer is that of a `Field`.
        unsafe { AtomicU64::from_ptr(pointer) }.fetch_add(value, Ordering::Relaxed);
    }

    pub(super) fn replace_u64(pointer: *mut u64, old: u64, new: u64) -> bool {
        // SAFETY: the pointer is that of a `Field`.
        let cell = unsafe { AtomicU64::from_ptr(pointer) };
        cell.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub(super) fn replace_u32(pointer: *mut u32, old: u32, new: u32) -> bool {
        // SAFETY: the pointer is that of a `Field`.
        let cell = unsafe { AtomicU32::from_ptr(pointer) };
        cell.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
