use node_state::SessionState;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::tests::line::{FAR, HOST, gateway, line, mac, port_mac, session, tags};

const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// The solicited-node group of the office's address (RFC 4291, section 2.7.1).
const GATEWAYS_GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1);
const NOBODY: Ipv6Addr = Ipv6Addr::UNSPECIFIED;
const SOURCE_OPTION: [u8; 8] = [1, 1, 2, 0, 0, 0, 0, 0xaa];

/// A host's message.
#[derive(Clone)]
struct Sent {
    from: Ipv6Addr,
    to: Ipv6Addr,
    kind: u8,
    code: u8,
    hop_limit: u8,
    station: u8,
    c_vid: u16,
    body: Vec<u8>,
}

impl Sent {
    fn new(kind: u8, from: Ipv6Addr, to: Ipv6Addr, body: &[&[u8]]) -> Self {
        Self { from, to, kind, code: 0, hop_limit: 255, station: 0xaa, c_vid: 7, body: body.concat() }
    }

    fn router_solicitation() -> Self {
        Self::new(133, HOST, ALL_ROUTERS, &[&[0; 4], &SOURCE_OPTION])
    }

    fn neighbour_solicitation(target: Ipv6Addr) -> Self {
        Self::new(135, HOST, GATEWAYS_GROUP, &[&[0; 4], &target.octets(), &SOURCE_OPTION])
    }

    fn probe(target: Ipv6Addr) -> Self {
        Self::new(135, NOBODY, GATEWAYS_GROUP, &[&[0; 4], &target.octets()])
    }

    fn neighbour_advertisement(flags: u8, target: Ipv6Addr) -> Self {
        Self::new(136, HOST, ALL_NODES, &[&[flags, 0, 0, 0], &target.octets()])
    }

    fn frame(&self) -> Vec<u8> {
        let header = Ipv6Header {
            traffic_class: 0,
            protocol: PROTOCOL_ICMP6,
            hop_limit: self.hop_limit,
            source: self.from,
            destination: self.to,
        };
        let mut tags = tags().as_slice().to_vec();
        tags[1].tci = self.c_vid;
        Frame {
            destination: [0x33, 0x33, 0, 0, 0, 2],
            source: mac(self.station).octets(),
            tags: Tags::two(tags[0], tags[1]),
            ethertype: ETHERTYPE_IPV6,
            payload: &header.packet(&message(&header, self.kind, self.code, &[&self.body])),
        }
        .to_bytes()
    }
}

fn context(mtu: u16, session: &Session) -> Context<'_> {
    Context { session, port_mac: port_mac(), mtu }
}

fn run(session: &Session, sent: &Sent) -> Outcome {
    handle(&context(1500, session), &sent.frame())
}

/// Station, address, type and body of what the office sent.
fn read(frame: &[u8]) -> ([u8; 6], Ipv6Addr, u8, Vec<u8>) {
    let frame = Frame::parse(frame).expect("a frame");
    assert_eq!((frame.source, frame.tags), (port_mac().octets(), tags()));
    let ip = Ipv6::parse(&frame).expect("IPv6");
    assert_eq!((ip.source, ip.hop_limit), (gateway(), 255));
    let icmp = Icmp6::parse(&ip).expect("ICMPv6");
    assert_eq!(icmp.code, 0);
    (frame.destination, ip.destination, icmp.kind, icmp.body.to_vec())
}

#[test]
fn the_offices_address_is_answered_for() {
    let to_host = (mac(0xaa).octets(), HOST);
    let to_all = ([0x33, 0x33, 0, 0, 0, 1], ALL_NODES);
    let global: Ipv6Addr = "2001:db8:0:7::99".parse().expect("an address");
    let asks = || Sent::neighbour_solicitation(gateway());
    let bare = asks().body[..20].to_vec();
    let cases = [
        ("a host looks for it", asks(), to_host, 0xe0, Event::Answered, Some(HOST)),
        (
            "a host probes it",
            Sent { to: gateway(), body: bare, ..asks() },
            to_host,
            0xe0,
            Event::Answered,
            Some(HOST),
        ),
        (
            "a host asks from its global address",
            Sent { from: global, ..asks() },
            (mac(0xaa).octets(), global),
            0xe0,
            Event::Answered,
            None,
        ),
        ("a host would have it", Sent::probe(gateway()), to_all, 0xa0, Event::Defended, None),
    ];
    for (what, sent, (station, address), flags, event, neighbour) in cases {
        let outcome = run(&session(), &sent);
        assert_eq!(outcome.event, event, "{what}");
        let neighbour = neighbour.map(|address| Neighbour { address, mac: mac(0xaa) });
        assert_eq!(outcome.neighbour, neighbour, "{what}");
        let (to, destination, kind, body) = read(&outcome.reply.expect(what));
        assert_eq!((to, destination, kind), (station, address, 136), "{what}");
        let expected = [&[flags, 0, 0, 0], &gateway().octets()[..], &[2, 1], &port_mac().octets()].concat();
        assert_eq!(body, expected, "{what}");
    }
}

/// Byte by byte as RFC 4861 and RFC 8106 lay it out.
#[test]
fn an_advertisement_to_the_byte() {
    let outcome = run(&session(), &Sent::router_solicitation());
    assert_eq!(outcome.event, Event::Advertised);
    assert_eq!(outcome.neighbour, Some(Neighbour { address: HOST, mac: mac(0xaa) }));
    let (station, address, kind, body) = read(&outcome.reply.expect("an advertisement"));
    assert_eq!((station, address, kind), (mac(0xaa).octets(), HOST, 134));
    let mut expected = vec![64, 0xc0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];
    expected.extend([1, 1, 2, 0, 0, 0, 0, 1]);
    expected.extend([5, 1, 0, 0, 0, 0, 0x05, 0xdc]);
    expected.extend([3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0x07, 0x08, 0, 0, 0, 0]);
    expected.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([25, 3, 0, 0, 0, 0, 0x07, 0x08]);
    expected.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53]);
    assert_eq!(body, expected);
}

#[test]
fn an_advertisement_says_what_the_line_has() {
    let plain = Ipv6Line { address: None, delegated: None, dns_servers: vec![], ..line() };
    let dns = vec![FAR; 200];
    let cases = [
        ("addresses by the hosts alone", plain.clone(), 0x00, 0xc0, None),
        ("nothing but the link", Ipv6Line { autonomous: false, ..plain.clone() }, 0x00, 0x80, None),
        ("a prefix to delegate", Ipv6Line { delegated: line().delegated, ..plain.clone() }, 0x40, 0xc0, None),
        ("an address to lease", Ipv6Line { address: line().address, ..plain.clone() }, 0xc0, 0xc0, None),
        ("many resolvers", Ipv6Line { dns_servers: dns, ..plain.clone() }, 0x40, 0xc0, Some(64)),
    ];
    for (what, line, message_flags, prefix_flags, resolvers) in cases {
        let session = Session { ipv6: Some(line), ..session() };
        let frame = run(&session, &Sent::router_solicitation()).reply.expect(what);
        assert!(frame.len() <= 22 + 1280, "{what}");
        let (_, _, _, body) = read(&frame);
        assert_eq!((body[1], body[12 + 16 + 3]), (message_flags, prefix_flags), "{what}");
        let servers = body.get(60 + 1).map(|units| usize::from(units - 1) / 2);
        assert_eq!(servers, resolvers, "{what}");
    }
    // What is preferred is valid (RFC 4861, section 4.6.2), whatever the session says.
    let odd = Ipv6Line { preferred_seconds: u32::MAX, valid_seconds: 60, ..plain };
    let odd = Session { ipv6: Some(odd), ..session() };
    let (_, _, _, body) = read(&run(&odd, &Sent::router_solicitation()).reply.expect("one"));
    assert_eq!(body[32..40], [0, 0, 0, 60, 0, 0, 0, 60]);
}

#[test]
fn advertisements_go_out_unasked() {
    let asked = run(&session(), &Sent { from: NOBODY, body: vec![0; 4], ..Sent::router_solicitation() });
    assert_eq!(asked.neighbour, None);
    let (station, address, _, body) = read(&asked.reply.expect("an advertisement"));
    assert_eq!((station, address), ([0x33, 0x33, 0, 0, 0, 1], ALL_NODES));
    let unasked = router_advertisement(&context(1492, &session()), tags(), None).expect("one");
    let mut expected = (station, address, 134, body);
    expected.3[26..28].copy_from_slice(&1492_u16.to_be_bytes());
    assert_eq!(read(&unasked), expected);

    let to = Neighbour { address: HOST, mac: mac(0xaa) };
    let to_one = router_advertisement(&context(1492, &session()), tags(), Some(to)).expect("one");
    assert_eq!(read(&to_one), (mac(0xaa).octets(), HOST, 134, expected.3.clone()));

    let suspended = Session { state: SessionState::Suspended, ..session() };
    let unchanged = router_advertisement(&context(1492, &suspended), tags(), None).expect("one");
    assert_eq!(unchanged, unasked, "the way into the walled garden");
    let quarantined = Session { state: SessionState::Quarantined, ..session() };
    let farewell = router_advertisement(&context(1492, &quarantined), tags(), None).expect("one");
    let (_, _, _, body) = read(&farewell);
    assert_eq!((&body[2..4], &body[64..68]), (&[0; 2][..], &[0; 4][..]), "no router, no resolvers");
    let ipv4 = Session { ipv6: None, ..session() };
    assert_eq!(router_advertisement(&context(1492, &ipv4), tags(), None), None);
}

#[test]
fn hosts_say_where_they_are() {
    for (target, event) in [(HOST, Event::Learned), (gateway(), Event::Contested)] {
        let outcome = run(&session(), &Sent::neighbour_advertisement(0x20, target));
        assert_eq!((outcome.reply, outcome.event), (None, event));
        assert_eq!(outcome.neighbour, Some(Neighbour { address: HOST, mac: mac(0xaa) }));
    }
}

#[test]
fn silence() {
    let rs = Sent::router_solicitation;
    let ns = || Sent::neighbour_solicitation(gateway());
    let with = |sent: Sent, at: usize, bytes: &[u8]| {
        let mut sent = sent;
        sent.body[at..at + bytes.len()].copy_from_slice(bytes);
        sent
    };
    let open = session();
    let fixed = Session { mac: Some(mac(0xbb)), ..session() };
    let ipv4 = Session { ipv6: None, ..session() };
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2);
    let malformed = Ignored::Malformed;
    #[rustfmt::skip]
    let cases = vec![
        ("forwarded", &open, Sent { hop_limit: 254, ..ns() }, Ignored::HopLimit(254)),
        ("a solicitation, forwarded", &open, Sent { hop_limit: 64, ..rs() }, Ignored::HopLimit(64)),
        ("a code", &open, Sent { code: 1, ..ns() }, malformed),
        ("from a group", &open, Sent { from: group, ..ns() }, malformed),
        ("a short solicitation", &open, Sent { body: vec![0; 3], ..rs() }, malformed),
        ("a target cut off", &open, Sent { body: vec![0; 19], ..ns() }, malformed),
        ("a group as target", &open, Sent::neighbour_solicitation(group), malformed),
        ("an option without length", &open, with(ns(), 21, &[0]), malformed),
        ("an option beyond the end", &open, with(ns(), 21, &[2]), malformed),
        ("half an option", &open, Sent { body: ns().body[..21].to_vec(), ..ns() }, malformed),
        ("a probe with a station address", &open, Sent { from: NOBODY, ..ns() }, malformed),
        ("a probe to one host", &open, Sent { to: gateway(), ..Sent::probe(gateway()) }, malformed),
        ("a probe to all", &open, Sent { to: ALL_NODES, ..Sent::probe(gateway()) }, malformed),
        ("a solicitation from nobody with a station address", &open, Sent { from: NOBODY, ..rs() }, malformed),
        ("an answer to everyone's question", &open, Sent::neighbour_advertisement(0x40, HOST), malformed),
        ("an answer from nobody", &open, Sent { from: NOBODY, ..Sent::neighbour_advertisement(0, HOST) }, malformed),
        ("about a host of the line", &open, Sent::neighbour_solicitation(HOST), Ignored::NotOurs(HOST)),
        ("a probe of a host's own address", &open, Sent::probe(HOST), Ignored::NotOurs(HOST)),
        ("from the office's address", &open, Sent { from: gateway(), ..ns() }, Ignored::OwnSource),
        ("a router's advertisement", &open, Sent { kind: 134, ..rs() }, Ignored::OtherMessage(134)),
        ("a redirect", &open, Sent { kind: 137, ..ns() }, Ignored::OtherMessage(137)),
        ("an echo request", &open, Sent { kind: 128, ..rs() }, Ignored::OtherMessage(128)),
        ("another line's tags", &open, Sent { c_vid: 8, ..ns() }, Ignored::Line(LineError::OtherTags)),
        ("another MAC address", &fixed, ns(), Ignored::Line(LineError::OtherMac)),
        ("a line without IPv6", &ipv4, rs(), Ignored::Line(LineError::NoIpv6)),
    ];
    for (what, session, sent, ignored) in cases {
        let outcome = run(session, &sent);
        let expected = Outcome { reply: None, neighbour: None, event: Event::Ignored(ignored) };
        assert_eq!(outcome, expected, "{what}");
    }
    let damaged = |at: usize, byte: u8| {
        let mut frame = ns().frame();
        frame[at] = byte;
        handle(&context(1500, &open), &frame).event
    };
    let packet = |error| Event::Ignored(Ignored::Packet(error));
    assert_eq!(damaged(22 + 43, 1), packet(PacketError::BadChecksum));
    assert_eq!(damaged(6, 3), Event::Ignored(Ignored::Line(LineError::Station)));
    // Even a fragment header that divides nothing is too much (RFC 6980, section 5).
    let frame = ns().frame();
    let header = Ipv6Header {
        traffic_class: 0,
        protocol: 44,
        hop_limit: 255,
        source: HOST,
        destination: GATEWAYS_GROUP,
    };
    let whole = [&[PROTOCOL_ICMP6, 0, 0, 0, 0, 0, 0, 1], &frame[62..]].concat();
    let atomic = [&frame[..22], &header.packet(&whole)].concat();
    let outcome = handle(&context(1500, &open), &atomic);
    assert_eq!(outcome.event, packet(PacketError::Fragment));
}

proptest! {
    /// Whatever a host says, nothing is claimed but the office's address, and an answer is one packet that fits.
    #[test]
    fn only_the_offices_address_is_claimed(
        kind in 130u8..140, body in vec(any::<u8>(), 0..80), ours: bool, nobody: bool, to in 0usize..3,
    ) {
        let mut body = body;
        if ours && body.len() >= 20 {
            body[4..20].copy_from_slice(&gateway().octets());
        }
        let from = if nobody { NOBODY } else { HOST };
        let to = [ALL_ROUTERS, GATEWAYS_GROUP, gateway()][to];
        let outcome = run(&session(), &Sent::new(kind, from, to, &[&body]));
        if let Some(reply) = outcome.reply {
            let (_, destination, said, body) = read(&reply);
            prop_assert_eq!(destination, if nobody { ALL_NODES } else { HOST });
            prop_assert!(said == 134 || body[4..20] == gateway().octets());
            prop_assert_eq!(said, if kind == 133 { 134 } else { 136 });
        }
    }

    #[test]
    fn any_bytes_are_answered_or_not_without_a_panic(bytes in vec(any::<u8>(), 0..160)) {
        handle(&context(1500, &session()), &bytes);
    }
}
