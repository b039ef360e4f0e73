mod devices;

use std::net::Ipv4Addr;

use access_protocols::{
    ETHERTYPE_IPV4, ETHERTYPE_IPV6, Frame, Ipv4, Ipv4Header, Ipv6, Ipv6Header, PROTOCOL_ICMP, PROTOCOL_TCP,
    PROTOCOL_UDP, Tag, Tags, Udp,
};
use net_types::Mac;
use node_state::{Garden, SessionState};

use super::*;
use crate::{
    effects::Event as NodeEvent,
    reconcile::fakes::{Fake, chunk, port, session},
};

const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 7];
const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 254);

/// A node with one subscriber, whose session is 1.
struct Line {
    store: Store,
    dir: tempfile::TempDir,
    fake: Fake,
    _events: tokio::sync::mpsc::UnboundedSender<NodeEvent>,
    desired: NodeState,
    leases: Leases,
    answerer: Answerer,
}

fn line() -> Line {
    let dir = tempfile::tempdir().expect("directory");
    let (store, _) = Store::open(dir.path()).expect("opens");
    let (mut fake, events) = Fake::new(dir.path());
    let resources = [port("access0", 1500), port("core0", 1400), session("alice", 1)];
    store.keep(&chunk(1, &resources, &[])).expect("kept");
    let desired: NodeState = resources.into_iter().collect();
    fake.fastpath(&desired);
    fake.world().log.clear();
    let (leases, answerer) = (Leases::default(), Answerer::new());
    Line { store, dir, fake, _events: events, desired, leases, answerer }
}

impl Line {
    async fn punt(&mut self, punts: Vec<Punt>) -> Vec<Vec<u8>> {
        let office = (&self.desired, &mut self.leases, &self.store);
        self.answerer.answer(punts, Duration::from_hours(500_000), office, &mut self.fake).await;
        let sent = std::mem::take(&mut self.fake.world().sent);
        sent.into_iter().map(|(_, frame)| frame).collect()
    }
}

fn tags() -> Tags {
    Tags::two(Tag { tpid: 0x88a8, tci: 100 }, Tag { tpid: 0x8100, tci: 1 })
}

fn frame(destination: [u8; 6], packet: &[u8]) -> Vec<u8> {
    Frame { destination, source: CLIENT, tags: tags(), ethertype: ETHERTYPE_IPV4, payload: packet }.to_bytes()
}

fn punt(reason: PuntReason, frame: Vec<u8>) -> Punt {
    Punt { reason, port: Some("access0".parse().expect("name")), session: 1, frame }
}

/// A DHCP message (RFC 2131) with these options.
fn dhcp(options: &[u8]) -> Punt {
    dhcp_from(CLIENT, Ipv4Addr::UNSPECIFIED, options)
}

/// The same of a client that has the address `ciaddr`.
fn dhcp_from(client: [u8; 6], ciaddr: Ipv4Addr, options: &[u8]) -> Punt {
    let mut message = vec![0; 240];
    message[..4].copy_from_slice(&[1, 1, 6, 0]);
    message[12..16].copy_from_slice(&ciaddr.octets());
    message[28..34].copy_from_slice(&client);
    message[236..].copy_from_slice(&[99, 130, 83, 99]);
    message.extend_from_slice(options);
    message.push(255);
    message.resize(300, 0);
    let (source, destination) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST);
    let header = Ipv4Header { tos: 0, protocol: PROTOCOL_UDP, source, destination };
    let udp = Udp { source_port: 68, destination_port: 67, payload: &message };
    punt(PuntReason::Dhcp, frame(Frame::BROADCAST, &header.packet(&udp.to_bytes(&header))))
}

fn message_type(frame: &[u8]) -> u8 {
    let frame = Frame::parse(frame).expect("a frame");
    assert_eq!(frame.tags, tags());
    let ip = Ipv4::parse(&frame).expect("IPv4");
    let udp = Udp::parse(&ip).expect("UDP");
    let at = udp.payload.windows(2).skip(240).position(|w| w == [53, 1]).expect("a message type");
    udp.payload[240 + at + 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_on_the_disk_and_in_the_kernel_before_it_is_given() {
    let mut line = line();
    let discover = dhcp(&[53, 1, 1]);
    let request = dhcp(&[53, 1, 3, 54, 4, 100, 64, 0, 254, 50, 4, 100, 64, 0, 1]);
    let replies = line.punt(vec![discover, request]).await;
    assert_eq!(replies.iter().map(|reply| message_type(reply)).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(line.fake.world().log, ["learn alice", "send", "send"]);
    let mac = Mac::new(CLIENT).expect("unicast");
    assert_eq!(line.fake.world().macs.values().collect::<Vec<_>>(), [&mac]);
    let dir = line.dir;
    drop(line.store);
    let (_store, kept) = Store::open(dir.path()).expect("opens");
    assert_eq!(kept.leases, line.leases);
    assert_eq!(kept.leases.v4.values().map(|binding| binding.mac).collect::<Vec<_>>(), [mac]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_lease_is_forgotten_on_the_disk_and_in_the_kernel() {
    let request = dhcp(&[53, 1, 3, 54, 4, 100, 64, 0, 254, 50, 4, 100, 64, 0, 1]);
    let decline = dhcp(&[53, 1, 4, 54, 4, 100, 64, 0, 254, 50, 4, 100, 64, 0, 1]);
    let mut line = line();
    line.punt(vec![request.clone()]).await;
    assert_eq!((line.leases.v4.len(), line.fake.world().macs.len()), (1, 1));
    line.fake.world().log.clear();
    assert!(line.punt(vec![decline.clone()]).await.is_empty());
    assert_eq!(line.fake.world().log, ["forget alice"]);
    assert!(line.leases.v4.is_empty() && line.fake.world().macs.is_empty());
    // Within a batch the last word counts.
    line.punt(vec![request.clone(), decline.clone(), request.clone()]).await;
    assert_eq!((line.leases.v4.len(), line.fake.world().macs.len()), (1, 1));
    // An address that the operator has configured stays where it is.
    let Some(session) = line.desired.sessions.values_mut().next() else { panic!("alice") };
    session.mac = Mac::new(CLIENT).ok();
    line.fake.world().log.clear();
    line.punt(vec![decline]).await;
    assert!(line.leases.v4.is_empty());
    assert_eq!(line.fake.world().log, ["forget the lease of alice"]);
    let dir = line.dir;
    drop(line.store);
    let (_store, kept) = Store::open(dir.path()).expect("opens");
    assert!(kept.leases.v4.is_empty());
}

/// The kernel renews what it knows, and the agent does not think that the lease has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_the_kernel_has_extended_is_not_another_devices_to_extend() {
    const NOW_S: u64 = 500_000 * 3600;
    let renewal = dhcp_from(CLIENT, Ipv4Addr::new(100, 64, 0, 1), &[53, 1, 3]);
    let holder = Mac::new([2, 0, 0, 0, 0, 8]).expect("unicast");
    let ended = Binding { mac: holder, expires_s: NOW_S - 1 };
    for (given, mac, answer) in [
        (None, holder, 5),
        (Some(NOW_S), holder, 5),
        (Some(NOW_S + 1), holder, 6),
        // Somebody else's is no matter.
        (Some(NOW_S + 1), Mac::new([2, 0, 0, 0, 0, 9]).expect("unicast"), 5),
    ] {
        let mut line = line();
        let alice = line.desired.sessions.keys().next().expect("alice").clone();
        line.leases.v4.insert(alice.clone(), ended);
        let given = given.map(|expires_s| (alice, Binding { mac, expires_s }));
        line.fake.world().given.extend(given.clone());
        let replies = line.punt(vec![renewal.clone()]).await;
        let kinds: Vec<u8> = replies.iter().map(|reply| message_type(reply)).collect();
        assert_eq!(kinds, [answer], "{given:?}");
    }
}

fn ping(length: usize) -> Vec<u8> {
    let mut echo = vec![0; length];
    echo[0] = 8;
    let sum = echo.chunks(2).fold(0u32, |sum, w| sum + (u32::from(w[0]) << 8));
    echo[2..4].copy_from_slice(&(!u16::try_from(sum).expect("no carry")).to_be_bytes());
    let source = Ipv4Addr::new(100, 64, 0, 1);
    let header = Ipv4Header { tos: 0, protocol: PROTOCOL_ICMP, source, destination: GATEWAY };
    frame([2, 0xaa, 0, 0, 0, 1], &header.packet(&echo))
}

fn icmp_of(frame: &[u8]) -> (Ipv4Addr, Vec<u8>) {
    let frame = Frame::parse(frame).expect("a frame");
    let ip = Ipv4::parse(&frame).expect("IPv4");
    (ip.source, ip.payload.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn icmp_answers_come_from_the_gateway_and_know_the_next_links_mtu() {
    let mut line = line();
    for (reason, expected) in [
        (PuntReason::GatewayEcho, [0, 0].as_slice()),
        (PuntReason::TtlExpired, &[11, 0]),
        (PuntReason::TooBig, &[3, 4]),
        (PuntReason::NoRoute, &[3, 0]),
    ] {
        let replies = line.punt(vec![punt(reason, ping(64))]).await;
        let [reply] = &replies[..] else { panic!("{reason:?}: {} replies", replies.len()) };
        let (source, icmp) = icmp_of(reply);
        assert_eq!((source, &icmp[..2]), (GATEWAY, expected), "{reason:?}");
        if reason == PuntReason::TooBig {
            assert_eq!(icmp[6..8], 1400u16.to_be_bytes());
        }
    }
}

/// A packet of UDP from one host to another, as it came in by a port.
fn six(port: &str, reason: PuntReason, (from, to): (&str, &str)) -> Punt {
    let [source, destination] = [from, to].map(|text| text.parse().expect("an address"));
    let header = Ipv6Header { traffic_class: 0, protocol: PROTOCOL_UDP, hop_limit: 1, source, destination };
    let udp = [0x82, 0x9a, 0x82, 0x9a, 0, 9, 0, 0, 7];
    let tags = if port == "core0" { Tags::default() } else { tags() };
    let payload = &header.packet(&udp);
    let (destination, source) = ([2, 0xaa, 0, 0, 0, 1], CLIENT);
    let frame = Frame { destination, source, tags, ethertype: ETHERTYPE_IPV6, payload }.to_bytes();
    Punt { reason, port: Some(port.parse().expect("name")), session: 1, frame }
}

#[tokio::test(flavor = "multi_thread")]
async fn icmp_of_ipv6_answers_both_sides_from_an_address_of_the_nodes_own() {
    const HOME: &str = "2001:db8:100:a::5";
    const FAR: &str = "2606:4700::1111";
    const OWN: &str = "2001:db8::2";
    let mut line = line();
    for (own, port, ends, wanted) in [
        (Some(OWN), "core0", (FAR, HOME), Some(OWN)),
        (Some(OWN), "access0", (HOME, FAR), Some(OWN)),
        // Nobody beyond the link could be answered from a link-local address.
        (None, "core0", (FAR, HOME), None),
        (None, "access0", (HOME, FAR), Some("fe80::aa:ff:fe00:1")),
    ] {
        line.fake.world().own6 = own.map(|text| text.parse().expect("an address"));
        for (reason, kind, word) in [
            (PuntReason::TtlExpired, [3, 0], 0_u32),
            // The way on is the core's upwards, and the line's downwards.
            (PuntReason::TooBig, [2, 0], if port == "core0" { 1500 } else { 1400 }),
            (PuntReason::NoRoute, [1, 0], 0),
        ] {
            let replies = line.punt(vec![six(port, reason, ends)]).await;
            let Some(wanted) = wanted else {
                assert!(replies.is_empty(), "{reason:?}");
                continue;
            };
            let frame = Frame::parse(&replies[0]).expect("a frame");
            assert_eq!((replies.len(), frame.destination), (1, CLIENT));
            let ip = Ipv6::parse(&frame).expect("IPv6");
            assert_eq!((ip.source.to_string(), ip.destination.to_string()), (wanted.into(), ends.0.into()));
            assert_eq!(
                (&ip.payload[..2], &ip.payload[4..8]),
                (&kind[..], &word.to_be_bytes()[..]),
                "{reason:?}"
            );
        }
    }
    // Within limits (RFC 4443, section 2.4 (f)); three were answered above.
    line.fake.world().own6 = OWN.parse().ok();
    let probe = || six("core0", PuntReason::TtlExpired, (FAR, HOME));
    let flood = (0..ICMP_BURST + 50).map(|_| probe()).collect();
    assert_eq!(line.punt(flood).await.len(), ICMP_BURST as usize - 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_no_answer_and_icmp_is_limited() {
    let mut line = line();
    let unknown_session = Punt { session: 2, ..dhcp(&[53, 1, 1]) };
    let unknown_port = Punt { port: None, ..dhcp(&[53, 1, 1]) };
    let other_port = Punt { port: Some("eth9".parse().expect("name")), ..dhcp(&[53, 1, 1]) };
    let lineless = Punt { session: 0, ..punt(PuntReason::GatewayEcho, ping(64)) };
    assert!(line.punt(vec![unknown_session, unknown_port, other_port, lineless]).await.is_empty());
    let flood = vec![punt(PuntReason::GatewayEcho, ping(64)); ICMP_BURST as usize + 50];
    assert_eq!(line.punt(flood).await.len(), ICMP_BURST as usize);
}

/// A SYN from port 40000 to a port of somebody else, its checksum left to hardware.
fn syn(port: u8) -> Vec<u8> {
    let (source, destination) = (Ipv4Addr::new(100, 64, 0, 1), Ipv4Addr::new(192, 0, 2, 66));
    let mut segment = vec![0x9c, 0x40, 0, port, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 2, 16, 0, 0, 0, 0, 0];
    let words = [source, destination].map(|address| address.octets().map(u32::from));
    let pseudo: u32 = words.iter().map(|[a, b, c, d]| (a << 8) + b + (c << 8) + d).sum::<u32>() + 6 + 20;
    let pseudo = u16::try_from((pseudo & 0xffff) + (pseudo >> 16)).expect("one carry");
    segment[16..18].copy_from_slice(&pseudo.to_be_bytes());
    let header = Ipv4Header { tos: 0, protocol: PROTOCOL_TCP, source, destination };
    frame([2, 0xaa, 0, 0, 0, 1], &header.packet(&segment))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_is_answered_for_whom_is_in_the_garden_alone_and_within_limits() {
    let mut line = line();
    let web = || punt(PuntReason::Web, syn(80));
    let secure = || punt(PuntReason::SecureWeb, syn(187));
    let garden = Garden {
        portal: "http://192.0.2.80/".parse().expect("a URL"),
        allowed: ["192.0.2.80/32".parse().expect("a prefix")].into(),
    };
    for (state, has_garden, answers) in [
        (SessionState::Active, true, 0),
        (SessionState::Suspended, false, 0),
        (SessionState::Quarantined, true, 0),
        (SessionState::Unauthenticated, true, 2),
        (SessionState::Suspended, true, 2),
    ] {
        line.desired.garden = has_garden.then(|| garden.clone());
        line.desired.sessions.values_mut().for_each(|session| session.state = state);
        let replies = line.punt(vec![web(), secure()]).await;
        assert_eq!(replies.len(), answers, "{state:?}");
        let control = |reply: &Vec<u8>| icmp_of(reply).1[13];
        assert_eq!(replies.iter().map(control).collect::<Vec<_>>(), [0x12, 0x14][..answers], "SYN, RST");
    }
    let stranger = Punt { session: 2, ..web() };
    assert!(line.punt(vec![stranger]).await.is_empty());
    let flood = vec![web(); PORTAL_BURST as usize + 50];
    assert_eq!(line.punt(flood).await.len(), PORTAL_BURST as usize - 4);
}
