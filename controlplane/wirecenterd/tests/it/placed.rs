//! Machines on nodes: which one each gets, and what holds it there.

use std::collections::BTreeMap;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::make,
    controller::{Answer, Controller, run},
    folder::wcctl_command,
    references::{object, results, transact},
};

fn node(name: &str, last: u8, site: &str, rack: &str) -> Value {
    let spec = json!({"loopback": format!("192.0.2.{last}"), "site": site,
        "ports": [{"name": "core0", "role": "core"}]});
    let mut node = object("Node", name, &spec);
    node["metadata"]["labels"] = json!({"rack": rack});
    node
}

#[expect(clippy::needless_pass_by_value, reason = "placements are written where they are used")]
fn machine(name: &str, slice: &str, placement: Value) -> Value {
    object("Instance", name, &json!({"slice": slice, "placement": placement}))
}

/// Three nodes at two sites, a deployment at one of them, and two slices.
async fn office() -> Controller {
    let controller = Controller::start().await;
    let all = [
        object("Site", "north", &json!({})),
        object("Site", "south", &json!({})),
        object("Controller", "cloud", &json!({"plugin": "http", "url": "http://127.0.0.1:9"})),
        object("Deployment", "southern", &json!({"controller": "cloud", "sites": ["south"]})),
        node("n1", 1, "north", "a"),
        node("n2", 2, "north", "b"),
        node("n3", 3, "south", "b"),
        object("Slice", "web", &json!({"site": "north"})),
        object("Slice", "mail", &json!({"site": "north"})),
    ];
    make(&controller, &all).await;
    controller
}

async fn post(controller: &Controller, object: &Value) -> Answer {
    controller.call(Method::POST, "/api/v1/instances", object).await
}

/// Where the machine is, as its object says.
async fn place(controller: &Controller, name: &str) -> Value {
    controller.get(&format!("/api/v1/instances/{name}")).await.json()["status"]["node"].clone()
}

fn refused(answer: &Answer, status: u16, place: &str, words: &str) {
    assert_eq!((answer.status.as_u16(), answer.places()), (status, vec![place.to_owned()]), "{answer:?}");
    let detail = answer.json()["errors"][0]["detail"].to_string();
    assert!(detail.contains(words), "{detail}");
}

#[test]
fn a_machine_gets_a_node_with_the_labels_that_it_asks_for() {
    run(async {
        let controller = office().await;
        for (name, placement, node) in [
            ("m1", json!({"nodeLabels": {"rack": "a"}}), json!("n1")),
            ("m2", json!({"nodeLabels": {"rack": "b"}}), json!("n2")),
            ("m3", json!({"nodeLabels": {"rack": "b"}}), json!("n3")),
            ("m4", json!({"node": "n2", "nodeLabels": {"rack": "b"}}), json!("n2")),
            ("m5", json!({"nodeLabels": {"rack": "b"}}), json!("n3")),
            ("m6", json!({"deployment": "southern", "spread": true}), json!("n3")),
            ("m7", json!({"deployment": "southern"}), Value::Null),
            ("m8", json!({}), Value::Null),
        ] {
            let made = post(&controller, &machine(name, "web", placement)).await;
            assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
            assert_eq!(made.json()["status"]["node"], node, "{name}, as it was answered");
            assert_eq!(place(&controller, name).await, node, "{name}");
        }
        let shown = wcctl_command(&controller, &["get", "instance", "m3", "-o", "json"]).output();
        let shown: Value = serde_json::from_slice(&shown.expect("wcctl runs").stdout).expect("JSON");
        assert_eq!(shown["status"]["node"], "n3", "{shown}");
    });
}

#[test]
fn what_no_node_can_satisfy_is_refused_and_changes_nothing() {
    run(async {
        let controller = office().await;
        let (named, labels, spread) =
            ("/spec/placement/node", "/spec/placement/nodeLabels", "/spec/placement/spread");
        for (placement, status, at, words) in [
            (json!({"node": "n1", "nodeLabels": {"rack": "b"}}), 422, named, "rack=a, not rack=b"),
            (json!({"node": "n1", "nodeLabels": {"gpu": "yes"}}), 422, named, "has no label gpu=yes"),
            (json!({"node": "n1", "deployment": "southern"}), 422, named, "Site north"),
            (json!({"node": "n9"}), 422, named, "there is no Node n9"),
            (json!({"nodeLabels": {"rack": "c"}}), 409, labels, "no node has the labels rack=c"),
            (
                json!({"nodeLabels": {"rack": "a"}, "deployment": "southern"}),
                409,
                labels,
                "rack=a and stands at a site of Deployment southern",
            ),
        ] {
            refused(&post(&controller, &machine("m1", "web", placement)).await, status, at, words);
        }
        assert_eq!(controller.get("/api/v1/instances").await.json()["items"], json!([]));
        // Without a node at the deployment's site, spreading has nothing to spread over.
        let gone = controller.call(Method::DELETE, "/api/v1/nodes/n3", &Value::Null).await;
        assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
        let spreading = machine("m1", "web", json!({"deployment": "southern", "spread": true}));
        refused(&post(&controller, &spreading).await, 409, spread, "at a site of Deployment southern");
    });
}

#[test]
fn the_machines_of_a_transaction_are_spread_whatever_its_order() {
    run(async {
        let controller = office().await;
        let spread = || json!({"spread": true});
        let mut machines: Vec<_> = (0..6).map(|i| machine(&format!("m{i}"), "web", spread())).collect();
        let operations: Vec<_> =
            machines.iter().map(|object| json!({"op": "create", "object": object})).collect();
        let dry = controller
            .call(Method::POST, "/api/v1/transactions?dryRun=All", &json!({"operations": operations}))
            .await;
        let mut planned = BTreeMap::<String, usize>::new();
        for object in dry.json()["objects"].as_array().unwrap_or_else(|| panic!("{dry:?}")) {
            let node = object["changes"][0]["value"]["status"]["node"].as_str();
            *planned.entry(node.unwrap_or_else(|| panic!("{object}")).to_owned()).or_default() += 1;
        }
        let twice = |nodes: &[&str]| nodes.iter().map(|node| ((*node).to_owned(), 2)).collect();
        assert_eq!(planned, twice(&["n1", "n2", "n3"]));
        // The dry run has left no trace: a machine of this slice is counted nowhere yet.
        machines.push(node("n4", 4, "south", "c"));
        let made = transact(&controller, "create", &machines).await;
        assert_eq!(results(&made), ["created"; 7], "{made:?}");
        let mut placed = BTreeMap::<String, usize>::new();
        for i in 0..6 {
            let node = place(&controller, &format!("m{i}")).await;
            *placed.entry(node.as_str().expect("a node").to_owned()).or_default() += 1;
        }
        let want = [("n1", 2), ("n2", 2), ("n3", 1), ("n4", 1)].map(|(node, n)| (node.to_owned(), n));
        assert_eq!(placed, BTreeMap::from(want), "n4 comes last in the transaction");
        // Another slice is spread by itself: of nodes without one of its machines, the emptiest first.
        let made = post(&controller, &machine("post", "mail", spread())).await;
        assert_eq!(made.json()["status"]["node"], "n3", "{made:?}");
        // What a machine leaves is free for the next one.
        for path in ["m0", "m3"] {
            let path = format!("/api/v1/instances/{path}");
            let gone = controller.call(Method::DELETE, &path, &Value::Null).await;
            assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
        }
        let on_a = json!({"spread": true, "nodeLabels": {"rack": "a"}});
        let freed = post(&controller, &machine("next", "web", on_a)).await;
        assert_eq!(freed.json()["status"]["node"], "n1", "{freed:?}");
        let made = post(&controller, &machine("other", "web", spread())).await;
        assert_eq!(made.json()["status"]["node"], "n4", "one machine of the slice, and none of another");
    });
}

#[test]
fn a_node_stays_as_long_as_machines_are_placed_on_it() {
    run(async {
        let mut controller = office().await;
        let on_b = json!({"nodeLabels": {"rack": "b"}});
        make(&controller, &[machine("m1", "web", on_b.clone())]).await;
        assert_eq!(place(&controller, "m1").await, "n2");
        let delete = async |controller: &Controller, path: &str| {
            controller.call(Method::DELETE, &format!("/api/v1/{path}"), &Value::Null).await
        };
        refused(&delete(&controller, "nodes/n2").await, 409, "/metadata/name", "Instance m1");
        // Also after a start, and when its labels are others by now: the machine is where it is.
        controller.kill();
        controller.start_again().await;
        let relabelled = json!({"metadata": {"labels": {"rack": "z"}}});
        let relabelled = controller.call(Method::PATCH, "/api/v1/nodes/n2", &relabelled).await;
        assert_eq!(relabelled.status, StatusCode::OK, "{relabelled:?}");
        let patch = async |spec: Value| {
            let path = "/api/v1/instances/m1";
            let answer = controller.call(Method::PATCH, path, &json!({"spec": spec})).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            answer.json()["status"]["node"].clone()
        };
        assert_eq!(patch(json!({"userData": "#cloud-config"})).await, "n2");
        assert_eq!(patch(json!({"slice": "mail"})).await, "n2");
        refused(&delete(&controller, "nodes/n2").await, 409, "/metadata/name", "Instance m1");
        // Asked anew, it goes where the labels are.
        assert_eq!(patch(json!({"placement": {"spread": true, "nodeLabels": {"rack": "b"}}})).await, "n3");
        let gone = delete(&controller, "nodes/n2").await;
        assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
        // Named, and no longer named: it is the node's all the while.
        assert_eq!(patch(json!({"placement": {"spread": null, "node": "n3"}})).await, "n3");
        assert_eq!(patch(json!({"placement": {"node": null}})).await, "n3");
        refused(&delete(&controller, "nodes/n3").await, 409, "/metadata/name", "Instance m1");
        // Left to the back end, it holds no node.
        assert_eq!(patch(json!({"placement": null})).await, Value::Null);
        assert_eq!(delete(&controller, "nodes/n3").await.status, StatusCode::OK);
    });
}

#[test]
fn a_node_goes_after_the_machines_on_it() {
    run(async {
        let controller = office().await;
        let mut held = machine("m1", "web", json!({"nodeLabels": {"rack": "a"}}));
        held["metadata"]["finalizers"] = json!(["openstack"]);
        make(&controller, std::slice::from_ref(&held)).await;
        let both = [node("n1", 1, "north", "a"), held];
        assert_eq!(results(&transact(&controller, "delete", &both).await), ["deleting"; 2]);
        // Nothing new comes to it meanwhile.
        let late = post(&controller, &machine("m2", "web", json!({"nodeLabels": {"rack": "a"}}))).await;
        refused(&late, 409, "/spec/placement/nodeLabels", "no node has the labels rack=a");
        let freed = json!({"metadata": {"finalizers": null}});
        let freed = controller.call(Method::PATCH, "/api/v1/instances/m1", &freed).await;
        assert_eq!(freed.status, StatusCode::OK, "{freed:?}");
        for path in ["instances/m1", "nodes/n1"] {
            assert_eq!(
                controller.get(&format!("/api/v1/{path}")).await.status,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    });
}
