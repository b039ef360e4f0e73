//! The walled garden: what sessions that are suspended or unauthenticated may reach.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Prefixes of a walled garden at most: the size of `GARDEN`.
pub const GARDEN_PREFIXES_MAX: u32 = 64;

/// A key of `RESOLVERS`: a session, and a resolver that it was given.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C, align(8))]
pub struct ResolverKey {
    /// The two halves of an IPv6 address as they lie in a packet; of IPv4, as `mapped` has it.
    pub address: [u64; 2],
    /// Index of the session.
    pub session: u32,
    pub spare: u32,
}

/// An IPv4 address, as it lies in a packet, mapped into IPv6 (RFC 4291, section 2.5.5.2), as that would lie in one.
#[inline(always)]
pub const fn mapped(address: u32) -> [u64; 2] {
    [0, u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]) | (address as u64) << 32]
}
