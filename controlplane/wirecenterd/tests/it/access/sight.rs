use http_body_util::BodyExt as _;
use hyper::{Method, body::Incoming};
use serde_json::{Value, json};

use super::{binding, make, names, network, soon, token, two_sites, user};
use crate::controller::{Controller, run};

/// A watch's events, one after another.
struct Events {
    body: Incoming,
    pending: Vec<u8>,
}

impl Events {
    async fn open(controller: &Controller, token: &str, path: &str) -> Self {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let answer = controller.client().await.send(Method::GET, path, &headers, "").await.expect("answers");
        assert_eq!(answer.status(), 200);
        Self { body: answer.into_body(), pending: Vec::new() }
    }

    /// The next one; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("JSON"));
            }
            let frame = tokio::time::timeout(std::time::Duration::from_secs(20), self.body.frame());
            let frame = frame.await.expect("in good time")?.expect("a frame");
            self.pending.extend_from_slice(&frame.into_data().expect("data"));
        }
    }

    async fn is(&mut self, kind: &str, name: &str) {
        let event = self.next().await.expect("an event");
        assert_eq!(
            (event["type"].as_str(), event["object"]["metadata"]["name"].as_str()),
            (Some(kind), Some(name)),
            "{event}"
        );
    }
}

#[test]
fn lists_and_watches_show_what_may_be_seen() {
    run(async {
        let controller = Controller::start().await;
        two_sites(&controller).await;
        make(&controller, &[user("ann"), binding("ann", "slice-admin", "Slice/cdn")]).await;
        let ann = token(&controller, "ann").await;
        let list = async |path: &str| controller.call_as(&ann, Method::GET, path, &Value::Null).await;
        assert_eq!(names(&list("/api/v1/networks").await), ["cdn-lan"]);
        assert_eq!(names(&list("/api/v1/slices").await), ["cdn"]);
        assert_eq!(list("/api/v1/sites").await.status, 403);
        assert_eq!(list("/api/v1/sites?watch=1").await.status, 403);
        for path in ["/api/v1/graph", "/api/v1/graph/connectivity", "/api/v1/explain/private/cdn", "/metrics"]
        {
            assert_eq!(list(path).await.status, 403, "{path}");
        }
        // Of what may be seen, no more is told.
        let why = list("/api/v1/explain/slices/cdn").await;
        assert_eq!(why.status, 200, "{why:?}");
        let said = why.json().to_string();
        assert!(said.contains("may list all of the tenancy graph") && said.contains("cdn-lan"), "{said}");
        assert_eq!(list("/api/v1/explain/slices/web").await.status, 403);
        // A page is full of what may be seen.
        let more: Vec<_> =
            (0..6).map(|i| network(&format!("m{i}"), if i % 2 == 0 { "cdn" } else { "web" })).collect();
        make(&controller, &more).await;
        let page = list("/api/v1/networks?limit=2").await;
        assert_eq!(names(&page), ["cdn-lan", "m0"]);
        let next = page.json()["metadata"]["continue"].as_str().expect("more").to_owned();
        assert_eq!(names(&list(&format!("/api/v1/networks?limit=2&continue={next}")).await), ["m2", "m4"]);

        let mut events = Events::open(&controller, &ann, "/api/v1/networks?watch=1").await;
        for name in ["cdn-lan", "m0", "m2", "m4"] {
            events.is("ADDED", name).await;
        }
        assert_eq!(events.next().await.expect("an event")["type"], "BOOKMARK");
        make(&controller, &[network("theirs", "web"), network("ours", "cdn")]).await;
        events.is("ADDED", "ours").await;
        // What moves out of sight is gone, as it was when it could be seen; what moves in is new.
        let moved = json!({"spec": {"slice": "web"}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/networks/ours", &moved).await.status, 200);
        let event = events.next().await.expect("an event");
        assert_eq!(
            (event["type"].as_str(), event["object"]["spec"]["slice"].as_str()),
            (Some("DELETED"), Some("cdn"))
        );
        let moved = json!({"spec": {"slice": "cdn"}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/networks/theirs", &moved).await.status, 200);
        events.is("ADDED", "theirs").await;
        // It ends with the right.
        let path = "/api/v1/rolebindings/ann-slice-admin";
        assert_eq!(controller.call(Method::DELETE, path, &Value::Null).await.status, 200);
        let farewell = events.next().await.expect("an event");
        assert_eq!(
            (farewell["type"].as_str(), farewell["object"]["status"].as_u64()),
            (Some("ERROR"), Some(403)),
            "{farewell}"
        );
        assert_eq!(events.next().await, None);
    });
}

#[test]
fn a_watch_ends_when_its_right_or_its_token_does_or_what_is_around_it_moves() {
    run(async {
        let controller = Controller::start().await;
        two_sites(&controller).await;
        let end = || soon().to_string();
        let mut short = binding("ann", "slice-user", "Slice/cdn");
        short["spec"]["expiresAt"] = end().into();
        make(&controller, &[user("ann"), user("bob"), short, binding("bob", "site-pi", "Site/north")]).await;
        let path = "/api/v1/networks?watch=1";
        let error = async |events: &mut Events| loop {
            let event = events.next().await.expect("an event");
            if event["type"] == "ERROR" {
                assert_eq!(events.next().await, None);
                return event["object"]["status"].as_u64().expect("a status");
            }
        };
        let ann = token(&controller, "ann").await;
        assert_eq!(
            error(&mut Events::open(&controller, &ann, path).await).await,
            403,
            "nothing changed but the time"
        );
        let answer = controller
            .call(Method::POST, "/api/v1/users/bob/tokens", &json!({"name": "short", "expiresAt": end()}))
            .await;
        let short = answer.json()["token"].as_str().expect("a token").to_owned();
        assert_eq!(error(&mut Events::open(&controller, &short, path).await).await, 401);
        // Revoked while nothing else happens.
        let answer =
            controller.call(Method::POST, "/api/v1/users/bob/tokens", &json!({"name": "lost"})).await.json();
        let mut events = Events::open(&controller, answer["token"].as_str().expect("a token"), path).await;
        events.is("ADDED", "cdn-lan").await;
        let id = answer["id"].as_str().expect("an id");
        let revoked = format!("/api/v1/users/bob/tokens/{id}");
        assert_eq!(controller.call(Method::DELETE, &revoked, &Value::Null).await.status, 204);
        assert_eq!(error(&mut events).await, 401);
        // The slice goes to another site, and its networks with it, though none of them changes.
        let bob = token(&controller, "bob").await;
        let mut events = Events::open(&controller, &bob, path).await;
        events.is("ADDED", "cdn-lan").await;
        let moved = json!({"spec": {"site": "south"}});
        let answer = controller.call(Method::PATCH, "/api/v1/slices/cdn", &moved).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(error(&mut events).await, 410);
        let list = controller.call_as(&bob, Method::GET, "/api/v1/networks", &Value::Null).await;
        assert!(names(&list).is_empty());
    });
}
