//! How much one principal may ask for.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{limits::PRINCIPALS_MAX, principal::Principal};

/// A principal's share: so many requests a second for ever, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// All principals' buckets, each kept as the time at which it will be full again (the generic cell rate algorithm of
/// ITU-T I.371, which comes to the same as a token bucket).
pub(super) struct Buckets {
    limit: RateLimit,
    full_at: Mutex<HashMap<Principal, Instant>>,
}

impl Buckets {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, full_at: Mutex::default() }
    }

    /// Takes one request out of a principal's bucket; if it is empty, says after how long it will not be.
    pub(super) fn take(&self, principal: Principal, now: Instant) -> Result<(), Duration> {
        if principal.is_unlimited() {
            return Ok(());
        }
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
        let next = (*full_at).max(now) + cost;
        match next.duration_since(now).checked_sub(depth) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_at = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Principal = Principal::LocalUser(1000);

    fn buckets(per_second: u32, burst: u32) -> Buckets {
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
    fn everyone_has_a_bucket_and_root_needs_none() {
        let (buckets, now) = (buckets(1, 1), Instant::now());
        assert_eq!(buckets.take(ALICE, now), Ok(()));
        assert!(buckets.take(ALICE, now).is_err());
        assert_eq!(buckets.take(Principal::LocalUser(1001), now), Ok(()));
        for _ in 0..100 {
            assert_eq!(buckets.take(Principal::LocalUser(0), now), Ok(()));
        }
    }

    #[test]
    fn buckets_are_bounded() {
        let (buckets, now) = (buckets(1, 1), Instant::now());
        for uid in 1..=u32::try_from(PRINCIPALS_MAX).expect("few") {
            assert_eq!(buckets.take(Principal::LocalUser(uid), now), Ok(()));
        }
        assert!(buckets.take(Principal::LocalUser(u32::MAX), now).is_err());
        assert_eq!(buckets.take(Principal::LocalUser(u32::MAX), now + Duration::from_secs(1)), Ok(()));
    }
}
