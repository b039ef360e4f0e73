use std::time::Duration;

use super::*;
use crate::sample::{tests::session, with_speed};

#[test]
fn numbers_are_scaled() {
    for (number, expected) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345_678, "12.3 MB"),
        (999_999_999, "999.9 MB"),
        (u64::MAX, "18446744.0 TB"),
    ] {
        assert_eq!(scaled(number, "B"), expected);
    }
}

#[test]
fn sessions_as_a_table() {
    let mut routed = session("bob-inc", 8, 42, 0);
    routed.nat = None;
    routed.mac = None;
    routed.network = Some("203.0.113.8/29".into());
    routed.active = false;
    let mut suspended = session("dora", 9, 42, 0);
    (suspended.active, suspended.garden) = (false, true);
    let expected = "\
NAME      PORT      TAGS    MAC                 ADDRESS      NAT/NETWORK                 MAPPINGS   ACTIVE       UP                     DOWN   DROPS
alice     access0   100.7   02:00:00:00:00:aa   100.64.0.2   198.51.100.1:1024-1279 +1          3   yes      1.5 kB   1.5 kB of 100.0 Mbit/s       4
bob-inc   access0   100.8   -                   100.64.0.2   203.0.113.8/29                     -   no         42 B     42 B of 100.0 Mbit/s       0
dora      access0   100.9   02:00:00:00:00:aa   100.64.0.2   198.51.100.1:1024-1279 +1          3   garden     42 B     42 B of 100.0 Mbit/s       0
";
    assert_eq!(sessions(&[session("alice", 7, 1500, 2), routed, suspended]), expected);
    let mut single = session("carol", 7, 0, 0);
    single.s_vid = 0;
    let untagged = Session { c_vid: 0, ..single.clone() };
    assert_eq!((tags(&single).as_str(), tags(&untagged).as_str()), ("7", "untagged"));
    assert_eq!(sessions(&[]), "There are no sessions.\n");
}

#[test]
fn counters_as_a_table_with_and_without_speed() {
    let expected = "\
NAME    UP-PACKETS   UP-BYTES   UP-DROPS   DOWN-PACKETS   DOWN-BYTES   DOWN-DROPS
alice           15       1500          2             15         1500            2
";
    assert_eq!(counters(&[session("alice", 7, 1500, 2)]), expected);
    let now = with_speed(
        vec![session("alice", 7, 4000, 3)],
        &[session("alice", 7, 1500, 2)],
        Duration::from_secs(1),
    );
    let expected = "\
NAME    UP-PACKETS   UP-BYTES   UP-DROPS   DOWN-PACKETS   DOWN-BYTES   DOWN-DROPS       UP-RATE     DOWN-RATE   DROPS/S
alice           40       4000          3             40         4000            3   20.0 kbit/s   20.0 kbit/s         2
";
    assert_eq!(counters(&now), expected);
}

#[test]
fn what_is_printed_for_programs_can_be_read_back() {
    let value = [session("alice", 7, 1500, 2)];
    let json = text(Format::Json, &value, String::new).expect("JSON");
    let yaml = text(Format::Yaml, &value, String::new).expect("YAML");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let yaml: serde_json::Value = serde_saphyr::from_str(&yaml).expect("YAML");
    assert_eq!(json, yaml);
    assert_eq!((&json[0]["sVid"], &json[0]["nat"]["firstPort"]), (&100.into(), &1024.into()));
}
