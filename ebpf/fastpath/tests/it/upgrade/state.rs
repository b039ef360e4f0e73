//! What only the kernel knows: there and back again it is the same, to the byte, the policers' clocks among it.

use std::collections::BTreeMap;

use fastpath::{Fastpath, Inspector, ProgramOf, Tally};
use map_abi::{Chunk, LinePage, NatPorts, Session, map};
use net_types::Mac;
use zerocopy::IntoBytes;

use super::{assert_nothing_lost, change_to_probe};
use crate::{
    frames::{ALICE, BOB, REMOTE, from_alice, from_bob, from_core, tcp, udp},
    snapshot::{Copied, pages},
    tally::tally,
    world::{World, desired_but, settle},
};

const DROPPED: u32 = 1;

/// All that is in the maps that the kernel writes to.
fn contents(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let dir = &world.pin_dir;
    let mut first = 0;
    pages::<Chunk, { size_of::<Chunk>() }>(dir, map::HOMES, &mut first, |index, value| {
        found.insert(format!("HOMES {index}"), value.as_bytes().to_vec());
    });
    pages::<LinePage, { size_of::<LinePage>() }>(dir, map::LINES, &mut first, |index, value| {
        found.insert(format!("LINES {index}"), value.as_bytes().to_vec());
    });
    pages::<NatPorts, { size_of::<NatPorts>() }>(dir, map::NAT_PORTS, &mut first, |index, value| {
        found.insert(format!("NAT_PORTS {index}"), value.as_bytes().to_vec());
    });
    Copied::<Session, { size_of::<Session>() }>::open(dir, map::SESSIONS).each(0..64, |index, value| {
        // Of each time that it was written.
        let value = Session { version: 0, ..value };
        found.insert(format!("SESSIONS {index}"), value.as_bytes().to_vec());
    });
    Copied::<[u8; 32], 32>::open(dir, map::NEXT_HOPS).each(0..8, |index, value| {
        found.insert(format!("NEXT_HOPS {index}"), value.to_vec());
    });
    let hash_key = |value: [u8; size_of::<map_abi::Settings>()]| value[8..24].to_vec();
    Copied::<[u8; size_of::<map_abi::Settings>()], { size_of::<map_abi::Settings>() }>::open(
        dir,
        map::SETTINGS,
    )
    .each(0..1, |_, value| {
        found.insert("the hash's key".to_owned(), hash_key(value));
    });
    found
}

fn counted(world: &World) -> Tally {
    tally(&Inspector::open(&world.pin_dir).expect("pinned"))
}

fn up(fastpath: &mut Fastpath, world: &World, frame: &[u8]) -> u32 {
    fastpath.run_once(ProgramOf::AccessPorts, world.access, frame).expect("runs").0
}

fn down(fastpath: &mut Fastpath, world: &World, frame: &[u8]) -> u32 {
    fastpath.run_once(ProgramOf::CorePorts, world.core, frame).expect("runs").0
}

#[test]
fn mappings_flows_counters_tokens_and_addresses_survive_there_and_back() {
    let world = World::new();
    // Alice has a rate whose burst is soon used up, and no address but what DHCP learns; Bob has a firewall with a rule, and
    // room for many more flows than he has, wherever they fall.
    let desired = desired_but(|text| {
        if text.contains("\"alice\"") {
            return text
                .replace("\"mac\":\"02:a1:00:00:00:01\"", "\"mac\":null")
                .replace("\"rateUp\":null", r#""rateUp":{"rate":"128k","burstUs":100000}"#);
        }
        if text.contains("\"bob-inc\"") {
            let more = r#""firewall":{"flows":256,"ipv4":true},"firewallRules":[{"name":"ssh","direction":"in","action":"allow","protocol":6,"destinationPorts":{"first":22,"last":22}}]"#;
            return format!("{},{more}}}", text.strip_suffix('}').expect("an object"));
        }
        text.to_owned()
    });
    let mut fastpath = world.office(&desired);
    let alice = fastpath.index_of(&"alice".parse().expect("a name")).expect("a session");
    fastpath.learn_mac(alice, Mac::new(crate::world::ALICE_MAC).expect("unicast")).expect("learned");
    let big = from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, &[0; 1400]));
    let sent = (0..1000).take_while(|_| up(&mut fastpath, &world, &big) != DROPPED).count();
    assert!((1..1000).contains(&sent), "{sent}");
    for port in 0..40 {
        // The burst is used up, and flows of others are not.
        up(&mut fastpath, &world, &from_bob(&udp((BOB, 6000 + port), (REMOTE, 53), 64, b"question")));
    }
    let ssh = from_core(&tcp((REMOTE, 999), (BOB, 22), 64, b""));
    assert_ne!(down(&mut fastpath, &world, &ssh), DROPPED);
    let strange = from_core(&udp((REMOTE, 999), (BOB, 1), 64, b""));
    assert_eq!(down(&mut fastpath, &world, &strange), DROPPED);
    let (before, counted_before) = (contents(&world), counted(&world));
    assert_eq!(counted_before.frames(), sent as u64 + 1 + 40 + 2, "each frame");
    drop(fastpath);

    let there = change_to_probe(&world);
    assert_nothing_lost(&there);
    assert_eq!((there.sessions, there.mappings, there.flows), (2, 1, 41));
    let mut fastpath = world.open();
    assert_nothing_lost(fastpath.migration().expect("the maps were the other agent's"));
    let after = contents(&world);
    for (place, value) in &before {
        assert!(after.get(place) == Some(value), "{place} is another");
    }
    assert_eq!(after.len(), before.len());
    assert_eq!(counted(&world), counted_before);
    settle(&mut fastpath, &desired);
    settle(&mut fastpath, &desired);
    assert_eq!(fastpath.writes(), 0, "all is as desired");

    // Answers come in as before, and nothing else.
    let answer = from_core(&udp((REMOTE, 53), (BOB, 6039), 64, b"answer"));
    assert_ne!(down(&mut fastpath, &world, &answer), DROPPED);
    assert_eq!(down(&mut fastpath, &world, &strange), DROPPED);
    let bob = Inspector::open(&world.pin_dir).expect("pinned").sessions();
    let hits: Vec<u64> = bob.iter().flat_map(|session| &session.rules).map(|rule| rule.hits).collect();
    assert_eq!(hits[..1], [1]);
}
