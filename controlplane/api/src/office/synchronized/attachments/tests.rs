use serde_json::{Value, json};

use super::*;
use crate::office::synchronized::edges::beside;

fn object(kind: KindName, name: &str, spec: &Value) -> AnyObject {
    let object =
        json!({"kind": kind, "metadata": {"name": name}, "spec": spec, "status": {"observedGeneration": 0}});
    AnyObject::parse(kind, object.to_string().as_bytes()).expect("an object")
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

#[derive(Default)]
struct World(Attachments);

impl World {
    #[expect(clippy::needless_pass_by_value, reason = "given what json! makes")]
    fn put(&mut self, kind: KindName, called: &str, spec: Value) -> Vec<String> {
        self.take(kind, called, Some(&object(kind, called, &spec)))
    }

    fn take(&mut self, kind: KindName, called: &str, now: Option<&AnyObject>) -> Vec<String> {
        self.0.take(kind, &name(called), now).iter().map(ToString::to_string).collect()
    }

    fn networks(&self, slice: &str) -> Vec<String> {
        self.0.networks(&name(slice)).iter().map(ToString::to_string).collect()
    }
}

#[test]
fn instances_are_told_of_again_when_their_networks_are_others() {
    let mut world = World::default();
    let slice = |networks: &[&str]| json!({"site": "here", "networks": networks});
    for (slice_name, count) in [("web", 2), ("db", 1)] {
        assert!(world.put(KindName::Slice, slice_name, slice(&[])).is_empty());
        for i in 1..=count {
            world.put(KindName::Instance, &format!("{slice_name}-{i}"), json!({"slice": slice_name}));
        }
    }
    let own = json!({"slice": "db"});
    let nothing: [&str; 0] = [];
    assert_eq!(world.put(KindName::Network, "store", own.clone()), ["db-1"]);
    assert_eq!(world.put(KindName::Network, "store", own), nothing, "the same again");
    // Who asks and is not permitted is not attached.
    assert_eq!(world.put(KindName::Slice, "web", slice(&["store"])), nothing);
    assert_eq!(world.networks("web"), nothing);
    let shared = json!({"slice": "db", "permittedSlices": ["web"]});
    assert_eq!(world.put(KindName::Network, "store", shared.clone()), ["web-1", "web-2"]);
    assert_eq!((world.networks("web"), world.networks("db")), (vec!["store".into()], vec!["store".into()]));
    // What belongs to a slice that is not enabled is nobody's.
    let off = json!({"site": "here", "enabled": false});
    assert_eq!(world.put(KindName::Slice, "db", off), ["db-1", "web-1", "web-2"]);
    assert_eq!(world.networks("web"), nothing);
    assert_eq!(world.put(KindName::Slice, "db", slice(&[])), ["db-1", "web-1", "web-2"]);
    world.put(KindName::Instance, "web-1", json!({"slice": "db"}));
    assert_eq!(world.take(KindName::Instance, "web-2", None), nothing);
    assert_eq!(world.take(KindName::Network, "store", None), ["db-1", "web-1"]);
    assert_eq!(world.networks("db"), nothing);
}

#[test]
fn back_ends_are_told_again_when_an_instance_is_placed_or_attached_elsewhere() {
    let mut world = World::default();
    let instance = |node: Option<&str>| {
        let mut instance = object(KindName::Instance, "web-1", &json!({"slice": "web"}));
        if let AnyObject::Instance(instance) = &mut instance {
            instance.status.node = node.map(name);
        }
        instance
    };
    let all = |world: &World| [None, Some("blue"), Some("red")].map(|node| beside(&instance(node), &world.0));
    world.put(KindName::Slice, "web", json!({"site": "here"}));
    let mut seen = all(&world).to_vec();
    assert_eq!(seen[0], 0, "there is nothing beside the spec");
    for network in ["blue", "red"] {
        world.put(KindName::Network, network, json!({"slice": "web"}));
        seen.extend(all(&world));
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 9, "{seen:?}");
    assert_eq!(all(&world)[..], seen[6..], "the same each time");
}
