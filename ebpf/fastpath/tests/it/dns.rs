//! Parental control: queries for names and encrypted resolvers, on the host and in the kernel alike.

mod four;
pub(crate) mod message;
mod six;

use std::collections::BTreeSet;

use fastpath::{Change, DropReason, Fastpath, Inspector, PuntReason};
use node_state::{Blocked, NodeState, Resource};

use crate::{
    fixtures::ADDRESSES,
    frames::{ALICE, REMOTE, from_alice, udp},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{ALICE_MAC, World},
};
use message::Query;

const GAMES: &str = r#"{"kind":"blockList","name":"games","domains":["games.example","play.test"]}"#;
const ADULT: &str = r#"{"kind":"blockList","name":"adult","domains":["adult.example","arcade.games.example"],"resolvers":["1.1.1.0/24","2606:4700:4700::/64"]}"#;
const CONTROL: &str = r#""parentalControl":{"utcOffset":"+00:00","rules":[{"lists":["games","adult"]}]}"#;

fn resource(text: &str) -> Resource {
    Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Alice behind NAT with parental control, Bob with a routed subnet and without.
fn office() -> NodeState {
    let mut office = NodeState::default();
    for resource in crate::six::office().resources() {
        if resource.key().as_str() == "session/alice" {
            let text = String::from_utf8(resource.encode()).expect("JSON");
            let text = format!("{},{CONTROL}}}", text.strip_suffix('}').expect("an object"));
            office.insert(self::resource(&text));
        } else {
            office.insert(resource);
        }
    }
    for list in [GAMES, ADULT] {
        office.insert(resource(list));
    }
    office
}

fn lists(lists: &[&str]) -> BTreeSet<net_types::Name> {
    lists.iter().map(|list| list.parse().expect("a name")).collect()
}

fn block(fastpath: &mut Fastpath, blocked: &Blocked) {
    fastpath.set_blocked(&"alice".parse().expect("a name"), blocked).expect("a session");
}

fn for_all(names: &[&str]) -> Blocked {
    Blocked::from([(None, lists(names))])
}

fn dropped(outcome: &Outcome, reason: DropReason) {
    assert_eq!(*outcome, Outcome::Drop(reason, None));
}

fn everywhere(blocked: &Blocked, scripts: &[fn(&mut dyn Runner)]) {
    let world = World::new();
    let mut fastpath = crate::six::opened(&world, &office());
    block(&mut fastpath, blocked);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let mut host = Host { world: &world, tables };
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    for script in scripts {
        script(&mut host);
        script(&mut kernel);
    }
    let counts = host.tables.dns_counts();
    let kernel = inspector.dns().expect("counted");
    let on_host = |what| counts.get(&what).copied().unwrap_or(0);
    assert_eq!(
        (kernel.queries, kernel.blocked, kernel.refused),
        (
            on_host(map_abi::dns_count::QUERIES),
            on_host(map_abi::dns_count::BLOCKED),
            on_host(map_abi::dns_count::REFUSED)
        ),
        "host and kernel count alike"
    );
}

#[test]
fn a_blocked_name_is_answered_and_an_encrypted_resolver_refused() {
    everywhere(
        &for_all(&["games", "adult"]),
        &[four::names, four::unreadable, four::segments, four::encrypted, six::control],
    );
}

#[test]
fn where_nothing_is_blocked_all_passes() {
    everywhere(&for_all(&[]), &[four::free]);
}

#[test]
fn what_is_blocked_changes_at_once_by_device_and_leaves_flows_alone() {
    let world = World::new();
    let mut fastpath = crate::six::opened(&world, &office());
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let alice = net_types::Mac::new(ALICE_MAC).expect("unicast");
    let other = "02:00:00:00:00:99".parse().expect("an address");
    let query = |name: &str| from_alice(&Query::a(name).udp(5353, REMOTE));
    let flow = from_alice(&udp((ALICE, 4000), (REMOTE, 9), 64, b"flow"));
    let mut sent = BTreeSet::new();
    for (blocked, expected) in [
        (for_all(&[]), [false, false]),
        (for_all(&["games"]), [true, false]),
        (for_all(&["adult"]), [false, true]),
        (Blocked::from([(None, lists(&["games", "adult"])), (Some(alice), lists(&[]))]), [false, false]),
        (Blocked::from([(None, lists(&[])), (Some(alice), lists(&["adult"]))]), [false, true]),
        (Blocked::from([(None, lists(&["games"])), (Some(other), lists(&["adult"]))]), [true, false]),
    ] {
        block(&mut fastpath, &blocked);
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        for (name, is_blocked) in ["www.games.example", "adult.example"].into_iter().zip(expected) {
            let frame = query(name);
            let answered = matches!(kernel.up(&frame), Outcome::Redirect(out) if out[..6] == frame[6..12]);
            assert_eq!(answered, is_blocked, "{name} by {blocked:?}");
        }
        sent.insert(crate::fixtures::up(&mut kernel, &flow));
    }
    assert_eq!(sent.len(), 1, "one mapping, and nothing else changed either");
    assert_eq!(inspector.sessions()[0].dns_blocked, Some(4));
}

#[test]
fn lists_come_change_and_go_and_are_found_again() {
    let world = World::new();
    let mut fastpath = crate::six::opened(&world, &office());
    block(&mut fastpath, &for_all(&["games", "adult"]));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut check = |fastpath: &mut Fastpath, name: &str, is_blocked: bool| {
        let mut kernel = Kernel { world: &world, fastpath, inspector: &inspector, punts: &mut punts };
        let frame = from_alice(&Query::a(name).udp(5353, REMOTE));
        let answered = matches!(kernel.up(&frame), Outcome::Redirect(out) if out[..6] == frame[6..12]);
        assert_eq!(answered, is_blocked, "{name}");
    };
    let apply = |fastpath: &mut Fastpath, change: Change| {
        for (key, done) in fastpath.apply(&[change]) {
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
        }
    };
    check(&mut fastpath, "adult.example", true);
    apply(&mut fastpath, Change::Upsert(resource(&ADULT.replace("\"adult.example\"", "\"late.example\""))));
    check(&mut fastpath, "adult.example", false);
    check(&mut fastpath, "late.example", true);
    // Another category takes the bit of one that is gone, and is not blocked for that.
    apply(&mut fastpath, Change::Remove("blockList/adult.0".to_owned().into()));
    check(&mut fastpath, "late.example", false);
    check(&mut fastpath, "arcade.games.example", true);
    let social = r#"{"kind":"blockList","name":"social","domains":["social.example"]}"#;
    apply(&mut fastpath, Change::Upsert(resource(social)));
    check(&mut fastpath, "social.example", false);
    check(&mut fastpath, "play.test", true);
    let seen: Vec<_> = inspector.dns().expect("counted").categories;
    let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["games", "social"]);
    // Whoever opens the maps anew finds all of it.
    crate::world::settle(&mut fastpath, &office());
    block(&mut fastpath, &for_all(&["games", "adult"]));
    drop(fastpath);
    let mut again = world.open();
    for (key, done) in again.reconcile(&office()) {
        done.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    assert_eq!(again.writes(), 0);
}
