//! The walled garden: what sessions that are not active reach, on the host and in the kernel alike.

mod four;
mod six;

use fastpath::{Admission, Change, DropReason, Fastpath, Inspector, PuntReason};
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, external_port, r_arp, redirected, to_alice, up},
    frames::{ALICE, Address, EXTERNAL, GATEWAY, REMOTE, from_alice, from_core, tcp, udp},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{ALICE_MAC, CORE_MAC, GATEWAY_MAC, World, settle},
};

/// Alice's resolver, and Bob's. Neither is in the garden.
const RESOLVER: Address = [9, 9, 9, 9];
const BOBS_RESOLVER: Address = [8, 8, 8, 8];
/// Somewhere else.
const OUTSIDE: Address = [1, 1, 1, 1];

const GARDEN: &str =
    r#"{"kind":"garden","portal":"http://192.0.9.9/","allowed":["192.0.9.0/24","2606:4700::/32"]}"#;

fn resource(text: &str) -> Resource {
    Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Alice behind NAT and Bob with a routed subnet and a firewall for IPv6, in that state, without a garden.
fn ungardened(state: &str) -> NodeState {
    let mut office = NodeState::default();
    for resource in crate::six::office().resources() {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        let [four, six] = match resource.key().as_str() {
            "session/alice" => ["9.9.9.9", "2620:fe::fe"],
            _ => ["8.8.8.8", "2620:fe::9"],
        };
        let dns = |address: &str| format!(r#""dnsServers":["{address}"]"#);
        let text = text
            .replace(r#""state":"active""#, &format!(r#""state":"{state}""#))
            .replacen(r#""dnsServers":[]"#, &dns(four), 1)
            .replacen(r#""dnsServers":[]"#, &dns(six), 1);
        office.insert(self::resource(&text));
    }
    office
}

fn gardened(state: &str) -> NodeState {
    let mut office = ungardened(state);
    office.insert(resource(GARDEN));
    office
}

fn admissions(world: &World) -> Vec<Admission> {
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    inspector.sessions().iter().map(|view| view.admission).collect()
}

fn dropped(outcome: &Outcome, reason: DropReason) {
    assert_eq!(*outcome, Outcome::Drop(reason, None));
}

fn apply(fastpath: &mut Fastpath, changes: &[Change]) {
    for (key, done) in fastpath.apply(changes) {
        done.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
}

fn everywhere(state: &NodeState, admission: Admission, scripts: &[fn(&mut dyn Runner)]) {
    let world = World::new();
    let mut fastpath = crate::six::opened(&world, state);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    assert_eq!(admissions(&world), [admission; 2]);
    let mut host = Host { world: &world, tables };
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    for script in scripts {
        script(&mut host);
        script(&mut kernel);
    }
}

#[test]
fn suspended_and_unauthenticated_sessions_reach_the_garden_and_nothing_else() {
    for state in ["suspended", "unauthenticated"] {
        everywhere(&gardened(state), Admission::Garden, &[four::garden, four::line, six::garden, six::line]);
    }
}

#[test]
fn a_quarantined_session_has_a_line_and_nothing_passes() {
    everywhere(
        &gardened("quarantined"),
        Admission::None,
        &[four::nothing, four::line, six::nothing, six::line],
    );
}

#[test]
fn without_a_garden_a_suspended_session_has_a_line_and_nothing_passes() {
    everywhere(
        &ungardened("suspended"),
        Admission::None,
        &[four::nothing, four::line, six::nothing, six::line],
    );
}

/// Packets for the portal have a limit of their own, and refusals of HTTPS only half of it.
#[test]
fn a_browsers_connections_fit_in_the_limit_and_leave_dhcp_its_own() {
    let world = World::new();
    drop(crate::six::opened(&world, &gardened("suspended")));
    let mut host =
        Host { world: &world, tables: snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES) };
    let web = |port| from_alice(&tcp((ALICE, 5000), (OUTSIDE, port), 64, b""));
    let punted = |host: &mut Host<'_>, port, punt| {
        let lost = Outcome::Drop(DropReason::PuntLost, None);
        let outcomes: Vec<_> = (0..100).map(|_| host.up(&web(port))).collect();
        let count = outcomes.iter().take_while(|outcome| **outcome == Outcome::Punt(punt)).count();
        assert!(outcomes[count..].iter().all(|outcome| *outcome == lost));
        count
    };
    assert_eq!(punted(&mut host, 443, PuntReason::SecureWeb), 32);
    assert_eq!(punted(&mut host, 80, PuntReason::Web), 32);
    host.tables.advance_ns(31_250_000);
    assert_eq!(punted(&mut host, 443, PuntReason::SecureWeb), 0);
    assert_eq!(punted(&mut host, 80, PuntReason::Web), 1);
    let dhcp = from_alice(&udp(([0; 4], 68), ([255; 4], 67), 64, b"discover"));
    assert_eq!(host.up(&dhcp), Outcome::Punt(PuntReason::Dhcp));
    host.tables.advance_ns(64 * 31_250_000);
    assert_eq!(punted(&mut host, 80, PuntReason::Web), 64);
}

#[test]
fn a_change_of_state_takes_effect_at_once_and_leaves_mappings_and_counters_alone() {
    let world = World::new();
    let mut fastpath = crate::six::opened(&world, &gardened("active"));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    let alice = |state| {
        let mut sessions = gardened(state).sessions;
        [Change::Upsert(Resource::Session(sessions.remove("alice").expect("alice")))]
    };
    // One mapping, towards a server in the garden and one outside.
    let inside = from_alice(&udp((ALICE, 5000), (REMOTE, 7), 64, b"a"));
    let outside = from_alice(&udp((ALICE, 5000), (OUTSIDE, 7), 64, b"a"));
    let (port, first) = up(&mut kernel, &inside);
    let answer = |from| from_core(&udp((from, 7), (EXTERNAL, port), 64, b"b"));
    let mut packets = 1;
    for state in ["suspended", "active", "unauthenticated", "active", "quarantined", "active"] {
        apply(kernel.fastpath, &alice(state));
        let reason = match state {
            "active" => {
                redirected(kernel.up(&outside), GATEWAY_MAC, CORE_MAC);
                to_alice(kernel.down(&answer(OUTSIDE)));
                packets += 1;
                None
            }
            "quarantined" => Some(DropReason::Suspended),
            _ => Some(DropReason::Garden),
        };
        if let Some(reason) = reason {
            dropped(&kernel.up(&outside), reason);
            dropped(&kernel.down(&answer(OUTSIDE)), reason);
        }
        if state == "quarantined" {
            dropped(&kernel.up(&inside), DropReason::Suspended);
        } else {
            assert_eq!(redirected(kernel.up(&inside), GATEWAY_MAC, CORE_MAC), first, "the same mapping");
            to_alice(kernel.down(&answer(REMOTE)));
            packets += 1;
        }
    }
    let views = inspector.sessions();
    let view = views.iter().find(|view| view.name == "alice").expect("there");
    assert_eq!((view.up.packets, view.nat.as_ref().map(|nat| nat.mappings)), (packets, Some(1)));
}

#[test]
fn a_garden_comes_changes_and_goes() {
    let world = World::new();
    let mut fastpath = crate::six::opened(&world, &ungardened("suspended"));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let frame = |to| from_alice(&udp((ALICE, 5000), (to, 7), 64, b"a"));
    let elsewhere = GARDEN.replace("192.0.9.0/24", "1.1.1.0/26");
    let remove = Change::Remove(Resource::GARDEN_KEY.to_owned().into());
    for (change, expected) in [
        (None, [Some(DropReason::Suspended); 2]),
        (Some(Change::Upsert(resource(GARDEN))), [None, Some(DropReason::Garden)]),
        (Some(Change::Upsert(resource(&elsewhere))), [Some(DropReason::Garden), None]),
        (Some(remove), [Some(DropReason::Suspended); 2]),
    ] {
        apply(&mut fastpath, change.as_slice());
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        for (to, reason) in [REMOTE, OUTSIDE].into_iter().zip(expected) {
            let outcome = kernel.up(&frame(to));
            match reason {
                Some(reason) => dropped(&outcome, reason),
                None => assert!(matches!(outcome, Outcome::Redirect(_)), "{outcome:?}"),
            }
        }
    }
    // Whoever opens the maps anew finds all of it, and takes out what is not wanted any more.
    let suspended = gardened("suspended");
    settle(&mut fastpath, &suspended);
    assert_ne!(fastpath.writes(), 0);
    drop(fastpath);
    for (state, is_new) in [(&suspended, false), (&gardened("active"), true), (&gardened("active"), false)] {
        let mut again = world.open();
        for (key, done) in again.reconcile(state) {
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
        }
        assert_eq!(again.writes() != 0, is_new);
    }
    let resolvers = aya::maps::MapData::from_pin(world.pin_dir.join("RESOLVERS")).expect("pinned");
    let resolvers: aya::maps::HashMap<_, [u8; size_of::<map_abi::ResolverKey>()], u8> =
        aya::maps::HashMap::try_from(aya::maps::Map::HashMap(resolvers)).expect("a hash map");
    assert_eq!(resolvers.keys().count(), 0, "active sessions ask whom they like");
}
