//! Pauses between attempts.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// Pauses that double up to a cap, each cut to between half and all of it by chance, so that the nodes of an office do
/// not come back all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
    random: SystemRandom,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, next: min, random: SystemRandom::new() }
    }

    pub(super) const fn reset(&mut self) {
        self.next = self.min;
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next.min(self.max);
        self.next = (pause * 2).min(self.max);
        let mut chance = [0; 1];
        // Without randomness the whole pause is taken.
        let cut = self.random.fill(&mut chance).map_or(0, |()| u32::from(chance[0]));
        pause.saturating_sub(pause / 512 * cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_vary_by_half() {
        let (min, max) = (Duration::from_millis(512), Duration::from_secs(10));
        let mut backoff = Backoff::new(min, max);
        for round in 0..2 {
            let mut whole = min;
            for _ in 0..8 {
                let pause = backoff.next();
                assert!(pause <= whole && pause >= whole / 2, "round {round}: {pause:?} of {whole:?}");
                whole = (whole * 2).min(max);
            }
            backoff.reset();
        }
    }
}
