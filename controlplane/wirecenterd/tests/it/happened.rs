//! Events: what happens to objects that nobody asked for, told to who may see them.

use http_body_util::BodyExt as _;
use hyper::Method;
use serde_json::{Value, json};

use crate::{
    controller::{Controller, run},
    fake_node::{FakeNode, post, token, until, until_ready},
};

const EVENTS: &str = "/api/v1/events";

async fn listed(controller: &Controller, picks: &str) -> Vec<Value> {
    let answer = controller.get(&format!("{EVENTS}?limit=50{picks}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().expect("a list").clone()
}

fn told(event: &Value) -> String {
    let text = |member: &str| event[member].as_str().unwrap_or_default();
    format!("{} {} {} {}", text("severity"), text("kind"), text("name"), text("reason"))
}

#[test]
fn failures_and_recoveries_are_told_and_outlive_the_controller() {
    run(async {
        let mut controller = Controller::with_office().await;
        let node = FakeNode::with_token(&token(&controller).await);
        node.refuse("session/bob", "no room in the map");
        let _link = node.start(&controller);
        post(&controller, "bob", 8).await;
        until_ready(&controller, "/api/v1/subscribers/bob", "False", "Refused").await;
        let bob = "&kind=Subscriber&name=bob";
        let warnings = until("a warning", async || {
            Some(listed(&controller, bob).await).filter(|events| !events.is_empty())
        })
        .await;
        assert_eq!(told(&warnings[0]), "warning Subscriber bob Failed");
        assert_eq!(warnings[0]["message"], "node1: no room in the map");
        assert_eq!((&warnings[0]["backEnd"], &warnings[0]["attempt"]), (&json!("nodes"), &json!(1)));

        node.refuse_nothing();
        let slower = json!({"spec": {"bundle": {"rateUp": "10M"}}});
        controller.call(Method::PATCH, "/api/v1/subscribers/bob", &slower).await;
        until_ready(&controller, "/api/v1/subscribers/bob", "True", "Programmed").await;
        let both: Vec<_> = listed(&controller, bob).await.iter().map(told).collect();
        assert_eq!(both, ["normal Subscriber bob Recovered", "warning Subscriber bob Failed"]);

        controller.kill();
        controller.start_again().await;
        let all: Vec<_> = listed(&controller, "").await.iter().map(told).collect();
        assert!(all.contains(&"normal Node node1 Connected".to_owned()), "{all:?}");
        assert!(all.contains(&"warning Node node1 Refused".to_owned()), "{all:?}");
        assert_eq!(all[0], "warning Node node1 Disconnected", "the newest comes first");
        let warnings = listed(&controller, "&severity=warning").await;
        assert!(warnings.iter().all(|event| event["severity"] == "warning"));
    });
}

#[test]
fn a_watch_of_events_goes_on_where_it_was() {
    run(async {
        let controller = Controller::with_office().await;
        let before = controller.get(EVENTS).await.json()["metadata"]["resourceVersion"].clone();
        let path = format!("{EVENTS}?watch=1&resourceVersion={before}&kind=Node");
        let response = controller.client().await.send(Method::GET, &path, &[], "").await.expect("answers");
        assert_eq!(response.status(), 200);
        let node = FakeNode::with_token(&token(&controller).await);
        let link = node.start(&controller);
        let mut body = response.into_body();
        let mut next = async || {
            let frame = body.frame().await.expect("goes on").expect("no error");
            serde_json::from_slice::<Value>(&frame.into_data().expect("data")).expect("one event")
        };
        let event = next().await;
        assert_eq!(
            (&event["type"], told(&event["object"])),
            (&json!("ADDED"), "normal Node node1 Connected".into())
        );
        link.abort();
        assert_eq!(told(&next().await["object"]), "warning Node node1 Disconnected");

        let again = controller.get(&format!("{EVENTS}?watch=1&resourceVersion=999")).await;
        assert_eq!(again.status, 410, "{again:?}");
    });
}

#[test]
fn bad_questions_name_their_parameter() {
    run(async {
        let controller = Controller::start().await;
        for (question, parameter) in [
            ("kind=Gateway", "kind"),
            ("severity=bad", "severity"),
            ("limit=0", "limit"),
            ("continue=x", "continue"),
            ("watch=2", "watch"),
            ("resourceVersion=-1", "resourceVersion"),
        ] {
            let answer = controller.get(&format!("{EVENTS}?{question}")).await;
            assert_eq!(answer.status, 400, "{question}");
            assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{question}");
        }
    });
}

#[test]
fn who_may_not_see_an_object_hears_nothing_of_it() {
    run(async {
        let controller = Controller::with_office().await;
        let node = FakeNode::with_token(&token(&controller).await);
        let _link = node.start(&controller);
        until("an event", async || (!listed(&controller, "").await.is_empty()).then_some(())).await;
        let user = json!({"kind": "User", "metadata": {"name": "ann"}, "spec": {"email": "ann@x.example"}});
        controller.call(Method::POST, "/api/v1/users", &user).await;
        let made =
            controller.call(Method::POST, "/api/v1/users/ann/tokens", &json!({"name": "t"})).await.json();
        let secret = made["token"].as_str().expect("a token").to_owned();
        let asked = controller.call_as(&secret, Method::GET, EVENTS, &Value::Null).await;
        assert_eq!((asked.status.as_u16(), &asked.json()["items"]), (200, &json!([])));
    });
}
