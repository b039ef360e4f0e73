//! Queries of a subscriber with parental control, against a reader of names that is written apart from the one under test.

use map_abi::{DeviceKey, NameHash, flags};
use packet_logic::{DropReason, HostPacket, HostTables, Verdict};

use crate::packets::{
    ACCESS, ACCESS_IFINDEX, CORE, HASH_KEY, HOME_MAC, PORT_MAC, is_sound, sum, tables_of, up,
};

/// In wire format, as everything is here: `games.example` and `play.test`.
const LISTED: [&[u8]; 2] = [b"\x05games\x07example", b"\x04play\x04test"];
/// The session with the routed subnet, and an address in it.
const SESSION: u32 = 2;
const FROM: [u8; 4] = [203, 0, 113, 9];
const TO: [u8; 4] = [192, 0, 2, 53];

/// A query's message after a byte that chooses how it is carried: even over UDP, odd in a segment of TCP.
pub fn fuzz_dns(bytes: &[u8]) {
    let Some((&choice, message)) = bytes.split_first() else { return };
    if message.len() > 1200 {
        return;
    }
    let is_tcp = choice & 1 == 1;
    let frame = frame(is_tcp, message);
    let tables = tables();
    let mut packet = HostPacket::new(&frame, ACCESS_IFINDEX);
    let verdict = up(&mut packet, &tables);
    let after = packet.bytes();
    let expected = match (judge(message), is_tcp) {
        (Judged::Free, _) => Verdict::Redirect(CORE),
        (Judged::Unreadable, false) => Verdict::Drop(DropReason::DnsUnreadable),
        (Judged::Blocked, _) | (Judged::Unreadable, true) => Verdict::AnsweredDns(ACCESS),
    };
    assert_eq!(verdict, expected, "{message:02x?}");
    if verdict != Verdict::AnsweredDns(ACCESS) {
        return;
    }
    assert_eq!(after[..12], [HOME_MAC, PORT_MAC].concat());
    assert_eq!(after[12..22], frame[12..22], "the tags are as they were");
    assert!(is_sound(&after, 22));
    assert_eq!(after[34..42], [TO, FROM].concat());
    assert_eq!(sum(&pseudo(&after[22..])), 0xffff, "the transport's checksum");
    if is_tcp {
        assert_eq!((after.len(), after[22 + 33]), (22 + 40, 4), "a reset");
    } else {
        assert_answers(message, &after[22 + 28..]);
    }
}

fn assert_answers(query: &[u8], answer: &[u8]) {
    assert_eq!(answer[..2], query[..2], "the identification");
    assert_eq!((answer[2] & 0x80, answer[3] & 0x0f), (0x80, 3), "an answer: no such name");
    assert_eq!(answer[4..10], [0, 1, 0, 0, 0, 0]);
    let end = question_end(query).expect("it was read");
    assert_eq!(answer[12..end], query[12..end], "the question");
    match answer[11] {
        0 => assert_eq!(answer.len(), end),
        _ => assert_eq!(answer[end..], [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 6, 0, 15, 0, 2, 0, 17]),
    }
}

#[derive(Debug, PartialEq)]
enum Judged {
    Free,
    Blocked,
    Unreadable,
}

fn judge(message: &[u8]) -> Judged {
    let is_query = message.len() >= 12 && message[2] < 0x80 && message[4..6] == [0, 1];
    let (true, Some(end)) = (is_query, question_end(message)) else { return Judged::Unreadable };
    let name = message[12..end - 5].to_ascii_lowercase();
    let is_listed = suffixes(&name).iter().any(|suffix| LISTED.contains(suffix));
    if is_listed { Judged::Blocked } else { Judged::Free }
}

/// A name without its root, and its parents.
fn suffixes(name: &[u8]) -> Vec<&[u8]> {
    let mut rest = name;
    let mut found = Vec::new();
    while let Some((&len, _)) = rest.split_first() {
        found.push(rest);
        rest = &rest[1 + usize::from(len)..];
    }
    found
}

/// Where the type and class end behind a name of at most 255 bytes that is spelt out.
fn question_end(message: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        let len = usize::from(*message.get(at)?);
        at += 1 + len;
        if len == 0 {
            break;
        }
        if len > 63 {
            return None;
        }
    }
    let end = at + 4;
    (at - 12 <= 255 && end <= message.len()).then_some(end)
}

fn frame(is_tcp: bool, message: &[u8]) -> Vec<u8> {
    let len = |bytes: usize| u16::try_from(bytes).expect("a short message").to_be_bytes();
    let ports = [0x13, 0x88, 0, 53];
    let payload = if is_tcp {
        let header = [&ports[..], &[0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 4, 0, 0, 0, 0, 0]].concat();
        [&header[..], &len(message.len()), message].concat()
    } else {
        [&ports[..], &len(8 + message.len()), &[0, 0], message].concat()
    };
    let total = len(20 + payload.len());
    let protocol = if is_tcp { 6 } else { 17 };
    let mut header =
        [&[0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0][..], &FROM, &TO].concat();
    let check = !u16::try_from(sum(&header)).expect("16 bits");
    header[10..12].copy_from_slice(&check.to_be_bytes());
    let ethernet = [&PORT_MAC[..], &HOME_MAC, &[0x88, 0xa8, 0, 100, 0x81, 0, 0, 8, 8, 0]].concat();
    [ethernet, header, payload].concat()
}

/// What the checksum of a packet's transport is over.
fn pseudo(packet: &[u8]) -> Vec<u8> {
    let len = u16::try_from(packet.len() - 20).expect("a short packet").to_be_bytes();
    [&packet[12..20], &[0, packet[9]], &len, &packet[20..]].concat()
}

fn tables() -> HostTables {
    let tables = tables_of(flags::ACTIVE | flags::DNS);
    for name in LISTED {
        tables.set_listed(NameHash::of(HASH_KEY, name), 1);
    }
    tables.set_blocked(DeviceKey { mac: 0, session: SESSION, spare: 0 }, 1);
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::seed;

    #[test]
    fn the_seeds_reach_what_they_are_for() {
        for (name, judged) in [
            ("blocked", Judged::Blocked),
            ("opt", Judged::Blocked),
            ("tcp", Judged::Blocked),
            ("free", Judged::Free),
            ("pointer", Judged::Unreadable),
        ] {
            assert_eq!(judge(&seed("dns", name)[1..]), judged, "{name}");
        }
    }
}
