use intent_store::{MemoryEngine, Options, Store};
use node_state::ResourceKey;
use serde_json::{Value, json};
use synchronizer::{Config, Runner};
use xos_model::{Kind, Subscriber};

use super::{world::tests::graph, *};

fn spec<K: Kind>(spec: Value) -> K {
    serde_json::from_value(spec).expect("a spec")
}

fn name(name: &str) -> Name {
    name.parse().expect("a name")
}

fn alice() -> Subscriber {
    let object = json!({
        "kind": "Subscriber",
        "metadata": {"name": "alice", "generation": 1},
        "spec": {"access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 7}},
        "status": {"observedGeneration": 1, "conditions": [], "address": "100.64.0.2", "gateway": "100.64.0.1"},
    });
    serde_json::from_value(object).expect("a subscriber")
}

#[test]
fn a_node_is_heard_while_somebody_has_the_world() {
    let (store, _writer) = Store::open(MemoryEngine::default(), Options::default()).expect("opens");
    let office = Office::new(store);
    let intent = Arc::new(api::Intent::new(office.clone()));
    let (_runner, control) = Runner::new(intent, Config::default());
    let nodes = Nodes::new(office, control);
    let here = name("node1");
    let pool =
        json!({"node": "node1", "purpose": "subscriber", "prefix": "100.64.0.0/24", "gateway": "100.64.0.1"});
    nodes.change(|world| {
        let ports = json!([{"name": "access0", "role": "access"}]);
        world.node(&here, spec(json!({"loopback": "192.0.2.1", "ports": ports})));
        world.pool(&name("inside"), Some(spec(pool)));
        // The session is in the kernel before the batch that it came with has ended.
        let (version, place) = world.session(&alice(), &graph()).expect("a session");
        assert_eq!(place, Place::Table);
        nodes.reported(&here, vec![(ResourceKey::session(&name("alice")), version, Ok(()))]);
    });
    let (_, place) = nodes.change(|world| world.session(&alice(), &graph())).expect("a session");
    assert_eq!(place, Place::Kernel);
}
