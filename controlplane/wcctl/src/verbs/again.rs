//! A controller that was there and does not answer may be starting again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::Failure;

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a controller that was there may not answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long nothing has been heard of a controller.
#[derive(Default)]
pub(super) struct Again {
    /// It has answered at least once.
    is_known: bool,
    silent_since: Option<Instant>,
}

impl Again {
    pub(super) fn heard(&mut self) {
        (self.is_known, self.silent_since) = (true, None);
    }

    /// Waits until it is time to ask again; a failure that does not pass, or has not passed for too long, is given back.
    pub(super) async fn after(&mut self, failure: Failure) -> Result<(), Failure> {
        let Failure::Unreachable { at, .. } = &failure else { return Err(failure) };
        if !self.is_known {
            return Err(failure);
        }
        let since = *self.silent_since.get_or_insert_with(|| {
            eprintln!("wcctl: the controller at {at} does not answer: asking again");
            Instant::now()
        });
        if since.elapsed() >= PATIENCE {
            return Err(failure);
        }
        sleep(PAUSE).await;
        Ok(())
    }
}
