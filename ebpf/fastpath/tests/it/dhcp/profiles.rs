//! What clients are told is shared by those that are told the same, and goes with the last of them.

use std::collections::BTreeMap;

use aya::maps::{Array, Map, MapData};
use fastpath::Fastpath;
use node_state::NodeState;
use zerocopy::FromBytes;

use super::{
    message::{Message, kind},
    office::{Office, with_resolvers},
};
use crate::world::{World, desired_but};

/// The profile of each session.
fn profiles(world: &World, fastpath: &Fastpath, names: &[&str]) -> BTreeMap<String, u32> {
    let sessions = MapData::from_pin(world.pin_dir.join("SESSIONS")).expect("pinned");
    let sessions: Array<_, [u8; size_of::<map_abi::Session>()]> =
        Array::try_from(Map::Array(sessions)).expect("an array");
    let profile = |name: &&str| {
        let index = fastpath.index_of(&name.parse().expect("a name")).expect("a session");
        let session = sessions.get(&index, 0).expect("every index");
        let session = map_abi::Session::read_from_bytes(&session).expect("of that length");
        ((*name).to_owned(), session.dhcp_profile)
    };
    names.iter().map(profile).collect()
}

fn leased_for(seconds: u32) -> NodeState {
    desired_but(|text| {
        let text = text
            .replace("\"dnsServers\":[]", "\"dnsServers\":[\"9.9.9.9\"]")
            .replace("/29\",\"gate", "/16\",\"gate");
        text.replace("\"leaseSeconds\":3600", &format!("\"leaseSeconds\":{seconds}"))
    })
}

#[test]
fn a_profile_is_shared_and_given_up_with_its_last_session() {
    const BOTH: [&str; 2] = ["alice", "bob-inc"];
    let world = World::new();
    let mut office = Office::open(&world, &leased_for(3600));
    let first = profiles(&world, &office.fastpath, &BOTH);
    assert!(first["alice"] != 0 && first["alice"] == first["bob-inc"], "{first:?}");
    // Bob is told something else.
    let other = desired_but(|text| {
        let text = text.replace("\"dnsServers\":[]", "\"dnsServers\":[\"9.9.9.9\"]");
        if text.contains("bob") { text.replace("3600", "7200") } else { text }
    });
    office.settle(&other);
    let second = profiles(&world, &office.fastpath, &BOTH);
    assert_eq!(second["alice"], first["alice"]);
    assert_ne!(second["bob-inc"], first["alice"]);
    office.assert_answered("alice", &Message::new(kind::DISCOVER));
    // Another agent finds who has which, and gives none away that is in use.
    let mut next = world.open();
    crate::world::settle(&mut next, &other);
    assert_eq!((next.writes(), profiles(&world, &next, &BOTH)), (0, second.clone()));
    crate::world::settle(&mut next, &leased_for(60));
    let third = profiles(&world, &next, &BOTH);
    assert_eq!(third["alice"], third["bob-inc"]);
    assert!(!second.values().any(|index| *index == third["alice"]), "{second:?} {third:?}");
    drop(next);
    office.settle(&leased_for(60));
    office.assert_answered("alice", &Message::new(kind::DISCOVER));
}

#[test]
fn more_resolvers_than_there_is_room_for_are_user_spaces_to_tell() {
    let servers = |count: u8| {
        let list: Vec<String> = (0..count).map(|n| format!("\"9.9.9.{n}\"")).collect();
        desired_but(move |text| {
            text.replace("\"dnsServers\":[]", &format!("\"dnsServers\":[{}]", list.join(",")))
        })
    };
    let world = World::new();
    let mut office = Office::open(&world, &servers(8));
    office.assert_answered("eight", &Message::new(kind::DISCOVER));
    let identified = Message::new(kind::DISCOVER).option(61, &[7; 255]);
    office.assert_handed_over("eight, and more besides than every client takes", &identified);
    office.settle(&servers(9));
    office.assert_handed_over("nine", &Message::new(kind::DISCOVER));
    office.settle(&servers(0));
    office.assert_answered("none", &Message::new(kind::DISCOVER));
    office.settle(&with_resolvers());
    office.assert_answered("two", &Message::new(kind::DISCOVER));
}
