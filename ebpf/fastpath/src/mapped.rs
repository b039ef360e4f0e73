//! A map that the kernel and this process share.

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64};
use std::{io, os::fd::AsRawFd, ptr::NonNull, sync::atomic::Ordering};

use aya::maps::MapData;

use crate::error::OpenError;

/// An array map in this process's memory.
pub(crate) struct Mapped<T> {
    start: NonNull<T>,
    len: u32,
    bytes: usize,
}

// SAFETY: memory shared with the kernel belongs to no thread; it is read and written by atomic operations only.
unsafe impl<T> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Mapped<T> {}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl<T> Mapped<T> {
    pub(crate) fn new(name: &'static str, map: &MapData, access: Access) -> Result<Self, OpenError> {
        const { assert!(size_of::<T>().is_multiple_of(8), "the kernel pads array values to eight bytes") };
        let info = map.info().map_err(|source| OpenError::Map { name, source })?;
        let (found, wanted) = (info.value_size() as usize, size_of::<T>());
        if found != wanted {
            return Err(OpenError::ValueSize { name, found, wanted });
        }
        let bytes = (info.max_entries() as usize * wanted).next_multiple_of(4096);
        let start = memory(name, map, bytes, access)?.cast();
        Ok(Self { start, len: info.max_entries(), bytes })
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The value at an index, for reading and writing through [`load`] and [`Writer`].
    pub(crate) fn at(&self, index: u32) -> *mut T {
        assert!(index < self.len, "index {index} of a map of {}", self.len);
        // SAFETY: inside the mapping, by the line above.
        unsafe { self.start.as_ptr().add(index as usize) }
    }
}

/// A new mapping of a map.
pub(crate) fn memory(
    name: &'static str,
    map: &MapData,
    bytes: usize,
    access: Access,
) -> Result<NonNull<u64>, OpenError> {
    let protection = libc::PROT_READ | if access == Access::Write { libc::PROT_WRITE } else { 0 };
    // SAFETY: a new mapping, of a length that the kernel checks against the map's.
    let start = unsafe {
        libc::mmap(std::ptr::null_mut(), bytes, protection, libc::MAP_SHARED, map.fd().as_fd_raw(), 0)
    };
    if start == libc::MAP_FAILED {
        return Err(OpenError::Mmap { name, source: io::Error::last_os_error() });
    }
    NonNull::new(start.cast()).ok_or(OpenError::NoMap(name))
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no pointer into it outlives a borrow in practice of this crate.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

trait AsFdRaw {
    fn as_fd_raw(&self) -> libc::c_int;
}

impl AsFdRaw for aya::maps::MapFd {
    fn as_fd_raw(&self) -> libc::c_int {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

/// A number that is read and written in one piece.
pub(crate) trait Word: Copy + PartialEq {
    /// # Safety
    /// `at` is aligned and points into a mapping.
    unsafe fn load(at: *mut Self) -> Self;
    /// # Safety
    /// As for `load`, and the mapping may be written to.
    unsafe fn store(at: *mut Self, value: Self);
}

macro_rules! word {
    ($($int:ty: $atomic:ty),*) => {$(
        impl Word for $int {
            unsafe fn load(at: *mut Self) -> Self {
                // SAFETY: as promised by the caller.
                unsafe { <$atomic>::from_ptr(at) }.load(Ordering::Acquire)
            }

            unsafe fn store(at: *mut Self, value: Self) {
                // SAFETY: as promised by the caller.
                unsafe { <$atomic>::from_ptr(at) }.store(value, Ordering::Release);
            }
        }
    )*};
}

word!(u16: AtomicU16, u32: AtomicU32, u64: AtomicU64);

/// Reads one field of a mapped value.
macro_rules! get {
    ($at:expr, $($field:tt)+) => {
        // SAFETY: `$at` comes from `Mapped::at`, and fields of `map_abi` are aligned.
        unsafe { $crate::mapped::Word::load(core::ptr::addr_of_mut!((*$at).$($field)+)) }
    };
}

/// Reads some of a mapped value as eight-byte words, from the field named on.
macro_rules! get_words {
    ($at:expr, $($field:tt)+) => {{
        // SAFETY: as in `get`; the field begins at a multiple of eight and is as long as the array that is asked for.
        unsafe { $crate::mapped::words(core::ptr::addr_of_mut!((*$at).$($field)+).cast::<u64>()) }
    }};
}

/// # Safety
/// `N` aligned words from `at` on are inside a mapping.
pub(crate) unsafe fn words<const N: usize>(at: *mut u64) -> [u64; N] {
    // SAFETY: as promised by the caller.
    std::array::from_fn(|n| unsafe { Word::load(at.add(n)) })
}

pub(crate) use {get, get_words};

/// Writes what differs, and counts.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) writes: u64,
}

impl Writer {
    /// # Safety
    /// `at` is aligned and points into a mapping that may be written to.
    pub(crate) unsafe fn put<W: Word>(&mut self, at: *mut W, value: W) {
        // SAFETY: as promised by the caller.
        unsafe {
            if W::load(at) != value {
                W::store(at, value);
                self.writes += 1;
            }
        }
    }

    /// # Safety
    /// The same, for as many words as there are in `values`.
    pub(crate) unsafe fn put_words(&mut self, at: *mut u64, values: &[u64]) {
        for (n, value) in values.iter().enumerate() {
            // SAFETY: as promised by the caller.
            unsafe { self.put(at.add(n), *value) };
        }
    }
}

/// Stores into one field of a mapped value, if it differs.
macro_rules! put {
    ($writer:expr, $at:expr, $value:expr, $($field:tt)+) => {
        // SAFETY: as in `get`; the agent maps its maps for writing.
        unsafe { $writer.put(core::ptr::addr_of_mut!((*$at).$($field)+), $value) }
    };
}

/// Stores words from the field named on, if they differ.
macro_rules! put_words {
    ($writer:expr, $at:expr, $values:expr, $($field:tt)+) => {
        // SAFETY: as in `get_words` and `put`.
        unsafe { $writer.put_words(core::ptr::addr_of_mut!((*$at).$($field)+).cast::<u64>(), &$values) }
    };
}

pub(crate) use {put, put_words};
