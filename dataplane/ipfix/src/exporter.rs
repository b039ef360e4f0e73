//! From events to datagrams in time: what is buffered, when it leaves, and when templates leave again.

use std::{collections::VecDeque, num::NonZero, time::Duration};

use crate::{
    Event,
    encode::{Header, Message, MessageLen, Reliability, templates},
};

/// How an [`Exporter`] exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Tells the NATs of an exporter apart; 0 is for none in particular (RFC 7011, section 3.1). It is also the
    /// number of the exporting process: each of a device exports another domain.
    pub observation_domain: u32,
    pub message_len_max: MessageLen,
    /// How many records wait at most; the newest are dropped.
    pub records_waiting_max: usize,
    /// How long after it was observed a record leaves at the latest, in a message that is not full.
    pub flush_after: Duration,
    /// Templates leave again after this time (templateRefreshTimeout of RFC 6728), or after a second if it is less.
    /// A collector that lost them, or started later, can read no record until then.
    pub refresh_after: Duration,
    /// Templates leave again after this many messages of data (templateRefreshPacket of RFC 6728).
    pub refresh_messages: NonZero<u32>,
}

impl Config {
    /// A second of buffering at most, templates every minute or 1,000 messages, and at most 65,536 records that wait
    /// (2.5 MB of sessions).
    pub fn new(observation_domain: u32) -> Self {
        Self {
            observation_domain,
            message_len_max: MessageLen::default(),
            records_waiting_max: 65_536,
            flush_after: Duration::from_secs(1),
            refresh_after: Duration::from_mins(1),
            refresh_messages: NonZero::new(1000).expect("1000 is not zero"),
        }
    }
}

/// A message to send, whole, to the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    pub bytes: Vec<u8>,
    /// How many data records are lost if it is.
    pub records: u32,
}

/// What became of the records so far. Data records only, but with those about the exporting process itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages that were given out, templates among them.
    pub messages: u64,
    /// Records in them.
    pub records: u64,
    /// Records that found no room, here or on their way here.
    pub dropped: u64,
    /// Records in messages that could not be sent.
    pub failed: u64,
}

/// Makes messages of events. It knows no socket and no clock, never blocks, and holds a bounded number of records.
///
/// Templates come first. Records leave in the order in which they were pushed. What finds no room is dropped before it
/// has a number, so that sequence numbers show the collector what the network lost; what was dropped here it is told
/// with each refresh of the templates (RFC 7011, section 4.3).
///
/// Times are since the Unix epoch; a clock that is set makes things leave at another time, and is otherwise harmless.
#[derive(Debug)]
pub struct Exporter {
    config: Config,
    /// Templates, which go before records.
    refresh: VecDeque<Message>,
    /// Whether the losses are to be told after them.
    losses_due: bool,
    full: VecDeque<Message>,
    filling: Message,
    /// When the oldest record of `filling` was observed.
    oldest_ms: Option<u64>,
    waiting: usize,
    sequence: u32,
    refreshed: Option<Duration>,
    messages_since: u32,
    statistics: Statistics,
}

impl Exporter {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            refresh: VecDeque::new(),
            losses_due: false,
            full: VecDeque::new(),
            filling: Message::new(config.message_len_max),
            oldest_ms: None,
            waiting: 0,
            sequence: 0,
            refreshed: None,
            messages_since: 0,
            statistics: Statistics::default(),
        }
    }

    /// Takes an event, or drops and counts it.
    pub fn push(&mut self, event: &Event) {
        if self.waiting >= self.config.records_waiting_max {
            self.statistics.dropped += 1;
            return;
        }
        if !self.filling.push(event) {
            self.flush();
            assert!(self.filling.push(event), "any record has room in a message of its own");
        }
        self.waiting += 1;
        self.oldest_ms =
            Some(self.oldest_ms.map_or(event.observed_ms, |oldest| oldest.min(event.observed_ms)));
    }

    /// Counts events that were lost before they came here.
    pub fn lost(&mut self, events: u64) {
        self.statistics.dropped += events;
    }

    /// Makes the templates due, before anything else: the collector may lack them, since something could not be sent.
    pub fn refresh(&mut self) {
        self.refreshed = None;
    }

    /// Makes all that waits due, at a shutdown for example.
    pub fn flush(&mut self) {
        if self.oldest_ms.take().is_some() {
            let empty = Message::new(self.config.message_len_max);
            self.full.push_back(std::mem::replace(&mut self.filling, empty));
        }
    }

    /// The next message that is due, if any; to be asked until there is none.
    pub fn poll(&mut self, now: Duration) -> Option<Datagram> {
        if self.until_flush(now).is_some_and(|wait| wait.is_zero()) {
            self.flush();
        }
        let enough_messages =
            self.messages_since >= self.config.refresh_messages.get() && !self.full.is_empty();
        if enough_messages || self.until_refresh(now).is_zero() {
            self.begin_refresh(now);
        }
        let message = match self.refresh.pop_front() {
            Some(templates) => templates,
            None if std::mem::take(&mut self.losses_due) => self.losses(),
            None => {
                let message = self.full.pop_front()?;
                self.messages_since += 1;
                self.waiting -= message.records() as usize;
                message
            }
        };
        Some(self.number(message, now))
    }

    /// How long nothing is due if nothing is pushed; zero while something is.
    pub fn wait(&self, now: Duration) -> Duration {
        if self.losses_due || !self.refresh.is_empty() || !self.full.is_empty() {
            return Duration::ZERO;
        }
        let refresh = self.until_refresh(now);
        self.until_flush(now).map_or(refresh, |flush| flush.min(refresh))
    }

    /// Says that a datagram of this exporter was not sent: its records are lost.
    pub fn not_sent(&mut self, datagram: &Datagram) {
        self.statistics.failed += u64::from(datagram.records);
    }

    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    fn until_flush(&self, now: Duration) -> Option<Duration> {
        let oldest = Duration::from_millis(self.oldest_ms?);
        // A record from well ahead of the clock is as overdue as an old one: the clock was set back.
        Some(self.config.flush_after.saturating_sub(now.abs_diff(oldest)))
    }

    fn until_refresh(&self, now: Duration) -> Duration {
        let since = self.refreshed.and_then(|refreshed| now.checked_sub(refreshed));
        let after = self.config.refresh_after.max(Duration::from_secs(1));
        since.map_or(Duration::ZERO, |since| after.saturating_sub(since))
    }

    fn begin_refresh(&mut self, now: Duration) {
        // In messages of their own: a collector need not know a template that stands behind its records.
        self.refresh = templates(self.config.message_len_max).into();
        self.losses_due = true;
        self.refreshed = Some(now);
        self.messages_since = 0;
    }

    fn losses(&self) -> Message {
        let Statistics { dropped, failed, .. } = self.statistics;
        let mut message = Message::new(self.config.message_len_max);
        let process = self.config.observation_domain;
        let reliability = Reliability { process, not_sent: dropped + failed };
        assert!(message.push_reliability(&reliability), "any record has room in a message of its own");
        message
    }

    fn number(&mut self, message: Message, now: Duration) -> Datagram {
        let records = message.records();
        // The seconds of a 32-bit clock, which begins anew in 2106.
        let export_time = u32::try_from(now.as_secs() & u64::from(u32::MAX)).expect("it was cut to 32 bits");
        let observation_domain = self.config.observation_domain;
        let bytes = message.finish(&Header { export_time, sequence: self.sequence, observation_domain });
        self.sequence = self.sequence.wrapping_add(records);
        self.statistics.messages += 1;
        self.statistics.records += u64::from(records);
        Datagram { bytes, records }
    }
}

#[cfg(test)]
mod tests;
