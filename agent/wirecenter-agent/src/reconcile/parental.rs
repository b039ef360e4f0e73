//! Parental control: which lists are blocked for whom, now and from the next minute on.

use std::time::Duration;

use net_types::Name;
use node_state::ParentalControl;

use super::Reconciler;
use crate::effects::Effects;

/// Times of day are whole minutes.
const MINUTE: u64 = 60;

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Blocking {
    /// When, since 1970.
    at: Duration,
    /// Whether it depends on the time for anybody.
    has_times: bool,
}

impl Blocking {
    /// How long until something may have to be told; `None`: nothing depends on the time.
    pub(super) fn wait(&self, now: Duration) -> Option<Duration> {
        if !self.has_times {
            return None;
        }
        // The clock may have been set: who was told for another minute is told at once.
        if now.as_secs() / MINUTE != self.at.as_secs() / MINUTE {
            return Some(Duration::ZERO);
        }
        let next = Duration::from_secs((now.as_secs() / MINUTE + 1) * MINUTE);
        Some(next.saturating_sub(now))
    }
}

impl<E: Effects> Reconciler<E> {
    /// Tells what is blocked for some sessions at `now`, since 1970.
    pub(super) fn block<'n>(&mut self, subscribers: impl IntoIterator<Item = &'n Name>, now: Duration) {
        for subscriber in subscribers {
            let session = self.desired.sessions.get(subscriber);
            if let Some(control) = session.and_then(|session| session.parental_control.as_ref()) {
                self.blocking.has_times |= has_times(control);
                self.effects.set_blocked(subscriber, &control.blocked_at(now.as_secs()));
            }
        }
    }

    /// The same for all. Where nothing has changed, nothing is written.
    pub(super) fn block_all(&mut self, now: Duration) {
        self.blocking = Blocking { at: now, has_times: false };
        for (subscriber, session) in &self.desired.sessions {
            if let Some(control) = &session.parental_control {
                self.blocking.has_times |= has_times(control);
                self.effects.set_blocked(subscriber, &control.blocked_at(now.as_secs()));
            }
        }
    }
}

fn has_times(control: &ParentalControl) -> bool {
    control.rules.iter().any(|rule| !rule.times.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_the_time_is_told_when_a_minute_begins() {
        let at = Duration::from_secs;
        let blocking = Blocking { at: at(600), has_times: true };
        assert_eq!(blocking.wait(at(601)), Some(at(59)));
        assert_eq!(blocking.wait(at(660)), Some(Duration::ZERO));
        assert_eq!(blocking.wait(at(300)), Some(Duration::ZERO), "the clock was set back");
        assert_eq!(Blocking { has_times: false, ..blocking }.wait(at(700)), None);
    }
}
