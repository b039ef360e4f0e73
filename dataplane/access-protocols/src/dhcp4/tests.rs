pub(crate) mod client;
mod layout;

use dhcproto::{
    Decodable, Decoder,
    v4::{self, OptionCode},
};
use node_state::SessionState;
use proptest::prelude::*;

use super::*;
use client::{
    ADDRESS, Client, DECLINE, DISCOVER, GATEWAY, INFORM, OTHER, RELEASE, REQUEST, XID, mac, port_mac, session,
};

const NOW_S: u64 = 1_000_000;

/// What is done, on which session, with whom bound, by which message; the answer and the binding, and why.
type Case<'a> =
    (&'a str, &'a Session, Option<Binding>, Client, (Option<v4::MessageType>, BindingChange), Event);

fn run(session: &Session, bound: Option<Binding>, client: &Client) -> Outcome {
    let context = Context { session, port_mac: port_mac(), bound, now_s: NOW_S };
    handle(&context, &client.frame())
}

fn binding(last: u8) -> Binding {
    Binding { mac: mac(last), expires_s: NOW_S + 600 }
}

/// A reply read by somebody else's decoder, and where it went.
struct Read {
    station: [u8; 6],
    address: Ipv4Addr,
    port: u16,
    tags: Vec<u16>,
    payload: Vec<u8>,
    message: v4::Message,
}

impl Read {
    fn new(outcome: &Outcome) -> Self {
        let frame = Frame::parse(outcome.reply.as_deref().expect("a reply")).expect("a frame");
        let ip = Ipv4::parse(&frame).expect("IPv4");
        let udp = Udp::parse(&ip).expect("UDP");
        assert_eq!((frame.source, ip.source, udp.source_port), (port_mac().octets(), GATEWAY, 67));
        let message = v4::Message::decode(&mut Decoder::new(udp.payload)).expect("DHCP");
        assert_eq!(message.xid().to_be_bytes(), XID);
        Self {
            station: frame.destination,
            address: ip.destination,
            port: udp.destination_port,
            tags: frame.tags.as_slice().iter().map(|tag| tag.vid()).collect(),
            payload: udp.payload.to_vec(),
            message,
        }
    }

    fn kind(&self) -> v4::MessageType {
        self.message.opts().msg_type().expect("a message type")
    }

    /// The codes of its options, in their order.
    fn codes(&self) -> Vec<u8> {
        let mut field = &self.payload[240..];
        let mut codes = vec![];
        while let [code @ ..=254, len, rest @ ..] = field {
            codes.push(*code);
            field = &rest[usize::from(*len)..];
        }
        assert_eq!(field.first(), Some(&255), "the end option");
        codes
    }

    fn has(&self, code: OptionCode) -> bool {
        self.message.opts().get(code).is_some()
    }
}

/// The whole exchange, byte by byte as RFC 2131 lays it out.
#[test]
fn an_offer_to_the_byte() {
    let client = Client::new(DISCOVER).option(55, &[1, 3, 6, 15]).option(61, &[1, 2, 0, 0, 0, 0, 0xaa]);
    let outcome = run(&session(), None, &client.option(82, &[1, 4, b'p', b'o', b'r', b't']));
    let reply = outcome.reply.expect("an offer");
    let mut expected = vec![2, 0, 0, 0, 0, 0xaa, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 100, 0x81, 0, 0, 7, 8, 0];
    expected.extend([0x45, 0, 1, 79, 0, 0, 0x40, 0, 64, 17, 0x71, 0x1b, 100, 64, 0, 1, 100, 64, 0, 2]);
    expected.extend([0, 67, 0, 68, 1, 59, 0xbc, 0x7c]);
    expected.extend([2, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0]);
    expected.extend([0, 0, 0, 0, 100, 64, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([2, 0, 0, 0, 0, 0xaa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([0; 192]);
    expected.extend([99, 130, 83, 99]);
    expected.extend([53, 1, 2, 54, 4, 100, 64, 0, 1]);
    expected.extend([51, 4, 0, 0, 0x0e, 0x10, 58, 4, 0, 0, 0x07, 0x08, 59, 4, 0, 0, 0x0c, 0x4e]);
    expected.extend([61, 7, 1, 2, 0, 0, 0, 0, 0xaa]);
    expected.extend([1, 4, 255, 255, 0, 0, 3, 4, 100, 64, 0, 1]);
    expected.extend([6, 8, 9, 9, 9, 9, 149, 112, 112, 112]);
    expected.extend([82, 6, 1, 4, b'p', b'o', b'r', b't', 255]);
    assert_eq!(reply, expected);
    assert_eq!((outcome.binding, outcome.event), (BindingChange::Keep, Event::Offered));
}

/// Every message in every state: what is answered, what becomes of the binding, and why.
#[test]
fn decisions() {
    let ack = |last: u8| {
        (Some(v4::MessageType::Ack), BindingChange::Set(Binding { mac: mac(last), expires_s: NOW_S + 3600 }))
    };
    let leased = |state, displaced: Option<u8>| Event::Leased { state, displaced: displaced.map(mac) };
    let offer = (Some(v4::MessageType::Offer), BindingChange::Keep);
    let nak = (Some(v4::MessageType::Nak), BindingChange::Keep);
    let inform = (Some(v4::MessageType::Ack), BindingChange::Keep);
    let silent = (None, BindingChange::Keep);
    let cleared = (None, BindingChange::Clear);
    let not_theirs = Event::Refused(Refusal::NotTheirs(OTHER));
    let (by_it, by_other) = (Some(binding(0xaa)), Some(binding(0xbb)));
    let expired = Some(Binding { mac: mac(0xbb), expires_s: NOW_S });
    let fixed = Session { mac: Some(mac(0xaa)), ..session() };
    let inactive = Session { state: SessionState::Quarantined, ..session() };
    let any = session();
    let discover = || Client::new(DISCOVER);
    let selecting = || Client::new(REQUEST).server(GATEWAY).requested(ADDRESS);
    let init_reboot = || Client::new(REQUEST).requested(ADDRESS);
    let renewing = || Client::new(REQUEST).ciaddr(ADDRESS).to(GATEWAY);
    let rebinding = || Client::new(REQUEST).ciaddr(ADDRESS);
    let release = || Client::new(RELEASE).ciaddr(ADDRESS).to(GATEWAY).server(GATEWAY);
    let decline = || Client::new(DECLINE).requested(ADDRESS).server(GATEWAY);
    let ignored = Event::Ignored;
    let held = Event::Refused(Refusal::HeldBy(mac(0xbb)));
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("DISCOVER, nobody bound", &any, None, discover(), offer, Event::Offered),
        ("DISCOVER, another bound", &any, by_other, discover(), offer, Event::Offered),
        ("DISCOVER that wishes for another address", &any, None, discover().requested(OTHER), offer, Event::Offered),
        ("DISCOVER by the configured MAC", &fixed, None, discover(), offer, Event::Offered),
        ("DISCOVER by another MAC", &fixed, None, discover().mac(0xbb), silent, ignored(Ignored::OtherMac)),
        ("DISCOVER on a quarantined line", &inactive, None, discover(), offer, Event::Offered),
        ("SELECTING", &any, None, selecting(), ack(0xaa), leased(ClientState::Selecting, None)),
        ("SELECTING again", &any, by_it, selecting(), ack(0xaa), leased(ClientState::Selecting, None)),
        ("SELECTING takes over", &any, by_other, selecting(), ack(0xaa), leased(ClientState::Selecting, Some(0xbb))),
        ("SELECTING after the other's lease", &any, expired, selecting(), ack(0xaa), leased(ClientState::Selecting, None)),
        ("SELECTING by the configured MAC", &fixed, by_other, selecting(), ack(0xaa), leased(ClientState::Selecting, None)),
        ("SELECTING another server", &any, by_it, Client::new(REQUEST).server(OTHER).requested(OTHER), silent, ignored(Ignored::OtherServer)),
        ("SELECTING another address", &any, None, Client::new(REQUEST).server(GATEWAY).requested(OTHER), nak, not_theirs),
        ("SELECTING by ciaddr", &any, None, Client::new(REQUEST).server(GATEWAY).ciaddr(ADDRESS), ack(0xaa), leased(ClientState::Selecting, None)),
        ("SELECTING nothing", &any, None, Client::new(REQUEST).server(GATEWAY), silent, ignored(Ignored::NoAddress)),
        ("INIT-REBOOT", &any, by_it, init_reboot(), ack(0xaa), leased(ClientState::InitReboot, None)),
        ("INIT-REBOOT takes over", &any, by_other, init_reboot(), ack(0xaa), leased(ClientState::InitReboot, Some(0xbb))),
        ("INIT-REBOOT from elsewhere", &any, None, Client::new(REQUEST).requested(OTHER), nak, not_theirs),
        ("INIT-REBOOT of another MAC", &fixed, None, init_reboot().mac(0xbb), silent, ignored(Ignored::OtherMac)),
        ("INIT-REBOOT on a quarantined line", &inactive, None, init_reboot(), ack(0xaa), leased(ClientState::InitReboot, None)),
        ("RENEWING", &any, by_it, renewing(), ack(0xaa), leased(ClientState::Renewing, None)),
        ("RENEWING, binding lost", &any, None, renewing(), ack(0xaa), leased(ClientState::Renewing, None)),
        ("RENEWING, displaced", &any, by_other, renewing(), nak, held),
        ("RENEWING, displaced, then expired", &any, expired, renewing(), ack(0xaa), leased(ClientState::Renewing, None)),
        ("RENEWING another address", &any, by_it, Client::new(REQUEST).ciaddr(OTHER).to(GATEWAY), nak, not_theirs),
        ("RENEWING at another server", &any, by_it, renewing().to(OTHER), silent, ignored(Ignored::NotForServer)),
        ("REBINDING", &any, by_it, rebinding(), ack(0xaa), leased(ClientState::Rebinding, None)),
        ("REBINDING, displaced", &any, by_other, rebinding(), nak, held),
        ("REBINDING, displaced, configured MAC", &fixed, by_other, rebinding(), ack(0xaa), leased(ClientState::Rebinding, None)),
        ("REBINDING another address", &any, by_it, Client::new(REQUEST).ciaddr(OTHER), nak, not_theirs),
        ("REQUEST for nothing", &any, None, Client::new(REQUEST), silent, ignored(Ignored::NoAddress)),
        ("RELEASE", &any, by_it, release(), cleared, Event::Released),
        ("RELEASE by another", &any, by_other, release(), silent, ignored(Ignored::NotTheirs(ADDRESS))),
        ("RELEASE of another address", &any, by_it, Client::new(RELEASE).ciaddr(OTHER).to(GATEWAY), silent, ignored(Ignored::NotTheirs(OTHER))),
        ("RELEASE at another server", &any, by_it, Client::new(RELEASE).ciaddr(ADDRESS).server(OTHER), silent, ignored(Ignored::OtherServer)),
        ("DECLINE", &any, by_it, decline(), cleared, Event::Declined),
        ("DECLINE by another", &any, by_other, decline(), silent, ignored(Ignored::NotTheirs(ADDRESS))),
        ("INFORM", &any, None, Client::new(INFORM).ciaddr(ADDRESS), inform, Event::Informed),
        ("INFORM without ciaddr", &any, None, Client { from: ADDRESS, ..Client::new(INFORM) }, inform, Event::Informed),
        ("INFORM from elsewhere", &any, None, Client::new(INFORM).ciaddr(OTHER), silent, ignored(Ignored::NotTheirs(OTHER))),
        ("OFFER", &any, None, Client::new(2), silent, ignored(Ignored::NotAClient(2))),
        ("LEASEQUERY", &any, None, Client::new(10), silent, ignored(Ignored::NotAClient(10))),
        ("another line's tags", &any, None, Client { c_vid: 8, ..discover() }, silent, ignored(Ignored::OtherTags)),
    ];
    for (what, session, bound, client, (answer, binding), event) in cases {
        let outcome = run(session, bound, &client);
        assert_eq!(outcome.event, event, "{what}");
        assert_eq!(outcome.binding, binding, "{what}");
        assert_eq!(outcome.reply.is_some(), answer.is_some(), "{what}");
        if let Some(kind) = answer {
            let reply = Read::new(&outcome);
            assert_eq!(reply.kind(), kind, "{what}");
            assert_eq!(reply.tags, [100, 7], "{what}");
            assert!(reply.payload.len() >= 300, "{what}");
            let gives = binding != BindingChange::Keep || kind == v4::MessageType::Offer;
            let address = if gives { ADDRESS } else { Ipv4Addr::UNSPECIFIED };
            assert_eq!(reply.message.yiaddr(), address, "{what}");
            for code in [OptionCode::AddressLeaseTime, OptionCode::Renewal, OptionCode::Rebinding] {
                assert_eq!(reply.has(code), gives, "{what}: {code:?}");
            }
            assert!(reply.has(OptionCode::ServerIdentifier), "{what}");
        }
    }
}

/// RFC 2131, section 4.1.
#[test]
fn where_replies_go() {
    let relay = Ipv4Addr::new(192, 0, 2, 77);
    let (station, everyone) = ([2, 0, 0, 0, 0, 0xaa], [0xff; 6]);
    let broadcast = (everyone, Ipv4Addr::BROADCAST, 68);
    let selecting = || Client::new(REQUEST).server(GATEWAY).requested(ADDRESS);
    let renewing = || Client::new(REQUEST).ciaddr(ADDRESS).to(GATEWAY);
    let wrong = || Client::new(REQUEST).requested(OTHER);
    #[rustfmt::skip]
    let cases = [
        ("OFFER", Client::new(DISCOVER), (station, ADDRESS, 68)),
        ("OFFER, broadcast flag", Client::new(DISCOVER).flags(0x8000), broadcast),
        ("OFFER, reserved flags only", Client::new(DISCOVER).flags(0x7fff), (station, ADDRESS, 68)),
        ("OFFER through a relay", Client::new(DISCOVER).flags(0x8000).giaddr(relay), (station, relay, 67)),
        ("ACK", selecting(), (station, ADDRESS, 68)),
        ("ACK, broadcast flag", selecting().flags(0x8000), broadcast),
        ("ACK to ciaddr, broadcast flag", renewing().flags(0x8000), (station, ADDRESS, 68)),
        ("NAK", wrong(), broadcast),
        ("NAK to ciaddr", Client::new(REQUEST).ciaddr(OTHER).to(GATEWAY), broadcast),
        ("NAK through a relay", wrong().giaddr(relay), (station, relay, 67)),
        ("INFORM", Client::new(INFORM).ciaddr(ADDRESS).flags(0x8000), (station, ADDRESS, 68)),
    ];
    for (what, client, to) in cases {
        let reply = Read::new(&run(&session(), None, &client));
        assert_eq!((reply.station, reply.address, reply.port), to, "{what}");
        let relayed_nak = what == "NAK through a relay";
        let flags = if relayed_nak { 0x8000 } else { client.flags };
        assert_eq!(u16::from(reply.message.flags()), flags, "{what}");
        assert_eq!(reply.message.giaddr(), client.giaddr, "{what}");
        let ciaddr = if reply.kind() == v4::MessageType::Ack { client.ciaddr } else { Ipv4Addr::UNSPECIFIED };
        assert_eq!(reply.message.ciaddr(), ciaddr, "{what}");
    }
}

#[test]
fn parameters_are_those_asked_for_in_their_order() {
    let codes = |client: Client| -> Vec<u8> {
        let codes = Read::new(&run(&session(), None, &client)).codes();
        codes.into_iter().filter(|code| [1, 3, 6, 15].contains(code)).collect()
    };
    let asked = |list: &[u8]| Client::new(DISCOVER).option(55, list);
    assert_eq!(codes(Client::new(DISCOVER)), [1, 3, 6], "all of them if nothing is asked for");
    assert_eq!(codes(asked(&[6, 3, 1])), [1, 6, 3], "the mask first");
    assert_eq!(codes(asked(&[6, 15, 119, 6])), [6], "each once, and only what there is");
    assert_eq!(codes(asked(&[15])), [] as [u8; 0]);
    let nothing = Session { dns_servers: vec![], ..session() };
    assert!(!Read::new(&run(&nothing, None, &Client::new(DISCOVER))).has(OptionCode::DomainNameServer));
}

#[test]
fn a_nak_holds_what_it_may_and_no_more() {
    let client =
        Client::new(REQUEST).requested(OTHER).option(61, b"\0id").option(55, &[1, 3, 6]).option(82, b"x");
    assert_eq!(Read::new(&run(&session(), None, &client)).codes(), [53, 54, 61, 56, 82]);
}

#[test]
fn the_clients_size_limit_is_kept_except_by_what_the_relay_takes_off() {
    let many = Session { dns_servers: vec![GATEWAY; 200], ..session() };
    let long = |limit: u16| {
        let client = Client::new(DISCOVER).option(57, &limit.to_be_bytes()).option(82, &[7; 300]);
        Read::new(&run(&many, None, &client)).payload
    };
    // 200 resolvers take 808 bytes: they fit into 1500 and not into 576, which is also the least that is believed.
    for (limit, dns) in [(1500, true), (9000, true), (576, false), (0, false), (1000, false)] {
        let payload = long(limit);
        let options = options::Options::parse(&payload[240..], &[], &[]).expect("options");
        assert_eq!(options.data(6).map_or(0, |data| data.len()), if dns { 800 } else { 0 }, "{limit}");
        let relay = options.data(82).map_or(0, |data| data.len());
        assert_eq!(relay, 300, "{limit}");
        assert!(
            payload.len() + 28 - if dns { 0 } else { 304 } <= usize::from(limit.clamp(576, 1500)),
            "{limit}"
        );
    }
}

#[test]
fn what_is_not_a_clients_message_is_ignored() {
    let good = Client::new(DISCOVER);
    #[rustfmt::skip]
    let cases: [(&str, usize, &[u8], MessageError); 9] = [
        ("a reply", 0, &[2], MessageError::NotARequest),
        ("another hardware type", 1, &[6], MessageError::HardwareAddress),
        ("another address length", 2, &[8], MessageError::HardwareAddress),
        ("a group address", 28, &[3], MessageError::HardwareAddress),
        ("no address", 28, &[0; 6], MessageError::HardwareAddress),
        ("plain BOOTP", 236, &[0], MessageError::NoCookie),
        ("no message type", 240, &[255], MessageError::NoMessageType),
        ("a message type of two bytes", 241, &[2, 1, 1], MessageError::NoMessageType),
        ("an option beyond the end", 243, &[61], MessageError::Option(61)),
    ];
    for (what, at, bytes, error) in cases {
        let mut message = good.message();
        message.truncate(244.max(at + bytes.len()));
        message[at..at + bytes.len()].copy_from_slice(bytes);
        let (session, bound) = (session(), None);
        let context = Context { session: &session, port_mac: port_mac(), bound, now_s: NOW_S };
        let outcome = handle(&context, &good.frame_of(&message));
        assert_eq!(outcome.event, Event::Ignored(Ignored::Message(error)), "{what}");
        assert_eq!((outcome.reply, outcome.client), (None, None), "{what}");
    }
    for len in 0..240 {
        let context = Context { session: &session(), port_mac: port_mac(), bound: None, now_s: NOW_S };
        let outcome = handle(&context, &good.frame_of(&good.message()[..len]));
        assert_eq!(outcome.event, Event::Ignored(Ignored::Message(MessageError::Truncated)), "{len}");
    }
}

proptest! {
    /// Whatever the client, an address that is leased is the session's, and only its holder can end it.
    #[test]
    fn only_the_sessions_address_is_leased(
        kind in 0u8..20, last in 1u8..4, holder in proptest::option::of(1u8..4), ciaddr in 0u8..3,
        requested in proptest::option::of(0u8..3), server in proptest::option::of(any::<bool>()), unicast: bool,
    ) {
        let address = |n: u8| [Ipv4Addr::UNSPECIFIED, ADDRESS, OTHER][usize::from(n)];
        let mut client = Client::new(kind).mac(last).ciaddr(address(ciaddr));
        if let Some(requested) = requested {
            client = client.requested(address(requested));
        }
        if let Some(ours) = server {
            client = client.server(if ours { GATEWAY } else { OTHER });
        }
        if unicast {
            client = client.to(GATEWAY);
        }
        let outcome = run(&session(), holder.map(binding), &client);
        match outcome.binding {
            BindingChange::Set(binding) => {
                prop_assert_eq!(binding.mac, mac(last));
                let reply = Read::new(&outcome);
                prop_assert_eq!((reply.kind(), reply.message.yiaddr()), (v4::MessageType::Ack, ADDRESS));
            }
            BindingChange::Clear => prop_assert_eq!(holder, Some(last)),
            BindingChange::Keep => {}
        }
        if server == Some(false) {
            prop_assert_eq!(outcome.reply, None);
        }
    }
}
