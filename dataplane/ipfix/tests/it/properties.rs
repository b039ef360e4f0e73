//! Whatever is pushed, in whatever sizes and at whatever times, what comes out is sound.

use std::{collections::VecDeque, num::NonZero, time::Duration};

use ipfix::{Config, Datagram, Event, Exporter, encode::MessageLen};
use proptest::prelude::*;

use crate::{
    decode::Collector,
    events::{event, expected},
};

/// The elements of a record about the exporting process (RFC 7011, section 4.3): its number, and what it lost.
const PROCESS: u16 = 144;
const NOT_SENT: u16 = 166;

#[derive(Clone, Debug)]
enum Step {
    Push(Event),
    /// The clock moves on by so many milliseconds, or back.
    Time(i64),
    /// Polls so often; the datagram of the last one is not sent.
    Poll(usize),
    Flush,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => event().prop_map(Step::Push),
        2 => (-2_000_i64..5_000).prop_map(Step::Time),
        4 => (1_usize..5).prop_map(Step::Poll),
        1 => Just(Step::Flush),
    ];
    proptest::collection::vec(step, 0..300)
}

fn config() -> impl Strategy<Value = Config> {
    let len = (MessageLen::MIN.bytes()..=1500).prop_map(|len| MessageLen::new(len).expect("a limit"));
    (any::<u32>(), len, 0_usize..100, 0_u64..3_000, 0_u64..10_000, 1_u32..10).prop_map(
        |(
            observation_domain,
            message_len_max,
            records_waiting_max,
            flush_ms,
            refresh_ms,
            refresh_messages,
        )| {
            Config {
                observation_domain,
                message_len_max,
                records_waiting_max,
                flush_after: Duration::from_millis(flush_ms),
                refresh_after: Duration::from_millis(refresh_ms),
                refresh_messages: NonZero::new(refresh_messages).expect("it is from 1 on"),
            }
        },
    )
}

/// What a collector makes of an exporter, and what it has to be.
struct Check {
    config: Config,
    collector: Collector,
    sequence: u32,
    /// What was taken and has not come out yet.
    waiting: VecDeque<Event>,
    dropped: u64,
    failed: u64,
}

impl Check {
    fn datagram(&mut self, datagram: &Datagram, now: Duration) {
        assert!(datagram.bytes.len() <= usize::from(self.config.message_len_max.bytes()));
        let message = self.collector.read(&datagram.bytes);
        assert_eq!(u64::from(message.export_time), now.as_secs());
        assert_eq!(message.observation_domain, self.config.observation_domain);
        assert_eq!(message.sequence, self.sequence, "records so far");
        assert_eq!(message.records.len(), datagram.records as usize);
        assert!(message.templates == 0 || message.records.is_empty(), "templates go alone");
        self.sequence += datagram.records;
        for record in message.records {
            if let Some(process) = record.get(&PROCESS) {
                assert_eq!(*process, u64::from(self.config.observation_domain));
                assert_eq!(record[&NOT_SENT], self.dropped + self.failed);
            } else {
                assert_eq!(record, expected(&self.waiting.pop_front().expect("a record of an event")));
            }
        }
    }
}

/// Runs the steps, then drains the exporter.
fn check(config: Config, steps: Vec<Step>) {
    let mut exporter = Exporter::new(config);
    let mut check = Check {
        config,
        collector: Collector::default(),
        sequence: 0,
        waiting: [].into(),
        dropped: 0,
        failed: 0,
    };
    let mut now = Duration::from_secs(1_700_000_000);
    for step in steps {
        match step {
            Step::Push(event) => {
                exporter.push(&event);
                if check.waiting.len() < config.records_waiting_max {
                    check.waiting.push_back(event);
                } else {
                    check.dropped += 1;
                }
            }
            Step::Time(ms) if ms < 0 => now -= Duration::from_millis(ms.unsigned_abs()),
            Step::Time(ms) => now += Duration::from_millis(ms.unsigned_abs()),
            Step::Poll(times) => {
                let some: Vec<_> = std::iter::from_fn(|| exporter.poll(now)).take(times).collect();
                for datagram in &some {
                    check.datagram(datagram, now);
                }
                if let Some(last) = some.last() {
                    exporter.not_sent(last);
                    check.failed += u64::from(last.records);
                }
            }
            Step::Flush => exporter.flush(),
        }
    }
    exporter.flush();
    // At worst, each record is a message and comes with all templates.
    let bound = (check.waiting.len() + 1) * 20;
    let mut polls = 0;
    while !check.waiting.is_empty() {
        polls += 1;
        assert!(polls <= bound, "{} records never come out", check.waiting.len());
        let datagram = exporter.poll(now).expect("all that waits is due");
        check.datagram(&datagram, now);
    }
    let statistics = exporter.statistics();
    assert_eq!((statistics.dropped, statistics.failed), (check.dropped, check.failed));
    assert_eq!(statistics.records, u64::from(check.sequence));
}

proptest! {
    #[test]
    fn any_events_make_sound_messages(config in config(), steps in steps()) {
        check(config, steps);
    }

    /// Who polls when `wait` has passed, and only then, gets each record within the bound.
    #[test]
    fn waiting_as_told_is_soon_enough(
        config in config(),
        gaps in proptest::collection::vec((0_u64..4_000, event()), 1..60),
    ) {
        let config = Config { records_waiting_max: 100, ..config };
        let mut exporter = Exporter::new(config);
        let mut collector = Collector::default();
        let mut now = Duration::from_secs(1_700_000_000);
        let mut seen = 0;
        let mut poll = |exporter: &mut Exporter, now: Duration| {
            while let Some(datagram) = exporter.poll(now) {
                for record in collector.read(&datagram.bytes).records {
                    if let Some(observed_ms) = record.get(&323) {
                        let bound = Duration::from_millis(*observed_ms) + config.flush_after;
                        assert!(now <= bound, "it was due at {bound:?}, and it is {now:?}");
                        seen += 1;
                    }
                }
            }
        };
        let last = gaps.len();
        for (gap, event) in gaps {
            let next = now + Duration::from_millis(gap);
            loop {
                let wait = exporter.wait(now);
                if now + wait > next {
                    break;
                }
                now += wait;
                poll(&mut exporter, now);
                prop_assert!(!exporter.wait(now).is_zero(), "polled dry, and something is due");
            }
            now = next;
            let observed_ms = u64::try_from(now.as_millis()).expect("not so late");
            exporter.push(&Event { observed_ms, ..event });
        }
        let end = now + config.flush_after;
        while now < end {
            now = (now + exporter.wait(now)).min(end);
            poll(&mut exporter, now);
        }
        poll(&mut exporter, now);
        prop_assert_eq!(seen, last);
    }
}
