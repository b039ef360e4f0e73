//! With an agent at the other end: what it is given, and what its reports make of the status.

use hyper::Method;
use node_state::SessionState;
use serde_json::{Value, json};

use crate::{
    controller::{Controller, run},
    fake_node::{FakeNode, post, ready, token, until, until_ready},
};

const ALICE: &str = "/api/v1/subscribers/alice";
const BOB: &str = "/api/v1/subscribers/bob";
const NODE: &str = "/api/v1/nodes/node1";

#[test]
fn ready_means_in_the_kernel() {
    run(async {
        let controller = Controller::with_office().await;
        let alice = post(&controller, "alice", 7).await;
        assert_eq!(ready(&alice).0, "False");
        let node = FakeNode::with_token(&token(&controller).await);
        let _link = node.start(&controller);
        let alice = until_ready(&controller, ALICE, "True", "Programmed").await;
        assert_eq!(alice["metadata"]["generation"], 1);
        let session = node.session("alice").expect("is there");
        assert_eq!(session.lease.to_string(), "100.64.0.2/16");
        assert_eq!(node.inner().held.len(), 3 + 1 + 4 + 1, "ports, loopback, routes and a session");
        let status = until_ready(&controller, NODE, "True", "Programmed").await["status"].clone();
        assert_eq!((&status["connected"], &status["agentVersion"]), (&json!(true), &json!("1.2.3")));
        assert_eq!(status["programmedGeneration"], status["generation"]);

        // A new rate is a new session, ready again only when that one is in the kernel.
        let patched =
            controller.call(Method::PATCH, ALICE, &json!({"spec": {"bundle": {"rateUp": "30M"}}})).await;
        assert_eq!(ready(&patched.json()).1, "Progressing");
        until_ready(&controller, ALICE, "True", "Programmed").await;
        let rate = node.session("alice").and_then(|session| session.rate_up).expect("a rate");
        assert_eq!(rate.rate.to_string(), "30M");
        // A label is not.
        let received = node.inner().received;
        controller.call(Method::PATCH, ALICE, &json!({"metadata": {"labels": {"a": "b"}}})).await;

        // What the node refuses is said in its words; and on the node, too.
        node.refuse("session/bob", "no room in the map");
        post(&controller, "bob", 8).await;
        let bob = until_ready(&controller, BOB, "False", "Refused").await;
        assert_eq!(ready(&bob).2, "nodes: node1: no room in the map");
        let trouble = until_ready(&controller, NODE, "False", "Refused").await;
        assert!(ready(&trouble).2.contains("session/bob"), "{trouble}");
        assert_eq!(node.inner().received, received + 1);
        controller.call(Method::DELETE, BOB, &Value::Null).await;
        until("bob is gone", async || node.session("bob").is_none().then_some(())).await;
        until_ready(&controller, NODE, "True", "Programmed").await;
        let metrics = controller.get("/metrics").await;
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        let refused = r#"wirecenter_sync_errors_total{back_end="nodes"} 1"#;
        assert!(metrics.lines().any(|line| line == refused), "{metrics}");

        // A pool's change reaches its sessions.
        let lease = json!({"spec": {"leaseSeconds": 600}});
        controller.call(Method::PATCH, "/api/v1/addresspools/inside", &lease).await;
        until("a shorter lease", async || {
            node.session("alice").filter(|session| session.lease_seconds == 600).map(drop)
        })
        .await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
    });
}

#[test]
fn a_killed_controller_sends_nothing_again() {
    run(async {
        let mut controller = Controller::with_office().await;
        for (name, c_vid) in [("alice", 1), ("bob", 2)] {
            post(&controller, name, c_vid).await;
        }
        let node = FakeNode::with_token(&token(&controller).await);
        let link = node.start(&controller);
        until_ready(&controller, ALICE, "True", "Programmed").await;
        until_ready(&controller, BOB, "True", "Programmed").await;
        controller.kill();
        link.abort();
        let received = node.inner().received;
        controller.start_again().await;
        let disconnected = controller.get(NODE).await.json();
        assert_eq!(
            (&disconnected["status"]["connected"], ready(&disconnected).0),
            (&json!(false), "Unknown".into())
        );
        // The subscribers are served all the same.
        assert_eq!(ready(&controller.get(ALICE).await.json()).0, "True");
        let link = node.start(&controller);
        until_ready(&controller, NODE, "True", "Programmed").await;
        controller.call(Method::PATCH, ALICE, &json!({"spec": {"state": "suspended"}})).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
        assert_eq!(node.session("alice").expect("is there").state, SessionState::Suspended);
        assert_eq!(node.inner().received, received + 1);
        link.abort();
        until("disconnected", async || {
            (controller.get(NODE).await.json()["status"]["connected"] == false).then_some(())
        })
        .await;
    });
}

#[test]
fn a_token_is_good_once() {
    run(async {
        let controller = Controller::with_office().await;
        let token = token(&controller).await;
        let first = FakeNode::with_token(&token);
        let link = first.start(&controller);
        until_ready(&controller, NODE, "True", "Programmed").await;
        link.abort();
        let second = FakeNode::with_token(&token);
        let _link = second.start(&controller);
        let error = until("refused", async || second.inner().error.clone()).await;
        assert!(error.contains("token"), "{error}");
        assert!(second.inner().identity.is_none());
    });
}
