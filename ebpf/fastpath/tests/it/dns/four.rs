//! IPv4, behind NAT.

use etherparse::{PacketBuilder, TcpHeader};

use super::{DropReason, Outcome, PuntReason, Query, Runner, dropped};
use crate::{
    fixtures::{fragments, redirected},
    frames::{ALICE, Address, BOB, REMOTE, assert_checksums, from_alice, from_bob, tagged, udp, with_header},
    world::{ACCESS_MAC, ALICE_MAC, CORE_MAC, GATEWAY_MAC},
};

/// Known to be one, and any other.
const ENCRYPTED: Address = [1, 1, 1, 1];

fn passes(r: &mut dyn Runner, packet: &[u8]) {
    let out = redirected(r.up(&from_alice(packet)), GATEWAY_MAC, CORE_MAC);
    assert_eq!(out[28..], packet[28..], "the message is as it was");
}

/// The packet that goes back to Alice in the place of one from her.
fn back(outcome: Outcome) -> Vec<u8> {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let mut expected = tagged(ACCESS_MAC, 0x88a8, (100, 7), 0x0800, &[]);
    expected[..6].copy_from_slice(&ALICE_MAC);
    assert_eq!(frame[..22], expected);
    assert_checksums(&frame[22..]);
    frame[22..].to_vec()
}

fn blocked(r: &mut dyn Runner, query: &Query) {
    let answer = back(r.up(&from_alice(&query.udp(5000, REMOTE))));
    let expected = udp((REMOTE, 53), (ALICE, 5000), 64, &query.refusal());
    assert_eq!(answer[12..], expected[12..], "addresses, ports and message");
    assert_eq!(answer.len(), expected.len(), "nothing follows it");
}

fn segment(to: (Address, u16), flags: &str, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let mut builder = PacketBuilder::ipv4(ALICE, to.0, 64).tcp(5000, to.1, 1000, 4096);
    for flag in flags.chars() {
        builder = match flag {
            'S' => builder.syn(),
            'A' => builder.ack(7000),
            'F' => builder.fin(),
            _ => builder.rst(),
        };
    }
    builder.write(&mut packet, payload).expect("fits");
    packet
}

/// The reset has the sequence number that its receiver waits for, or acknowledges all that came.
fn reset(r: &mut dyn Runner, segment: &[u8]) {
    let answer = back(r.up(&from_alice(segment)));
    let (sent, _) = TcpHeader::from_slice(&segment[20..]).expect("TCP");
    let (tcp, rest) = TcpHeader::from_slice(&answer[20..]).expect("TCP");
    assert!(rest.is_empty() && tcp.rst && !tcp.syn && !tcp.fin);
    assert_eq!((tcp.source_port, tcp.destination_port), (sent.destination_port, sent.source_port));
    assert_eq!((&answer[12..16], &answer[16..20]), (&segment[16..20], &segment[12..16]));
    if sent.ack {
        assert_eq!((tcp.ack, tcp.sequence_number), (false, 7000));
    } else {
        let carried = u32::try_from(segment.len() - 40).expect("short");
        assert_eq!((tcp.ack, tcp.acknowledgment_number), (true, 1000 + u32::from(sent.syn) + carried));
    }
}

pub(super) fn names(r: &mut dyn Runner) {
    for name in [
        "games.example",
        "www.games.example",
        "WwW.GaMeS.eXaMpLe",
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.games.example",
        "arcade.games.example",
        "adult.example",
        "x.play.test",
    ] {
        blocked(r, &Query::a(name));
        blocked(r, &Query::a(name).with_opt());
    }
    let longest = format!("{0}.{0}.{0}.{1}.games.example", "a".repeat(63), "b".repeat(47));
    assert_eq!(longest.len(), 253);
    blocked(r, &Query::a(&longest).with_opt());
    for name in
        ["example", "xgames.example", "games.example.org", "games", "play.tests", "adult.games", "test", ""]
    {
        passes(r, &Query::a(name).udp(5000, REMOTE));
        passes(r, &Query::a(name).with_opt().udp(5000, REMOTE));
    }
    // Whatever is asked for, and of whom.
    for kind in [28, 65, 16, 255] {
        let query = Query::a("games.example");
        let at = query.bytes.len() - 3;
        blocked(r, &query.but(at, &[kind]));
    }
    let elsewhere = Query::a("games.example").udp(5000, ENCRYPTED);
    back(r.up(&from_alice(&elsewhere)));
    // Options of IPv4 have no place in an answer, and are no way past.
    let plain = Query::a("games.example").udp(5000, REMOTE);
    let with_options = with_header(&plain, |header| {
        header.options = [1, 1, 1, 0][..].try_into().expect("four bytes");
    });
    dropped(&r.up(&from_alice(&with_options)), DropReason::DnsBlocked);
    // What is not blocked goes the way of all packets.
    let last = with_header(&Query::a("free.example").udp(5000, REMOTE), |header| header.time_to_live = 1);
    assert_eq!(r.up(&from_alice(&last)), Outcome::Drop(DropReason::TtlExpired, Some(PuntReason::TtlExpired)));
    // Bob has no parental control.
    let bobs = udp((BOB, 5000), (REMOTE, 53), 64, &Query::a("games.example").bytes);
    redirected(r.up(&from_bob(&bobs)), GATEWAY_MAC, CORE_MAC);
}

pub(super) fn unreadable(r: &mut dyn Runner) {
    let query = || Query::a("games.example");
    let len = query().bytes.len();
    for (why, query) in [
        ("two questions", query().but(5, &[2])),
        ("none", query().but(5, &[0])),
        ("an answer", query().but(2, &[0x81])),
        ("a pointer", query().but(12, &[0xc0, 12])),
        ("a label of an unknown kind", query().but(12, &[0x41])),
        ("a label beyond the end", query().but(12, &[63])),
        ("no class", query().cut(len - 1)),
        ("no root", query().cut(len - 5)),
        ("a header alone", query().cut(12)),
        ("nothing", query().cut(0)),
    ] {
        let outcome = r.up(&from_alice(&query.udp(5000, REMOTE)));
        assert_eq!(outcome, Outcome::Drop(DropReason::DnsUnreadable, None), "{why}");
    }
    let too_long = format!("{0}.{0}.{0}.{1}.games.example", "a".repeat(63), "b".repeat(48));
    dropped(&r.up(&from_alice(&Query::a(&too_long).udp(5000, REMOTE))), DropReason::DnsUnreadable);
    // A length that the packet does not have.
    let mut beyond = query().udp(5000, REMOTE);
    beyond[25] += 1;
    dropped(&r.up(&from_alice(&beyond)), DropReason::DnsUnreadable);
    let (first, _) = fragments(&query().udp(5000, REMOTE));
    dropped(&r.up(&from_alice(&first)), DropReason::DnsUnreadable);
}

pub(super) fn segments(r: &mut dyn Runner) {
    let to = (REMOTE, 53);
    let (blocked, free) = (Query::a("games.example").framed(), Query::a("free.example").framed());
    for (flags, payload) in [("S", &[][..]), ("A", &[]), ("FA", &[]), ("A", &free), ("R", &blocked)] {
        let segment = segment(to, flags, payload);
        let out = redirected(r.up(&from_alice(&segment)), GATEWAY_MAC, CORE_MAC);
        assert_eq!(out[40..], *payload);
    }
    for (flags, payload) in [
        ("A", blocked.clone()),
        ("FA", blocked.clone()),
        ("S", blocked.clone()),
        // No whole query, or more than one: it could be any.
        ("A", free[..2].to_vec()),
        ("A", free[..1].to_vec()),
        ("A", free[..free.len() - 1].to_vec()),
        ("A", free[2..].to_vec()),
        ("A", [&free[..], &free].concat()),
    ] {
        reset(r, &segment(to, flags, &payload));
    }
    let mut short_header = segment(to, "A", &free);
    short_header[32] = 0x40;
    dropped(&r.up(&from_alice(&short_header)), DropReason::DnsUnreadable);
}

pub(super) fn encrypted(r: &mut dyn Runner) {
    // DNS over TLS is on a port of its own, wherever; connections there are ended.
    for to in [(REMOTE, 853), (ENCRYPTED, 853)] {
        reset(r, &segment(to, "S", b""));
        reset(r, &segment(to, "A", b"\x17\x03\x03 a record"));
        dropped(&r.up(&from_alice(&udp((ALICE, 5000), to, 64, b"\xc3 initial"))), DropReason::DnsEncrypted);
        // Nobody knows how much a segment carries whose header is no header, or is longer than itself.
        for offset in [0x40, 0x60] {
            let mut odd = segment(to, "S", b"");
            odd[32] = offset;
            dropped(&r.up(&from_alice(&odd)), DropReason::DnsUnreadable);
        }
        let last = segment(to, "R", b"");
        redirected(r.up(&from_alice(&last)), GATEWAY_MAC, CORE_MAC);
    }
    // HTTPS: to what is known only, and only when a connection is made.
    let known = (ENCRYPTED, 443);
    reset(r, &segment(known, "S", b""));
    reset(r, &segment(([1, 1, 1, 255], 443), "S", b"early data"));
    dropped(&r.up(&from_alice(&udp((ALICE, 5000), known, 64, b"\xc3 initial"))), DropReason::DnsEncrypted);
    let (elsewhere, later) = ((REMOTE, 443), b"\x43 short header");
    for packet in [
        segment(known, "A", b"\x17\x03\x03 a record"),
        segment(elsewhere, "S", b""),
        segment(([1, 1, 2, 1], 443), "S", b""),
        udp((ALICE, 5000), known, 64, later),
        udp((ALICE, 5000), elsewhere, 64, b"\xc3 initial"),
        udp((ALICE, 53), (REMOTE, 5000), 64, b"an answer of her own"),
    ] {
        redirected(r.up(&from_alice(&packet)), GATEWAY_MAC, CORE_MAC);
    }
}

/// For whom nothing is blocked.
pub(super) fn free(r: &mut dyn Runner) {
    let query = Query::a("games.example");
    for packet in [
        query.udp(5000, REMOTE),
        query.clone().cut(3).udp(5000, REMOTE),
        segment((REMOTE, 53), "A", &query.framed()),
        segment((REMOTE, 853), "S", b""),
        segment((ENCRYPTED, 443), "S", b""),
        udp((ALICE, 5000), (ENCRYPTED, 443), 64, b"\xc3 initial"),
    ] {
        redirected(r.up(&from_alice(&packet)), GATEWAY_MAC, CORE_MAC);
    }
}
