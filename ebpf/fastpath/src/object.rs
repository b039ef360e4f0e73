//! The compiled programs, part of this binary.

use crate::{error::OpenError, load, migrate::Migration, options::Options};

/// The programs `access` and `core` with their maps.
pub(crate) static OFFICE: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/office.o"));

/// The programs that the benchmark of the fast path runs it by.
pub(crate) static BENCH_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/bench.o"));

/// Puts the programs of another object on the pinned maps and the ports, as an agent of another version would, and leaves
/// everything in the kernel. For tests of upgrades: no `Fastpath` of this version can be opened without changing back.
pub fn change_over(options: &Options, object: &[u8]) -> Result<Option<Migration>, OpenError> {
    load::load(options, object).map(|(_, _, migration)| migration)
}
