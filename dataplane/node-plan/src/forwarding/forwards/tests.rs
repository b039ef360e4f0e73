use map_abi::ENTRIES_PER_BLOCK;
use node_state::{Nat, PortProtocol, Resource};
use proptest::prelude::*;

use super::*;

const FIRST_PORT: u16 = 1024;
const PORTS: u16 = 128;
const ORDER: u32 = 1;

fn session(port_forwards: Vec<PortForward>) -> Session {
    let text = r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":[],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null}"#;
    let Ok(Resource::Session(session)) = Resource::decode(text.as_bytes()) else { panic!("a session") };
    let nat = Nat { address: std::net::Ipv4Addr::LOCALHOST, first_port: FIRST_PORT, ports: PORTS };
    Session { nat: Some(nat), port_forwards, ..session }
}

fn tcp(port: u16, to_port: u16) -> PortForward {
    PortForward { protocol: PortProtocol::Tcp, port, to_port }
}

fn udp(port: u16, to_port: u16) -> PortForward {
    PortForward { protocol: PortProtocol::Udp, ..tcp(port, to_port) }
}

#[test]
fn what_cannot_be_forwarded_is_refused_by_name() {
    let refused = |wanted| forwards(&session(wanted)).expect_err("refused").to_string();
    for port in [0, 80, 1023, 1024, 1035, 1152, 65_535] {
        let why = format!("portForwards: {port} is not one of the ports that can be forwarded, 1036 to 1151");
        assert_eq!(refused(vec![tcp(port, 80)]), why);
    }
    assert_eq!(refused(vec![tcp(1040, 80), udp(1040, 53)]), "portForwards: port 1040 is forwarded twice");
    assert_eq!(
        refused(vec![tcp(1040, 80), tcp(1041, 80)]),
        "portForwards: the inside port 80 has two outside ports"
    );
    let many = (0..17).map(|n| tcp(1040 + n, n)).collect();
    assert_eq!(refused(many), "portForwards are 17; at most 16 are possible");
    let without = Session { nat: None, ..session(vec![tcp(1040, 80)]) };
    assert_eq!(forwards(&without), Err(ForwardError::NoNat));
    // Five inside ports of one line.
    let line = |port| mapping_line(mapping_key(6, port), ORDER);
    let alike: Vec<u16> = (0..u16::MAX).filter(|port| line(*port) == line(80)).take(5).collect();
    let wanted: Vec<_> = (0..).zip(&alike).map(|(n, to)| tcp(1036 + n, *to)).collect();
    assert!(forwards(&session(wanted[..4].to_vec())).is_ok());
    assert!(refused(wanted).ends_with("shares its place with those of too many others; choose another"));
    assert!(forwards(&session(vec![tcp(1040, 80), udp(1041, 80), tcp(1151, 81)])).is_ok());
}

type Lines = Vec<Line>;

fn entries(lines: &Lines) -> impl Iterator<Item = (u32, (u32, u64))> {
    (HEADER_LINES * ENTRIES_PER_BUCKET..ENTRIES_PER_BLOCK << ORDER).map(|place| (place, entry(lines, place)))
}

/// What a packet from outside for one of the block's ports finds, and one from inside, among port forwards: as in
/// `packet-logic`.
fn finds(lines: &Lines, wanted: PortForward) -> (bool, bool) {
    let key = mapping_key(wanted.protocol.number(), wanted.to_port);
    let offset = u32::from(wanted.port - FIRST_PORT);
    let is_right =
        |entry: (u32, u64)| is_forward(entry) && entry.0 == key && entry.1 & 0xffff == u64::from(offset);
    let first = mapping_line(key, ORDER) * ENTRIES_PER_BUCKET;
    let inside = (first..first + ENTRIES_PER_BUCKET).map(|at| entry(lines, at)).find(|entry| entry.0 == key);
    (is_right(entry(lines, offset)), inside.is_some_and(is_right))
}

fn any_forwards() -> impl Strategy<Value = Vec<PortForward>> {
    let one = (1036_u16..1152, prop_oneof![80_u16..90, any::<u16>()], any::<bool>())
        .prop_map(|(port, to, is_tcp)| if is_tcp { tcp(port, to) } else { udp(port, to) });
    prop::collection::vec(one, 0..=FORWARDS_MAX)
}

/// Mappings that the kernel made, anywhere.
fn any_lines() -> impl Strategy<Value = Lines> {
    prop::collection::vec(prop::option::of((0_u16..200, 0_u8..3, any::<u32>())), 128).prop_map(|places| {
        let mut lines = vec![Line::default(); 32];
        for (n, place) in places.into_iter().enumerate().skip(12) {
            if let Some((port, state, seen)) = place {
                lines[n / 4].words[n % 4 * 2] = u64::from(mapping_key(6, port)) | 9 << 32;
                lines[n / 4].words[n % 4 * 2 + 1] = u64::from(seen) << 32 | u64::from(state) << 16 | 0x01bb;
            }
        }
        lines
    })
}

fn write(lines: &mut Lines, words: &[(u32, u64)]) {
    for (word, value) in words {
        assert!(*word >= HEADER_LINES * 8, "the header is not touched");
        lines[*word as usize / 8].words[*word as usize % 8] = *value;
    }
}

proptest! {
    #[test]
    fn forwards_are_found_from_both_sides_and_others_stay(
        mut lines in any_lines(),
        states in prop::collection::vec(any_forwards(), 1..4),
    ) {
        for wanted in states {
            let session = session(wanted);
            let Ok(forwards) = forwards(&session) else { continue };
            let before = lines.clone();
            let words = forward_words(&forwards, &lines);
            write(&mut lines, &words);
            for wanted in &session.port_forwards {
                prop_assert_eq!(finds(&lines, *wanted), (true, true), "{:?}", wanted);
            }
            let held = entries(&lines).filter(|(_, entry)| is_forward(*entry)).count();
            let aliases = forwards.iter().filter(|forward| !forward.is_found()).count();
            prop_assert_eq!(held, forwards.len() + aliases);
            for (place, was) in entries(&before).filter(|(_, was)| !is_forward(*was)) {
                let is = entry(&lines, place);
                prop_assert!(is == was || is_forward(is), "{place}");
            }
            prop_assert!(forward_words(&forwards, &lines).is_empty(), "a second time there is nothing to do");
        }
    }
}

/// In the line of the inside port, what is free is taken, and else what was idle longest.
#[test]
fn a_forward_takes_the_place_that_is_missed_least() {
    let key = mapping_key(6, 80);
    let line = mapping_line(key, ORDER) as usize;
    let outside = (HEADER_LINES..32).find(|other| *other as usize != line).expect("another line") * 4;
    let wanted = vec![tcp(FIRST_PORT + u16::try_from(outside).expect("small"), 80)];
    let forwards = forwards(&session(wanted)).expect("legal");
    let with = |seen: [Option<u64>; 4]| {
        let mut lines = vec![Line::default(); 32];
        for (n, seen) in seen.into_iter().enumerate() {
            lines[line].words[n * 2] = u64::from(mapping_key(17, 9)) * u64::from(seen.is_some());
            lines[line].words[n * 2 + 1] = seen.unwrap_or(0) << 32;
        }
        let words = forward_words(&forwards, &lines);
        write(&mut lines, &words);
        (0..4).position(|n| lines[line].words[n * 2] == u64::from(key))
    };
    assert_eq!(with([Some(9), None, Some(3), Some(7)]), Some(1));
    assert_eq!(with([Some(9), Some(8), Some(3), Some(7)]), Some(2));
}
