//! What a fast path is opened with.

use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct Options {
    /// A directory of its own under a bpffs (mounted if it is not), such as `/sys/fs/bpf/wirecenter`.
    pub pin_dir: PathBuf,
    /// Sizes of maps that are made; maps that are pinned already keep theirs.
    pub sizes: Sizes,
}

/// How many entries the tables have, the unused one with index 0 included. Of homes, access VLANs and NAT addresses this is
/// the most there can be: they take memory only as they come.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// 256 bytes each.
    pub sessions: u32,
    /// Units of homes, one for each 64 ports of a subscriber, 1 KiB each.
    pub home_units: u32,
    /// S-VIDs in use, over all ports, 16 KiB each.
    pub line_pages: u32,
    /// Public addresses for NAT, 4 KiB each.
    pub nat_addresses: u32,
    /// /24s whose addresses lead to different places, 1 KiB each.
    pub fib_pages: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            sessions: 16_384,
            home_units: 131_072,
            line_pages: 4096,
            nat_addresses: 65_536,
            fib_pages: 4096,
        }
    }
}
