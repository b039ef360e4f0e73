//! A node of a test's own: an agent without a kernel at the other end of the controller's link.

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

use crate::controller::{Controller, subscriber};

/// A node whose kernel takes everything, but for what the test says.
#[derive(Default)]
pub(crate) struct FakeNode(Mutex<Inner>);

#[derive(Default)]
pub(crate) struct Inner {
    token: Option<JoinToken>,
    pub(crate) identity: Option<Identity>,
    generation: Generation,
    pub(crate) held: BTreeMap<ResourceKey, Resource>,
    pub(crate) refused: BTreeMap<ResourceKey, String>,
    /// Resources that were ever received.
    pub(crate) received: usize,
    pub(crate) error: Option<String>,
}

impl FakeNode {
    pub(crate) fn with_token(token: &Value) -> Arc<Self> {
        let token = token["token"].as_str().expect("text").parse().expect("a token");
        Arc::new(Self(Mutex::new(Inner { token: Some(token), ..Inner::default() })))
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
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

    /// From now on the node does not take a resource.
    pub(crate) fn refuse(&self, key: &str, why: &str) {
        self.inner().refused.insert(key.to_owned().into(), why.into());
    }

    pub(crate) fn refuse_nothing(&self) {
        self.inner().refused.clear();
    }

    pub(crate) fn session(&self, name: &str) -> Option<node_state::Session> {
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

pub(crate) fn ready(object: &Value) -> (String, String, String) {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let condition =
        conditions.iter().find(|condition| condition["type"] == "Ready").cloned().unwrap_or_default();
    let text = |member: &str| condition[member].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

/// Waits until an object's `Ready` has that status and reason, for its spec as it is.
pub(crate) async fn until_ready(controller: &Controller, path: &str, status: &str, reason: &str) -> Value {
    until(&format!("{path} {status} {reason}"), async || {
        let object = controller.get(path).await.json();
        let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let ready = ready(&object);
        (current && (ready.0.as_str(), ready.1.as_str()) == (status, reason)).then_some(object)
    })
    .await
}

pub(crate) async fn post(controller: &Controller, name: &str, c_vid: u16) -> Value {
    controller.call(Method::POST, "/api/v1/subscribers", &subscriber(name, 100, c_vid)).await.json()
}

pub(crate) async fn token(controller: &Controller) -> Value {
    controller.call(Method::POST, "/api/v1/nodes/node1/join-token", &json!({})).await.json()
}
