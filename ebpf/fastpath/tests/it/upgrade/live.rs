//! Under traffic: not a frame is lost, every flow keeps its external port, and what was counted is exact.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use fastpath::Inspector;
use map_abi::{Course, End};

use super::{assert_nothing_lost, change_to_probe};
use crate::{
    frames::{ALICE, Address, EXTERNAL, REMOTE, from_alice, from_core, tcp, udp},
    live::Wire,
    tally::tally,
    world::{World, desired, settle},
};

/// Slow enough for the queues between the namespaces' ends.
const PAUSE: Duration = Duration::from_micros(300);
/// Where the payload of a UDP datagram and of a TCP segment begins in a frame without tags.
const PAYLOAD: [usize; 2] = [42, 54];

type Packet = fn((Address, u16), (Address, u16), u8, &[u8]) -> Vec<u8>;
const PROTOCOLS: [Packet; 2] = [udp, tcp];

/// Sends numbered frames of both protocols until told to stop; how many of each.
fn send(wire: &Wire, stop: &AtomicBool, frame: impl Fn(usize, u32) -> Vec<u8>) -> u32 {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        for protocol in [0, 1] {
            wire.send(&frame(protocol, number));
        }
        number += 1;
        thread::sleep(PAUSE);
    }
    number
}

/// Receives as many frames of each protocol as were sent, when that is known, in order; the source ports that they come
/// from. Meanwhile, for no socket holds them all.
fn receive(wire: &Wire, (stop, count): (&AtomicBool, &OnceLock<u32>), tag_bytes: usize) -> [u16; 2] {
    let mut next = [0; 2];
    let mut ports = [0; 2];
    let are_all = |next: [u32; 2]| count.get().is_some_and(|count| next == [*count; 2]);
    while !are_all(next) {
        let Some(frame) = wire.receive() else {
            assert!(are_all(next) || !stop.load(Ordering::Relaxed), "lost after {next:?} of {count:?}");
            continue;
        };
        let frame = &frame[tag_bytes..];
        let protocol = usize::from(frame[23] == 6);
        let at = PAYLOAD[protocol];
        let number = u32::from_be_bytes(frame[at..at + 4].try_into().expect("four bytes"));
        let port = u16::from_be_bytes([frame[34], frame[35]]);
        assert_eq!(number, next[protocol], "frames in order, none left out");
        assert!(number == 0 || port == ports[protocol], "the flow keeps its port");
        ports[protocol] = port;
        next[protocol] += 1;
    }
    ports
}

/// So that senders end also when a test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn agents_with_other_layouts_take_over_without_a_lost_packet() {
    let world = World::new();
    let first = world.office(&desired());
    let (home, upstream) = (Wire::on("home0"), Wire::on("up0"));
    // Both flows begin, and the other end learns their ports.
    let outward = |protocol: usize, number: u32| {
        from_alice(&PROTOCOLS[protocol]((ALICE, 5000), (REMOTE, 53), 64, &number.to_be_bytes()))
    };
    let mut external = [0; 2];
    for protocol in [0, 1] {
        home.send(&outward(protocol, 0));
        let out = upstream.receive().expect("the first packet");
        external[protocol] = u16::from_be_bytes([out[34], out[35]]);
    }
    let inward = |protocol: usize, number: u32| {
        let to = (EXTERNAL, external[protocol]);
        from_core(&PROTOCOLS[protocol]((REMOTE, 53), to, 64, &number.to_be_bytes()))
    };
    let stop = AtomicBool::new(false);
    let (sent_up, sent_down) = (OnceLock::new(), OnceLock::new());
    thread::scope(|scope| {
        // A socket gets only what comes in after it is there.
        let (above, below) = (Wire::on("up0"), Wire::on("home0"));
        let up = scope.spawn(|| send(&home, &stop, outward));
        let down = scope.spawn(|| send(&upstream, &stop, inward));
        let came_up = scope.spawn({
            let until = (&stop, &sent_up);
            move || receive(&above, until, 0)
        });
        // A packet socket shows the inner tag.
        let came_down = scope.spawn({
            let until = (&stop, &sent_down);
            move || receive(&below, until, 4)
        });
        let stop = Stop(&stop);
        drop(first);
        for _ in 0..2 {
            let there = change_to_probe(&world);
            assert_nothing_lost(&there);
            assert_eq!((there.sessions, there.mappings), (2, 2));
            let mut back = world.open();
            assert_nothing_lost(back.migration().expect("the maps were the other agent's"));
            settle(&mut back, &desired());
        }
        drop(stop);
        sent_up.set(up.join().expect("sent")).expect("set once");
        sent_down.set(down.join().expect("sent")).expect("set once");
        assert_eq!(came_up.join().expect("received"), external);
        assert_eq!(came_down.join().expect("received"), [53; 2]);
    });
    let [sent_up, sent_down] = [sent_up, sent_down].map(|sent| sent.into_inner().expect("set"));
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let sessions = inspector.sessions();
    let alice = sessions.iter().find(|session| session.name == "alice").expect("alice");
    assert_eq!(
        (alice.up.packets, alice.down.packets),
        (2 * u64::from(sent_up) + 2, 2 * u64::from(sent_down))
    );
    assert_eq!((alice.up.drops, alice.down.drops), (0, 0));
    let tally = tally(&inspector);
    let forwarded = |course| tally.end(End::Forwarded, course);
    assert_eq!(forwarded(Course::UP), alice.up.packets);
    assert_eq!(forwarded(Course::DOWN), alice.down.packets);
    assert_eq!(tally.frames(), alice.up.packets + alice.down.packets, "and nothing else came in");
}
