//! Randomness that a seed repeats.

/// Splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Less than `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.word() % limit as u64).expect("small")
    }

    /// Once in so many times.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.word().to_le_bytes()[0]
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }

    pub(super) fn port(&mut self) -> u16 {
        const KNOWN: [u16; 20] = [
            0, 22, 22, 25, 25, 53, 67, 68, 80, 443, 546, 547, 853, 1024, 1087, 1152, 2048, 5060, 5001, 65535,
        ];
        let [low, high, ..] = self.word().to_le_bytes();
        match self.below(4) {
            0 => self.of(&KNOWN),
            // Few, so that flows come again.
            1 | 2 => 5000 + u16::from(low % 32),
            _ => u16::from_be_bytes([high, low]),
        }
    }
}
