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
fn devices_of_a_home_that_may_have_several() {
    let device = |last: u8, lease_ends| Device {
        mac: format!("02:00:00:00:00:0{last}"),
        address: [100, 64, 0, last].into(),
        lease_ends,
    };
    let leased = [device(4, 1000), device(5, 1059), device(6, 1060), device(7, 8301), device(8, 999)];
    let bridged = Session { mac: None, devices: Some(leased.to_vec()), ..session("dora", 9, 42, 0) };
    let shown = sessions(std::slice::from_ref(&bridged));
    assert!(shown.contains("100.9   5 devices   100.64.0.2"), "{shown}");
    let expected = "
NAME   DEVICE              ADDRESS      LEASED FOR
dora   02:00:00:00:00:04   100.64.0.4          0 s
dora   02:00:00:00:00:05   100.64.0.5         59 s
dora   02:00:00:00:00:06   100.64.0.6        1 min
dora   02:00:00:00:00:07   100.64.0.7      2 h 1 min
dora   02:00:00:00:00:08   100.64.0.8         over
";
    assert_eq!(
        devices(&[session("alice", 7, 0, 0), bridged], 1000).split_whitespace().collect::<Vec<_>>(),
        expected.split_whitespace().collect::<Vec<_>>()
    );
    assert_eq!(devices(&[session("alice", 7, 0, 0)], 1000), "");
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
