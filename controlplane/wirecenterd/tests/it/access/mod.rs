//! Who may do what, seen from the front door.

mod audit;
mod passwords;
mod roles;
mod sight;
mod together;
mod tokens;

use hyper::Method;
use serde_json::{Value, json};

use crate::controller::{Answer, Controller};

/// As root, by the socket; it must succeed.
pub(crate) async fn make(controller: &Controller, objects: &[Value]) {
    let operations: Vec<_> = objects.iter().map(|object| json!({"op": "apply", "object": object})).collect();
    let answer =
        controller.call(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[expect(clippy::needless_pass_by_value, reason = "each is written where it is used")]
fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"kind": kind, "metadata": {"name": name}, "spec": spec})
}

pub(crate) fn user(name: &str) -> Value {
    object("User", name, json!({"email": format!("{name}@example.net")}))
}

fn slice(name: &str, site: &str) -> Value {
    object("Slice", name, json!({"site": site, "isolation": "vm"}))
}

fn network(name: &str, slice: &str) -> Value {
    object("Network", name, json!({"slice": slice}))
}

pub(crate) fn binding(user: &str, role: &str, scope: &str) -> Value {
    let scope = match scope.split_once('/') {
        Some((kind, name)) => json!({"kind": kind, "name": name}),
        None => json!({"kind": scope}),
    };
    object("RoleBinding", &format!("{user}-{role}"), json!({"user": user, "role": role, "scope": scope}))
}

/// A time that is far enough ahead for what is to be done before, on a machine with other work too.
fn soon() -> jiff::Timestamp {
    jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5)
}

/// Returns when it is past `end`.
async fn pass(end: jiff::Timestamp) {
    let left = std::time::Duration::try_from(end.duration_since(jiff::Timestamp::now())).unwrap_or_default();
    tokio::time::sleep(left + std::time::Duration::from_millis(10)).await;
}

/// A token of a user's, made by root.
pub(crate) async fn token(controller: &Controller, user: &str) -> String {
    let path = format!("/api/v1/users/{user}/tokens");
    let answer = controller.call(Method::POST, &path, &json!({"name": "test"})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["token"].as_str().expect("a token").to_owned()
}

pub(crate) fn names(list: &Answer) -> Vec<String> {
    assert_eq!(list.status, 200, "{list:?}");
    let items = list.json()["items"].as_array().expect("items").clone();
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

/// Two sites with a slice each, and a network in each slice.
async fn two_sites(controller: &Controller) {
    make(
        controller,
        &[
            object("Site", "north", json!({})),
            object("Site", "south", json!({})),
            slice("cdn", "north"),
            slice("web", "south"),
            network("cdn-lan", "cdn"),
            network("web-lan", "web"),
        ],
    )
    .await;
}
