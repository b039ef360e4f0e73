//! Chance that is the same every time: digests and a number drawn from them.

use std::time::Duration;

use crate::BackOff;

/// FNV-1a, 64 bits: the same in every version and on every machine.
#[derive(Clone, Copy)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(0xcbf2_9ce4_8422_2325 ^ seed)
    }

    /// The bytes and their end, so that `ab`, `c` differs from `a`, `bc`.
    pub(crate) fn text(self, text: &str) -> Self {
        text.bytes().fold(self, Self::byte).byte(0xff)
    }

    pub(crate) fn number(self, number: u64) -> Self {
        number.to_le_bytes().into_iter().fold(self, Self::byte)
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }

    /// Mixed by the finalizer of splitmix64, as FNV's high bits are poor.
    pub(crate) const fn finish(self) -> u64 {
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A part of `whole` between none and all of it, decided by `draw`.
pub(crate) fn part(whole: Duration, draw: u64) -> Duration {
    let whole = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    let nanos = (u128::from(whole) * u128::from(draw)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl BackOff {
    /// The longest wait after the n-th failure in a row, from 1.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.checked_mul(factor).unwrap_or(self.cap).min(self.cap)
    }

    /// The wait, with full jitter.
    pub(crate) fn delay(&self, attempt: u32, draw: u64) -> Duration {
        part(self.ceiling(attempt), draw)
    }
}
