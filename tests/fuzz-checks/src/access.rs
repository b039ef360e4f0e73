//! What comes in on a subscriber's line.

use std::{net::Ipv4Addr, sync::LazyLock};

use access_protocols::{
    ETHERTYPE_IPV4, Frame, Ipv4, Ipv4Header, PROTOCOL_UDP, Tag, Tags, Udp,
    dhcp4::{self, Binding, BindingChange, Context, Event},
    icmp::{self, Problem},
};
use net_types::Mac;
use node_state::{Resource, Session};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);
const NOW_S: u64 = 1_000_000;

/// A session for whoever comes, and one for a configured MAC address.
static OPEN: LazyLock<Session> = LazyLock::new(|| session(false));
static FIXED: LazyLock<Session> = LazyLock::new(|| session(true));

/// Frames as they are on the wire: taken apart, put together again, answered with ICMP.
pub fn fuzz_frame(bytes: &[u8]) {
    if let Ok(frame) = Frame::parse(bytes) {
        assert_eq!(frame.to_bytes(), bytes, "a frame is what it was built from");
    }
    for problem in [Problem::TimeExceeded, Problem::FragmentationNeeded { mtu: 1280 }] {
        if let Ok(reply) = icmp::error(bytes, problem, GATEWAY) {
            let frame = sound(&reply);
            assert!(frame.payload.len() <= 576, "an error is at most 576 bytes long");
            icmp::error(&reply, problem, GATEWAY).expect_err("no error is about an error");
        }
    }
    if let Ok(reply) = icmp::echo_reply(bytes, GATEWAY) {
        sound(&reply);
    }
}

/// A DHCP client's frame, whole; its checksums are rarely right, so most of the work is done by the next one.
pub fn fuzz_dhcp4(bytes: &[u8]) {
    check(&OPEN, bytes);
    check(&FIXED, bytes);
}

/// A DHCP client's message in a sound frame. The first byte chooses how it is sent, the rest is the message.
pub fn fuzz_dhcp4_options(bytes: &[u8]) {
    let Some((&choice, message)) = bytes.split_first() else { return };
    let message = &message[..message.len().min(1472)];
    let destination = if choice & 1 == 0 { Ipv4Addr::BROADCAST } else { GATEWAY };
    let ip = Ipv4Header { tos: 0, protocol: PROTOCOL_UDP, source: Ipv4Addr::UNSPECIFIED, destination };
    let udp = Udp { source_port: 68, destination_port: 67, payload: message };
    let frame = Frame {
        destination: Frame::BROADCAST,
        source: [2, 0, 0, 0, 0, 0xaa],
        tags: Tags::two(Tag { tpid: 0x88a8, tci: 100 }, Tag { tpid: 0x8100, tci: 7 }),
        ethertype: ETHERTYPE_IPV4,
        payload: &ip.packet(&udp.to_bytes(&ip)),
    };
    check(if choice & 2 == 0 { &OPEN } else { &FIXED }, &frame.to_bytes());
}

fn check(session: &Session, bytes: &[u8]) {
    let context = Context {
        session,
        port_mac: mac(1),
        bound: Some(Binding { mac: mac(0xbb), expires_s: NOW_S + 600 }),
        now_s: NOW_S,
    };
    let outcome = dhcp4::handle(&context, bytes);
    if let BindingChange::Set(binding) = outcome.binding {
        assert!(outcome.reply.is_some(), "a lease is told to its client");
        assert_eq!(Some(binding.mac), outcome.client, "a lease is its client's");
        assert!(session.mac.is_none_or(|mac| mac == binding.mac), "a lease is for the configured MAC alone");
    }
    if let Event::Ignored(_) = outcome.event {
        assert!(outcome.reply.is_none() && outcome.binding == BindingChange::Keep, "ignored is ignored");
    }
    if let Some(reply) = outcome.reply {
        let frame = sound(&reply);
        let asked = Frame::parse(bytes).expect("what was answered was a frame");
        assert_eq!(frame.tags, asked.tags, "the reply has the request's tags");
        assert!((20 + 8 + 300..=1500).contains(&frame.payload.len()), "{} bytes", frame.payload.len());
        let ip = Ipv4::parse(&frame).expect("IPv4");
        let udp = Udp::parse(&ip).expect("UDP");
        let yiaddr: [u8; 4] = udp.payload[16..20].try_into().expect("four bytes");
        let leased = session.lease.address().octets();
        assert!(yiaddr == leased || yiaddr == [0; 4], "only the session's address is given out");
    }
}

/// The frame, whose headers and checksums are right.
fn sound(bytes: &[u8]) -> Frame<'_> {
    let frame = Frame::parse(bytes).expect("a frame");
    let ip = Ipv4::parse(&frame).expect("IPv4");
    assert!(!ip.cut_off && !ip.is_fragment(), "a whole packet");
    if ip.protocol == PROTOCOL_UDP {
        Udp::parse(&ip).expect("UDP");
    }
    frame
}

pub(crate) fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last]).expect("a station")
}

pub(crate) fn session(fixed: bool) -> Session {
    let text = r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},
        "state":"active","mac":null,"lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32",
        "dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null,
        "ipv6":{"link":"2001:db8:0:7::/64","address":"2001:db8:0:7::2","delegated":"2001:db8:700::/56","autonomous":true,
        "dnsServers":["2001:db8::53"],"preferredSeconds":1800,"validSeconds":3600}}"#;
    match Resource::decode(text.as_bytes()).expect("a session") {
        Resource::Session(session) => Session { mac: fixed.then(|| mac(0xaa)), ..session },
        other => panic!("{other:?} is not a session"),
    }
}
