//! The compiled programs, part of this binary.

/// The programs `access` and `core` with their maps.
pub(crate) static OFFICE: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/office.o"));

/// The programs that the benchmark of the fast path runs it by.
pub(crate) static BENCH_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/bench.o"));
