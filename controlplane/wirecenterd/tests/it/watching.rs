//! Watches: every change once, in order, from any revision that history still has.

use http_body_util::BodyExt as _;
use hyper::{Method, body::Incoming};
use serde_json::{Value, json};

use crate::controller::{Controller, run, subscriber};

pub(crate) struct Watch {
    body: Incoming,
    pending: Vec<u8>,
}

impl Watch {
    async fn start(controller: &Controller, query: &str) -> Self {
        Self::of(controller, "subscribers", query, &[]).await
    }

    pub(crate) async fn of(
        controller: &Controller,
        plural: &str,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        let path = format!("/api/v1/{plural}?watch=1{query}");
        let mut client = controller.client().await;
        let response = client.send(Method::GET, &path, headers, "").await.expect("answers");
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), pending: Vec::new() }
    }

    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("JSON"));
            }
            let frame = self.body.frame().await?.ok()?;
            self.pending.extend_from_slice(&frame.into_data().expect("data"));
        }
    }

    /// What happened to whom, and the revision.
    pub(crate) async fn event(&mut self) -> (String, String, u64) {
        let event = self.next().await.expect("an event");
        let metadata = &event["object"]["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&event["type"]),
            text(&metadata["name"]),
            metadata["resourceVersion"].as_u64().expect("a revision"),
        )
    }
}

async fn post(controller: &Controller, name: &str, c_vid: u16) -> u64 {
    let answer = controller.call(Method::POST, "/api/v1/subscribers", &subscriber(name, 1, c_vid)).await;
    answer.json()["metadata"]["resourceVersion"].as_u64().expect("a revision")
}

fn event(kind: &str, name: &str, revision: u64) -> (String, String, u64) {
    (kind.into(), name.into(), revision)
}

#[test]
fn a_watch_resumes_where_it_was() {
    run(async {
        let controller = Controller::with_office().await;
        let start = controller.revision().await;
        let mut live = Watch::start(&controller, &format!("&resourceVersion={start}")).await;
        let alice = post(&controller, "alice", 1).await;
        assert_eq!(live.event().await, event("ADDED", "alice", alice));
        let bob = post(&controller, "bob", 2).await;
        let patch = json!({"spec": {"state": "suspended"}});
        let patched = controller.call(Method::PATCH, "/api/v1/subscribers/alice", &patch).await.json();
        let patched = patched["metadata"]["resourceVersion"].as_u64().expect("a revision");
        let deleted = controller.call(Method::DELETE, "/api/v1/subscribers/bob", &Value::Null).await.json();
        let deleted = deleted["metadata"]["resourceVersion"].as_u64().expect("a revision");
        let all = [
            event("ADDED", "alice", alice),
            event("ADDED", "bob", bob),
            event("MODIFIED", "alice", patched),
            event("DELETED", "bob", deleted),
        ];
        for expected in &all[1..] {
            assert_eq!(live.event().await, *expected);
        }
        // From every revision on the way, the rest comes again.
        for seen in 0..all.len() {
            let from = if seen == 0 { start } else { all[seen - 1].2 };
            let mut again = Watch::start(&controller, &format!("&resourceVersion={from}")).await;
            for expected in &all[seen..] {
                assert_eq!(again.event().await, *expected);
            }
        }
        // Without a revision, what there is comes first, then a bookmark, then what happens.
        let mut fresh = Watch::start(&controller, "").await;
        assert_eq!(fresh.event().await, event("ADDED", "alice", patched));
        assert_eq!(fresh.event().await.0, "BOOKMARK");
        let carol = post(&controller, "carol", 3).await;
        assert_eq!(fresh.event().await, event("ADDED", "carol", carol));
    });
}

#[test]
fn a_selector_sees_objects_come_and_go() {
    run(async {
        let controller = Controller::with_office().await;
        let start = controller.revision().await;
        let mut watch =
            Watch::start(&controller, &format!("&resourceVersion={start}&labelSelector=tier%3Dgold")).await;
        post(&controller, "alice", 1).await;
        for (labels, expected) in [
            (json!({"tier": "gold"}), "ADDED"),
            (json!({"tier": "gold", "x": "y"}), "MODIFIED"),
            (json!({"tier": "tin"}), "DELETED"),
        ] {
            let patch = json!({"metadata": {"labels": labels}});
            controller.call(Method::PATCH, "/api/v1/subscribers/alice", &patch).await;
            assert_eq!(watch.event().await.0, expected);
        }
    });
}

#[test]
fn a_field_selector_sees_objects_come_and_go() {
    run(async {
        let controller = Controller::with_office().await;
        let start = controller.revision().await;
        let selector = "&fieldSelector=spec.state%3Dsuspended,metadata.name!%3Dcarol";
        let mut watch = Watch::start(&controller, &format!("&resourceVersion={start}{selector}")).await;
        // Alice comes and goes and comes; bob and carol are never among those.
        for (name, c_vid) in [("alice", 1), ("bob", 2), ("carol", 3)] {
            post(&controller, name, c_vid).await;
        }
        let patch = async |name: &str, change: Value| {
            let path = format!("/api/v1/subscribers/{name}");
            let answer = controller.call(Method::PATCH, &path, &change).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        };
        let suspended = |is| json!({"spec": {"state": if is { "suspended" } else { "active" }}});
        let label = json!({"metadata": {"labels": {"a": "b"}}});
        patch("carol", suspended(true)).await;
        patch("bob", label.clone()).await;
        let mut expected = Vec::new();
        for (change, kind) in [
            (suspended(true), "ADDED"),
            (label, "MODIFIED"),
            // An object that is no longer picked is sent as it is now, though it still exists.
            (suspended(false), "DELETED"),
            (suspended(true), "ADDED"),
        ] {
            expected.push((kind, patch("alice", change).await));
        }
        for name in ["bob", "carol", "alice"] {
            let object = format!("/api/v1/subscribers/{name}");
            assert_eq!(controller.call(Method::DELETE, &object, &Value::Null).await.status, 200);
        }
        for (kind, object) in expected {
            assert_eq!(watch.next().await, Some(json!({"type": kind, "object": object})));
        }
        let (kind, name, deleted) = watch.event().await;
        assert_eq!((kind.as_str(), name.as_str()), ("DELETED", "alice"));
        assert_eq!(controller.get("/api/v1/subscribers/alice").await.status, 404);
        assert!(deleted > start);
        // What there is at first is picked, too.
        for (name, c_vid) in [("dave", 4), ("erin", 5)] {
            post(&controller, name, c_vid).await;
        }
        let erin = patch("erin", suspended(true)).await;
        let mut fresh = Watch::start(&controller, selector).await;
        assert_eq!(fresh.next().await, Some(json!({"type": "ADDED", "object": erin})));
        assert_eq!(fresh.event().await.0, "BOOKMARK");
    });
}

#[test]
fn history_ends_at_a_restart_and_a_watch_at_the_end() {
    run(async {
        let mut controller = Controller::with_office().await;
        let before = controller.revision().await;
        let alice = post(&controller, "alice", 1).await;
        let mut watch = Watch::start(&controller, &format!("&resourceVersion={alice}")).await;
        assert!(controller.terminate());
        assert_eq!(watch.next().await, None);
        controller.start_again().await;
        let path = |revision| format!("/api/v1/subscribers?watch=1&resourceVersion={revision}");
        assert_eq!(controller.get(&path(before)).await.status, 410);
        // Whoever had seen all goes on as if nothing had been.
        let mut watch = Watch::start(&controller, &format!("&resourceVersion={alice}")).await;
        let bob = post(&controller, "bob", 2).await;
        assert_eq!(watch.event().await, event("ADDED", "bob", bob));
    });
}
