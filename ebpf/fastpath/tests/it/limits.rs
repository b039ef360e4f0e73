//! What depends on a session's settings or on time.

use fastpath::{DropReason, Inspector};
use map_abi::{PortEntry, port_flags};
use node_state::NodeState;
use packet_logic::{HostPacket, Verdict};

use crate::{
    fixtures::{ADDRESSES, external_port, to_alice, to_bob},
    frames::{ALICE, BOB, EXTERNAL, REMOTE, from_alice, from_bob, from_core, tagged, tcp, udp},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{BOB_MAC, CORE_MAC, World, desired, desired_but, settle},
};

#[test]
fn sessions_that_may_not_pass() {
    let world = World::new();
    let mut fastpath = world.office(&desired_but(|text| text.replace("\"active\"", "\"suspended\"")));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    {
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        let up = from_bob(&udp((BOB, 5000), (REMOTE, 53), 64, b"a"));
        let down = from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"a"));
        assert_eq!(kernel.up(&up), Outcome::Drop(DropReason::Suspended, None));
        assert_eq!(kernel.down(&down), Outcome::Drop(DropReason::Suspended, None));
    }
    settle(&mut fastpath, &desired_but(|text| text.replace(r#""mac":"02:b0:00:00:00:01""#, r#""mac":null"#)));
    // Bob's address is known from before; as a new session it would not be.
    let no_bob = desired().resources().filter(|r| r.key().as_str() != "session/bob-inc").collect();
    settle(&mut fastpath, &no_bob);
    settle(&mut fastpath, &desired_but(|text| text.replace(r#""mac":"02:b0:00:00:00:01""#, r#""mac":null"#)));
    let index = fastpath.index_of(&"bob-inc".parse().expect("a name")).expect("a session");
    {
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        let down = from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"a"));
        assert_eq!(kernel.down(&down), Outcome::Drop(DropReason::SubscriberMacUnknown, None));
        // Nor does the address that stands for none speak for him.
        let nobody = tagged([0; 6], 0x88a8, (101, 9), 0x0800, &udp((BOB, 5000), (REMOTE, 53), 64, b"a"));
        assert_eq!(kernel.up(&nobody), Outcome::Drop(DropReason::SourceMac, None));
    }
    fastpath.learn_mac(index, net_types::Mac::new(BOB_MAC).expect("unicast")).expect("a session");
    let down = from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"a"));
    {
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        to_bob(kernel.down(&down));
    }
    fastpath.forget_mac(index).expect("a session");
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    assert_eq!(kernel.down(&down), Outcome::Drop(DropReason::SubscriberMacUnknown, None));
    assert!(kernel.fastpath.forget_mac(0).is_err());
}

#[test]
fn a_rate_is_kept_to() {
    let world = World::new();
    let limited = desired_but(|text| {
        let limit = r#"{"rate":"128k","burstUs":1000}"#;
        text.replace("\"rateUp\":null,\"rateDown\":null", &format!("\"rateUp\":{limit},\"rateDown\":{limit}"))
    });
    let mut fastpath = world.office(&limited);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let mut host = Host { world: &world, tables };
    let up = from_bob(&udp((BOB, 5000), (REMOTE, 53), 64, &[0; 1400]));
    let down = from_core(&udp((REMOTE, 53), (BOB, 5000), 64, &[0; 1400]));
    for runner in [
        &mut host as &mut dyn Runner,
        &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts },
    ] {
        // A packet of 1450 bytes takes 90.6 ms at 128 kbit/s, of which 1 ms may be missing.
        assert!(matches!(runner.up(&up), Outcome::Redirect(_)));
        assert_eq!(runner.up(&up), Outcome::Drop(DropReason::RateUp, None));
        assert!(matches!(runner.down(&down), Outcome::Redirect(_)));
        assert_eq!(runner.down(&down), Outcome::Drop(DropReason::RateDown, None));
    }
    host.tables.advance_ns(89_000_000);
    assert_eq!(host.up(&up), Outcome::Drop(DropReason::RateUp, None), "not 1450 bytes' worth yet");
    host.tables.advance_ns(1_000_000);
    assert!(matches!(host.up(&up), Outcome::Redirect(_)));
}

#[test]
fn mappings_run_out_as_the_rfcs_say() {
    let world = World::new();
    drop(world.office(&desired()));
    let seconds = 1_000_000_000;
    let outside = |packet: &[u8]| external_port(packet);
    // (packet out, packets in that establish it, idle seconds it must last, by which it must be gone)
    let new =
        || Host { world: &world, tables: snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES) };
    let syn = from_alice(&tcp((ALICE, 5000), (REMOTE, 80), 64, b""));
    let datagram = from_alice(&udp((ALICE, 5000), (REMOTE, 80), 64, b""));
    let answer = |port| from_core(&tcp((REMOTE, 80), (EXTERNAL, port), 64, b""));
    for (frame, established, lasts, gone) in
        [(&datagram, false, 300, 303), (&syn, false, 240, 243), (&syn, true, 7440, 7443)]
    {
        let mut host = new();
        let Outcome::Redirect(out) = host.up(frame) else { panic!("goes out") };
        let port = outside(&out[14..]);
        let reply = if frame == &datagram {
            from_core(&udp((REMOTE, 80), (EXTERNAL, port), 64, b""))
        } else {
            answer(port)
        };
        if established {
            to_alice(host.down(&reply));
        }
        host.tables.advance_ns(lasts * seconds);
        if established || frame == &datagram {
            to_alice(host.down(&reply));
        }
        host.tables.advance_ns((gone - lasts) * seconds);
        assert_eq!(host.down(&reply), Outcome::Drop(DropReason::NatNoMapping, None), "{lasts}");
    }
}

/// A process that ends between giving a home away and wiping it leaves the last subscriber's mappings and counters.
#[test]
fn what_a_dead_process_did_not_wipe_is_not_inherited() {
    let world = World::new();
    let desired = desired();
    let mut fastpath = world.office(&desired);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let up = from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"query"));
    let outcome =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts }.up(&up);
    assert!(matches!(outcome, Outcome::Redirect(_)), "{outcome:?}");
    let counted = || {
        let sessions = Inspector::open(&world.pin_dir).expect("pinned").sessions();
        sessions.iter().map(|view| view.up.packets).sum::<u64>()
    };
    assert_eq!(counted(), 1);
    drop((fastpath, punts));
    let sessions = aya::maps::MapData::from_pin(world.pin_dir.join("SESSIONS")).expect("pinned");
    let mut sessions: aya::maps::Array<_, [u8; size_of::<map_abi::Session>()]> =
        aya::maps::Array::try_from(aya::maps::Map::Array(sessions)).expect("an array");
    for index in 1..8 {
        sessions.set(index, [0; size_of::<map_abi::Session>()], 0).expect("writes");
    }
    let _fastpath = world.office(&desired);
    assert_eq!(counted(), 0);
}

/// RFC 3704: what comes in from the core comes from where the way back leads.
#[test]
fn sources_are_checked_against_the_routes() {
    let world = World::new();
    let mode = |mode: &'static str| {
        desired_but(move |text| {
            text.replace(r#""role":"core","#, &format!(r#""role":"core","reversePath":"{mode}","#))
        })
    };
    let without_route = |state: NodeState| -> NodeState {
        state.resources().filter(|resource| resource.key().as_str() != "route/0.0.0.0/0").collect()
    };
    let mut fastpath = world.office(&mode("loose"));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let good = from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"a"));
    // A subscriber's, one of a pool that nobody has, and the node's own.
    let spoofed = [[203, 0, 113, 11], [100, 64, 0, 9], [198, 51, 100, 1], [192, 0, 2, 2]]
        .map(|source| from_core(&udp((source, 53), (BOB, 5000), 64, b"a")));
    for wanted in ["loose", "strict"] {
        settle(&mut fastpath, &mode(wanted));
        let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
        for runner in [
            &mut Host { world: &world, tables } as &mut dyn Runner,
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts },
        ] {
            to_bob(runner.down(&good));
            for frame in &spoofed {
                let outcome = runner.down(frame);
                assert_eq!(outcome, Outcome::Drop(DropReason::ReversePath, None), "{wanted}");
            }
        }
        for (key, done) in fastpath.reconcile(&without_route(mode(wanted))) {
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
        }
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        assert_eq!(kernel.down(&good), Outcome::Drop(DropReason::ReversePath, None), "{wanted}");
    }
    // The route leads to another port than the packet came in by.
    settle(&mut fastpath, &mode("strict"));
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let elsewhere = |flags: u16| PortEntry { mac: CORE_MAC, index_plus_one: 9 | flags };
    for (flags, is_let_in) in [(port_flags::LOOSE, true), (port_flags::LOOSE | port_flags::STRICT, false)] {
        tables.set_port(world.core, elsewhere(flags));
        let mut packet = HostPacket::new(&good, world.core);
        let verdict = packet_logic::down(&mut packet, &tables);
        assert_eq!(verdict != Verdict::Drop(DropReason::ReversePath), is_let_in, "{verdict:?}");
    }
    settle(&mut fastpath, &desired());
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    to_bob(kernel.down(&spoofed[3]));
}
