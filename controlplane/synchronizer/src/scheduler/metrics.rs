//! What a back end's queue has been through, as plain values.

use std::time::Duration;

use super::unit::State;

/// Of one back end. The first five are how many units are in that state now; the others count since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Waiting for a dependency.
    pub blocked: usize,
    /// In the queue.
    pub ready: usize,
    pub running: usize,
    /// Waiting for an acknowledgement.
    pub awaiting: usize,
    /// Waiting to be tried again.
    pub backing_off: usize,
    /// Objects handed to the plug-in.
    pub actions: u64,
    /// Of those, not the first attempt.
    pub retries: u64,
    pub errors: u64,
    pub timeouts: u64,
    /// Differences that a comparison found.
    pub drifts: u64,
    /// Of an action, from its start to its end.
    pub action: Latency,
    /// From a change until the back end has it.
    pub settled: Latency,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    pub count: u64,
    pub total: Duration,
    pub max: Duration,
    /// `buckets[i]`: less than 2^i ms, and not less than 2^(i-1) ms; the last takes the rest.
    pub buckets: [u64; 20],
}

impl Latency {
    pub(super) fn record(&mut self, took: Duration) {
        self.count += 1;
        self.total += took;
        self.max = self.max.max(took);
        let bits = (u128::BITS - took.as_millis().leading_zeros()) as usize;
        self.buckets[bits.min(self.buckets.len() - 1)] += 1;
    }
}

impl Metrics {
    pub(super) fn of_state(&mut self, state: State) -> Option<&mut usize> {
        match state {
            State::Idle => None,
            State::Blocked(_) => Some(&mut self.blocked),
            State::Ready => Some(&mut self.ready),
            State::Running => Some(&mut self.running),
            State::Awaiting(_) => Some(&mut self.awaiting),
            State::BackOff(_) => Some(&mut self.backing_off),
        }
    }
}
