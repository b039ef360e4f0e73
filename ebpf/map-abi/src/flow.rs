//! What a firewall remembers of what went out.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One flow; written by the kernel only. Four to a line, found as NAT mappings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct FlowEntry {
    /// A hash of both addresses and ports and the protocol, with a key that only this node knows
    /// (`Settings::hash_key`); 0: free.
    pub print: u64,
    pub protocol: u8,
    /// The generation of the rules that let the flow through in the low seven bits; the highest bit: it began outside.
    pub judged: u8,
    #[cfg(layout_probe)]
    pub overflow: u8,
    /// As in `NatEntry`.
    pub state: u8,
    /// As in `NatEntry`.
    #[cfg(not(layout_probe))]
    pub overflow: u8,
    /// As in `NatEntry`.
    pub last_seen_q30: u32,
}
