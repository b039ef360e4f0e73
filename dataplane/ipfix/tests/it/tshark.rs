//! Against Wireshark's dissector, which knows every element that is exported.

use std::{collections::BTreeMap, fs, net::Ipv4Addr, path::Path, process::Command, time::Duration};

use ipfix::{Config, Exporter, encode::MessageLen};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

use crate::{
    decode::Record,
    events::{expected, some},
};

const PORT: u16 = 4739;

/// The names that Wireshark has for elements.
const NAMES: [(&str, u16); 24] = [
    ("protocol", 4),
    ("srcport", 7),
    ("srcaddr", 8),
    ("dstport", 11),
    ("dstaddr", 12),
    ("flow_exporter", 144),
    ("notsent_flows", 166),
    ("post_natsource_ipv4_address", 225),
    ("post_natdestination_ipv4_address", 226),
    ("post_naptsource_transport_port", 227),
    ("post_naptdestination_transport_port", 228),
    ("nat_originating_address_realm", 229),
    ("nat_event", 230),
    ("nat_pool_id", 283),
    ("observation_time_milliseconds", 323),
    ("port_range_start", 361),
    ("port_range_end", 362),
    ("port_range_step_size", 363),
    ("port_range_num_ports", 364),
    ("nat_quota_exceeded_event", 466),
    ("max_session_entries", 471),
    ("max_bib_entries", 472),
    ("max_entries_per_user", 473),
    ("max_subscribers", 474),
];

#[test]
fn wireshark_shows_what_was_exported() {
    const DOMAIN: u32 = 7;
    for message_len_max in [MessageLen::default(), MessageLen::MIN] {
        let mut exporter = Exporter::new(Config { message_len_max, ..Config::new(DOMAIN) });
        let events = some(300);
        for event in &events {
            exporter.push(event);
        }
        exporter.flush();
        let now = Duration::from_secs(1_700_000_000);
        let datagrams: Vec<_> =
            std::iter::from_fn(|| exporter.poll(now)).map(|datagram| datagram.bytes).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let capture = folder.path().join("capture.pcap");
        fs::write(&capture, pcap(&datagrams)).expect("written");

        // Wireshark's remarks, among them about sequence numbers that do not follow.
        let remarks = tshark(&capture, &["-V", "-Y", "_ws.malformed or (cflow and _ws.expert)"]);
        assert_eq!(remarks, "");
        let shown = tshark(&capture, &["-T", "json", "--no-duplicate-keys"]);
        let messages: Vec<Value> = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(messages.len(), datagrams.len());
        let messages = messages.iter().map(|message| &message["_source"]["layers"]["cflow"]);
        let mut records = Vec::new();
        for message in messages {
            assert_eq!(message["cflow.od_id"], DOMAIN.to_string());
            assert_eq!(message["cflow.timestamp_tree"]["cflow.exporttime"], "1700000000");
            records.extend(in_order(message, "Set ").flat_map(|set| in_order(set, "Flow ")).map(read));
        }
        let losses = Record::from([(144, DOMAIN.into()), (166, 0)]);
        let wanted: Vec<_> = [losses].into_iter().chain(events.iter().map(expected)).collect();
        assert_eq!(records, wanted);
    }
}

/// The members whose names are `prefix` and a number, in the order of the numbers.
fn in_order<'a>(within: &'a Value, prefix: &str) -> impl Iterator<Item = &'a Value> {
    let members = within.as_object().expect("an object").iter();
    let numbered = members.filter_map(|(name, value)| {
        let number: u32 = name.strip_prefix(prefix)?.split(' ').next()?.parse().ok()?;
        Some((number, value))
    });
    numbered.collect::<BTreeMap<_, _>>().into_values()
}

fn read(flow: &Value) -> Record {
    let fields = flow.as_object().expect("an object").iter();
    let field = |(name, value): (&String, &Value)| {
        let name = name.strip_prefix("cflow.")?;
        let (_, element) = NAMES.iter().find(|(known, _)| *known == name)?;
        Some((*element, of_text(value.as_str().expect("a text"))))
    };
    fields.map(|(name, value)| field((name, value)).unwrap_or_else(|| panic!("{name} is {value}"))).collect()
}

/// A number, an address, or a time as milliseconds since the Unix epoch.
fn of_text(text: &str) -> u64 {
    let number = || text.parse().ok();
    let address = || text.parse::<Ipv4Addr>().ok().map(|address| address.to_bits().into());
    number().or_else(address).or_else(|| of_time(text)).unwrap_or_else(|| panic!("{text:?} is no value"))
}

fn of_time(text: &str) -> Option<u64> {
    // In the first form up to version 4.0, in ISO 8601 from 4.2 on.
    let spelled = DateTime::strptime("%b %e, %Y %H:%M:%S%.f UTC", text);
    let spelled = spelled.and_then(|time| time.to_zoned(TimeZone::UTC)).map(|time| time.timestamp());
    let time = spelled.or_else(|_| text.parse::<Timestamp>()).ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

fn tshark(capture: &Path, arguments: &[&str]) -> String {
    let port = format!("udp.port=={PORT},cflow");
    let run = Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(["-d", &port])
        .args(arguments)
        .env("TZ", "UTC")
        .output();
    let run = run.expect("tshark is installed (apt-get install -y tshark)");
    assert!(run.status.success(), "tshark {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("UTF-8")
}

/// A capture of the datagrams, as IPv4 packets without link headers (`LINKTYPE_RAW`).
fn pcap(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65535, 101].map(u32::to_be_bytes).concat();
    for (second, datagram) in datagrams.iter().enumerate() {
        let udp_len = u16::try_from(8 + datagram.len()).expect("a datagram");
        let packet = [
            &[0x45, 0][..],
            &(20 + udp_len).to_be_bytes(),
            &[0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
            &[40_000, PORT, udp_len, 0].map(u16::to_be_bytes).concat(),
            datagram,
        ]
        .concat();
        let len = u32::try_from(packet.len()).expect("a packet");
        let second = u32::try_from(second).expect("not so many");
        file.extend([second, 0, len, len].map(u32::to_be_bytes).concat());
        file.extend(packet);
    }
    file
}
