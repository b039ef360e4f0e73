//! What comes in on a subscriber's line of IPv6.

use std::{net::Ipv6Addr, sync::LazyLock};

use access_protocols::{
    ETHERTYPE_IPV6, Frame, Ipv6, Ipv6Header, Neighbour, PROTOCOL_ICMP6, PROTOCOL_UDP, Tag, Tags, Udp,
    dhcp6::{self, Binding, BindingChange, Bindings, Duid, Event},
    icmp6::{self, Problem},
    nd,
};
use node_state::{Ipv6Line, Session};

use crate::access::{mac, session};

const HOST: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 0xaa);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const OFFICES_GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1);
const ALL_RELAYS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const NOW_S: u64 = 1_000_000;

/// A session for whoever comes, and one for a configured MAC address.
static OPEN: LazyLock<Session> = LazyLock::new(|| session(false));
static FIXED: LazyLock<Session> = LazyLock::new(|| session(true));

/// Frames as they are on the wire; their checksums are rarely right, so most of the work is done by the others.
pub fn fuzz_frame6(bytes: &[u8]) {
    if let Ok(frame) = Frame::parse(bytes)
        && let Ok(ip) = Ipv6::parse(&frame)
    {
        assert!(
            frame.payload.starts_with(ip.packet) && ip.packet.ends_with(ip.payload),
            "parts of the frame"
        );
        assert!(ip.is_fragment() || !ip.is_later_fragment(), "a later fragment is a fragment");
    }
    for problem in [Problem::TimeExceeded, Problem::PacketTooBig { mtu: 1280 }] {
        if let Ok(reply) = icmp6::error(bytes, problem, office()) {
            assert!(sound(&reply).payload.len() <= 1280, "an error is at most 1280 bytes long");
            icmp6::error(&reply, problem, office()).expect_err("no error is about an error");
        }
    }
    if let Ok(reply) = icmp6::echo_reply(bytes, office()) {
        sound(&reply);
    }
    check_nd(&OPEN, bytes);
    check_dhcp6(&OPEN, &Bindings::default(), bytes);
}

/// An ICMPv6 message in a sound packet. The first byte chooses how it is sent; type, code and what follows the checksum
/// are the rest.
pub fn fuzz_nd(bytes: &[u8]) {
    message_of_nd(bytes);
}

fn message_of_nd(bytes: &[u8]) -> Option<nd::Outcome> {
    let &[choice, kind, code, ref body @ ..] = bytes else { return None };
    let source = if choice & 1 == 0 { HOST } else { Ipv6Addr::UNSPECIFIED };
    let destination = [ALL_NODES, OFFICES_GROUP, office(), HOST][usize::from(choice >> 1 & 3)];
    let body = &body[..body.len().min(1400)];
    let mut message = [&[kind, code, 0, 0], body].concat();
    let sum = checksum(source, destination, PROTOCOL_ICMP6, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let session = if choice & 8 == 0 { &OPEN } else { &FIXED };
    Some(check_nd(session, &frame(&header(PROTOCOL_ICMP6, source, destination).packet(&message))))
}

/// A DHCPv6 message in a sound packet. The first byte chooses how it is sent and who has what; the rest is the message.
pub fn fuzz_dhcp6(bytes: &[u8]) {
    message_of_dhcp6(bytes);
}

fn message_of_dhcp6(bytes: &[u8]) -> Option<dhcp6::Outcome> {
    let (&choice, message) = bytes.split_first()?;
    let message = &message[..message.len().min(1452)];
    let destination = if choice & 1 == 0 { ALL_RELAYS_AND_SERVERS } else { office() };
    let ip = header(PROTOCOL_UDP, HOST, destination);
    let udp = Udp { source_port: 546, destination_port: 547, payload: message };
    let binding = Binding {
        client: Duid::link_layer(mac(0xbb)),
        iaid: 1,
        mac: mac(0xbb),
        expires_s: if choice & 2 == 0 { NOW_S + 600 } else { NOW_S },
    };
    let bound = Bindings {
        address: Some(binding.clone()).filter(|_| choice & 4 != 0),
        prefix: Some(binding).filter(|_| choice & 8 != 0),
    };
    let session = if choice & 16 == 0 { &OPEN } else { &FIXED };
    Some(check_dhcp6(session, &bound, &frame(&ip.packet(&udp.to_bytes6(&ip)))))
}

fn check_nd(session: &Session, bytes: &[u8]) -> nd::Outcome {
    let outcome = nd::handle(&nd::Context { session, port_mac: mac(1), mtu: 1500 }, bytes);
    if let nd::Event::Ignored(_) = outcome.event {
        assert!(outcome.reply.is_none() && outcome.neighbour.is_none(), "ignored is ignored");
    }
    check_neighbour(session, outcome.neighbour);
    if let Some(reply) = &outcome.reply {
        let frame = sound(reply);
        let asked = Frame::parse(bytes).expect("what was answered was a frame");
        assert_eq!(frame.tags, asked.tags, "the answer has the question's tags");
        let ip = Ipv6::parse(&frame).expect("IPv6");
        assert_eq!((ip.source, ip.hop_limit), (office(), 255));
        let is_for_us = ip.payload[0] == 134 || ip.payload[8..24] == office().octets();
        assert!(is_for_us, "no address is answered for but the office's");
    }
    outcome
}

fn check_dhcp6(session: &Session, bound: &Bindings, bytes: &[u8]) -> dhcp6::Outcome {
    let context = dhcp6::Context { session, port_mac: mac(1), bound, now_s: NOW_S };
    let outcome = dhcp6::handle(&context, bytes);
    check_neighbour(session, outcome.neighbour);
    if let Event::Ignored(_) = outcome.event {
        assert!(outcome.reply.is_none() && outcome.bindings == BindingChange::Keep, "ignored is ignored");
    }
    if let BindingChange::Set(bindings) = &outcome.bindings {
        assert!(outcome.reply.is_some(), "a lease is told to its client");
        for new in [&bindings.address, &bindings.prefix].into_iter().flatten() {
            let old = bound.address.as_ref() == Some(new) || bound.prefix.as_ref() == Some(new);
            assert!(old || new.is_live(NOW_S), "a lease has time to run");
            assert!(
                old || session.mac.is_none_or(|mac| mac == new.mac),
                "it is for the configured MAC alone"
            );
        }
    }
    if let Some(reply) = &outcome.reply {
        let frame = sound(reply);
        let asked = Frame::parse(bytes).expect("what was answered was a frame");
        assert_eq!(frame.tags, asked.tags, "the reply has the request's tags");
        let ip = Ipv6::parse(&frame).expect("IPv6");
        let udp = Udp::parse6(&ip).expect("UDP");
        let mut message = udp.payload;
        let len_max = if message[0] == 13 { 1500 } else { 1280 };
        assert!(ip.packet.len() <= len_max, "{} bytes", ip.packet.len());
        while message[0] == 13 {
            message = options(&message[34..]).find(|&(code, _)| code == 9).expect("what was relayed").1;
        }
        assert!([2, 7].contains(&message[0]), "Advertise or Reply");
        let line = session.ipv6.as_ref().expect("only a line with IPv6 is answered");
        for (code, data) in options(&message[4..]) {
            check_association(line, code, data);
        }
    }
    outcome
}

/// What is given for any time is what the line has.
fn check_association(line: &Ipv6Line, code: u16, data: &[u8]) {
    let has_times = match code {
        3 | 25 => true,
        4 => false,
        _ => return,
    };
    for (code, data) in options(&data[if has_times { 12 } else { 4 }..]) {
        match code {
            5 if data[20..24] != [0; 4] => {
                assert_eq!(line.address.expect("an address").octets(), data[..16]);
            }
            26 if data[4..8] != [0; 4] => {
                let prefix = line.delegated.expect("a prefix");
                assert_eq!((prefix.len(), &prefix.network().octets()[..]), (data[8], &data[9..25]));
            }
            _ => {}
        }
    }
}

/// The options of a message that the office has written.
fn options(mut field: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (&[a, b, c, d], rest) = field.split_first_chunk()?;
        let (data, rest) = rest.split_at(usize::from(u16::from_be_bytes([c, d])));
        field = rest;
        Some((u16::from_be_bytes([a, b]), data))
    })
}

fn check_neighbour(session: &Session, neighbour: Option<Neighbour>) {
    if let Some(neighbour) = neighbour {
        assert!(neighbour.address.is_unicast_link_local(), "a neighbour is on the link");
        assert!(session.mac.is_none_or(|mac| mac == neighbour.mac), "and has the configured MAC");
    }
}

/// The frame, whose headers and checksums are right.
fn sound(bytes: &[u8]) -> Frame<'_> {
    let frame = Frame::parse(bytes).expect("a frame");
    let ip = Ipv6::parse(&frame).expect("IPv6");
    assert!(!ip.cut_off && !ip.has_fragment_header(), "a whole packet");
    let sum = checksum(ip.source, ip.destination, ip.protocol, ip.payload);
    assert_eq!(sum, 0, "a right checksum");
    frame
}

/// The checksum as RFC 8200, section 8.1, describes it: over the pseudo-header and the payload.
fn checksum(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, payload: &[u8]) -> u16 {
    let len = u32::try_from(payload.len()).expect("a packet's length");
    let pseudo =
        [&source.octets()[..], &destination.octets(), &len.to_be_bytes(), &[0, 0, 0, protocol], payload];
    let bytes = pseudo.concat();
    let words = bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

fn header(protocol: u8, source: Ipv6Addr, destination: Ipv6Addr) -> Ipv6Header {
    Ipv6Header { traffic_class: 0, protocol, hop_limit: 255, source, destination }
}

fn frame(packet: &[u8]) -> Vec<u8> {
    Frame {
        destination: [0x33, 0x33, 0, 0, 0, 1],
        source: mac(0xaa).octets(),
        tags: Tags::two(Tag { tpid: 0x88a8, tci: 100 }, Tag { tpid: 0x8100, tci: 7 }),
        ethertype: ETHERTYPE_IPV6,
        payload: packet,
    }
    .to_bytes()
}

/// The office's address on the line.
fn office() -> Ipv6Addr {
    mac(1).link_local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{seed, seeds};

    fn nd_event(name: &str) -> nd::Event {
        let frame = seed("frame6", name);
        nd::handle(&nd::Context { session: &OPEN, port_mac: mac(1), mtu: 1500 }, &frame).event
    }

    /// The fuzzer begins with frames that are answered.
    #[test]
    fn the_seeds_reach_what_they_are_for() {
        assert_eq!(nd_event("solicitation"), nd::Event::Answered);
        assert_eq!(nd_event("router"), nd::Event::Advertised);
        assert_eq!(nd_event("probe"), nd::Event::Defended);
        icmp6::echo_reply(&seed("frame6", "ping"), office()).expect("answered");
        icmp6::error(&seed("frame6", "extensions"), Problem::TimeExceeded, office()).expect("answered");
        let bound = Bindings::default();
        let context = dhcp6::Context { session: &OPEN, port_mac: mac(1), bound: &bound, now_s: NOW_S };
        let event = |name| dhcp6::handle(&context, &seed("frame6", name)).event;
        assert_eq!(event("solicit"), Event::Advertised);
        assert!(matches!(event("relayed"), Event::Leased { address: true, prefix: true, .. }));
        for (index, seed) in seeds("dhcp6").iter().enumerate() {
            let outcome = message_of_dhcp6(seed).expect("a message");
            assert!(outcome.reply.is_some(), "number {index}: {}", outcome.event);
        }
        for (index, seed) in seeds("nd").iter().enumerate() {
            let outcome = message_of_nd(seed).expect("a message");
            assert!(!matches!(outcome.event, nd::Event::Ignored(_)), "number {index}: {}", outcome.event);
        }
    }
}
