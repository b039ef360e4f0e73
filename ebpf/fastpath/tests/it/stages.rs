//! What went through each stage, and that each frame has an end that is counted.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    path::Path,
};

use aya::maps::MapData;
use fastpath::{DropReason, Fastpath, Inspector, ProgramOf};
use map_abi::{Course, Stage, StageFlow, map, program};

use crate::{
    fixtures::{external_port, r_arp},
    frames::{
        ALICE, Address, BOB, EXTERNAL, GATEWAY, REMOTE, echo_request, from_alice, from_bob, from_core, udp,
    },
    live::Wire,
    tally::{only_one, since, tally},
    world::{ACCESS_MAC, ALICE_MAC, World, desired},
};

const DROPPED: u32 = 1;
const ABORTED: u32 = 0;

/// From Alice, and the first has a mapping made.
fn out(payload: &[u8]) -> Vec<u8> {
    from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, payload))
}

fn back(port: u16, payload: &[u8]) -> Vec<u8> {
    from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, payload))
}

fn to(address: Address, port: u16) -> Vec<u8> {
    from_alice(&udp((ALICE, 5000), (address, port), 64, b"neighbour"))
}

/// Ports of the block that no mapping has: an answer to the last one is none.
const UNUSED: u16 = 1087;

/// What comes from lines: answered, dropped, handed over, dropped, turned and dropped, turned.
fn others_from_lines() -> [Vec<u8>; 7] {
    [
        r_arp(ALICE_MAC, ALICE_MAC, ALICE, GATEWAY),
        r_arp(ALICE_MAC, [2; 6], ALICE, GATEWAY),
        from_alice(&udp(([0; 4], 68), ([255; 4], 67), 64, &[1; 240])),
        from_alice(&echo_request(ALICE, GATEWAY, 7, 64)),
        out(b"cut off")[..40].to_vec(),
        to(EXTERNAL, UNUSED),
        to(BOB, 7),
    ]
}

/// What comes from the core and is for no subscriber: to nobody, not to this router, cut off.
fn others_from_core() -> [Vec<u8>; 3] {
    let elsewhere = [&ACCESS_MAC[..], &back(UNUSED, b"")[6..]].concat();
    [
        from_core(&udp((REMOTE, 53), ([100, 64, 0, 99], 9), 64, b"")),
        elsewhere,
        back(UNUSED, b"")[..30].to_vec(),
    ]
}

fn run(fastpath: &mut Fastpath, which: ProgramOf, ifindex: u32, frame: &[u8]) -> (u32, Vec<u8>) {
    fastpath.run_once(which, ifindex, frame).unwrap_or_else(|error| panic!("{error}"))
}

/// In, out, turned, answered, to user space, to the kernel, dropped.
fn figures(flow: &StageFlow) -> [u64; 7] {
    let StageFlow { stage: _, direction: _, came_in, went_out, turned, answered, .. } = *flow;
    [came_in, went_out, turned, answered, flow.to_user_space, flow.to_kernel, flow.dropped]
}

#[test]
fn what_leaves_a_stage_comes_into_the_next() {
    let world = World::new();
    let mut fastpath = world.office(&desired());
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut port = 0;
    for payload in [b"1", b"2", b"3"] {
        let (_, sent) = run(&mut fastpath, ProgramOf::AccessPorts, world.access, &out(payload));
        port = external_port(&sent[14..]);
    }
    for frame in others_from_lines() {
        run(&mut fastpath, ProgramOf::AccessPorts, world.access, &frame);
    }
    for frame in [back(port, b"1"), back(port, b"2")].iter().chain(&others_from_core()) {
        run(&mut fastpath, ProgramOf::CorePorts, world.core, frame);
    }
    let tally = tally(&inspector);
    assert_eq!(Course::ALL.map(|course| tally.frames_on(course)), [8, 5, 2]);
    let flows = tally.stages();
    let [volt, vcpe, vbng] = Stage::ALL;
    assert_eq!(flows.map(|flow| flow.stage), [volt, vcpe, vbng, vbng, vcpe, volt]);
    let expected = [
        [10, 7, 0, 1, 0, 0, 2],
        [7, 6, 0, 0, 1, 0, 0],
        [6, 5, 2, 0, 1, 0, 0],
        [7, 4, 2, 0, 0, 1, 2],
        [4, 3, 0, 0, 0, 0, 1],
        [3, 3, 0, 0, 0, 0, 0],
    ];
    assert_eq!(flows.map(|flow| figures(&flow)), expected);
}

#[test]
fn all_that_is_sent_on_a_wire_has_an_end() {
    const ROUNDS: u64 = 10;
    let world = World::new();
    let _fastpath = world.office(&desired());
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let (home, upstream) = (Wire::on("home0"), Wire::on("up0"));
    home.send(&out(b"first"));
    let port = external_port(&upstream.receive().expect("it goes out")[14..]);
    let before = tally(&inspector);
    for _ in 0..ROUNDS {
        for frame in others_from_lines() {
            home.send(&frame);
        }
        home.send(&from_bob(&udp((BOB, 9), (REMOTE, 9), 64, b"routed")));
        for frame in others_from_core() {
            upstream.send(&frame);
        }
        upstream.send(&back(port, b"answer"));
    }
    // A wire keeps the order: when the last one has come through, all have.
    home.send(&out(b"last question"));
    while !upstream.receive().expect("the last one comes out").ends_with(b"last question") {}
    upstream.send(&back(port, b"last answer"));
    while !home.receive().expect("the last one comes in").ends_with(b"last answer") {}
    let grown = since(&before, &tally(&inspector));
    assert_eq!(grown.frames_on(Course::DOWN), ROUNDS * 4 + 1, "frames from the core");
    assert_eq!(grown.frames_on(Course::TURNED), ROUNDS * 2, "of one subscriber to another");
    assert_eq!(grown.frames(), ROUNDS * 8 + 1 + ROUNDS * 4 + 1, "frames that were sent");
}

/// Takes an entry out of a map.
fn forget(pin_dir: &Path, name: &str, key: u32) {
    const DELETE: libc::c_int = 3;
    #[repr(C)]
    struct Entry {
        map: u32,
        key: u64,
    }
    let map = MapData::from_pin(pin_dir.join(name)).expect(name);
    let entry = Entry { map: map.fd().as_fd().as_raw_fd().cast_unsigned(), key: (&raw const key) as u64 };
    // SAFETY: a map's descriptor and a key of its length, which outlive the call.
    let done = unsafe { libc::syscall(libc::SYS_bpf, DELETE, &raw const entry, size_of::<Entry>()) };
    assert_eq!(done, 0, "{}", io::Error::last_os_error());
}

#[test]
fn what_a_missing_port_or_program_stops_is_counted() {
    let world = World::new();
    let mut fastpath = world.office(&desired());
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut port = 0;
    for _ in 0..2 {
        let (_, sent) = run(&mut fastpath, ProgramOf::AccessPorts, world.access, &out(b"a mapping"));
        port = external_port(&sent[14..]);
    }
    let mut stopped = |which: ProgramOf, ifindex: u32, frame: &[u8], action: u32, course: Course| {
        let before = tally(&inspector);
        assert_eq!(run(&mut fastpath, which, ifindex, frame).0, action);
        let counted = only_one(&before, &tally(&inspector));
        assert_eq!(counted, (course, Err(DropReason::Inconsistent)));
    };
    let six = |frame: Vec<u8>, at: usize| [&frame[..at], &[0x86, 0xdd], &frame[at + 2..]].concat();
    let (up, down) = (six(out(b""), 20), six(back(port, b""), 12));
    for program in [program::ACCESS6, program::CORE6, program::CORE] {
        forget(&world.pin_dir, map::PROGRAMS, program);
    }
    stopped(ProgramOf::AccessPorts, world.access, &up, ABORTED, Course::UP);
    stopped(ProgramOf::CorePorts, world.core, &down, ABORTED, Course::DOWN);
    // The program of core ports would have had it as one that was turned.
    stopped(ProgramOf::AccessPorts, world.access, &to(BOB, 7), ABORTED, Course::UP);
    for port in [0, 1] {
        forget(&world.pin_dir, map::REDIRECT, port);
    }
    let arp = r_arp(ALICE_MAC, ALICE_MAC, ALICE, GATEWAY);
    stopped(ProgramOf::AccessPorts, world.access, &out(b"no port"), DROPPED, Course::UP);
    stopped(ProgramOf::AccessPorts, world.access, &arp, DROPPED, Course::UP);
    stopped(ProgramOf::CorePorts, world.core, &back(port, b"no port"), DROPPED, Course::DOWN);
}
