//! Watches as server-sent events: the same changes as in lines, and a client that comes back goes on where it was.

use http_body_util::BodyExt as _;
use hyper::{Method, body::Incoming};
use serde_json::{Value, json};

use crate::controller::{Controller, run, subscriber};

const PATH: &str = "/api/v1/subscribers?watch=1";

struct Events {
    body: Incoming,
    pending: String,
}

#[derive(Debug, Default, PartialEq)]
struct Event {
    kind: String,
    id: Option<u64>,
    data: Value,
}

impl Events {
    async fn start(controller: &Controller, path: &str, last: Option<u64>) -> Self {
        let last = last.map(|last| last.to_string());
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(last.iter().map(|last| ("last-event-id", last.as_str())));
        let response =
            controller.client().await.send(Method::GET, path, &headers, "").await.expect("answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { body: response.into_body(), pending: String::new() }
    }

    async fn next(&mut self) -> Option<Event> {
        let block = loop {
            if let Some(end) = self.pending.find("\n\n") {
                break self.pending.drain(..end + 2).collect::<String>();
            }
            let data = self.body.frame().await?.ok()?.into_data().expect("data");
            self.pending.push_str(std::str::from_utf8(&data).expect("UTF-8"));
        };
        let mut event = Event::default();
        for line in block.lines().filter(|line| !line.is_empty()) {
            match line.split_once(": ").expect("a field") {
                ("event", kind) => event.kind = kind.into(),
                ("id", id) => event.id = Some(id.parse().expect("a revision")),
                ("data", data) => event.data = serde_json::from_str(data).expect("JSON"),
                _ => panic!("an unknown field: {line}"),
            }
        }
        Some(event)
    }
}

async fn post(controller: &Controller, name: &str, c_vid: u16) -> (u64, Value) {
    let answer = controller.call(Method::POST, "/api/v1/subscribers", &subscriber(name, 1, c_vid)).await;
    let object = answer.json();
    (object["metadata"]["resourceVersion"].as_u64().expect("a revision"), object)
}

fn event(kind: &str, id: impl Into<Option<u64>>, data: Value) -> Event {
    Event { kind: kind.into(), id: id.into(), data }
}

#[test]
fn events_resume_after_the_last_one_seen() {
    run(async {
        let controller = Controller::with_office().await;
        let (_, before) = post(&controller, "alice", 1).await;
        let mut first = Events::start(&controller, PATH, None).await;
        // What there is has no ids: whoever broke off between two of them has to begin again.
        assert_eq!(first.next().await.expect("an event"), event("ADDED", None, before));
        let bookmark = first.next().await.expect("a bookmark");
        assert_eq!((bookmark.kind.as_str(), bookmark.id), ("BOOKMARK", Some(controller.revision().await)));
        let (bob_at, bob) = post(&controller, "bob", 2).await;
        assert_eq!(first.next().await.expect("an event"), event("ADDED", bob_at, bob));
        drop(first);
        let patch = json!({"spec": {"state": "suspended"}});
        let patched = controller.call(Method::PATCH, "/api/v1/subscribers/alice", &patch).await.json();
        let patched_at = patched["metadata"]["resourceVersion"].as_u64().expect("a revision");
        // The parameter is what the client asked for at first: the header is later.
        let from = format!("{PATH}&resourceVersion={}", bookmark.id.expect("an id"));
        let mut again = Events::start(&controller, &from, Some(bob_at)).await;
        assert_eq!(again.next().await.expect("an event"), event("MODIFIED", patched_at, patched));
    });
}

#[test]
fn what_is_too_old_is_refused_before_the_first_event() {
    run(async {
        let mut controller = Controller::with_office().await;
        let before = controller.revision().await;
        post(&controller, "alice", 1).await;
        controller.kill();
        controller.start_again().await;
        let before = before.to_string();
        for (last, status) in [(before.as_str(), 410), ("", 400), ("x", 400), ("-1", 400)] {
            let headers = [("accept", "text/event-stream"), ("last-event-id", last)];
            let answer = controller.client().await.call(Method::GET, PATH, &headers, "").await;
            let answer = answer.expect("answers");
            assert_eq!(answer.status, status, "{last}");
            let places = answer.places();
            assert_eq!(places.first().map(String::as_str), (status == 400).then_some("last-event-id"));
        }
    });
}
