//! Made-up tables are the same in each run.

/// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        u32::try_from((u128::from(self.next()) * u128::from(limit)) >> 64).expect("below a u32")
    }

    /// A length, each as often as its parts of `all` say, or `otherwise`.
    pub(crate) fn length(&mut self, lengths: &[(u8, u32)], all: u32, otherwise: u8) -> u8 {
        let mut part = self.below(all);
        let found = lengths.iter().find(|(_, parts)| {
            let is_here = part < *parts;
            part = part.wrapping_sub(*parts);
            is_here
        });
        found.map_or(otherwise, |(len, _)| *len)
    }
}
