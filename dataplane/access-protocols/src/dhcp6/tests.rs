mod bytes;
mod client;
mod decisions;
mod relays;

use dhcproto::{
    Decodable, Decoder,
    v6::{self, DhcpOption, MessageType as Said, OptionCode, Status},
};
use proptest::prelude::*;

use super::*;
use crate::tests::line::{HOST, gateway, line, mac, port_mac, session, tags};
use client::{CONFIRM, Client, DECLINE, INFORM, REBIND, RELEASE, RENEW, REQUEST, SOLICIT, TRANSACTION, duid};

const NOW_S: u64 = 1_000_000;
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, 2);
/// On the link, and not leased.
const NEAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, 3);
const STRANGE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 8, 0, 0, 0, 2);
const PREFIX: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2001, 0xdb8, 0x700, 0, 0, 0, 0, 0), 56);
const OTHER_PREFIX: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2001, 0xdb8, 0x800, 0, 0, 0, 0, 0), 56);

fn run(session: &Session, bound: &Bindings, client: &Client) -> Outcome {
    run_frame(session, bound, &client.frame())
}

fn run_frame(session: &Session, bound: &Bindings, frame: &[u8]) -> Outcome {
    handle(&Context { session, port_mac: port_mac(), bound, now_s: NOW_S }, frame)
}

fn binding(last: u8, iaid: u32) -> Binding {
    Binding { client: duid(last), iaid, mac: mac(last), expires_s: NOW_S + 600 }
}

/// What a client that is told now has.
fn fresh(last: u8, iaid: u32) -> Binding {
    Binding { mac: mac(0xaa), expires_s: NOW_S + 3600, ..binding(last, iaid) }
}

/// A reply read by somebody else's decoder.
struct Read {
    kind: Said,
    status: Option<Status>,
    associations: Vec<Told>,
    message: v6::Message,
}

/// An association.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    code: u16,
    iaid: u32,
    /// T1 and T2.
    times: (u32, u32),
    parts: Vec<Part>,
}

impl Told {
    fn new(code: u16, iaid: u32, times: (u32, u32), options: &v6::DhcpOptions) -> Self {
        Self { code, iaid, times, parts: parts(options) }
    }
}

/// What is in an association: a lease with its preferred and valid lifetimes, or a status.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Address(Ipv6Addr, u32, u32),
    Prefix(Ipv6Addr, u8, u32, u32),
    Status(Status),
}

impl Read {
    fn new(outcome: &Outcome) -> Self {
        let frame = Frame::parse(outcome.reply.as_deref().expect("a reply")).expect("a frame");
        assert_eq!((frame.destination, frame.source), (mac(0xaa).octets(), port_mac().octets()));
        assert_eq!(frame.tags, tags());
        let ip = Ipv6::parse(&frame).expect("IPv6");
        assert_eq!((ip.source, ip.destination), (gateway(), HOST));
        let udp = Udp::parse6(&ip).expect("UDP");
        assert_eq!((udp.source_port, udp.destination_port), (547, 546));
        Self::message(udp.payload)
    }

    fn message(bytes: &[u8]) -> Self {
        let message = v6::Message::decode(&mut Decoder::new(bytes)).expect("DHCPv6");
        assert_eq!(message.xid(), TRANSACTION);
        let mut associations = vec![];
        let mut status = None;
        for option in message.opts().iter() {
            match option {
                DhcpOption::IANA(ia) => associations.push(Told::new(3, ia.id, (ia.t1, ia.t2), &ia.opts)),
                DhcpOption::IATA(ia) => associations.push(Told::new(4, ia.id, (0, 0), &ia.opts)),
                DhcpOption::IAPD(ia) => associations.push(Told::new(25, ia.id, (ia.t1, ia.t2), &ia.opts)),
                DhcpOption::StatusCode(code) => status = Some(code.status),
                _ => {}
            }
        }
        Self { kind: message.msg_type(), status, associations, message }
    }

    fn has(&self, code: OptionCode) -> bool {
        self.message.opts().get(code).is_some()
    }

    fn leased(&self) -> Vec<&Part> {
        let parts = self.associations.iter().flat_map(|told| &told.parts);
        parts.filter(|part| matches!(part, Part::Address(.., 1..) | Part::Prefix(.., 1..))).collect()
    }
}

fn parts(options: &v6::DhcpOptions) -> Vec<Part> {
    let part = |option: &DhcpOption| match option {
        DhcpOption::IAAddr(it) => Part::Address(it.addr, it.preferred_life, it.valid_life),
        DhcpOption::IAPrefix(it) => {
            Part::Prefix(it.prefix_ip, it.prefix_len, it.preferred_lifetime, it.valid_lifetime)
        }
        DhcpOption::StatusCode(code) => Part::Status(code.status),
        other => panic!("{other:?} in an association"),
    };
    options.iter().map(part).collect()
}

/// RFC 8415, section 18.3.3.
#[test]
fn a_client_that_comes_back_is_told_whether_its_address_is_good_here() {
    let mine = Bindings { address: Some(binding(0xaa, 1)), prefix: None };
    let others = Bindings { address: Some(binding(0xbb, 1)), prefix: None };
    let nobody = Bindings::default();
    let asks = |named: &[Ipv6Addr]| Client::new(CONFIRM, 0xaa).address(1, named);
    let cases = [
        ("its own", &mine, asks(&[ADDRESS]), true),
        ("its own, binding lost", &nobody, asks(&[ADDRESS]), true),
        ("its own, displaced", &others, asks(&[ADDRESS]), false),
        ("one of the link", &mine, asks(&[NEAR]), false),
        ("one of another link", &mine, asks(&[STRANGE]), false),
        ("its own and another", &mine, asks(&[ADDRESS, STRANGE]), false),
        ("its own and a temporary one", &mine, asks(&[ADDRESS]).temporary(2, &[STRANGE]), false),
    ];
    for (what, bound, client, good) in cases {
        let outcome = run(&session(), bound, &client);
        let expected = if good { Event::Confirmed } else { Event::Refused(Refusal::NotOnLink) };
        assert_eq!(
            (outcome.event.clone(), outcome.bindings.clone()),
            (expected, BindingChange::Keep),
            "{what}"
        );
        let read = Read::new(&outcome);
        let status = if good { Status::Success } else { Status::NotOnLink };
        assert_eq!((read.kind, read.status), (Said::Reply, Some(status)), "{what}");
        assert_eq!(read.associations, [], "{what}");
    }
}

#[test]
fn a_host_that_needs_no_address_is_told_the_rest() {
    for client in [Client::new(INFORM, 0xaa), Client::bare(INFORM), Client::bare(INFORM).server()] {
        let outcome = run(&session(), &Bindings::default(), &client);
        assert_eq!((&outcome.event, &outcome.bindings), (&Event::Informed, &BindingChange::Keep));
        let read = Read::new(&outcome);
        assert_eq!(read.kind, Said::Reply);
        assert_eq!(read.has(OptionCode::ClientId), client.options.starts_with(&[0, 1]));
        assert!(read.has(OptionCode::ServerId) && read.has(OptionCode::DomainNameServers));
    }
}

#[test]
fn resolvers_are_for_who_asks_for_them() {
    let has = |session: &Session, client: &Client| {
        Read::new(&run(session, &Bindings::default(), client)).has(OptionCode::DomainNameServers)
    };
    let client = || Client::new(SOLICIT, 0xaa).address(1, &[]);
    assert!(has(&session(), &client()), "all there is if nothing is asked for");
    assert!(has(&session(), &client().option(6, &[0, 24, 0, 23])));
    assert!(!has(&session(), &client().option(6, &[0, 24])));
    assert!(!has(&session(), &client().option(6, &[])));
    let with = |servers| Session {
        ipv6: Some(Ipv6Line { dns_servers: vec![ADDRESS; servers], ..line() }),
        ..session()
    };
    assert!(!has(&with(0), &client()));
    assert!(has(&with(60), &client()));
    assert!(!has(&with(100), &client()), "what does not fit into 1280 bytes is left out");
    assert_eq!(Read::new(&run(&with(100), &Bindings::default(), &client())).leased().len(), 1);
}

#[test]
fn lifetimes() {
    let (never, nobody) = (u32::MAX, Bindings::default());
    for (preferred, valid, told, times, expires_s) in [
        (1800, 3600, (1800, 3600), (900, 1440), NOW_S + 3600),
        (never, never, (never, never), (never, never), u64::MAX),
        (0, 3600, (0, 3600), (0, 0), NOW_S + 3600),
        (1801, never, (1801, never), (900, 1441), u64::MAX),
        (3601, 3600, (3600, 3600), (1800, 2880), NOW_S + 3600),
    ] {
        let line = Ipv6Line { preferred_seconds: preferred, valid_seconds: valid, ..line() };
        let session = Session { ipv6: Some(line), ..session() };
        let outcome = run(&session, &nobody, &Client::new(REQUEST, 0xaa).address(1, &[]));
        let read = Read::new(&outcome);
        let part = Part::Address(ADDRESS, told.0, told.1);
        assert_eq!(
            read.associations,
            [Told { code: 3, iaid: 1, times, parts: vec![part] }],
            "{preferred} {valid}"
        );
        let BindingChange::Set(bindings) = outcome.bindings else { panic!("{:?}", outcome.bindings) };
        assert_eq!(bindings.address.map(|it| it.expires_s), Some(expires_s), "{preferred} {valid}");
    }
    let mut ending = binding(0xbb, 1);
    assert!(ending.is_live(NOW_S + 599) && !ending.is_live(NOW_S + 600));
    ending.expires_s = u64::MAX;
    assert!(ending.is_live(NOW_S));
}

/// RFC 8415, section 16; and what is not for this line.
#[test]
fn silence() {
    let open = session();
    let fixed = Session { mac: Some(mac(0xbb)), ..session() };
    let ipv4 = Session { ipv6: None, ..session() };
    let asks = || Client::new(SOLICIT, 0xaa).address(1, &[]);
    let other = |kind| Client::bare(kind).option(1, duid(0xaa).as_bytes()).option(2, duid(0xcc).as_bytes());
    let message = |error| Ignored::Message(error);
    #[rustfmt::skip]
    let cases = vec![
        ("Solicit that names a server", &open, asks().server(), Ignored::NamesServer),
        ("Confirm that names a server", &open, Client::new(CONFIRM, 0xaa).server(), Ignored::NamesServer),
        ("Rebind that names a server", &open, Client::new(REBIND, 0xaa).server(), Ignored::NamesServer),
        ("Solicit by nobody", &open, Client::bare(SOLICIT), Ignored::NoClient),
        ("Request by nobody", &open, Client::bare(REQUEST).server(), Ignored::NoClient),
        ("Confirm by nobody", &open, Client::bare(CONFIRM), Ignored::NoClient),
        ("Renew by nobody", &open, Client::bare(RENEW).server(), Ignored::NoClient),
        ("Rebind by nobody", &open, Client::bare(REBIND), Ignored::NoClient),
        ("Release by nobody", &open, Client::bare(RELEASE).server(), Ignored::NoClient),
        ("Decline by nobody", &open, Client::bare(DECLINE).server(), Ignored::NoClient),
        ("Request to nobody", &open, Client::bare(REQUEST), Ignored::NoServer),
        ("Renew to nobody", &open, Client::bare(RENEW), Ignored::NoServer),
        ("Release to nobody", &open, Client::bare(RELEASE), Ignored::NoServer),
        ("Decline to nobody", &open, Client::bare(DECLINE), Ignored::NoServer),
        ("Request to another server", &open, other(REQUEST), Ignored::OtherServer),
        ("Renew to another server", &open, other(RENEW), Ignored::OtherServer),
        ("Release to another server", &open, other(RELEASE), Ignored::OtherServer),
        ("Decline to another server", &open, other(DECLINE), Ignored::OtherServer),
        ("Information-request to another server", &open, other(INFORM), Ignored::OtherServer),
        ("Information-request with an association", &open, Client::new(INFORM, 0xaa).address(1, &[]), Ignored::Associations),
        ("Confirm of nothing", &open, Client::new(CONFIRM, 0xaa), Ignored::Associations),
        ("Confirm of an empty association", &open, Client::new(CONFIRM, 0xaa).address(1, &[]), Ignored::Associations),
        ("Confirm of a prefix", &open, Client::new(CONFIRM, 0xaa).prefix(1, &[PREFIX]), Ignored::Associations),
        ("Advertise", &open, Client::new(2, 0xaa), Ignored::NotAClient(2)),
        ("Reply", &open, Client::new(7, 0xaa), Ignored::NotAClient(7)),
        ("Reconfigure", &open, Client::new(10, 0xaa), Ignored::NotAClient(10)),
        ("Relay-reply", &open, Client::new(13, 0xaa), Ignored::NotAClient(13)),
        ("a message of another time", &open, Client::new(200, 0xaa), Ignored::NotAClient(200)),
        ("to the server alone", &open, Client { to: gateway(), ..asks() }, Ignored::NotForServer),
        ("to the group of servers, by a client", &open, Client { to: ALL_SERVERS, ..asks() }, Ignored::NotForServer),
        ("to the clients' port", &open, Client { port: 546, ..asks() }, Ignored::NotForServer),
        ("from a global address", &open, Client { from: ADDRESS, ..asks() }, Ignored::Source(ADDRESS)),
        ("from no address", &open, Client { from: Ipv6Addr::UNSPECIFIED, ..asks() }, Ignored::Source(Ipv6Addr::UNSPECIFIED)),
        ("another line's tags", &open, Client { c_vid: 8, ..asks() }, Ignored::Line(LineError::OtherTags)),
        ("another MAC address", &fixed, asks(), Ignored::Line(LineError::OtherMac)),
        ("a line without IPv6", &ipv4, asks(), Ignored::Line(LineError::NoIpv6)),
        ("a client identifier of two bytes", &open, Client::bare(SOLICIT).option(1, &[0, 3]), message(MessageError::Duid(DuidError(2)))),
        ("a client identifier of 131 bytes", &open, Client::bare(SOLICIT).option(1, &[0; 131]), message(MessageError::Duid(DuidError(131)))),
        ("a short association", &open, Client::new(SOLICIT, 0xaa).option(3, &[0; 11]), message(MessageError::Association)),
        ("a short association for prefixes", &open, Client::new(SOLICIT, 0xaa).option(25, &[0; 11]), message(MessageError::Association)),
        ("a short association for temporary addresses", &open, Client::new(SOLICIT, 0xaa).option(4, &[0; 3]), message(MessageError::Association)),
        ("a short address", &open, Client::new(SOLICIT, 0xaa).option(3, &[&[0; 12], &client::option(5, &[0; 23])[..]].concat()), message(MessageError::Association)),
        ("a short prefix", &open, Client::new(SOLICIT, 0xaa).option(25, &[&[0; 12], &client::option(26, &[0; 24])[..]].concat()), message(MessageError::Association)),
        ("a prefix of 129 bits", &open, Client::new(SOLICIT, 0xaa).prefix(1, &[(PREFIX.0, 129)]), message(MessageError::Association)),
        ("an option beyond its association", &open, Client::new(SOLICIT, 0xaa).option(3, &[&[0; 12], &[0, 5, 0, 24][..]].concat()), message(MessageError::Option(5))),
    ];
    for (what, session, client, ignored) in cases {
        let outcome = run(session, &Bindings::default(), &client);
        let expected = Outcome {
            reply: None,
            bindings: BindingChange::Keep,
            neighbour: None,
            event: Event::Ignored(ignored),
        };
        assert_eq!(outcome, expected, "{what}");
    }
}

proptest! {
    /// Whatever clients do one after another: nothing but the line's is leased, whoever is told that it has a lease has
    /// it, and only the holder can end one.
    #[test]
    fn a_lease_has_one_holder(steps in proptest::collection::vec(
        (prop_oneof![Just(1u8), Just(3), Just(5), Just(6), Just(8), Just(9)], 1u8..4, 0u32..3, 0u32..3, any::<bool>(), 0usize..3, 0u64..4000),
        1..20,
    )) {
        let (session, mut bound, mut now_s) = (session(), Bindings::default(), NOW_S);
        for (kind, last, na, pd, rapid, named, later) in steps {
            let addresses = [&[][..], &[ADDRESS], &[NEAR, STRANGE]][named];
            let prefixes = [&[][..], &[PREFIX], &[OTHER_PREFIX]][named];
            let mut client = Client::new(kind, last).address(na, addresses).prefix(pd, prefixes);
            if rapid {
                client = client.option(14, &[]);
            }
            now_s += later;
            let context = Context { session: &session, port_mac: port_mac(), bound: &bound, now_s };
            let outcome = handle(&context, &client.frame());
            let read = Read::new(&outcome);
            for part in read.leased() {
                prop_assert!([Part::Address(ADDRESS, 1800, 3600), Part::Prefix(PREFIX.0, PREFIX.1, 1800, 3600)].contains(part));
            }
            let before = bound.clone();
            if let BindingChange::Set(new) = outcome.bindings {
                bound = new;
            }
            let held = |binding: &Option<Binding>| binding.as_ref().is_some_and(|it| it.client == duid(last) && it.is_live(now_s));
            if read.kind == Said::Reply {
                let leases = read.leased();
                let of = |part: &Part| {
                    if matches!(part, Part::Address(..)) { &bound.address } else { &bound.prefix }
                };
                prop_assert!(leases.iter().all(|part| held(of(part))));
            } else {
                prop_assert_eq!(&bound, &before);
            }
            for (old, new) in [(&before.address, &bound.address), (&before.prefix, &bound.prefix)] {
                let ended = old.is_some() && new.is_none();
                prop_assert!(!ended || old.as_ref().is_some_and(|it| it.client == duid(last)));
                let extends = [5, 6, 8, 9].contains(&kind);
                let theirs = old.as_ref().is_some_and(|it| it.is_live(now_s) && it.client != duid(last));
                prop_assert!(!(extends && theirs) || old == new, "only who starts takes over");
            }
        }
    }

    #[test]
    fn any_message_is_answered_or_not_without_a_panic(
        kind in 0u8..16, options in proptest::collection::vec((0u16..50, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
        rest in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut client = Client::new(kind, 0xaa);
        for (code, data) in options {
            client = client.option(code, &data);
        }
        client.options.extend(rest);
        run(&session(), &Bindings::default(), &client);
        run_frame(&session(), &Bindings::default(), &client.options);
    }
}
