//! With an agent at the other end: what it is given, and what its reports make of the status.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use agent_link::{Chunk, Holdings, Identity, JoinToken, Link, LinkConfig, LinkState, Node, Outcome, REMOVED};
use hyper::Method;
use net_types::Generation;
use node_state::{Resource, ResourceKey};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::controller::{Controller, run, subscriber};

/// A node whose kernel takes everything, but for what the test says.
#[derive(Default)]
pub(crate) struct FakeNode(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    token: Option<JoinToken>,
    identity: Option<Identity>,
    generation: Generation,
    held: BTreeMap<ResourceKey, Resource>,
    refused: BTreeMap<ResourceKey, String>,
    /// Resources that were ever received.
    received: usize,
    error: Option<String>,
}

impl FakeNode {
    pub(crate) fn with_token(token: &Value) -> Arc<Self> {
        let token = token["token"].as_str().expect("text").parse().expect("a token");
        Arc::new(Self(Mutex::new(Inner { token: Some(token), ..Inner::default() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics with it")
    }

    pub(crate) fn start(self: &Arc<Self>, controller: &Controller) -> JoinHandle<std::convert::Infallible> {
        let config = LinkConfig {
            controller: controller.agents(),
            node: "node1".parse().expect("a name"),
            agent_version: "1.2.3".into(),
            backoff_min: Duration::from_millis(20),
            backoff_max: Duration::from_millis(100),
        };
        tokio::spawn(Link::new(config, self.clone()).run())
    }

    /// Forgets its join token: it comes in by the certificate that it has, if it has one.
    pub(crate) fn forget_token(&self) -> bool {
        let mut inner = self.inner();
        inner.token = None;
        inner.identity.is_some()
    }

    fn session(&self, name: &str) -> Option<node_state::Session> {
        match self.inner().held.get(&ResourceKey::from(format!("session/{name}")))? {
            Resource::Session(session) => Some(session.clone()),
            other => panic!("{other:?}"),
        }
    }
}

impl Node for FakeNode {
    fn join_token(&self) -> Result<JoinToken, String> {
        self.inner().token.clone().ok_or_else(|| "no token".into())
    }

    fn identity(&self) -> Option<Identity> {
        self.inner().identity.clone()
    }

    async fn keep_identity(&self, identity: Identity, _: bool) -> Result<(), String> {
        self.inner().identity = Some(identity);
        Ok(())
    }

    async fn holdings(&self) -> Holdings {
        let inner = self.inner();
        let outcome = |(key, resource): (&ResourceKey, &Resource)| (key.clone(), resource.version(), Ok(()));
        Holdings { generation: inner.generation, resources: inner.held.iter().map(outcome).collect() }
    }

    async fn apply(&self, chunk: Chunk) -> Result<Vec<Outcome>, String> {
        let mut inner = self.inner();
        let mut outcomes = Vec::new();
        inner.received += chunk.upserts.len();
        for received in chunk.upserts {
            let outcome = inner.refused.get(&received.key).cloned().map_or(Ok(()), Err);
            outcomes.push((received.key.clone(), received.version, outcome));
            inner.held.insert(received.key, received.resource);
        }
        for key in chunk.removes {
            inner.held.remove(&key);
            outcomes.push((key, REMOVED, Ok(())));
        }
        inner.generation = inner.generation.max(chunk.generation);
        Ok(outcomes)
    }

    async fn news(&self) -> Vec<Outcome> {
        std::future::pending().await
    }

    fn state(&self, state: LinkState) {
        if let LinkState::Waiting { error } = state {
            self.inner().error = Some(error);
        }
    }
}

/// Waits until `holds`; what does not come about fails the test.
pub(crate) async fn until<T>(what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1500 {
        if let Some(value) = holds().await {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

fn ready(object: &Value) -> (String, String, String) {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let condition =
        conditions.iter().find(|condition| condition["type"] == "Ready").cloned().unwrap_or_default();
    let text = |member: &str| condition[member].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

/// Waits until an object's `Ready` has that status and reason, for its spec as it is.
async fn until_ready(controller: &Controller, path: &str, status: &str, reason: &str) -> Value {
    until(&format!("{path} {status} {reason}"), async || {
        let object = controller.get(path).await.json();
        let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let ready = ready(&object);
        (current && (ready.0.as_str(), ready.1.as_str()) == (status, reason)).then_some(object)
    })
    .await
}

const ALICE: &str = "/api/v1/subscribers/alice";
const BOB: &str = "/api/v1/subscribers/bob";
const NODE: &str = "/api/v1/nodes/node1";

async fn post(controller: &Controller, name: &str, c_vid: u16) -> Value {
    controller.call(Method::POST, "/api/v1/subscribers", &subscriber(name, 100, c_vid)).await.json()
}

pub(crate) async fn token(controller: &Controller) -> Value {
    controller.call(Method::POST, "/api/v1/nodes/node1/join-token", &json!({})).await.json()
}

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
        node.inner().refused.insert("session/bob".to_owned().into(), "no room in the map".into());
        post(&controller, "bob", 8).await;
        let bob = until_ready(&controller, BOB, "False", "Refused").await;
        assert_eq!(ready(&bob).2, "no room in the map");
        let trouble = until_ready(&controller, NODE, "False", "Refused").await;
        assert!(ready(&trouble).2.contains("session/bob"), "{trouble}");
        assert_eq!(node.inner().received, received + 1);
        controller.call(Method::DELETE, BOB, &Value::Null).await;
        until("bob is gone", async || node.session("bob").is_none().then_some(())).await;
        until_ready(&controller, NODE, "True", "Programmed").await;

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
        controller.call(Method::PATCH, ALICE, &json!({"spec": {"suspended": true}})).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
        assert!(!node.session("alice").expect("is there").active);
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
        assert!(second.identity().is_none());
    });
}
