//! The storm limit: how many broadcast and multicast frames each subscriber may send, on the host and in the kernel alike.

use std::time::Instant;

use fastpath::{DropReason, Inspector, PuntReason};
use map_abi::{Answer, Course, End, Session};
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, r_arp},
    frames::{ALICE, Address, BOB, GATEWAY, REMOTE, from_alice, from_bob, tagged, udp},
    live::Wire,
    runner::{Host, Kernel, Outcome, Runner},
    six,
    snapshot::snapshot,
    tally::{since, tally},
    world::{ALICE_MAC, BOB_MAC, World},
};

/// Of a port that says nothing: a second's frames, and as many again.
const RATE: usize = 100;
const BURST: usize = 2 * RATE;
/// An arrival time that no clock reaches.
const NEVER_Q6: u64 = u64::MAX / 4;

/// Alice and Bob with IPv6, in that state, on a port that says how many frames it takes of each, or does not.
fn office(state: &str, limit: Option<u32>) -> NodeState {
    let mut office = NodeState::default();
    for resource in six::office().resources() {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        let text = text.replace(r#""state":"active""#, &format!(r#""state":"{state}""#));
        let port = r#""outerTpid":"0x88a8""#;
        let text = match limit {
            Some(limit) => text.replace(port, &format!(r#"{port},"broadcastLimit":{limit}"#)),
            None => text,
        };
        office.insert(Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")));
    }
    office
}

fn request() -> Vec<u8> {
    r_arp(ALICE_MAC, ALICE_MAC, ALICE, GATEWAY)
}

fn to_group(mut frame: Vec<u8>, group: [u8; 6]) -> Vec<u8> {
    frame[..6].copy_from_slice(&group);
    frame
}

/// What a home says to all on its link: the frame, and what becomes of it while there is room for it.
fn said_to_all() -> [(&'static str, Vec<u8>, Outcome); 6] {
    let all = six::address("ff02::2");
    let solicitation = six::icmp(six::address("fe80::1"), all, 255, 133, &[]);
    let (names, names6): (Address, _) = ([224, 0, 0, 251], six::address("ff02::fb"));
    let dropped = |reason| Outcome::Drop(reason, None);
    [
        (
            "DHCP",
            to_group(from_alice(&udp(([0; 4], 68), ([255; 4], 67), 64, &[1; 240])), [0xff; 6]),
            Outcome::Punt(PuntReason::Dhcp),
        ),
        (
            "a router solicitation",
            to_group(six::from_alice(&solicitation), [0x33, 0x33, 0, 0, 0, 2]),
            Outcome::Punt(PuntReason::NeighbourDiscovery),
        ),
        (
            "mDNS",
            to_group(from_alice(&udp((ALICE, 5353), (names, 5353), 255, b"")), [1, 0, 0x5e, 0, 0, 0xfb]),
            dropped(DropReason::DestinationMac),
        ),
        (
            "mDNS over IPv6",
            to_group(
                six::from_alice(&six::udp((six::alice(), 5353), (names6, 5353), 255, b"")),
                [0x33, 0x33, 0, 0, 0, 0xfb],
            ),
            dropped(DropReason::Martian),
        ),
        (
            "LLDP",
            to_group(tagged(ALICE_MAC, 0x88a8, (100, 7), 0x88cc, &[0; 46]), [1, 0x80, 0xc2, 0, 0, 0x0e]),
            dropped(DropReason::EtherType),
        ),
        ("another host's ARP", r_arp(BOB_MAC, BOB_MAC, ALICE, GATEWAY), dropped(DropReason::SourceMac)),
    ]
}

fn is_answered(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Redirect(_) => true,
        Outcome::Drop(DropReason::Storm, None) => false,
        other => panic!("{other:?}"),
    }
}

/// Until when Alice has sent what she may.
trait Clock {
    fn set_arrival(&mut self, q6: u64);
}

impl Clock for Host<'_> {
    fn set_arrival(&mut self, q6: u64) {
        let (index, mut session) = (1..8)
            .filter_map(|index| Some((index, self.tables.session_value(index)?)))
            .find(|(_, session)| session.name.starts_with(b"alice\0"))
            .expect("a session");
        session.broadcast_arrival_q6 = q6;
        self.tables.set_session(index, session);
    }
}

impl Clock for Kernel<'_> {
    fn set_arrival(&mut self, q6: u64) {
        let sessions = aya::maps::MapData::from_pin(self.world.pin_dir.join("SESSIONS")).expect("pinned");
        let mut sessions: aya::maps::Array<_, [u8; size_of::<Session>()]> =
            aya::maps::Array::try_from(aya::maps::Map::Array(sessions)).expect("an array");
        let index = self.fastpath.index_of(&"alice".parse().expect("a name")).expect("a session");
        let mut session = sessions.get(&index, 0).expect("every index");
        let at = core::mem::offset_of!(Session, broadcast_arrival_q6);
        session[at..at + 8].copy_from_slice(&q6.to_ne_bytes());
        sessions.set(index, session, 0).expect("writes");
    }
}

trait Line: Runner + Clock {}
impl<T: Runner + Clock> Line for T {}

fn everywhere(state: &NodeState, script: impl Fn(&mut dyn Line)) {
    let world = World::new();
    let mut fastpath = six::opened(&world, state);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
}

#[test]
fn of_a_flood_as_many_are_answered_as_a_line_may_send() {
    let world = World::new();
    drop(six::opened(&world, &office("active", None)));
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let mut host = Host { world: &world, tables };
    let flood = |host: &mut Host<'_>| (0..1000).filter(|_| is_answered(&host.up(&request()))).count();
    let unicast = from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
    assert_eq!(flood(&mut host), BURST);
    assert!(matches!(host.up(&unicast), Outcome::Redirect(_)), "what is for one station goes on");
    let bobs = to_group(from_bob(&udp((BOB, 68), ([255; 4], 67), 64, &[1; 240])), [0xff; 6]);
    assert_eq!(host.up(&bobs), Outcome::Punt(PuntReason::Dhcp), "and so do others");
    host.tables.advance_ns(9_999_000);
    assert_eq!(flood(&mut host), 0);
    host.tables.advance_ns(1_000);
    assert_eq!(flood(&mut host), 1, "a hundredth of a second for each");
    host.tables.advance_ns(1_000_000_000);
    assert_eq!(flood(&mut host), RATE);
    host.tables.advance_ns(3_600_000_000_000);
    assert_eq!(flood(&mut host), BURST, "nobody saves more than that");
}

#[test]
fn whatever_is_said_to_all_counts_and_nothing_else_does() {
    for state in ["active", "suspended", "quarantined"] {
        everywhere(&office(state, Some(1)), |line| {
            for (what, frame, outcome) in said_to_all() {
                // IPv4 that is no DHCP is refused for the session's state, which has no garden here.
                let is_refused = state != "active"
                    && matches!(
                        outcome,
                        Outcome::Drop(DropReason::DestinationMac | DropReason::Martian, None)
                    );
                let outcome = if is_refused { Outcome::Drop(DropReason::Suspended, None) } else { outcome };
                line.set_arrival(0);
                assert_eq!(line.up(&frame), outcome, "{what}, {state}");
                line.set_arrival(NEVER_Q6);
                let storm = Outcome::Drop(DropReason::Storm, None);
                assert_eq!(line.up(&frame), storm, "{what}, {state}");
                assert_eq!(line.up(&request()), storm, "after {what}, {state}");
            }
            // To the office alone: what asks for the gateway again, and what renews a lease.
            let again = to_group(request(), crate::world::ACCESS_MAC);
            assert!(matches!(line.up(&again), Outcome::Redirect(_)), "{state}");
            let renewal = from_alice(&udp((ALICE, 68), (GATEWAY, 67), 64, &[1; 240]));
            assert_eq!(line.up(&renewal), Outcome::Punt(PuntReason::Dhcp), "{state}");
        });
    }
}

#[test]
fn a_line_that_was_stopped_goes_on_with_time() {
    let world = World::new();
    let mut fastpath = six::opened(&world, &office("active", Some(1)));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    let began = Instant::now();
    let mut answered = 0;
    let mut refused = 0_u64;
    // Two at once, and one for each second: the clock that programs go by first is late by a tick at most.
    while answered < 4 {
        if is_answered(&kernel.up(&request())) {
            answered += 1;
        } else {
            refused += 1;
        }
        assert!(began.elapsed().as_secs() < 60, "{answered} answered");
    }
    assert!(began.elapsed().as_millis() >= 1_980, "{:?}", began.elapsed());
    assert!(refused > 0);
    let views = inspector.sessions();
    let alice = views.iter().find(|view| view.name == "alice").expect("there");
    assert_eq!(alice.up.drops, refused, "of the subscriber's");
}

#[test]
fn a_flood_on_a_wire_is_stopped_and_the_rest_goes_through() {
    const FLOOD: usize = 2_000;
    let world = World::new();
    let _fastpath = six::opened(&world, &office("active", Some(50)));
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let (home, upstream) = (Wire::on("home0"), Wire::on("up0"));
    let before = tally(&inspector);
    let began = Instant::now();
    for n in 0..FLOOD {
        home.send(&request());
        if n % 100 == 0 {
            home.send(&from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, &[0; 8])));
        }
    }
    for n in 0..FLOOD / 100 {
        assert!(upstream.receive().is_some(), "packet {n} is lost");
    }
    // A wire keeps the order: when the last one has come through, all have.
    home.send(&from_bob(&udp((BOB, 9), (REMOTE, 9), 64, b"the last one")));
    while !upstream.receive().expect("the last one comes out").ends_with(b"the last one") {}
    let most = 100 + usize::try_from(began.elapsed().as_millis()).expect("not so long") / 20 + 1;
    let grown = since(&before, &tally(&inspector));
    let answers = grown.end(End::Answered(Answer::Arp), Course::UP);
    assert!((100..=u64::try_from(most).expect("few")).contains(&answers), "{answers} of at most {most}");
    assert_eq!(grown.drop(DropReason::Storm, Course::UP), u64::try_from(FLOOD).expect("few") - answers);
    for n in 0..answers {
        assert!(home.receive().is_some(), "answer {n} is lost");
    }
}
