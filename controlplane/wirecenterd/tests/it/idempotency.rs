//! Requests with an idempotency key: done once, however often they are sent.

use hyper::Method;
use serde_json::{Value, json};

use crate::controller::{Answer, Controller, run, subscriber};

const SUBSCRIBERS: &str = "/api/v1/subscribers";
const TRANSACTIONS: &str = "/api/v1/transactions";

async fn post(controller: &Controller, path: &str, key: &str, body: &Value) -> Answer {
    let headers = [("idempotency-key", key)];
    let answer = controller.client().await.call(Method::POST, path, &headers, body.to_string()).await;
    answer.expect("answers")
}

fn same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    for name in ["content-type", "etag", "location"] {
        assert_eq!(first.headers.get(name), again.headers.get(name), "{name}");
    }
}

#[test]
fn a_request_that_is_sent_again_is_not_done_again() {
    run(async {
        let mut controller = Controller::with_office().await;
        let (alice, bob) = (subscriber("alice", 1, 1), subscriber("bob", 1, 2));
        let created = post(&controller, SUBSCRIBERS, "k1", &alice).await;
        assert_eq!(created.status, 201);
        let batch = json!({"operations": [{"op": "create", "object": bob}]});
        let done = post(&controller, TRANSACTIONS, "k2", &batch).await;
        assert_eq!((done.status.as_u16(), &done.json()["results"][0]["result"]), (200, &json!("created")));
        let revision = controller.revision().await;
        let replay = async |controller: &Controller| {
            same(&created, &post(controller, SUBSCRIBERS, "k1", &alice).await);
            same(&done, &post(controller, TRANSACTIONS, "k2", &batch).await);
        };
        replay(&controller).await;
        // What became of the object since is nothing to the answer.
        assert_eq!(
            controller.call(Method::DELETE, "/api/v1/subscribers/alice", &Value::Null).await.status,
            200
        );
        replay(&controller).await;
        controller.kill();
        controller.start_again().await;
        replay(&controller).await;
        assert!(controller.revision().await > revision);
        assert_eq!(controller.get("/api/v1/subscribers/alice").await.status, 404);
        // Without the key, or with another, it is a request of its own.
        assert_eq!(controller.call(Method::POST, SUBSCRIBERS, &alice).await.status, 201);
        assert_eq!(post(&controller, SUBSCRIBERS, "k3", &alice).await.status, 409);
    });
}

#[test]
fn a_key_is_for_one_request() {
    run(async {
        let controller = Controller::with_office().await;
        let alice = subscriber("alice", 1, 1);
        assert_eq!(post(&controller, SUBSCRIBERS, "k", &alice).await.status, 201);
        let revision = controller.revision().await;
        let batch = json!({"operations": [{"op": "create", "object": subscriber("bob", 1, 2)}]});
        for (path, body) in [(SUBSCRIBERS, &subscriber("bob", 1, 2)), (TRANSACTIONS, &batch)] {
            let refused = post(&controller, path, "k", body).await;
            assert_eq!(
                (refused.status.as_u16(), refused.places()),
                (422, vec!["idempotency-key".to_owned()])
            );
        }
        assert_eq!(controller.revision().await, revision);
        for key in ["", "a b", "\u{e9}", &"x".repeat(256)] {
            let refused = post(&controller, SUBSCRIBERS, key, &alice).await;
            assert_eq!(
                (refused.status.as_u16(), refused.places()),
                (400, vec!["idempotency-key".to_owned()])
            );
        }
        let token = post(&controller, "/api/v1/nodes/node1/join-token", "k", &Value::Null).await;
        assert_eq!((token.status.as_u16(), token.places()), (400, vec!["idempotency-key".to_owned()]));
    });
}

#[test]
fn what_was_not_done_is_not_kept() {
    run(async {
        let controller = Controller::with_office().await;
        let alice = subscriber("alice", 1, 1);
        // In the way of alice.
        assert_eq!(controller.call(Method::POST, SUBSCRIBERS, &subscriber("bob", 1, 1)).await.status, 201);
        let dry = post(&controller, "/api/v1/subscribers?dryRun=All", "k", &subscriber("carol", 1, 3)).await;
        assert_eq!(dry.status, 200);
        assert_eq!(post(&controller, SUBSCRIBERS, "k", &alice).await.status, 409);
        assert_eq!(
            controller.call(Method::DELETE, "/api/v1/subscribers/bob", &Value::Null).await.status,
            200
        );
        assert_eq!(post(&controller, SUBSCRIBERS, "k", &alice).await.status, 201);
    });
}

#[test]
fn the_same_request_many_times_at_once_is_done_once() {
    run(async {
        let controller = Controller::with_office().await;
        let alice = subscriber("alice", 1, 1).to_string();
        let mut requests = Vec::new();
        for _ in 0..32 {
            let (mut client, alice) = (controller.client().await, alice.clone());
            requests.push(tokio::spawn(async move {
                client.call(Method::POST, SUBSCRIBERS, &[("idempotency-key", "k")], alice).await
            }));
        }
        let mut answers = Vec::new();
        for request in requests {
            answers.push(request.await.expect("no panic").expect("answers"));
        }
        assert_eq!(answers[0].status, 201);
        for answer in &answers[1..] {
            same(&answers[0], answer);
        }
    });
}
