//! Parental control: which names are on which lists, and for whom they are blocked.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Categories of names that a node knows at most, each a bit of a word.
pub const CATEGORIES_MAX: u32 = 64;
/// Names on all lists of a node together: the size of `LISTED_NAMES`.
pub const LISTED_NAMES_MAX: u32 = 1 << 18;
/// Prefixes of known encrypted resolvers: the size of `ENCRYPTED_RESOLVERS`.
pub const ENCRYPTED_RESOLVERS_MAX: u32 = 4096;
/// Labels of a listed name at most. Of a name that is asked for, as many from its end on are looked up.
pub const LISTED_LABELS_MAX: u32 = 10;
/// Bytes of a message that the kernel looks into: its header, the longest name (RFC 1035, section 3.1), type and class, and
/// the fixed part of the record after them.
pub const DNS_LOOKED_AT: usize = 12 + 255 + 4 + 11;

/// A key of `BLOCKED`: a device of a session, or with the address 0 all devices that have no entry of their own.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C, align(8))]
pub struct DeviceKey {
    /// The station address in the first six bytes as on the wire, zeros above it.
    pub mac: u64,
    /// Index of the session.
    pub session: u32,
    pub spare: u32,
}

/// `CATEGORIES[bit]`: the name of the category that has this bit, NUL-padded; empty: none has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Category {
    pub name: [u64; 8],
}

/// `DNS_SCRATCH[0]`, of each CPU.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct DnsScratch {
    /// The message, with room behind it for what the verifier has to take for possible.
    pub message: [u8; 1024 + 8],
    /// By offset in the message, 1: a label begins there.
    pub borders: [u8; 512],
    /// The packet that the program `dns` has let pass and led back to the program that it came from; 0: none.
    pub passed: u64,
    pub task: DnsTask,
}

/// What has been found out about a packet so far. Kept in memory, of which the verifier remembers nothing: with values in
/// registers it would go through the rest of the program once for each way there.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct DnsTask {
    /// Whom the packet is for; of IPv4, as `mapped` has it.
    pub destination: [u64; 2],
    /// 1: it is of IPv6.
    pub six: u64,
    /// 1: it is one fragment of several.
    pub is_part: u64,
    pub protocol: u64,
    /// Where the transport header begins in the frame, and how long that and what it carries is.
    pub payload_at: u64,
    pub payload_len: u64,
    /// Where the message begins in the frame.
    pub message_at: u64,
    /// Bytes of it, and then of it that are in the scratch memory, and of the answer.
    pub message_len: u64,
    /// How far the walk over the labels has got; then where the name ends.
    pub place: u64,
    /// 1: the whole name was walked over.
    pub is_read: u64,
    /// Labels that were looked up.
    pub labels: u64,
    /// The categories that are blocked for whoever sends.
    pub blocked: u64,
    /// The categories that were found.
    pub found: u64,
    /// Which of them is the first.
    pub first: u64,
}

/// Indices of `DNS_COUNTS`, by CPU: below these, what was blocked by the category with that bit.
pub mod dns_count {
    /// Queries that were looked into.
    pub const QUERIES: u32 = super::CATEGORIES_MAX;
    /// Queries that were answered with NXDOMAIN, or whose connection was reset.
    pub const BLOCKED: u32 = QUERIES + 1;
    /// Connections to encrypted resolvers that were reset.
    pub const REFUSED: u32 = QUERIES + 2;
    pub const COUNT: u32 = QUERIES + 3;
}

/// The hash of a name, reckoned from its last byte to its first, so that each parent domain's comes by on the way.
///
/// Two polynomials over the integers modulo 2^31 - 1, evaluated at points that only this node knows
/// (`Settings::hash_key`): who does not know them finds two names of at most 255 bytes with the same hash with
/// probability below 2^-46 (Carter and Wegman 1979), and never learns whether he has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameHash {
    points: [u64; 2],
    sums: [u64; 2],
}

const PRIME: u64 = (1 << 31) - 1;

impl NameHash {
    /// Of the root, which has no bytes here.
    #[inline(always)]
    pub const fn new(hash_key: [u64; 2]) -> Self {
        Self { points: [hash_key[0] & PRIME, hash_key[1] & PRIME], sums: [1, 1] }
    }

    /// With one byte more in front, of a label or of its length, in lower case.
    #[inline(always)]
    #[must_use]
    pub const fn after(self, byte: u8) -> Self {
        let byte = byte as u64;
        // Bytes of a length are below 64, and no letters.
        let byte = byte | if byte.wrapping_sub(b'A' as u64) < 26 { 0x20 } else { 0 };
        Self {
            sums: [step(self.sums[0], self.points[0], byte), step(self.sums[1], self.points[1], byte)],
            ..self
        }
    }

    #[inline(always)]
    pub const fn value(self) -> u64 {
        self.sums[0] << 32 | self.sums[1]
    }

    /// Of a name in wire format without the root's byte.
    pub fn of(hash_key: [u64; 2], name: &[u8]) -> u64 {
        name.iter().rev().fold(Self::new(hash_key), |hash, byte| hash.after(*byte)).value()
    }
}

/// At most 2^31 + 2, if `sum` was.
#[inline(always)]
const fn step(sum: u64, point: u64, byte: u64) -> u64 {
    let next = sum * point + byte + 1;
    let next = (next & PRIME) + (next >> 31);
    (next & PRIME) + (next >> 31)
}
