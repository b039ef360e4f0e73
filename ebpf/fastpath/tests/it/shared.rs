//! Several homes behind the same tags (N:1 VLANs), on the host and in the kernel alike.

use fastpath::{Change, DropReason, Fastpath, Inspector, Punts};
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, external_port},
    frames::{ALICE, Address, BOB, EXTERNAL, REMOTE, from_alice, from_core, tagged, udp},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::{shared, snapshot},
    world::{ACCESS_MAC, ALICE_MAC, BOB_MAC, World, desired, desired_but, settle},
};

const STRANGER_MAC: [u8; 6] = [0x02, 0x57, 0, 0, 0, 1];

/// Alice and Bob on one line.
fn together() -> NodeState {
    desired_but(|text| text.replace(r#"{"sVid":101,"cVid":9}"#, r#"{"sVid":100,"cVid":7}"#))
}

fn from(mac: [u8; 6], packet: &[u8]) -> Vec<u8> {
    tagged(mac, 0x88a8, (100, 7), 0x0800, packet)
}

fn query(source: Address) -> Vec<u8> {
    udp((source, 5000), (REMOTE, 53), 64, b"query")
}

/// Where a frame to the line is sent, and the packet in it.
fn delivered(outcome: Outcome) -> ([u8; 6], Vec<u8>) {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let expected = tagged(ACCESS_MAC, 0x88a8, (100, 7), 0x0800, b"");
    assert_eq!(frame[6..22], expected[6..22]);
    (frame[..6].try_into().expect("six bytes"), frame[22..].to_vec())
}

fn both_are_served(runner: &mut dyn Runner) {
    let Outcome::Redirect(out) = runner.up(&from(ALICE_MAC, &query(ALICE))) else { panic!("goes out") };
    let port = external_port(&out[14..]);
    assert_eq!(out[14..], udp((EXTERNAL, port), (REMOTE, 53), 63, b"query"));
    let Outcome::Redirect(out) = runner.up(&from(BOB_MAC, &query(BOB))) else { panic!("goes out") };
    assert_eq!(out[14..], udp((BOB, 5000), (REMOTE, 53), 63, b"query"));
    let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"answer"));
    assert_eq!(delivered(runner.down(&answer)), (ALICE_MAC, udp((REMOTE, 53), (ALICE, 5000), 63, b"answer")));
    let answer = udp((REMOTE, 53), (BOB, 5000), 63, b"answer");
    assert_eq!(
        delivered(runner.down(&from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"answer")))),
        (BOB_MAC, answer)
    );
}

#[test]
fn homes_are_told_apart_by_their_addresses() {
    let world = World::new();
    let mut fastpath = world.office(&together());
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    for runner in [
        &mut Host { world: &world, tables } as &mut dyn Runner,
        &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts },
    ] {
        both_are_served(runner);
        let of_the_other = from(BOB_MAC, &query(ALICE));
        assert_eq!(runner.up(&of_the_other), Outcome::Drop(DropReason::SourceAddress, None));
        let dhcp = udp(([0; 4], 68), ([255; 4], 67), 64, &[1; 240]);
        for packet in [query(ALICE), dhcp] {
            let outcome = runner.up(&from(STRANGER_MAC, &packet));
            assert_eq!(outcome, Outcome::Drop(DropReason::SourceMac, None));
        }
    }
}

/// The outside port of a flow of Alice's.
fn port_of_alice(world: &World, fastpath: &mut Fastpath, punts: &mut Punts) -> u16 {
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let outcome = Kernel { world, fastpath, inspector: &inspector, punts }.up(&from_alice(&query(ALICE)));
    let Outcome::Redirect(out) = outcome else { panic!("{outcome:?}") };
    external_port(&out[14..])
}

#[test]
fn others_come_and_go_without_touching_who_is_there() {
    let world = World::new();
    let bob = |state: &NodeState| {
        state.resources().find(|resource| resource.key().as_str() == "session/bob-inc").expect("Bob")
    };
    let alone: NodeState =
        desired().resources().filter(|resource| resource.key().as_str() != "session/bob-inc").collect();
    let mut fastpath = world.office(&alone);
    let mut punts = fastpath.punts().expect("not taken yet");
    let port = port_of_alice(&world, &mut fastpath, &mut punts);
    assert!(shared(&world.pin_dir).is_empty());

    let join = |fastpath: &mut Fastpath, bob: Resource| {
        for (key, done) in fastpath.apply(&[Change::Upsert(bob)]) {
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
        }
    };
    join(&mut fastpath, bob(&together()));
    assert_eq!(shared(&world.pin_dir).len(), 2);
    assert_eq!(port_of_alice(&world, &mut fastpath, &mut punts), port);

    // Another process finds all as it should be.
    drop((fastpath, punts));
    let mut fastpath = world.office(&together());
    assert_eq!(fastpath.writes(), 0);
    let mut punts = fastpath.punts().expect("not taken yet");
    assert_eq!(port_of_alice(&world, &mut fastpath, &mut punts), port);
    {
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        both_are_served(&mut Kernel {
            world: &world,
            fastpath: &mut fastpath,
            inspector: &inspector,
            punts: &mut punts,
        });
    }

    // They change their addresses for each other's, at once.
    let swap = |text: &str| {
        let text = text.replace(r#"{"sVid":101,"cVid":9}"#, r#"{"sVid":100,"cVid":7}"#);
        if text.contains("alice") {
            text.replace("02:a1:00:00:00:01", "02:b0:00:00:00:01")
        } else {
            text.replace("02:b0:00:00:00:01", "02:a1:00:00:00:01")
        }
    };
    settle(&mut fastpath, &desired_but(swap));
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    {
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        let outcome = kernel.up(&from(BOB_MAC, &query(ALICE)));
        let Outcome::Redirect(out) = outcome else { panic!("{outcome:?}") };
        assert_eq!(external_port(&out[14..]), port, "mappings stay");
    }
    settle(&mut fastpath, &together());

    // Bob goes to a line of his own, and then altogether.
    join(&mut fastpath, bob(&desired()));
    assert!(shared(&world.pin_dir).is_empty());
    assert_eq!(port_of_alice(&world, &mut fastpath, &mut punts), port);
    join(&mut fastpath, bob(&together()));
    settle(&mut fastpath, &alone);
    assert!(shared(&world.pin_dir).is_empty());
    assert_eq!(port_of_alice(&world, &mut fastpath, &mut punts), port);
}
