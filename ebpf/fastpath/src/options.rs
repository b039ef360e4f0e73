//! What a fast path is opened with.

use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct Options {
    /// A directory of its own under a bpffs (mounted if it is not), such as `/sys/fs/bpf/wirecenter`.
    pub pin_dir: PathBuf,
    /// Sizes of maps that are made; maps that are pinned already keep theirs.
    pub sizes: Sizes,
}

/// How many entries the tables have, the unused one with index 0 included.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub sessions: u32,
    /// Blocks of 64 NAT mappings, 1 KiB each.
    pub nat_blocks: u32,
    /// S-VIDs in use, over all ports, 32 KiB each.
    pub cvid_pages: u32,
    /// Public addresses for NAT, 8 KiB each.
    pub nat_addresses: u32,
    /// /24s whose addresses lead to different places, 1 KiB each.
    pub fib_pages: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { sessions: 16_384, nat_blocks: 65_536, cvid_pages: 64, nat_addresses: 1024, fib_pages: 4096 }
    }
}
