//! What the kernel tells of NAT mappings, and what becomes of a packet of which there is no room to tell.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::AsRawFd,
    time::Duration,
};

use fastpath::{Change, Events, Fastpath, Inspector, KernelEvent, MappingEvent, ProgramOf, Punts};
use map_abi::{EventKind, EventRecord, NatFlow};
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, external_port, to_alice},
    frames::{ALICE, Address, EXTERNAL, REMOTE, echo_request, from_alice, from_core, tcp, udp},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{World, desired, desired_but, settle},
};

const XDP_REDIRECT: u32 = 4;

const LOG: &str =
    r#"{"kind":"natLog","collector":"192.0.2.66:4739","observationDomain":7,"perFlow":PER-FLOW}"#;

/// The office of the fixtures, with a log.
fn logged(per_flow: bool) -> NodeState {
    let mut desired = desired();
    let log = LOG.replace("PER-FLOW", if per_flow { "true" } else { "false" });
    desired.insert(Resource::decode(log.as_bytes()).expect("a resource"));
    desired
}

/// A kind, and the flow: without times, which the host and the kernel have their own of.
type Told = (bool, u8, SocketAddrV4, SocketAddrV4, SocketAddrV4);

fn end(address: Address, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(address), port)
}

fn of_record(record: &EventRecord) -> Told {
    let flow = NatFlow::of_payload(record.payload);
    let port = u16::from_be_bytes;
    (
        record.kind == EventKind::MappingMade as u32,
        flow.protocol,
        end(flow.inside, port(flow.inside_port)),
        end(flow.external, port(flow.external_port)),
        end(flow.remote, port(flow.remote_port)),
    )
}

fn of_event(event: &MappingEvent) -> Told {
    (event.is_made, event.protocol, event.inside, event.external, event.remote)
}

/// Flows of alice's, each with its protocol and the inside and the remote end.
fn flows() -> [(Vec<u8>, u8, SocketAddrV4, SocketAddrV4); 4] {
    let remote = |port| end(REMOTE, port);
    let other = [8, 8, 8, 8];
    [
        (udp((ALICE, 5000), (REMOTE, 53), 64, b"a"), 17, end(ALICE, 5000), remote(53)),
        (tcp((ALICE, 5000), (REMOTE, 80), 64, b""), 6, end(ALICE, 5000), remote(80)),
        (echo_request(ALICE, REMOTE, 77, 64), 1, end(ALICE, 77), remote(0)),
        (udp((ALICE, 5001), (other, 99), 64, b"a"), 17, end(ALICE, 5001), end(other, 99)),
    ]
}

/// The external port that a packet went out by, or its identifier.
fn outside(packet: &[u8]) -> u16 {
    if packet[9] == 1 { u16::from_be_bytes([packet[24], packet[25]]) } else { external_port(packet) }
}

/// Sends each flow up twice, and an answer down; returns what is to be told.
fn send(runner: &mut dyn Runner) -> Vec<Told> {
    let flow = |(packet, protocol, inside, remote): (Vec<u8>, u8, SocketAddrV4, SocketAddrV4)| {
        let Outcome::Redirect(out) = runner.up(&from_alice(&packet)) else { panic!("goes out") };
        let port = outside(&out[14..]);
        let Outcome::Redirect(again) = runner.up(&from_alice(&packet)) else { panic!("goes out") };
        assert_eq!(again, out);
        if protocol == 17 {
            let remote = (remote.ip().octets(), remote.port());
            to_alice(runner.down(&from_core(&udp(remote, (EXTERNAL, port), 64, b"b"))));
        }
        (true, protocol, inside, end(EXTERNAL, port), remote)
    };
    flows().map(flow).to_vec()
}

struct Node {
    world: World,
    fastpath: Fastpath,
    inspector: Inspector,
    punts: Punts,
    events: Events,
}

impl Node {
    fn new(desired: &NodeState) -> Self {
        let world = World::new();
        let mut fastpath = world.office(desired);
        let punts = fastpath.punts().expect("not taken yet");
        let events = fastpath.events().expect("not taken yet");
        assert!(events.as_raw_fd() >= 0 && fastpath.events().is_none());
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        Self { world, fastpath, inspector, punts, events }
    }

    fn host(&self) -> Host<'_> {
        let tables = snapshot(&self.world.pin_dir, [self.world.access, self.world.core], &ADDRESSES);
        Host { world: &self.world, tables }
    }

    fn kernel(&mut self) -> Kernel<'_> {
        let Self { world, fastpath, inspector, punts, .. } = self;
        Kernel { world, fastpath, inspector, punts }
    }

    fn told(&mut self) -> Vec<MappingEvent> {
        let all = std::iter::from_fn(|| self.events.next());
        all.filter_map(|event| if let KernelEvent::Mapping(mapping) = event { Some(mapping) } else { None })
            .collect()
    }
}

#[test]
fn each_mapping_is_told_of_once_if_that_is_wanted() {
    let mut node = Node::new(&logged(true));
    let index = node.fastpath.index_of(&"alice".parse().expect("a name")).expect("a session");
    let mut host = node.host();
    let expected = send(&mut host);
    let records = host.tables.take_events();
    assert_eq!(records.iter().map(of_record).collect::<Vec<_>>(), expected);
    assert!(records.iter().all(|record| record.session == index && record.payload[3..] == [0; 3]));
    let expected = send(&mut node.kernel());
    let told = node.told();
    assert_eq!(told.iter().map(of_event).collect::<Vec<_>>(), expected);
    assert!(told.iter().all(|event| event.session == index && event.age < Duration::from_mins(1)));
    // Nobody wants it any more, or only to know of blocks.
    for desired in [desired(), logged(false)] {
        settle(&mut node.fastpath, &desired);
        let mut host = node.host();
        let packet = from_alice(&udp((ALICE, 6000), (REMOTE, 53), 64, b"a"));
        assert!(matches!(host.up(&packet), Outcome::Redirect(_)));
        assert_eq!(host.tables.take_events(), []);
        assert!(matches!(node.kernel().up(&packet), Outcome::Redirect(_)));
        assert_eq!(node.told(), []);
    }
    assert_eq!(node.inspector.losses().expect("counted").events, 0);
}

#[test]
fn the_end_of_a_mapping_is_told_when_its_place_is_taken_with_the_time_when_it_ran_out() {
    let node = Node::new(&logged(true));
    let mut host = node.host();
    let flow = |n: u16| from_alice(&udp((ALICE, 10_000 + n), (REMOTE, 53), 64, b"a"));
    let is_out = |outcome| matches!(outcome, Outcome::Redirect(_));
    let before = (0..200).filter(|n| is_out(host.up(&flow(*n)))).count();
    let made = host.tables.take_events();
    assert_eq!(made.len(), before, "what found no port is not told of");
    let idle = Duration::from_mins(5);
    host.tables.advance_ns(u64::try_from(idle.as_nanos() * 3).expect("some minutes"));
    let after = (200..400).filter(|n| is_out(host.up(&flow(*n)))).count();
    let told = host.tables.take_events();
    let (made_later, ended): (Vec<_>, Vec<_>) =
        told.iter().partition(|record| record.kind == EventKind::MappingMade as u32);
    assert_eq!(made_later.len(), after);
    assert!(ended.len() > before / 2, "{} of {before}", ended.len());
    for record in ended {
        let (_, protocol, inside, external, remote) = of_record(record);
        let begun = made.iter().find(|made| of_record(made) == (true, protocol, inside, external, remote));
        let begun = begun.expect("what ends has begun");
        let lasted = Duration::from_nanos(record.time_ns - begun.time_ns);
        // The clock of mappings has ticks of 1.07 s.
        assert!(lasted >= idle && lasted < idle + Duration::from_secs(4), "{lasted:?}");
    }
}

#[test]
fn a_packet_goes_on_when_there_is_no_room_to_tell_of_it() {
    const FLOWS: u16 = 1000;
    let alice = desired_but(|text| text.replace("\"ports\":64", "\"ports\":1024"));
    let alice = alice.sessions.into_values().find(|session| session.nat.is_some()).expect("has NAT");
    let alice = Resource::Session(alice);
    let mut node = Node::new(&logged(true));
    let access = node.world.access;
    let mut made = 0;
    // A new session has all of its ports free again.
    let renew = |node: &mut Node| {
        for change in [Change::Remove(alice.key()), Change::Upsert(alice.clone())] {
            let outcomes = node.fastpath.apply(&[change]);
            assert!(outcomes.iter().all(|(_, done)| done.is_ok()), "{outcomes:?}");
        }
    };
    while node.inspector.losses().expect("counted").events < 100 {
        renew(&mut node);
        for n in 1..FLOWS {
            let frame = from_alice(&udp((ALICE, n), (REMOTE, 53), 64, b"a"));
            let (action, _) = node.fastpath.run_once(ProgramOf::AccessPorts, access, &frame).expect("runs");
            made += u64::from(action == XDP_REDIRECT);
        }
        assert!(made < 100_000, "the ring is never full");
    }
    let lost = node.inspector.losses().expect("counted");
    assert_eq!((node.told().len() as u64 + lost.events, lost.punts), (made, 0));
    // With room again, it goes on.
    renew(&mut node);
    let frame = from_alice(&udp((ALICE, 7), (REMOTE, 53), 64, b"a"));
    assert!(matches!(node.kernel().up(&frame), Outcome::Redirect(_)));
    assert_eq!(node.told().len(), 1);
}
