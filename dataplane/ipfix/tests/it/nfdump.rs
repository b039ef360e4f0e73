//! Against nfcapd, a collector, and nfdump, which shows what it stored.
//!
//! What neither keeps is not compared here but in `tshark`: natOriginatingAddressRealm, natQuotaExceededEvent and the
//! limits of quotas. Version 1.7.1 (Debian 12) does not keep blocks of ports and pools either; 1.7.5 (Debian 13) does.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use ipfix::{Config, Exporter, Progress, Sender, encode::MessageLen};
use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::Value;

use crate::{
    decode::Record,
    events::{expected, some},
    nfcapd::{self, Nfcapd},
};

/// The protocol numbers of ICMP for IPv4 and IPv6, whose ports nfdump shows as a type and a code.
const ICMP: [u64; 2] = [1, 58];

/// The names that nfdump has for elements.
const NAMES: [(u16, &str); 11] = [
    (4, "proto"),
    (7, "src_port"),
    (8, "src4_addr"),
    (11, "dst_port"),
    (12, "dst4_addr"),
    (225, "src4_xlt_ip"),
    (226, "dst4_xlt_ip"),
    (227, "src_xlt_port"),
    (228, "dst_xlt_port"),
    (230, "nat_event_id"),
    (323, "t_event"),
];
const NAMES_AFTER_1_7_1: [(u16, &str); 5] = [
    (283, "nat_pool_id"),
    (361, "pblock_start"),
    (362, "pblock_end"),
    (363, "pblock_step"),
    (364, "pblock_size"),
];

#[test]
fn nfdump_shows_what_was_exported() {
    let mut names = NAMES.to_vec();
    if nfcapd::version() > [1, 7, 1] {
        names.extend(NAMES_AFTER_1_7_1);
    }
    for len_max in [MessageLen::default(), MessageLen::MIN] {
        let mut nfcapd = Nfcapd::start();
        let mut sender =
            Sender::new(SocketAddr::from((Ipv4Addr::LOCALHOST, nfcapd.port()))).expect("a socket");
        let mut exporter = Exporter::new(Config { message_len_max: len_max, ..Config::new(7) });
        let events = some(1000);
        let now = Duration::from_secs(1_700_000_000);
        for some in events.chunks(50) {
            for event in some {
                exporter.push(event);
            }
            exporter.flush();
            assert_eq!(sender.send_due(&mut exporter, now).expect("it is sent"), Progress::Done);
            nfcapd.catch_up();
        }
        let stored = nfcapd.stop();
        assert_eq!(stored.sequence_failures, 0);
        assert_eq!(stored.records.len(), events.len());
        for (event, stored) in events.iter().zip(&stored.records) {
            let mut event_record = expected(event);
            event_record
                .retain(|element, value| names.iter().any(|(kept, _)| kept == element) && *value != 0);
            if event_record.get(&4).is_some_and(|protocol| ICMP.contains(protocol)) {
                event_record.retain(|element, _| ![7, 11].contains(element));
            }
            assert_eq!(read(stored, &names), event_record, "{event:?} is stored as {stored:#}");
        }
    }
}

/// The values of a stored record by the numbers of their elements, without zeros, which nfdump has for what is not
/// there.
fn read(stored: &Value, names: &[(u16, &str)]) -> Record {
    let value = |name: &str| match &stored[name] {
        Value::Null => 0,
        Value::Number(number) => number.as_u64().expect("not negative"),
        Value::String(text) => of_text(text),
        other => panic!("{name} is {other}"),
    };
    names.iter().map(|(element, name)| (*element, value(name))).filter(|(_, value)| *value != 0).collect()
}

/// A number, an address, or a time as milliseconds since the Unix epoch.
fn of_text(text: &str) -> u64 {
    let number = || text.parse().ok();
    let address = || text.parse::<Ipv4Addr>().ok().map(|address| address.to_bits().into());
    number().or_else(address).or_else(|| of_time(text)).unwrap_or_else(|| panic!("{text:?} is no value"))
}

fn of_time(text: &str) -> Option<u64> {
    // The milliseconds are a number without leading zeros (1.7.1), and not a fraction.
    let (time, ms) = text.split_once('.')?;
    let time = time.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    let ms: u64 = ms.parse().ok()?;
    Some(u64::try_from(time.timestamp().as_millisecond()).ok()? + ms)
}
