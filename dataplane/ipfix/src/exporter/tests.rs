use super::*;
use crate::NatEvent;

const NOW: Duration = Duration::from_secs(1_700_000_000);
const MS: Duration = Duration::from_millis(1);

fn event(observed: Duration) -> Event {
    let observed_ms = u64::try_from(observed.as_millis()).expect("not so late");
    Event { observed_ms, nat: NatEvent::AddressesExhausted { pool: 1 } }
}

/// An exporter whose templates have left.
fn exporter(config: Config) -> Exporter {
    let mut exporter = Exporter::new(config);
    assert_eq!(exporter.wait(NOW), Duration::ZERO, "templates are due");
    assert_eq!(kinds(&mut exporter, NOW), ["templates", "1 records"]);
    assert_eq!(exporter.wait(NOW), config.refresh_after);
    exporter
}

/// What is due, by what it holds.
fn kinds(exporter: &mut Exporter, now: Duration) -> Vec<String> {
    let kind = |datagram: Datagram| match datagram.records {
        0 => "templates".to_owned(),
        records => format!("{records} records"),
    };
    std::iter::from_fn(|| exporter.poll(now)).map(kind).collect()
}

#[test]
fn records_leave_in_time_or_in_full_messages() {
    let mut exporter = exporter(Config::new(1));
    exporter.push(&event(NOW));
    exporter.push(&event(NOW + 10 * MS));
    assert_eq!(exporter.wait(NOW + 10 * MS), 990 * MS);
    assert!(kinds(&mut exporter, NOW + 999 * MS).is_empty());
    assert_eq!(kinds(&mut exporter, NOW + 1000 * MS), ["2 records"]);
    // 13 bytes each, behind 20 of headers.
    (0..107).for_each(|_| exporter.push(&event(NOW + 2000 * MS)));
    assert_eq!(exporter.wait(NOW + 2000 * MS), Duration::ZERO);
    assert_eq!(kinds(&mut exporter, NOW + 2000 * MS), ["106 records"]);
    exporter.flush();
    assert_eq!(kinds(&mut exporter, NOW + 2000 * MS), ["1 records"]);
    let records = 2 + 107 + 1;
    assert_eq!(exporter.statistics(), Statistics { messages: 5, records, dropped: 0, failed: 0 });
}

#[test]
fn templates_leave_again_after_a_time_and_after_messages() {
    let refresh_messages = NonZero::new(3).expect("not zero");
    let mut exporter = exporter(Config { refresh_messages, ..Config::new(1) });
    assert!(kinds(&mut exporter, NOW + Duration::from_millis(59_999)).is_empty());
    let later = NOW + Duration::from_mins(1);
    assert_eq!(kinds(&mut exporter, later), ["templates", "1 records"]);
    for _ in 0..4 {
        exporter.push(&event(later));
        exporter.flush();
    }
    let wanted = ["1 records", "1 records", "1 records", "templates", "1 records", "1 records"];
    assert_eq!(kinds(&mut exporter, later), wanted);
}

#[test]
fn templates_go_first_where_the_collector_may_lack_them() {
    let mut exporter = exporter(Config::new(1));
    exporter.push(&event(NOW));
    exporter.flush();
    exporter.lost(3);
    exporter.refresh();
    assert_eq!(exporter.wait(NOW), Duration::ZERO);
    assert_eq!(kinds(&mut exporter, NOW), ["templates", "1 records", "1 records"]);
    assert_eq!(exporter.statistics().dropped, 3);
}

#[test]
fn a_clock_that_is_set_holds_nothing_up() {
    let hour = Duration::from_hours(1);
    for set in [NOW.saturating_sub(hour), NOW + hour] {
        let mut exporter = exporter(Config::new(1));
        exporter.push(&event(NOW));
        assert_eq!(exporter.wait(set), Duration::ZERO);
        assert_eq!(kinds(&mut exporter, set), ["templates", "1 records", "1 records"]);
        assert_eq!(exporter.wait(set), Duration::from_mins(1));
    }
}

#[test]
fn what_finds_no_room_is_counted_and_has_no_number() {
    let mut exporter = exporter(Config { records_waiting_max: 2, ..Config::new(1) });
    let sequence =
        |datagram: &Datagram| u32::from_be_bytes(datagram.bytes[8..12].try_into().expect("4 bytes"));
    for wanted in [1, 3] {
        (0..5).for_each(|_| exporter.push(&event(NOW)));
        exporter.flush();
        let datagram = exporter.poll(NOW).expect("it is due");
        assert_eq!((sequence(&datagram), datagram.records), (wanted, 2));
        assert_eq!(exporter.poll(NOW), None);
        if wanted == 3 {
            exporter.not_sent(&datagram);
        }
    }
    assert_eq!(exporter.statistics(), Statistics { messages: 4, records: 5, dropped: 6, failed: 2 });
    let refreshed: Vec<_> = std::iter::from_fn(|| exporter.poll(NOW + Duration::from_mins(1))).collect();
    let losses = refreshed.last().expect("templates, and what was lost");
    assert!(losses.bytes.ends_with(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8]), "{losses:?}");
}

#[test]
fn sequence_numbers_begin_anew_after_the_last() {
    let mut exporter = exporter(Config::new(1));
    exporter.sequence = u32::MAX;
    exporter.push(&event(NOW));
    exporter.flush();
    assert_eq!(exporter.poll(NOW).map(|datagram| datagram.records), Some(1));
    assert_eq!(exporter.sequence, 0);
}
