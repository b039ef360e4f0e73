//! Commands of bpf(2) that aya does not offer, or only to the owner of a program.

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use aya::maps::MapData;

const MAP_CREATE: libc::c_long = 0;
const MAP_LOOKUP_ELEM: libc::c_long = 1;
const MAP_UPDATE_ELEM: libc::c_long = 2;
const MAP_GET_NEXT_KEY: libc::c_long = 4;
const OBJ_PIN: libc::c_long = 6;
const OBJ_GET: libc::c_long = 7;
const PROG_TEST_RUN: libc::c_long = 10;
const MAP_DELETE_ELEM: libc::c_long = 3;
const MAP_UPDATE_BATCH: libc::c_long = 26;

/// No command's attributes are longer than this, and the kernel wants what they do not use to be zero.
type Attributes = [u64; 10];

fn bpf(command: libc::c_long, attributes: &mut Attributes) -> io::Result<libc::c_long> {
    // SAFETY: the attributes are as the command wants them, and what they point to lives until the call is over.
    let done =
        unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size_of::<Attributes>()) };
    if done >= 0 { Ok(done) } else { Err(io::Error::last_os_error()) }
}

const ARRAY: u64 = 2;
const ARRAY_OF_MAPS: u64 = 12;
const KEY_BYTES: u64 = 4;

fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: a new descriptor, which nobody else has; the kernel makes it close on exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn create((kind, value_bytes, len): (u64, u64, u32), inner: Option<BorrowedFd<'_>>) -> io::Result<OwnedFd> {
    // map_type and key_size, value_size and max_entries, map_flags and inner_map_fd; then what is not used.
    let inner = inner.map_or(0, |inner| raw(inner) << 32);
    let mut attributes =
        [kind | KEY_BYTES << 32, value_bytes | u64::from(len) << 32, inner, 0, 0, 0, 0, 0, 0, 0];
    owned(bpf(MAP_CREATE, &mut attributes)?)
}

/// Entries with keys that are there already stay as they are.
pub(crate) const NOEXIST: u64 = 1;

/// Stores an entry; `value` is as long as the map's values are, each CPU's one after the other.
pub(crate) fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8], flags: u64) -> io::Result<()> {
    let (key, value) = (key.as_ptr() as u64, value.as_ptr() as u64);
    bpf(MAP_UPDATE_ELEM, &mut [raw(map), key, value, flags, 0, 0, 0, 0, 0, 0]).map(|_| ())
}

/// Reads an entry; `value` has room for as much as the map's values take, each CPU's one after the other.
pub(crate) fn lookup(map: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> io::Result<()> {
    let (key, value) = (key.as_ptr() as u64, value.as_mut_ptr() as u64);
    bpf(MAP_LOOKUP_ELEM, &mut [raw(map), key, value, 0, 0, 0, 0, 0, 0, 0]).map(|_| ())
}

/// The key after another one, or the first.
pub(crate) fn next_key(map: BorrowedFd<'_>, key: Option<&[u8]>, next: &mut [u8]) -> io::Result<()> {
    let key = key.map_or(0, |key| key.as_ptr() as u64);
    bpf(MAP_GET_NEXT_KEY, &mut [raw(map), key, next.as_mut_ptr() as u64, 0, 0, 0, 0, 0, 0, 0]).map(|_| ())
}

/// An array with one value, pinned.
pub(crate) fn pin_text(path: &Path, text: &[u8]) -> io::Result<()> {
    let map = create_page(text.len())?;
    update(map.as_fd(), &[0; 4], text, 0)?;
    pin(path, map.as_fd())
}

/// An array with one value of that many bytes, for an array of maps.
pub(crate) fn create_page(bytes: usize) -> io::Result<OwnedFd> {
    create((ARRAY, bytes as u64, 1), None)
}

/// An array of as many pages of that many bytes, pinned. Not made by the loader, since Linux 6.1 takes maps without type
/// information, such as pages are, only into an array whose model has none either.
pub(crate) fn pin_array_of_pages(path: &Path, bytes: usize, len: u32) -> io::Result<()> {
    let page = create_page(bytes)?;
    let array = create((ARRAY_OF_MAPS, 4, len), Some(page.as_fd()))?;
    pin(path, array.as_fd())
}

/// Pins a map or a program.
pub(crate) fn pin(path: &Path, fd: BorrowedFd<'_>) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    bpf(OBJ_PIN, &mut [path.as_ptr() as u64, raw(fd), 0, 0, 0, 0, 0, 0, 0, 0]).map(|_| ())
}

/// What is pinned there.
pub(crate) fn pinned(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    owned(bpf(OBJ_GET, &mut [path.as_ptr() as u64, 0, 0, 0, 0, 0, 0, 0, 0, 0])?)
}

fn raw(fd: BorrowedFd<'_>) -> u64 {
    fd.as_raw_fd().cast_unsigned().into()
}

/// Takes an entry out of a map with `u32` keys.
pub(crate) fn delete(map: &MapData, key: u32) -> io::Result<()> {
    let key = std::ptr::from_ref(&key) as u64;
    bpf(MAP_DELETE_ELEM, &mut [raw(map.fd().as_fd()), key, 0, 0, 0, 0, 0, 0, 0, 0]).map(|_| ())
}

/// Puts maps into an array of maps, all in one call: one at a time the kernel waits for every CPU after each, 10 ms.
pub(crate) fn insert_maps(outer: &MapData, maps: &[(u32, OwnedFd)]) -> io::Result<()> {
    let keys: Vec<u32> = maps.iter().map(|(index, _)| *index).collect();
    let fds: Vec<i32> = maps.iter().map(|(_, fd)| fd.as_raw_fd()).collect();
    let count = u64::from(u32::try_from(maps.len()).unwrap_or(u32::MAX));
    // in_batch, out_batch, keys, values, count and map_fd, two words of flags.
    let mut attributes = [
        0,
        0,
        keys.as_ptr() as u64,
        fds.as_ptr() as u64,
        count | raw(outer.fd().as_fd()) << 32,
        0,
        0,
        0,
        0,
        0,
    ];
    bpf(MAP_UPDATE_BATCH, &mut attributes).map(|_| ())
}

/// Waits until every program has ended that runs at the call: for a grace period of the kernel's RCU, under which programs
/// run (membarrier(2), `MEMBARRIER_CMD_GLOBAL`).
pub(crate) fn wait_for_programs() -> io::Result<()> {
    const GLOBAL: libc::c_long = 1;
    // SAFETY: numbers only.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0_i64, 0_i64) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The kernel's monotonic clock, as `bpf_ktime_get_ns` has it.
pub(crate) fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for the answer; the clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// Runs a program once on a frame; `out`, of the same length, is the frame afterwards.
pub(crate) fn run(program: BorrowedFd<'_>, frame: &[u8], out: &mut [u8]) -> io::Result<()> {
    let len = |bytes: &[u8]| u64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    // prog_fd and retval, data_size_in and data_size_out, data_in, data_out; then repeat, context, flags.
    let sizes = len(frame) | len(out) << 32;
    let mut attributes =
        [raw(program), sizes, frame.as_ptr() as u64, out.as_mut_ptr() as u64, 1, 0, 0, 0, 0, 0];
    bpf(PROG_TEST_RUN, &mut attributes).map(|_| ())
}

/// Runs a program on that many copies of a frame, which go where it sends them: to an interface's other end, for
/// instance.
pub(crate) fn send(program: BorrowedFd<'_>, frame: &[u8], copies: u32) -> io::Result<()> {
    const LIVE_FRAMES: u64 = 1 << 1;
    /// Frames that are sent before they are dealt with; the ring of a veth has room for 256.
    const BATCH: u64 = 64;
    let len = u64::from(u32::try_from(frame.len()).unwrap_or(u32::MAX));
    let mut attributes =
        [raw(program), len, frame.as_ptr() as u64, 0, copies.into(), 0, 0, 0, LIVE_FRAMES, BATCH];
    bpf(PROG_TEST_RUN, &mut attributes).map(|_| ())
}
