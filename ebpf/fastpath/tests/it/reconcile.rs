//! Whatever is in the maps, they become as desired, and then nothing is left to do.

use std::collections::BTreeMap;

use fastpath::{Admission, ApplyError, Change, Fastpath, Inspector};
use node_state::{NodeState, Resource, ResourceKey};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::world::{World, desired, desired_but, run, settle};

fn session(
    name: usize,
    s_vid: u16,
    c_vid: u16,
    nat_block: Option<u16>,
    active: bool,
    fast: bool,
) -> Resource {
    let host = name + 2;
    let (lease, gateway, network, nat) = if let Some(block) = nat_block {
        (
            format!("100.64.0.{host}/16"),
            "100.64.0.1".to_owned(),
            format!("100.64.0.{host}/32"),
            format!(
                r#"{{"address":"198.51.100.{}","firstPort":{},"ports":{}}}"#,
                block % 3,
                1024 + block / 3 * 128,
                64 << (block % 2)
            ),
        )
    } else {
        let base = name * 8;
        let of = |n: usize| format!("203.0.113.{}", base + n);
        (of(2) + "/29", of(1), of(0) + "/29", "null".to_owned())
    };
    let rate = if fast { r#"{"rate":"1G","burstUs":50000}"# } else { r#"{"rate":"20M","burstUs":50000}"# };
    let state = if active { "active" } else { "suspended" };
    let text = format!(
        r#"{{"kind":"session","subscriber":"s{name}","port":"access0","tags":{{"sVid":{s_vid},"cVid":{c_vid}}},"state":"{state}","mac":null,"lease":"{lease}","gateway":"{gateway}","network":"{network}","dnsServers":[],"leaseSeconds":3600,"nat":{nat},"rateUp":{rate},"rateDown":null}}"#
    );
    Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A state of up to eight sessions that do not get in each other's way: tags and NAT blocks are dealt out anew.
fn some_state() -> impl Strategy<Value = NodeState> {
    let deal = Just((0..8_u16).collect::<Vec<_>>()).prop_shuffle();
    let traits =
        prop::collection::vec((prop::bool::ANY, prop::bool::ANY, prop::bool::ANY, prop::bool::ANY), 8);
    (deal, traits, prop::bool::ANY).prop_map(|(deal, traits, dot1q)| {
        let tpid = if dot1q { "0x8100" } else { "0x88a8" };
        let mut state: NodeState = desired_but(|text| text.replace("0x88a8", tpid))
            .resources()
            .filter(|resource| !matches!(resource, Resource::Session(_)))
            .collect();
        for (name, (place, (is_there, nat, active, fast))) in deal.iter().zip(traits).enumerate() {
            if is_there {
                let nat_block = nat.then_some(*place);
                state.insert(session(name, 100 + place % 3, 1 + place, nat_block, active, fast));
            }
        }
        state
    })
}

/// What the maps hold is what is desired, as far as somebody who only reads them can tell.
fn assert_is(world: &World, state: &NodeState) {
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let views: BTreeMap<String, _> =
        inspector.sessions().into_iter().map(|view| (view.name.clone(), view)).collect();
    assert_eq!(
        views.keys().collect::<Vec<_>>(),
        state.sessions.keys().map(net_types::Name::as_str).collect::<Vec<_>>()
    );
    for (name, wanted) in &state.sessions {
        let view = &views[name.as_str()];
        let vid = |vid: Option<net_types::Vid>| vid.map_or(0, net_types::Vid::get);
        assert_eq!((view.s_vid, view.c_vid), (vid(wanted.tags.s_vid), vid(wanted.tags.c_vid)));
        assert_eq!(view.admission == Admission::All, wanted.is_active());
        assert_eq!(view.address, wanted.lease.address());
        assert_eq!(view.network, Some(wanted.network));
        assert_eq!(view.up.rate, wanted.rate_up.map(|limit| limit.rate.bits_per_second()));
        let nat = view.nat.as_ref().map(|nat| (nat.address, nat.first_port, nat.ports));
        assert_eq!(nat, wanted.nat.map(|nat| (nat.address, nat.first_port, u32::from(nat.ports))));
    }
}

#[test]
fn from_any_leftover_to_any_state() {
    let world = World::new();
    let mut fastpath = world.open();
    let mut before = NodeState::default();
    let mut runner = TestRunner::deterministic();
    // No reset between cases: each begins with what the last one left.
    for case in 0..60 {
        let state = some_state().new_tree(&mut runner).expect("a state").current();
        match case % 3 {
            // The whole, by this process.
            0 => settle(&mut fastpath, &state),
            // The whole, by a new process.
            1 => {
                fastpath = world.open();
                settle(&mut fastpath, &state);
            }
            // As single changes.
            _ => {
                let gone =
                    before.resources().filter(|old| state.resources().all(|new| new.key() != old.key()));
                let mut changes: Vec<Change> = gone.map(|old| Change::Remove(old.key())).collect();
                let new = state.resources().filter(|new| before.resources().all(|old| old != *new));
                changes.extend(new.map(Change::Upsert));
                for (key, done) in fastpath.apply(&changes) {
                    done.unwrap_or_else(|error| panic!("{key}: {error}"));
                }
            }
        }
        assert_is(&world, &state);
        settle(&mut fastpath, &state);
        assert_eq!(fastpath.writes(), 0, "case {case}: nothing is left to do");
        before = state;
    }
    let empty: NodeState = before.resources().filter(|r| !matches!(r, Resource::Session(_))).collect();
    settle(&mut fastpath, &empty);
    assert_is(&world, &empty);
}

fn outcome<'a>(
    outcomes: &'a [(ResourceKey, Result<(), ApplyError>)],
    key: &str,
) -> &'a Result<(), ApplyError> {
    let found = outcomes.iter().find(|(other, _)| other.as_str() == key);
    &found.unwrap_or_else(|| panic!("no outcome for {key}")).1
}

#[test]
fn what_cannot_be_is_refused_by_name_and_the_rest_is_done() {
    let world = World::new();
    let mut fastpath = world.office(&desired());
    let refused = |fastpath: &mut Fastpath, from: &str, to: &str| {
        let changed = desired()
            .resources()
            .find(|resource| resource.key().as_str() == "session/bob-inc")
            .map(|bob| String::from_utf8(bob.encode()).expect("JSON").replace(from, to))
            .expect("bob");
        assert!(changed.contains(to), "{from}");
        let resource = Resource::decode(changed.as_bytes()).expect("a session");
        let outcomes = fastpath.apply(&[Change::Upsert(resource)]);
        outcome(&outcomes, "session/bob-inc").as_ref().expect_err(to).to_string()
    };
    let tags = refused(
        &mut fastpath,
        r#"{"sVid":101,"cVid":9},"state":"active","mac":"02:b0:00:00:00:01""#,
        r#"{"sVid":100,"cVid":7},"state":"active","mac":null"#,
    );
    assert_eq!(
        tags,
        "the tags 100.7 on access0 belong to session alice; sessions share them if each has a `mac` of its own"
    );
    let port = refused(&mut fastpath, "access0", "access9");
    assert_eq!(port, "access9 is not a port of this node");
    let core = refused(&mut fastpath, "access0", "core0");
    assert_eq!(core, "core0 is not an access port");
    let nat = |address: &str, first: u16| {
        format!(r#""nat":{{"address":"{address}","firstPort":{first},"ports":64}}"#)
    };
    let ports = refused(&mut fastpath, r#""nat":null"#, &nat("198.51.100.1", 1024));
    assert_eq!(ports, "ports 1024 and on of 198.51.100.1 belong to session alice");
    let pool = refused(&mut fastpath, r#""nat":null"#, &nat("192.0.9.1", 1024));
    assert_eq!(pool, "nat.address 192.0.9.1 is in no NAT pool of this node");
    let unaligned = refused(&mut fastpath, r#""nat":null"#, &nat("198.51.100.9", 1000));
    assert_eq!(unaligned, "nat.firstPort is 1000, not a multiple of 64");

    // Alice is as she was, and bob is back at once when he may be.
    settle(&mut fastpath, &desired());
    assert_is(&world, &desired());
    let in_use = fastpath.apply(&[Change::Remove("route/198.51.100.0/24".to_owned().into())]);
    let error = outcome(&in_use, "route/198.51.100.0/24").as_ref().expect_err("in use").to_string();
    assert_eq!(error, "still used by session alice");
}

#[test]
fn a_full_table_refuses_what_is_too_much() {
    let world = World::new();
    let mut fastpath = world.office(&desired());
    let small = |n: usize| u16::try_from(n).expect("small");
    let changes: Vec<Change> =
        (0..31).map(|n| Change::Upsert(session(n, 100, 100 + small(n), None, true, false))).collect();
    let outcomes = fastpath.apply(&changes);
    let bobs = outcome(&outcomes, "session/s1").as_ref().expect_err("bob has it").to_string();
    assert_eq!(bobs, "203.0.113.8/29 leads to something else already");
    assert_eq!(outcomes.iter().filter(|(_, done)| done.is_err()).count(), 1);
    let nat: Vec<Change> = (40..80)
        .map(|n| Change::Upsert(session(n, 101, small(n), Some(small(n) * 2), true, false)))
        .collect();
    let outcomes = fastpath.apply(&nat);
    let full =
        outcomes.iter().find_map(|(_, done)| done.as_ref().err()).expect("63 slots at most").to_string();
    assert_eq!(full, "the table of sessions is full (63 entries)");
    settle(&mut fastpath, &desired());
    assert_is(&world, &desired());
}

#[test]
fn an_interface_that_comes_back_gets_its_port_back() {
    let world = World::new();
    let mut fastpath = world.office(&desired());
    let ports = |world: &World| Inspector::open(&world.pin_dir).expect("pinned").ports();
    let before = ports(&world);
    assert!(before.iter().all(|port| port.attached));
    run("ip link del access0");
    let outcomes = fastpath.reconcile(&desired());
    let gone = outcome(&outcomes, "port/access0").as_ref().expect_err("gone").to_string();
    assert_eq!(gone, "there is no interface access0");
    run("ip link add access0 address 02:ac:00:00:00:01 mtu 1508 type veth peer name home0 mtu 1508");
    settle(&mut fastpath, &desired());
    let after = ports(&world);
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old.name, new.name);
        assert!(new.attached);
    }
    assert_ne!(before[0].ifindex, after[0].ifindex);
    settle(&mut fastpath, &desired());
    assert_eq!(fastpath.writes(), 0);
}

#[test]
fn an_interface_without_native_xdp_is_refused() {
    let world = World::new();
    let mut fastpath = world.open();
    let outcomes = fastpath.reconcile(&desired_but(|text| text.replace("core0", "lo")));
    let error = outcome(&outcomes, "port/lo").as_ref().expect_err("loopback has none").to_string();
    assert!(
        error.starts_with("the program cannot be attached to lo (its driver must support native XDP)"),
        "{error}"
    );
}
