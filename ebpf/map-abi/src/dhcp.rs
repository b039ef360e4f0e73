//! What the kernel answers DHCPv4 clients with (RFC 2131).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Entries of `DHCP_PROFILES`, of which the first, 0, is no profile.
pub const MAX_DHCP_PROFILES: u32 = 4096;
/// Most resolvers that a profile has room for.
pub const DHCP_RESOLVERS_MAX: usize = 8;
/// Longest message that the kernel looks into, in bytes: what every server must take is 548 of them (RFC 2131, section 2).
pub const DHCP_MESSAGE_MAX: usize = 576;

/// `DHCP_PROFILES[index]`: what answers say that is the same for many subscribers, as options ready to be copied. Fields
/// are filled up with zeros to whole words.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C, align(8))]
pub struct DhcpProfile {
    pub lease_seconds: u32,
    /// Bytes of `resolvers` that count; 0: there is no such option.
    pub resolvers_len: u32,
    /// Options 51, 58 and 59: when the lease ends, and when it is to be renewed and rebound; 18 bytes.
    pub times: [u64; 3],
    /// Option 1, the mask; 6 bytes.
    pub mask: u64,
    /// Option 6, the resolvers.
    pub resolvers: [u64; 5],
}

/// `DHCP_SCRATCH[0]`, of each CPU: a message, and its answer while it is written. Each part reaches as far beyond the bytes
/// that are used as offsets and lengths can that the verifier has to take for possible: both are below 1024.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct DhcpScratch {
    pub request: [u8; 1024 + 8],
    /// The BOOTP header's `sname` and `file` in it are never written: they are zero.
    pub reply: [u8; 2048],
    /// Where the options are that an answer depends on.
    pub options: [u32; 8],
}

/// Indices of `DHCP_ANSWERS`: what the kernel has answered, by CPU.
pub mod dhcp_answer {
    pub const OFFER: u32 = 0;
    pub const ACK: u32 = 1;
    pub const COUNT: u32 = 2;
}
