//! The Internet checksum (RFC 1071), and its change when a field changes (RFC 1624).
//!
//! Sums are of 16-bit words as they lie in memory: the one's complement sum does not mind the byte order as long as
//! everybody has the same one (RFC 1071, section 2).

/// The change of a checksum that changed fields bring about.
#[derive(Clone, Copy, Default)]
pub struct Delta(u32);

impl Delta {
    pub const NONE: Self = Self(0);

    /// A 16-bit word at an even offset changes.
    #[inline(always)]
    pub fn word(old: u16, new: u16) -> Self {
        Self(u32::from(!old) + u32::from(new))
    }

    /// A 32-bit field at an even offset changes.
    #[inline(always)]
    pub fn long(old: u32, new: u32) -> Self {
        Self((!old & 0xffff) + (!old >> 16) + (new & 0xffff) + (new >> 16))
    }

    /// Both changes. Up to 32 000 words can be added up before a carry is lost.
    #[must_use]
    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The checksum after the change: `HC' = ~(~HC + ~m + m')` (RFC 1624, equation 3).
    #[inline(always)]
    pub fn apply(self, check: u16) -> u16 {
        !fold(u32::from(!check) + self.0)
    }

    /// As `apply`, for UDP, where zero says that there is no checksum (RFC 768).
    #[inline(always)]
    pub fn apply_udp(self, check: u16) -> u16 {
        if check == 0 {
            return 0;
        }
        match self.apply(check) {
            0 => 0xffff,
            other => other,
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "two folds leave 16 bits")]
pub(crate) fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// The checksum of `bytes`, as it lies in memory.
pub fn checksum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u16::from_ne_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    let sum = bytes.chunks(2).fold(0_u64, |sum, pair| sum + u64::from(word(pair)));
    #[expect(clippy::cast_possible_truncation, reason = "folded to less than 2^17 first")]
    let folded = ((sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32)) as u32;
    !fold(folded)
}
