//! Rate limiting as a value.

use std::time::Duration;

/// A token bucket: at most `capacity` events at once, and one more every `interval`.
///
/// Time is whatever clock the caller keeps, as the time since some fixed moment; a clock that goes backwards gives
/// no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    capacity: u32,
    interval: Duration,
    tokens: u32,
    /// When the newest token that was counted fell due.
    counted: Duration,
}

impl TokenBucket {
    /// A full bucket. With a zero `interval` nothing is ever refused.
    pub const fn new(capacity: u32, interval: Duration, now: Duration) -> Self {
        Self { capacity, interval, tokens: capacity, counted: now }
    }

    /// Takes a token; false when there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        if self.interval.is_zero() {
            return true;
        }
        let due = now.saturating_sub(self.counted).as_nanos() / self.interval.as_nanos();
        let missing = self.capacity - self.tokens;
        match u32::try_from(due) {
            // What a full bucket cannot hold is lost, and the wait for the next token begins now.
            Ok(due) if due < missing => {
                self.tokens += due;
                self.counted += self.interval * due;
            }
            _ if due == 0 => {}
            _ => {
                self.tokens = self.capacity;
                self.counted = now;
            }
        }
        let taken = self.tokens > 0;
        self.tokens -= u32::from(taken);
        taken
    }
}
