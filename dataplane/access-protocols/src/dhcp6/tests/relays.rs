//! Through relays, of which the access node can be one (RFC 6221).

use super::*;
use client::option;

const LINK: Ipv6Addr = Ipv6Addr::UNSPECIFIED;

/// A relay's message about `message`, of whoever is at `peer`.
fn forward(hops: u8, peer: Ipv6Addr, options: &[u8], message: &[u8]) -> Vec<u8> {
    [&[12, hops], &LINK.octets()[..], &peer.octets(), options, &option(9, message)].concat()
}

/// An option that a relay gets back.
type Echoed = (u16, Vec<u8>);

/// Header, options other than the message, and the message, of a Relay-reply.
fn take_off(bytes: &[u8]) -> (Vec<u8>, Vec<Echoed>, Vec<u8>) {
    let (header, field) = bytes.split_at(34);
    assert_eq!(header[0], 13, "a Relay-reply");
    let options = options::Options::parse(field).expect("options");
    let message = options.first(9).expect("a message").to_vec();
    let rest = options.iter().filter(|&(code, _)| code != 9).map(|(code, data)| (code, data.to_vec()));
    (header[1..].to_vec(), rest.collect(), message)
}

/// Where the reply went, to which port, and its payload.
fn sent(outcome: &Outcome) -> (Ipv6Addr, u16, Vec<u8>) {
    let frame = Frame::parse(outcome.reply.as_deref().expect("a reply")).expect("a frame");
    let udp_in = Ipv6::parse(&frame).expect("IPv6");
    let udp = Udp::parse6(&udp_in).expect("UDP");
    assert_eq!(udp.source_port, 547);
    (udp_in.destination, udp.destination_port, udp.payload.to_vec())
}

#[test]
fn a_relay_gets_back_what_is_due() {
    let remote = option(37, b"\0\0\0\x09remote");
    let subscriber = option(38, b"alice");
    let interface = option(18, b"eth 1/7:100.7");
    let all = [remote, subscriber, interface].concat();
    let (interface, remote) = ((18, b"eth 1/7:100.7".to_vec()), (37, b"\0\0\0\x09remote".to_vec()));
    let cases = [
        ("nothing", vec![], vec![]),
        ("what it has said", all.clone(), vec![interface.clone()]),
        ("and what it asks for", [option(43, &[0, 37, 0, 9, 0, 99]), all].concat(), vec![remote, interface]),
    ];
    for (what, options, expected) in cases {
        let client = Client::new(REQUEST, 0xaa).address(1, &[]);
        let frame = client.frame_of(&forward(0, HOST, &options, &client.message()));
        let outcome = run_frame(&session(), &Bindings::default(), &frame);
        assert!(matches!(outcome.event, Event::Leased { .. }), "{what}");
        assert_eq!(outcome.neighbour, Some(Neighbour { address: HOST, mac: mac(0xaa) }), "{what}");
        let (address, port, payload) = sent(&outcome);
        assert_eq!((address, port), (HOST, 547), "{what}");
        let (header, echoed, message) = take_off(&payload);
        assert_eq!(header, [&[0], &LINK.octets()[..], &HOST.octets()].concat(), "{what}");
        assert_eq!(echoed, expected, "{what}");
        assert_eq!(Read::message(&message).leased().len(), 1, "{what}");
    }
}

#[test]
fn envelopes_come_off_and_go_on_in_their_order() {
    let relay: Ipv6Addr = "2001:db8:0:9::1".parse().expect("an address");
    let client = Client::new(SOLICIT, 0xaa).prefix(1, &[]);
    let inner = forward(0, HOST, &option(18, b"inner"), &client.message());
    let outer = forward(1, relay, &option(18, b"outer"), &inner);
    for to in [gateway(), ALL_SERVERS, ALL_RELAYS_AND_SERVERS] {
        let frame = Client { from: relay, to, ..client.clone() }.frame_of(&outer);
        let outcome = run_frame(&session(), &Bindings::default(), &frame);
        assert_eq!(outcome.neighbour, Some(Neighbour { address: HOST, mac: mac(0xaa) }));
        let (address, port, payload) = sent(&outcome);
        assert_eq!((address, port), (relay, 547));
        let (header, echoed, payload) = take_off(&payload);
        assert_eq!((header[0], echoed), (1, vec![(18, b"outer".to_vec())]));
        let (header, echoed, payload) = take_off(&payload);
        assert_eq!((header[0], echoed), (0, vec![(18, b"inner".to_vec())]));
        assert_eq!(Read::message(&payload).kind, Said::Advertise);
    }
    // A relay further off has the client behind it, and not on the line.
    let frame = client.frame_of(&forward(0, relay, &[], &client.message()));
    assert_eq!(run_frame(&session(), &Bindings::default(), &frame).neighbour, None);
}

#[test]
fn relays_that_are_not_answered() {
    let client = Client::new(SOLICIT, 0xaa).address(1, &[]);
    let nested =
        |times: u8| (0..times).fold(client.message(), |inner, hops| forward(hops, HOST, &[], &inner));
    let event = |frame: &[u8]| run_frame(&session(), &Bindings::default(), frame).event;
    let of = |message: &[u8]| event(&client.frame_of(message));
    let message = |error| Event::Ignored(Ignored::Message(error));
    assert_eq!(of(&nested(8)), Event::Advertised);
    assert_eq!(of(&nested(9)), message(MessageError::Relays));
    assert_eq!(of(&nested(1)[..33]), message(MessageError::Truncated));
    assert_eq!(of(&nested(1)[..34]), message(MessageError::NothingRelayed));
    assert_eq!(of(&nested(1)[..50]), message(MessageError::Option(9)));
    let long = forward(0, HOST, &option(18, &[7; 1400]), &client.message());
    assert_eq!(of(&long), Event::Ignored(Ignored::TooLong));
    let from = |from| event(&Client { from, ..client.clone() }.frame_of(&nested(1)));
    assert_eq!(from(Ipv6Addr::UNSPECIFIED), Event::Ignored(Ignored::Source(Ipv6Addr::UNSPECIFIED)));
    let elsewhere = Client { to: STRANGE, ..client.clone() }.frame_of(&nested(1));
    assert_eq!(event(&elsewhere), Event::Ignored(Ignored::NotForServer));
    // Nothing was leased to a client that cannot be told.
    let rapid = Client::new(SOLICIT, 0xaa).address(1, &[]).option(14, &[]);
    let long = rapid.frame_of(&forward(0, HOST, &option(18, &[7; 1400]), &rapid.message()));
    assert_eq!(run_frame(&session(), &Bindings::default(), &long).bindings, BindingChange::Keep);
}
