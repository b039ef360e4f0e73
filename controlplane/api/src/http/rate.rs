//! How much one principal may ask for.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::limits::PRINCIPALS_MAX;

/// A principal's share: so many requests a second for ever, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// All principals' buckets, each kept as the time at which it will be full again (the generic cell rate algorithm of
/// ITU-T I.371, which comes to the same as a token bucket).
pub(super) struct Buckets<K> {
    limit: RateLimit,
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, full_at: Mutex::default() }
    }

    /// Takes one request out of a principal's bucket; if it is empty, says after how long it will not be.
    pub(super) fn take(&self, principal: K, now: Instant) -> Result<(), Duration> {
        self.take_many(principal, 1, now)
    }

    /// Takes as much as so many requests.
    pub(super) fn take_many(&self, principal: K, weight: u32, now: Instant) -> Result<(), Duration> {
        let cost = Duration::from_secs(1) / self.limit.per_second.get();
        let depth = cost * self.limit.burst.get();
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= PRINCIPALS_MAX && !buckets.contains_key(&principal) {
            // A full bucket is as good as none.
            buckets.retain(|_, full_at| *full_at > now);
            if buckets.len() >= PRINCIPALS_MAX {
                return Err(Duration::from_secs(1));
            }
        }
        let full_at = buckets.entry(principal).or_insert(now);
        let next = (*full_at).max(now) + cost * weight;
        match next.duration_since(now).checked_sub(depth) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_at = next;
                Ok(())
            }
        }
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Puts back what was taken.
    pub(super) fn give_back(&self, principal: &K, weight: u32) {
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = buckets.get_mut(principal)
            && let Some(earlier) =
                full_at.checked_sub(Duration::from_secs(1) / self.limit.per_second.get() * weight)
        {
            *full_at = earlier;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: u32 = 1000;

    fn buckets(per_second: u32, burst: u32) -> Buckets<u32> {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        Buckets::new(RateLimit { per_second: number(per_second), burst: number(burst) })
    }

    #[test]
    fn a_burst_then_a_steady_rate() {
        let (buckets, start) = (buckets(10, 3), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for _ in 0..3 {
            assert_eq!(buckets.take(ALICE, start), Ok(()));
        }
        assert_eq!(buckets.take(ALICE, start), Err(Duration::from_millis(100)));
        // What was refused costs nothing.
        assert_eq!(buckets.take(ALICE, at(40)), Err(Duration::from_millis(60)));
        assert_eq!(buckets.take(ALICE, at(100)), Ok(()));
        assert_eq!(buckets.take(ALICE, at(100)), Err(Duration::from_millis(100)));
        // However long it was quiet, no more than a burst.
        let later = at(1_000_000);
        assert_eq!((0..10).filter(|_| buckets.take(ALICE, later).is_ok()).count(), 3);
    }

    #[test]
    fn everyone_has_a_bucket() {
        let (buckets, now) = (buckets(1, 1), Instant::now());
        assert_eq!(buckets.take(ALICE, now), Ok(()));
        assert!(buckets.take(ALICE, now).is_err());
        assert_eq!(buckets.take(1001, now), Ok(()));
    }

    #[test]
    fn buckets_are_bounded() {
        let (buckets, now) = (buckets(1, 1), Instant::now());
        for uid in 1..=u32::try_from(PRINCIPALS_MAX).expect("few") {
            assert_eq!(buckets.take(uid, now), Ok(()));
        }
        assert!(buckets.take(u32::MAX, now).is_err());
        assert_eq!(buckets.take(u32::MAX, now + Duration::from_secs(1)), Ok(()));
    }
}
