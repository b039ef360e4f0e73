//! The walled garden of a node, and what subscribers in it are told.

use hyper::{Method, StatusCode};
use node_state::{Resource, ResourceKey, SessionState};
use serde_json::{Value, json};

use crate::{
    controller::{Controller, run, subscriber},
    fake_node::{FakeNode, token, until, until_ready},
};

const ALICE: &str = "/api/v1/subscribers/alice";

#[test]
fn a_garden_comes_to_its_node_changes_and_goes() {
    run(async {
        let controller = Controller::with_office().await;
        let node = FakeNode::with_token(&token(&controller).await);
        let _link = node.start(&controller);
        let patch = async |path: &str, spec: Value| {
            let answer = controller.call(Method::PATCH, path, &json!({"spec": spec})).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        };
        let until_held = async |wanted: Option<Value>| {
            until("garden", async || {
                let key = ResourceKey::from(Resource::GARDEN_KEY.to_owned());
                let held = node.inner().held.get(&key).map(|held| serde_json::to_value(held).expect("JSON"));
                (held == wanted).then_some(())
            })
            .await;
        };
        for allowed in [json!(["192.0.2.66/32"]), json!(["192.0.2.66/32", "2001:db8:66::/48"])] {
            let garden = json!({"portal": "http://192.0.2.66/pay", "allowed": allowed});
            patch("/api/v1/nodes/node1", json!({"garden": garden})).await;
            let mut resource = json!({"kind": "garden"});
            resource
                .as_object_mut()
                .expect("an object")
                .extend(garden.as_object().expect("an object").clone());
            until_held(Some(resource)).await;
        }
        controller.call(Method::POST, "/api/v1/subscribers", &subscriber("alice", 100, 7)).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
        for (state, held, told) in [
            ("suspended", SessionState::Suspended, "; only what is in the node's walled garden passes"),
            (
                "unauthenticated",
                SessionState::Unauthenticated,
                "; only what is in the node's walled garden passes",
            ),
            ("quarantined", SessionState::Quarantined, "; nothing passes"),
            ("active", SessionState::Active, ""),
        ] {
            patch(ALICE, json!({"state": state})).await;
            until("the state", async || (node.session("alice")?.state == held).then_some(())).await;
            until("what is said of it", async || {
                let alice = controller.get(ALICE).await.json();
                let conditions = alice["status"]["conditions"].as_array()?.clone();
                let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready")?;
                (ready["message"] == format!("in the kernel of node node1{told}")).then_some(())
            })
            .await;
        }
        patch("/api/v1/nodes/node1", json!({"garden": null})).await;
        until_held(None).await;
    });
}
