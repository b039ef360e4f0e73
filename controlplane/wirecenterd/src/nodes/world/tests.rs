use serde_json::{Value, json};
use xos_model::Kind;

use super::*;

fn name(name: &str) -> Name {
    name.parse().expect("a name")
}

fn spec<K: Kind>(spec: Value) -> K {
    serde_json::from_value(spec).expect("a spec")
}

fn pool(node: &str, lease: u32) -> AddressPoolSpec {
    let prefix = if node == "node1" { "100.64.0.0/24" } else { "100.65.0.0/24" };
    let gateway = prefix.replace("0/24", "1");
    spec(
        json!({"node": node, "purpose": "subscriber", "prefix": prefix, "gateway": gateway, "leaseSeconds": lease}),
    )
}

fn alice(node: &str, ready: &str) -> Subscriber {
    let address = if node == "node1" { "100.64.0.2" } else { "100.65.0.2" };
    let ready = json!({"type": "Ready", "status": ready, "reason": "", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let object = json!({
        "kind": "Subscriber",
        "metadata": {"name": "alice", "generation": 1},
        "spec": {"access": {"node": node, "port": "access0", "sVid": 100, "cVid": 7}},
        "status": {"observedGeneration": 1, "conditions": [ready], "address": address, "gateway": address},
    });
    serde_json::from_value(object).expect("a subscriber")
}

fn office() -> World {
    let mut world = World::default();
    for (node, inside) in [("node1", "inside1"), ("node2", "inside2")] {
        let ports = json!([{"name": "access0", "role": "access"}]);
        world.node(&name(node), spec(json!({"loopback": "192.0.2.1", "ports": ports})));
        world.pool(&name(inside), Some(pool(node, 3600)));
    }
    world.take_changes();
    world
}

/// One service that is all of a chain.
pub(in crate::nodes) fn graph() -> Graph {
    let provides = ["access-line", "home-network", "internet-route"];
    let interface = |kind| json!({"name": kind, "type": kind, "direction": "provides"});
    let accepts = json!({"tenants": ["Subscriber"], "connect": ["shared"]});
    let spec = json!({"serviceType": "line", "version": "1", "perSubscriber": true, "accepts": accepts,
                      "interfaces": provides.map(interface)});
    let service = json!({"kind": "Service", "metadata": {"name": "line"}, "spec": spec});
    let mut graph = Graph::default();
    graph.put::<xos_model::ServiceSpec>(&serde_json::from_value(service).expect("a service"));
    graph
}

/// What has to change at a node, in words.
fn taken(world: &mut World, node: &str) -> Vec<String> {
    let changes = world.take_changes().remove(&name(node)).flatten().unwrap_or_default();
    let told = changes.into_iter().map(|change| match change {
        Change::Upsert(resource) => format!("+{}", resource.key()),
        Change::Remove(key) => format!("-{key}"),
    });
    told.collect()
}

#[test]
fn a_session_is_in_the_kernel_when_its_node_says_so_of_this_very_version() {
    let mut world = office();
    let (first, place) = world.session(&alice("node1", "False"), &graph()).expect("a session");
    assert_eq!((place, taken(&mut world, "node1")), (Place::Table, vec!["+session/alice".into()]));
    world.pool(&name("inside1"), Some(pool("node1", 600)));
    let (second, place) = world.session(&alice("node1", "False"), &graph()).expect("a session");
    assert_eq!(place, Place::Table);
    assert_ne!(first, second);
    let here = name("node1");
    assert!(!world.placed(&here, &name("alice"), first, Place::Kernel), "that was the one before");
    assert!(!world.placed(&name("node2"), &name("alice"), second, Place::Kernel), "nobody asked that node");
    assert!(world.placed(&here, &name("alice"), second, Place::Kernel));
    assert!(!world.placed(&here, &name("alice"), second, Place::Kernel), "that is no news");
    assert_eq!(world.session(&alice("node1", "False"), &graph()), Ok((second, Place::Kernel)));
}

#[test]
fn what_a_node_has_refused_stays_refused_until_it_is_another() {
    let mut world = office();
    let (version, _) = world.session(&alice("node1", "False"), &graph()).expect("a session");
    let refused = Place::of(&Err("the map is full".into()));
    assert!(world.placed(&name("node1"), &name("alice"), version, refused.clone()));
    assert_eq!(world.session(&alice("node1", "False"), &graph()), Ok((version, refused)));
    world.pool(&name("inside1"), Some(pool("node1", 600)));
    assert_eq!(world.session(&alice("node1", "False"), &graph()).expect("a session").1, Place::Table);
}

#[test]
fn a_subscriber_that_moves_leaves_nothing_behind() {
    let mut world = office();
    world.session(&alice("node1", "False"), &graph()).expect("a session");
    world.take_changes();
    world.session(&alice("node2", "False"), &graph()).expect("a session");
    let changes = world.take_changes();
    let of = |node: &str| changes[&name(node)].as_ref().map(Vec::len);
    assert_eq!((of("node1"), of("node2")), (Some(1), Some(1)));
    world.no_session(&name("alice"));
    assert_eq!(taken(&mut world, "node2"), ["-session/alice"]);
}

#[test]
fn after_a_start_the_status_is_believed_of_the_very_session_that_it_names() {
    let version = office().session(&alice("node1", "False"), &graph()).expect("a session").0;
    let programmed = |ready: &str| {
        let mut alice = alice("node1", ready);
        alice.status.programmed = Some(SessionVersion(version.0));
        alice
    };
    let place = |subscriber: &Subscriber| office().session(subscriber, &graph()).expect("a session").1;
    assert_eq!(place(&programmed("True")), Place::Kernel);
    assert_eq!(place(&programmed("False")), Place::Table, "it did not work");
    assert_eq!(place(&alice("node1", "True")), Place::Table, "nobody knows of which");
    let mut world = office();
    // As if the pool had changed in the moment before the end.
    world.pool(&name("inside1"), Some(pool("node1", 600)));
    let (other, place) = world.session(&programmed("True"), &graph()).expect("a session");
    assert_eq!(place, Place::Table, "that was another session");
    assert!(world.placed(&name("node1"), &name("alice"), other, Place::Kernel));
}

#[test]
fn without_a_chain_the_session_goes() {
    let mut world = office();
    world.session(&alice("node1", "False"), &graph()).expect("a session");
    taken(&mut world, "node1");
    let none = world.session(&alice("node1", "False"), &Graph::default()).expect_err("no session");
    assert!(none.to_string().contains("provides access-line"), "{none}");
    assert_eq!(taken(&mut world, "node1"), ["-session/alice"]);
}

#[test]
fn a_node_that_goes_and_comes_begins_anew() {
    let mut world = office();
    world.no_node(&name("node1"));
    assert_eq!(world.take_changes().remove(&name("node1")), Some(None));
    assert_eq!(world.session(&alice("node1", "False"), &graph()), Err(NoSession::Node(name("node1"))));
    world.node(&name("node1"), spec(json!({"loopback": "192.0.2.1", "ports": []})));
    assert!(!taken(&mut world, "node1").is_empty());
    world.pool(&name("inside1"), None);
    assert_eq!(taken(&mut world, "node1"), ["-route/100.64.0.0/24"]);
    assert_eq!(
        world.session(&alice("node1", "False"), &graph()),
        Err(office_plan::NoSession::Pool(name("node1")).into())
    );
}
