//! Lines of every kind.

use super::{Bridged, Forward, Line, Rates, Rule, State, Wall};
use crate::frames::Address;

const PLAIN: Line = Line {
    name: "",
    port: 0,
    tags: &[],
    mac: [2, 0xa0, 0, 0, 0, 1],
    state: State::Active,
    has_mac: true,
    network: ([0; 4], 32),
    gateway: [100, 64, 0, 1],
    nat: None,
    forwards: &[],
    one_to_one: None,
    is_exempt: false,
    lent: None,
    more: &[],
    six: None,
    wall: Wall::None,
    rules: &[],
    rate: Rates::Unlimited,
    voice: None,
    control: None,
    bridged: None,
};
const BRIDGED: Bridged = Bridged { name: "bridged", network: ([100, 64, 0, 28], 30) };
const BRIDGED_ROUTED: Bridged = Bridged { name: "bridged-routed", network: ([203, 0, 113, 130], 29) };
const PUBLIC: Address = [198, 51, 100, 1];
/// Of a line with a second public address of the office's.
const OTHER_PUBLIC: Address = [198, 51, 100, 2];

const ANY: Rule = Rule {
    is_out: false,
    allows: true,
    protocol: None,
    source: None,
    destination: None,
    source_ports: None,
    destination_ports: None,
};

/// In order: what a later one would allow, an earlier one may deny.
const RULES: &[Rule] = &[
    Rule { allows: false, source: Some("8.8.8.0/24"), ..ANY },
    Rule { allows: false, source: Some("2620:fe::/48"), ..ANY },
    Rule { protocol: Some(6), destination_ports: Some((22, 22)), ..ANY },
    Rule { protocol: Some(17), source_ports: Some((5000, 5007)), ..ANY },
    Rule { protocol: Some(1), ..ANY },
    Rule {
        is_out: true,
        protocol: Some(6),
        destination_ports: Some((25, 25)),
        destination: Some("9.9.9.0/24"),
        ..ANY
    },
    Rule { is_out: true, allows: false, protocol: Some(6), destination_ports: Some((25, 25)), ..ANY },
    Rule { is_out: true, allows: false, destination: Some("8.8.8.8/32"), protocol: Some(17), ..ANY },
    Rule { is_out: true, allows: false, destination: Some("2620:fe::9/128"), ..ANY },
    Rule { is_out: true, allows: false, protocol: Some(17), source_ports: Some((5016, 5023)), ..ANY },
];

pub(in crate::random) const LINES: [Line; 37] = [
    Line {
        name: "nat",
        tags: &[100, 7],
        network: ([100, 64, 0, 2], 32),
        nat: Some((PUBLIC, 1024, 64)),
        six: Some(("2001:db8:100:a::", "2001:db8:1aa:ff00::")),
        ..PLAIN
    },
    Line {
        name: "routed",
        tags: &[101, 9],
        mac: [2, 0xa0, 0, 0, 0, 2],
        network: ([203, 0, 113, 10], 29),
        gateway: [203, 0, 113, 9],
        six: Some(("2001:db8:100:b::", "2001:db8:1aa:fe00::")),
        wall: Wall::Six,
        ..PLAIN
    },
    Line {
        name: "single-tag",
        tags: &[50],
        mac: [2, 0xa0, 0, 0, 0, 3],
        network: ([100, 64, 0, 3], 32),
        nat: Some((PUBLIC, 1152, 128)),
        six: Some(("2001:db8:100:c::", "2001:db8:1aa:fd00::")),
        wall: Wall::Six,
        rate: Rates::Green,
        ..PLAIN
    },
    Line {
        name: "untagged",
        mac: [2, 0xa0, 0, 0, 0, 4],
        network: ([203, 0, 113, 18], 30),
        gateway: [203, 0, 113, 17],
        ..PLAIN
    },
    Line {
        name: "suspended",
        tags: &[102, 1],
        mac: [2, 0xa0, 0, 0, 0, 5],
        state: State::Garden("suspended"),
        network: ([100, 64, 0, 5], 32),
        nat: Some((PUBLIC, 1280, 64)),
        six: Some(("2001:db8:100:e::", "2001:db8:1aa:fb00::")),
        ..PLAIN
    },
    Line {
        name: "used-up",
        tags: &[102, 2],
        mac: [2, 0xa0, 0, 0, 0, 6],
        network: ([100, 64, 0, 6], 32),
        nat: Some((PUBLIC, 1344, 64)),
        six: Some(("2001:db8:100:f::", "2001:db8:1aa:fa00::")),
        rate: Rates::Red,
        ..PLAIN
    },
    Line {
        name: "marked",
        tags: &[102, 3],
        mac: [2, 0xa0, 0, 0, 0, 7],
        network: ([203, 0, 113, 34], 28),
        gateway: [203, 0, 113, 33],
        six: Some(("2001:db8:100:10::", "2001:db8:1aa:f900::")),
        rate: Rates::Yellow,
        ..PLAIN
    },
    Line {
        name: "unheard",
        tags: &[102, 4],
        mac: [2, 0xa0, 0, 0, 0, 8],
        has_mac: false,
        network: ([203, 0, 113, 50], 30),
        gateway: [203, 0, 113, 49],
        ..PLAIN
    },
    Line {
        name: "neighbour",
        tags: &[100, 8],
        mac: [2, 0xa0, 0, 0, 0, 9],
        network: ([100, 64, 0, 9], 32),
        nat: Some((PUBLIC, 2048, 64)),
        forwards: &[
            Forward { protocol: 6, port: 2064, to: 80 },
            Forward { protocol: 17, port: 2070, to: 5001 },
        ],
        ..PLAIN
    },
    Line {
        name: "unauthenticated",
        tags: &[102, 5],
        mac: [2, 0xa0, 0, 0, 0, 10],
        state: State::Garden("unauthenticated"),
        network: ([203, 0, 113, 66], 29),
        gateway: [203, 0, 113, 65],
        six: Some(("2001:db8:100:11::", "2001:db8:1aa:f800::")),
        wall: Wall::Both,
        ..PLAIN
    },
    Line {
        name: "quarantined",
        tags: &[102, 6],
        mac: [2, 0xa0, 0, 0, 0, 11],
        state: State::Quarantined,
        network: ([203, 0, 113, 122], 29),
        gateway: [203, 0, 113, 121],
        six: Some(("2001:db8:100:12::", "2001:db8:1aa:f700::")),
        ..PLAIN
    },
    Line {
        name: "shared-nat",
        tags: &[103, 1],
        mac: [2, 0xa0, 0, 0, 0, 12],
        network: ([100, 64, 0, 12], 32),
        nat: Some((OTHER_PUBLIC, 1024, 64)),
        six: Some(("2001:db8:100:13::", "2001:db8:1aa:f600::")),
        ..PLAIN
    },
    Line {
        name: "shared-routed",
        tags: &[103, 1],
        mac: [2, 0xa0, 0, 0, 0, 13],
        network: ([203, 0, 113, 74], 29),
        gateway: [203, 0, 113, 73],
        six: Some(("2001:db8:100:14::", "2001:db8:1aa:f500::")),
        wall: Wall::Both,
        rate: Rates::Green,
        ..PLAIN
    },
    Line {
        name: "shared-suspended",
        tags: &[103, 1],
        mac: [2, 0xa0, 0, 0, 0, 14],
        state: State::Garden("suspended"),
        network: ([100, 64, 0, 14], 32),
        nat: Some((OTHER_PUBLIC, 1088, 64)),
        six: Some(("2001:db8:100:15::", "2001:db8:1aa:f400::")),
        ..PLAIN
    },
    Line {
        name: "ruled",
        tags: &[104, 1],
        mac: [2, 0xa0, 0, 0, 0, 15],
        network: ([203, 0, 113, 82], 29),
        gateway: [203, 0, 113, 81],
        six: Some(("2001:db8:100:16::", "2001:db8:1aa:f300::")),
        wall: Wall::Both,
        rules: RULES,
        ..PLAIN
    },
    Line {
        name: "ruled-nat",
        tags: &[104, 2],
        mac: [2, 0xa0, 0, 0, 0, 16],
        network: ([100, 64, 0, 16], 32),
        nat: Some((OTHER_PUBLIC, 1152, 64)),
        forwards: &[
            Forward { protocol: 6, port: 1170, to: 80 },
            Forward { protocol: 17, port: 1180, to: 5002 },
        ],
        six: Some(("2001:db8:100:17::", "2001:db8:1aa:f200::")),
        wall: Wall::Both,
        rules: RULES,
        ..PLAIN
    },
    Line {
        name: "voice",
        tags: &[105, 1],
        mac: [2, 0xa0, 0, 0, 0, 17],
        network: ([100, 64, 0, 17], 32),
        nat: Some((OTHER_PUBLIC, 1216, 64)),
        six: Some(("2001:db8:100:18::", "2001:db8:1aa:f100::")),
        rate: Rates::Yellow,
        voice: Some(Rates::Green),
        ..PLAIN
    },
    Line {
        name: "voice-only",
        tags: &[105, 2],
        mac: [2, 0xa0, 0, 0, 0, 18],
        network: ([203, 0, 113, 90], 29),
        gateway: [203, 0, 113, 89],
        six: Some(("2001:db8:100:19::", "2001:db8:1aa:f000::")),
        rate: Rates::Red,
        voice: Some(Rates::Green),
        ..PLAIN
    },
    Line {
        name: "voice-used-up",
        tags: &[105, 3],
        mac: [2, 0xa0, 0, 0, 0, 19],
        network: ([203, 0, 113, 98], 29),
        gateway: [203, 0, 113, 97],
        six: Some(("2001:db8:100:1a::", "2001:db8:1aa:ef00::")),
        voice: Some(Rates::Red),
        ..PLAIN
    },
    Line {
        name: "child",
        tags: &[106, 1],
        mac: [2, 0xa0, 0, 0, 0, 20],
        network: ([100, 64, 0, 20], 32),
        nat: Some((OTHER_PUBLIC, 1280, 64)),
        six: Some(("2001:db8:100:1b::", "2001:db8:1aa:ee00::")),
        control: Some(&["games", "adult"]),
        ..PLAIN
    },
    Line {
        name: "child-routed",
        tags: &[55],
        mac: [2, 0xa0, 0, 0, 0, 21],
        network: ([203, 0, 113, 106], 29),
        gateway: [203, 0, 113, 105],
        six: Some(("2001:db8:100:1c::", "2001:db8:1aa:ed00::")),
        wall: Wall::Both,
        rules: RULES,
        voice: Some(Rates::Green),
        control: Some(&["games"]),
        ..PLAIN
    },
    Line {
        name: "parent",
        tags: &[106, 2],
        mac: [2, 0xa0, 0, 0, 0, 22],
        network: ([100, 64, 0, 22], 32),
        nat: Some((OTHER_PUBLIC, 1344, 64)),
        six: Some(("2001:db8:100:1d::", "2001:db8:1aa:ec00::")),
        control: Some(&[]),
        ..PLAIN
    },
    Line {
        name: "other-port",
        port: 1,
        tags: &[100, 7],
        mac: [2, 0xa0, 0, 0, 0, 23],
        network: ([100, 64, 0, 23], 32),
        nat: Some((OTHER_PUBLIC, 1408, 64)),
        six: Some(("2001:db8:100:1e::", "2001:db8:1aa:eb00::")),
        rate: Rates::Yellow,
        voice: Some(Rates::Green),
        ..PLAIN
    },
    Line {
        name: "other-single-tag",
        port: 1,
        tags: &[60],
        mac: [2, 0xa0, 0, 0, 0, 24],
        network: ([203, 0, 113, 114], 29),
        gateway: [203, 0, 113, 113],
        six: Some(("2001:db8:100:1f::", "2001:db8:1aa:ea00::")),
        ..PLAIN
    },
    Line {
        name: "untagged-nat",
        port: 1,
        mac: [2, 0xa0, 0, 0, 0, 25],
        network: ([100, 64, 0, 25], 32),
        nat: Some((OTHER_PUBLIC, 1472, 64)),
        six: Some(("2001:db8:100:20::", "2001:db8:1aa:e900::")),
        wall: Wall::Six,
        ..PLAIN
    },
    Line {
        name: "untagged-shared",
        port: 1,
        mac: [2, 0xa0, 0, 0, 0, 26],
        network: ([100, 64, 0, 26], 32),
        nat: Some((OTHER_PUBLIC, 1536, 64)),
        six: Some(("2001:db8:100:21::", "2001:db8:1aa:e800::")),
        voice: Some(Rates::Green),
        control: Some(&["adult"]),
        ..PLAIN
    },
    Line {
        name: "one-to-one",
        tags: &[111, 1],
        mac: [2, 0xa0, 0, 0, 0, 37],
        network: ([100, 64, 0, 47], 32),
        one_to_one: Some([203, 0, 113, 200]),
        is_exempt: true,
        six: Some(("2001:db8:100:22::", "2001:db8:1aa:e700::")),
        ..PLAIN
    },
    Line {
        name: "one-to-one-ruled",
        tags: &[111, 2],
        mac: [2, 0xa0, 0, 0, 0, 38],
        network: ([100, 64, 0, 48], 32),
        one_to_one: Some([203, 0, 113, 201]),
        wall: Wall::Both,
        rules: RULES,
        rate: Rates::Green,
        ..PLAIN
    },
    Line {
        name: "one-to-one-suspended",
        tags: &[111, 3],
        mac: [2, 0xa0, 0, 0, 0, 39],
        state: State::Garden("suspended"),
        network: ([100, 64, 0, 49], 32),
        one_to_one: Some([203, 0, 113, 202]),
        ..PLAIN
    },
    Line {
        name: "exempt",
        tags: &[108, 1],
        mac: [2, 0xa0, 0, 0, 0, 40],
        network: ([100, 64, 0, 50], 32),
        nat: Some((OTHER_PUBLIC, 1856, 64)),
        is_exempt: true,
        ..PLAIN
    },
    Line {
        name: "exempt-ruled",
        tags: &[108, 2],
        mac: [2, 0xa0, 0, 0, 0, 41],
        network: ([100, 64, 0, 51], 32),
        nat: Some((OTHER_PUBLIC, 1664, 64)),
        is_exempt: true,
        forwards: &[Forward { protocol: 6, port: 1690, to: 80 }],
        wall: Wall::Both,
        rules: RULES,
        ..PLAIN
    },
    Line {
        name: "networks",
        tags: &[109, 1],
        mac: [2, 0xa0, 0, 0, 0, 42],
        network: ([203, 0, 113, 138], 29),
        gateway: [203, 0, 113, 137],
        more: &["203.0.113.144/28", "203.0.113.176/30"],
        ..PLAIN
    },
    Line {
        name: "lent",
        tags: &[110, 1],
        mac: [2, 0xa0, 0, 0, 0, 43],
        network: ([100, 64, 0, 53], 32),
        nat: Some((OTHER_PUBLIC, 1728, 64)),
        lent: Some(65_024),
        ..PLAIN
    },
    Line {
        name: "phone",
        tags: &[107, 1],
        mac: [2, 0xa0, 0, 0, 0, 27],
        network: ([100, 64, 0, 28], 32),
        nat: Some((OTHER_PUBLIC, 1600, 64)),
        control: Some(&["games", "adult"]),
        bridged: Some(BRIDGED),
        ..PLAIN
    },
    Line {
        name: "laptop",
        tags: &[107, 1],
        mac: [2, 0xa0, 0, 0, 0, 28],
        network: ([100, 64, 0, 30], 32),
        nat: Some((OTHER_PUBLIC, 1600, 64)),
        control: Some(&[]),
        bridged: Some(BRIDGED),
        ..PLAIN
    },
    Line {
        name: "server",
        tags: &[107, 2],
        mac: [2, 0xa0, 0, 0, 0, 29],
        network: ([203, 0, 113, 130], 32),
        gateway: [203, 0, 113, 129],
        wall: Wall::Both,
        bridged: Some(BRIDGED_ROUTED),
        ..PLAIN
    },
    Line {
        name: "camera",
        tags: &[107, 2],
        mac: [2, 0xa0, 0, 0, 0, 30],
        network: ([203, 0, 113, 132], 32),
        gateway: [203, 0, 113, 129],
        wall: Wall::Both,
        bridged: Some(BRIDGED_ROUTED),
        ..PLAIN
    },
];
