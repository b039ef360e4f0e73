//! IPv6 of a subscriber, with and without a firewall: on the host and in the kernel alike.

mod networks;

use etherparse::{IpNumber, Ipv6FragmentHeader, Ipv6Header, PacketBuilder, TcpOptionElement};
use fastpath::{DropReason, Fastpath, Inspector, PuntReason};
use net_types::Mac;
use node_state::{NodeState, Resource};

use crate::{
    frames::tagged,
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{ACCESS_MAC, ALICE_MAC, BOB_MAC, CORE_MAC, GATEWAY_MAC, World, desired},
};

pub(crate) type Address = [u8; 16];

pub(crate) fn address(text: &str) -> Address {
    text.parse::<std::net::Ipv6Addr>().expect("an address").octets()
}

const ROUTES: [&str; 2] = [
    r#"{"kind":"route6","prefix":"::/0","target":{"via":{"gateway":"2001:db8:0:1::1","port":"core0"}}}"#,
    r#"{"kind":"route6","prefix":"2001:db8:100::/40","target":"pool"}"#,
];

/// Alice has a link and a delegated prefix, Bob a link behind a firewall.
pub(crate) fn office() -> NodeState {
    with_ipv6(&desired())
}

pub(crate) fn with_ipv6(state: &NodeState) -> NodeState {
    let line = |link: &str, delegated: &str| {
        format!(
            r#""ipv6":{{"link":"{link}","address":null,"delegated":{delegated},"autonomous":true,"dnsServers":[],"preferredSeconds":1800,"validSeconds":3600}}"#
        )
    };
    let mut with = NodeState::default();
    for resource in state.resources() {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        let more = match resource.key().as_str() {
            "session/alice" => line("2001:db8:100:a::/64", r#""2001:db8:1aa:ff00::/56""#),
            "session/bob-inc" => {
                let firewall = if text.contains("firewall") { "" } else { r#","firewall":{"flows":64}"# };
                line("2001:db8:100:b::/64", "null") + firewall
            }
            _ => {
                with.insert(resource);
                continue;
            }
        };
        let text = format!("{},{more}}}", text.strip_suffix('}').expect("an object"));
        with.insert(Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")));
    }
    with.resources().chain(ROUTES.map(|text| Resource::decode(text.as_bytes()).expect("a route"))).collect()
}

pub(crate) fn alice() -> Address {
    address("2001:db8:100:a::5")
}

fn alices_lan() -> Address {
    address("2001:db8:1aa:ff77::9")
}

pub(crate) fn bob() -> Address {
    address("2001:db8:100:b::5")
}

pub(crate) fn remote() -> Address {
    address("2606:4700::1111")
}

pub(crate) fn udp(from: (Address, u16), to: (Address, u16), hops: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6(from.0, to.0, hops).udp(from.1, to.1).write(&mut packet, payload).expect("fits");
    packet
}

pub(crate) fn tcp(from: (Address, u16), to: (Address, u16), hops: u8) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6(from.0, to.0, hops)
        .tcp(from.1, to.1, 1, 2)
        .syn()
        .write(&mut packet, b"")
        .expect("fits");
    packet
}

/// A SYN that says how large a segment may be.
fn syn(from: (Address, u16), to: (Address, u16), segment: u16) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6(from.0, to.0, 64)
        .tcp(from.1, to.1, 1, 2)
        .syn()
        .options(&[TcpOptionElement::MaximumSegmentSize(segment)])
        .expect("room for options")
        .write(&mut packet, b"")
        .expect("fits");
    packet
}

pub(crate) fn ping(from: Address, to: Address, hops: u8, is_reply: bool) -> Vec<u8> {
    let mut packet = Vec::new();
    let ip = PacketBuilder::ipv6(from, to, hops);
    let icmp = if is_reply { ip.icmpv6_echo_reply(7, 1) } else { ip.icmpv6_echo_request(7, 1) };
    icmp.write(&mut packet, b"ping!").expect("fits");
    packet
}

/// An ICMPv6 message of any type.
pub(crate) fn icmp(from: Address, to: Address, hops: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6(from, to, hops).icmpv6_raw(kind, 0, [0; 4]).write(&mut packet, body).expect("fits");
    packet
}

/// A UDP packet whose header follows extension headers.
pub(crate) fn extended(from: Address, to: Address, extensions: &[(u8, &[u8])], udp: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    for (n, (_, body)) in extensions.iter().enumerate() {
        rest.push(extensions.get(n + 1).map_or(17, |(kind, _)| *kind));
        rest.extend(*body);
    }
    rest.extend(udp);
    let header = Ipv6Header {
        payload_length: u16::try_from(rest.len()).expect("short"),
        next_header: IpNumber(extensions[0].0),
        hop_limit: 64,
        source: from,
        destination: to,
        ..Ipv6Header::default()
    };
    [&header.to_bytes()[..], &rest].concat()
}

pub(crate) fn fragment(from: Address, to: Address, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    let header =
        Ipv6FragmentHeader::new(IpNumber::UDP, offset.try_into().expect("in units of eight bytes"), more, 77);
    let body = header.to_bytes();
    extended(from, to, &[(44, &body[1..])], payload)
}

pub(crate) fn from_alice(packet: &[u8]) -> Vec<u8> {
    tagged(ALICE_MAC, 0x88a8, (100, 7), 0x86dd, packet)
}

pub(crate) fn from_bob(packet: &[u8]) -> Vec<u8> {
    tagged(BOB_MAC, 0x88a8, (101, 9), 0x86dd, packet)
}

pub(crate) fn from_core(packet: &[u8]) -> Vec<u8> {
    [&CORE_MAC[..], &GATEWAY_MAC, &[0x86, 0xdd], packet].concat()
}

/// The packet as a router passes it on.
fn hop(mut packet: Vec<u8>) -> Vec<u8> {
    packet[7] -= 1;
    packet
}

pub(crate) fn goes_out(outcome: Outcome, sent: &[u8]) {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    assert_eq!(frame[..14], [&GATEWAY_MAC[..], &CORE_MAC, &[0x86, 0xdd]].concat());
    assert_eq!(frame[14..], hop(sent.to_vec()));
}

pub(crate) fn comes_in(outcome: Outcome, (mac, s_vid, c_vid): ([u8; 6], u8, u8), sent: &[u8]) {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let tags = [0x88, 0xa8, 0, s_vid, 0x81, 0, 0, c_vid, 0x86, 0xdd];
    assert_eq!(frame[..22], [&mac[..], &ACCESS_MAC, &tags].concat());
    assert_eq!(frame[22..], hop(sent.to_vec()));
}

pub(crate) const TO_ALICE: ([u8; 6], u8, u8) = (ALICE_MAC, 100, 7);
pub(crate) const TO_BOB: ([u8; 6], u8, u8) = (BOB_MAC, 101, 9);

fn dropped(outcome: &Outcome, reason: DropReason) {
    assert_eq!(*outcome, Outcome::Drop(reason, None));
}

fn script(r: &mut dyn Runner) {
    // Without a firewall: both prefixes, both ways, whatever the protocol.
    for own in [alice(), alices_lan()] {
        let out = udp((own, 5000), (remote(), 53), 64, b"question");
        goes_out(r.up(&from_alice(&out)), &out);
        let unasked = tcp((remote(), 443), (own, 22), 64);
        comes_in(r.down(&from_core(&unasked)), TO_ALICE, &unasked);
    }
    for (source, reason) in [
        ("2001:db8:100:b::5", DropReason::SourceAddress),
        ("2001:db8:1aa:fe00::9", DropReason::SourceAddress),
        ("fe80::1", DropReason::SourceAddress),
        ("::", DropReason::SourceAddress),
    ] {
        dropped(&r.up(&from_alice(&udp((address(source), 1), (remote(), 53), 64, b""))), reason);
    }
    for to in ["ff02::fb", "::1", "::", "::ffff:192.0.2.1", "fe80::1", "fec0::1"] {
        dropped(&r.up(&from_alice(&udp((alice(), 1), (address(to), 53), 64, b""))), DropReason::Martian);
    }
    let spoofed = tagged(BOB_MAC, 0x88a8, (100, 7), 0x86dd, &udp((alice(), 1), (remote(), 1), 64, b""));
    dropped(&r.up(&spoofed), DropReason::SourceMac);
    // An address of the pool that nobody has.
    let nobody = address("2001:db8:1ff::1");
    dropped(&r.up(&from_alice(&udp((alice(), 1), (nobody, 1), 64, b""))), DropReason::Blackhole);
    dropped(&r.down(&from_core(&udp((remote(), 1), (nobody, 1), 64, b""))), DropReason::Blackhole);

    // What is said to the office itself.
    let link_local = address("fe80::a1");
    let port = address("fe80::ac:ff:fe00:1");
    let hand_over = |outcome: Outcome, reason| assert_eq!(outcome, Outcome::Punt(reason));
    let solicit = icmp(link_local, address("ff02::2"), 255, 133, &[]);
    hand_over(r.up(&from_alice(&solicit)), PuntReason::NeighbourDiscovery);
    let neighbour = icmp(link_local, address("ff02::1:ff00:1"), 255, 135, &port);
    hand_over(r.up(&from_alice(&neighbour)), PuntReason::NeighbourDiscovery);
    dropped(&r.up(&from_alice(&icmp(link_local, address("ff02::2"), 64, 133, &[]))), DropReason::Martian);
    let dhcp = udp((link_local, 546), (address("ff02::1:2"), 547), 1, b"\x01abc");
    hand_over(r.up(&from_alice(&dhcp)), PuntReason::Dhcp6);
    hand_over(r.up(&from_alice(&ping(link_local, port, 64, false))), PuntReason::GatewayEcho);
    dropped(&r.up(&from_alice(&udp((link_local, 1), (port, 1), 64, b""))), DropReason::ToOffice);

    // Hop limits, and packets that are too big.
    let last = udp((alice(), 1), (remote(), 1), 1, b"");
    let told = |reason, punt| Outcome::Drop(reason, Some(punt));
    assert_eq!(r.up(&from_alice(&last)), told(DropReason::TtlExpired, PuntReason::TtlExpired));
    let big = udp((alice(), 1), (remote(), 1), 64, &[0; 1460]);
    assert_eq!(r.up(&from_alice(&big)), told(DropReason::TooBig, PuntReason::TooBig));

    // The ends of a connection hear of no larger segments than the links take.
    for (said, heard) in [(9000, 1440), (1220, 1220)] {
        let [out, out_heard] = [said, heard].map(|mss| syn((alice(), 5000), (remote(), 80), mss));
        goes_out(r.up(&from_alice(&out)), &out_heard);
        let [back, back_heard] = [said, heard].map(|mss| syn((remote(), 80), (alice(), 5000), mss));
        comes_in(r.down(&from_core(&back)), TO_ALICE, &back_heard);
    }

    // Sources that nobody has.
    for source in ["::1", "ff02::1", "fe80::1"] {
        let frame = from_core(&udp((address(source), 1), (alice(), 1), 64, b""));
        dropped(&r.down(&frame), DropReason::Martian);
    }

    // Who traces the way to a home sees the office on it, whatever the home's firewall says.
    for home in [alice(), bob()] {
        let last = from_core(&udp((remote(), 33434), (home, 33434), 1, b""));
        assert_eq!(r.down(&last), told(DropReason::TtlExpired, PuntReason::TtlExpired));
    }
    // What is too big for the line is told to who sent it, once the firewall has let it in.
    let big = udp((remote(), 1), (alice(), 1), 64, &[0; 1460]);
    assert_eq!(r.down(&from_core(&big)), told(DropReason::TooBig, PuntReason::TooBig));

    a_firewall_lets_answers_in(r);
}

fn a_firewall_lets_answers_in(r: &mut dyn Runner) {
    let question = udp((bob(), 5000), (remote(), 53), 64, b"question");
    let answer = udp((remote(), 53), (bob(), 5000), 64, b"answer");
    dropped(&r.down(&from_core(&answer)), DropReason::Firewall);
    goes_out(r.up(&from_bob(&question)), &question);
    comes_in(r.down(&from_core(&answer)), TO_BOB, &answer);
    for other in [
        udp((remote(), 54), (bob(), 5000), 64, b""),
        udp((remote(), 53), (bob(), 5001), 64, b""),
        udp((address("2606:4700::1112"), 53), (bob(), 5000), 64, b""),
        tcp((remote(), 53), (bob(), 5000), 64),
    ] {
        dropped(&r.down(&from_core(&other)), DropReason::Firewall);
    }
    let request = ping(bob(), remote(), 64, false);
    let reply = ping(remote(), bob(), 64, true);
    dropped(&r.down(&from_core(&reply)), DropReason::Firewall);
    goes_out(r.up(&from_bob(&request)), &request);
    comes_in(r.down(&from_core(&reply)), TO_BOB, &reply);
    // Errors about what went out are let in, about anything else they are not.
    let router = address("2001:db8:0:9::1");
    let about = icmp(router, bob(), 64, 3, &question);
    comes_in(r.down(&from_core(&about)), TO_BOB, &about);
    let other = icmp(router, bob(), 64, 3, &udp((bob(), 5000), (remote(), 99), 64, b""));
    dropped(&r.down(&from_core(&other)), DropReason::Firewall);
    let foreign = icmp(router, bob(), 64, 3, &udp((alice(), 5000), (remote(), 53), 64, b""));
    dropped(&r.down(&from_core(&foreign)), DropReason::IcmpErrorUnknown);

    // Extension headers do not hide what a packet is, and later fragments follow the first.
    let inner = &udp((remote(), 53), (bob(), 5000), 64, b"answer")[40..];
    let options: &[u8] = &[0, 1, 4, 0, 0, 0, 0];
    let behind = extended(remote(), bob(), &[(0, options), (60, options)], inner);
    comes_in(r.down(&from_core(&behind)), TO_BOB, &behind);
    let inner = &udp((remote(), 53), (bob(), 5001), 64, b"answer")[40..];
    dropped(&r.down(&from_core(&extended(remote(), bob(), &[(60, options)], inner))), DropReason::Firewall);
    let routing = extended(alice(), remote(), &[(43, &[0, 0, 0, 0, 0, 0, 0])], inner);
    dropped(&r.up(&from_alice(&routing)), DropReason::BadIpv6);
    let many = extended(alice(), remote(), &[(60, options); 7], inner);
    dropped(&r.up(&from_alice(&many)), DropReason::BadIpv6);
    let later = fragment(remote(), bob(), 2, false, b"the rest");
    dropped(&r.down(&from_core(&later)), DropReason::FragmentUnknown);
    let whole = udp((remote(), 53), (bob(), 5000), 64, b"answers!");
    let first = fragment(remote(), bob(), 0, true, &whole[40..]);
    comes_in(r.down(&from_core(&first)), TO_BOB, &first);
    comes_in(r.down(&from_core(&later)), TO_BOB, &later);

    beyond_the_packet(r);

    // From one subscriber to another, through the firewall of the other.
    dropped(&r.up(&from_alice(&udp((alice(), 1), (bob(), 1), 64, b""))), DropReason::Firewall);
    let between = udp((bob(), 1), (alice(), 1), 64, b"");
    comes_in(r.up(&from_bob(&between)), TO_ALICE, &between);
    let back = udp((alice(), 1), (bob(), 1), 64, b"");
    comes_in(r.up(&from_alice(&back)), TO_BOB, &back);
}

/// What follows a packet in its frame is no header of it, nor of what it quotes.
fn beyond_the_packet(r: &mut dyn Runner) {
    let question = udp((bob(), 5000), (remote(), 53), 64, b"question");
    let answer = udp((remote(), 53), (bob(), 5000), 64, b"answer");
    let reply = ping(remote(), bob(), 64, true);
    let about = icmp(address("2001:db8:0:9::1"), bob(), 64, 3, &question);
    let with_payload_len = |packet: &[u8], len: u8| {
        let mut packet = packet.to_vec();
        packet[4..6].copy_from_slice(&[0, len]);
        packet
    };
    for (packet, len) in
        [(&answer, 7), (&answer, 0), (&reply, 7), (&tcp((remote(), 53), (bob(), 5000), 64), 19)]
    {
        dropped(&r.down(&from_core(&with_payload_len(packet, len))), DropReason::Truncated);
    }
    dropped(&r.up(&from_bob(&with_payload_len(&question, 7))), DropReason::Truncated);
    dropped(&r.down(&from_core(&with_payload_len(&about, 8 + 40 + 7))), DropReason::IcmpErrorUnknown);
    let whole = with_payload_len(&about, 8 + 40 + 8);
    comes_in(r.down(&from_core(&whole)), TO_BOB, &whole);
}

pub(crate) fn opened(world: &World, state: &NodeState) -> Fastpath {
    let mut fastpath = world.office(state);
    let mac = Mac::new(GATEWAY_MAC).expect("unicast");
    let gateway = std::net::Ipv6Addr::from(address("2001:db8:0:1::1"));
    fastpath.set_next_hop(gateway.into(), &"core0".parse().expect("a name"), Some(mac)).expect("a port");
    fastpath
}

#[test]
fn ipv6_goes_both_ways_and_a_firewall_lets_answers_in() {
    let world = World::new();
    let mut fastpath = opened(&world, &office());
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &[]);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
}

#[test]
fn ipv6_comes_and_goes_without_touching_the_rest() {
    let world = World::new();
    let mut fastpath = opened(&world, &desired());
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let question = from_bob(&udp((bob(), 5000), (remote(), 53), 64, b"q"));
    let v4 = crate::frames::from_alice(&crate::frames::udp(
        (crate::frames::ALICE, 5000),
        (crate::frames::REMOTE, 53),
        64,
        b"q",
    ));
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    dropped(&kernel.up(&question), DropReason::EtherType);
    let Outcome::Redirect(first) = kernel.up(&v4) else { panic!("goes out") };
    for (state, passes) in [(office(), true), (desired(), false), (office(), true)] {
        crate::world::settle(kernel.fastpath, &state);
        let gateway = std::net::Ipv6Addr::from(address("2001:db8:0:1::1"));
        let mac = Mac::new(GATEWAY_MAC).expect("unicast");
        kernel
            .fastpath
            .set_next_hop(gateway.into(), &"core0".parse().expect("a name"), Some(mac))
            .expect("a port");
        assert_eq!(matches!(kernel.up(&question), Outcome::Redirect(_)), passes);
        assert_eq!(kernel.up(&v4), Outcome::Redirect(first.clone()), "the same mapping as before");
        crate::world::settle(kernel.fastpath, &state);
        assert_eq!(kernel.fastpath.writes(), 0, "nothing is left to do");
    }
    let views = inspector.sessions();
    let alice = views.iter().find(|view| view.name == "alice").expect("there");
    assert_eq!(alice.up.packets, 4, "counters go on");
    // Whoever opens the maps anew finds all of it.
    drop(fastpath);
    let mut again = world.open();
    for (key, done) in again.reconcile(&office()) {
        done.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    assert_eq!(again.writes(), 0);
}

#[test]
fn what_ipv6_cannot_be_is_refused_by_name() {
    let world = World::new();
    let mut fastpath = opened(&world, &office());
    let bob = office().resources().find(|r| r.key().as_str() == "session/bob-inc").expect("bob");
    let text = String::from_utf8(bob.encode()).expect("JSON");
    for (from, to, error) in [
        ("2001:db8:100:b::/64", "2001:db8:100:a::/64", "2001:db8:100:a::/64 leads to something else already"),
        ("2001:db8:100:b::/64", "2001:db8:100::/63", "ipv6.link is 2001:db8:100::/63, not a /64"),
        (r#""flows":64"#, r#""flows":65"#, "firewall.flows is 65, not a power of two from 64 to 1024"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        let resource = Resource::decode(changed.as_bytes()).expect("a session");
        let outcomes = fastpath.apply(&[fastpath::Change::Upsert(resource)]);
        let done = outcomes.iter().find(|(key, _)| key.as_str() == "session/bob-inc").expect("an outcome");
        assert_eq!(done.1.as_ref().expect_err(to).to_string(), error);
    }
    crate::world::settle(&mut fastpath, &office());
}
