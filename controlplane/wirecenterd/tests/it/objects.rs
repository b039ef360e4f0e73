//! One object after another: create, read, replace, patch, delete.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::token,
    controller::{Answer, Controller, edited, node, run, subscriber},
};

const ALICE: &str = "/api/v1/subscribers/alice";

async fn post(controller: &Controller, object: &Value) -> Answer {
    controller.call(Method::POST, "/api/v1/subscribers", object).await
}

async fn tenants(controller: &Controller) -> Vec<String> {
    let list = controller.get("/api/v1/tenants").await.json();
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_subscriber_lives_with_its_chain() {
    run(async {
        let controller = Controller::with_office().await;
        let created = post(&controller, &subscriber("alice", 100, 7)).await;
        assert_eq!(
            (created.status, &created.headers["location"]),
            (StatusCode::CREATED, &ALICE.parse().expect("text"))
        );
        let alice = created.json();
        assert_eq!(created.etag(), format!("\"{}\"", alice["metadata"]["resourceVersion"]));
        let status = &alice["status"];
        assert_eq!(status["address"], "100.64.0.2");
        assert_eq!(status["gateway"], "100.64.0.1");
        assert_eq!(status["nat"], json!({"address": "198.51.100.1", "firstPort": 1024, "ports": 256}));
        assert_eq!(status["conditions"][0]["type"], "Ready");
        assert_eq!(status["conditions"][0]["status"], "False");
        assert_eq!(controller.get(ALICE).await.json(), alice);

        for (name, user) in
            [("alice-volt", "alice"), ("alice-vcpe", "alice-volt"), ("alice-vbng", "alice-vcpe")]
        {
            let tenant = controller.get(&format!("/api/v1/tenants/{name}")).await.json();
            assert_eq!(tenant["spec"]["tenant"]["name"], user);
            assert_eq!(tenant["metadata"]["ownerReferences"][0]["uid"], alice["metadata"]["uid"]);
        }
        let volt = controller.get("/api/v1/tenants/alice-volt").await.json();
        assert_eq!(
            volt["spec"]["attributes"],
            json!({"node": "node1", "port": "access0", "sVid": 100, "cVid": 7})
        );

        // A new rate changes the generation and one tenancy, and no address.
        let patch = json!({"spec": {"bundle": {"rateUp": "30M"}}});
        let patched = controller.call(Method::PATCH, ALICE, &patch).await.json();
        assert_eq!(patched["metadata"]["generation"], 2);
        assert_eq!(patched["metadata"]["uid"], alice["metadata"]["uid"]);
        assert_eq!(patched["status"]["observedGeneration"], 2);
        assert_eq!(patched["status"]["nat"], status["nat"]);
        let still = controller.get("/api/v1/tenants/alice-volt").await.json();
        assert_eq!(still["spec"], volt["spec"]);
        assert_eq!(still["metadata"]["resourceVersion"], patched["metadata"]["resourceVersion"]);
        let vcpe = controller.get("/api/v1/tenants/alice-vcpe").await.json();
        assert_eq!(
            (&vcpe["spec"]["attributes"]["rateUp"], &vcpe["metadata"]["generation"]),
            (&json!("30M"), &json!(2))
        );

        // The same again changes nothing at all.
        let revision = controller.revision().await;
        assert_eq!(controller.call(Method::PATCH, ALICE, &patch).await.json(), patched);
        assert_eq!(controller.call(Method::PUT, ALICE, &patched).await.json(), patched);
        assert_eq!(controller.revision().await, revision);

        // Labels are no new generation.
        let labelled =
            controller.call(Method::PATCH, ALICE, &json!({"metadata": {"labels": {"tier": "gold"}}})).await;
        assert_eq!(labelled.json()["metadata"]["generation"], 2);

        let claims = controller.figure("wirecenter_store_claims ").await;
        let deleted = controller.call(Method::DELETE, ALICE, &Value::Null).await;
        assert_eq!((deleted.status, &deleted.json()["metadata"]["name"]), (StatusCode::OK, &json!("alice")));
        assert_eq!(controller.get(ALICE).await.status, 404);
        assert_eq!(tenants(&controller).await, ["vcpe-vbng", "volt-vcpe"]);
        assert_eq!(controller.figure("wirecenter_store_claims ").await, claims - 4);
        // What it had is free again.
        let again = post(&controller, &subscriber("bob", 100, 7)).await.json();
        assert_eq!(again["status"]["nat"], status["nat"]);
    });
}

#[test]
fn from_nat_to_a_subnet_and_to_another_line() {
    run(async {
        let controller = Controller::with_office().await;
        post(&controller, &subscriber("alice", 100, 7)).await;
        let claims = controller.figure("wirecenter_store_claims ").await;
        let patch = json!({"spec": {"bundle": {"nat": false}, "subnet": "203.0.113.8/29", "access": {"port": "access1"}}});
        let alice = controller.call(Method::PATCH, ALICE, &patch).await.json();
        let status = &alice["status"];
        assert_eq!(
            (&status["subnet"], &status["address"], &status["gateway"]),
            (&json!("203.0.113.8/29"), &json!("203.0.113.10"), &json!("203.0.113.9"))
        );
        assert_eq!(status.get("nat"), None);
        assert_eq!(controller.figure("wirecenter_store_claims ").await, claims - 1);
        // Its tags, address and ports are free.
        let bob = edited(subscriber("bob", 100, 7), json!({"spec": {"address": "100.64.0.2"}}));
        let bob = post(&controller, &bob).await.json();
        assert_eq!(bob["status"]["nat"]["firstPort"], 1024);
        let chosen = controller.call(Method::PATCH, ALICE, &json!({"spec": {"subnet": null}})).await.json();
        assert_eq!(chosen["status"]["subnet"], "203.0.113.0/30");
    });
}

#[test]
fn lines_with_two_tags_one_or_none_and_shared_by_mac() {
    run(async {
        let controller = Controller::with_office().await;
        let on = |name: &str, tags: Value, mac: Value| {
            let access = edited(json!({"node": "node1", "port": "access1"}), tags);
            json!({"kind": "Subscriber", "metadata": {"name": name}, "spec": {"access": access, "mac": mac}})
        };
        let (one, two) = (json!("02:00:5e:10:00:01"), json!("02:00:5e:10:00:02"));
        let (pair, single, none) = (json!({"sVid": 100, "cVid": 7}), json!({"cVid": 7}), json!({}));
        for (name, tags, mac) in [
            ("pair", &pair, &one),
            ("pair-too", &pair, &two),
            ("single", &single, &Value::Null),
            ("port", &none, &Value::Null),
        ] {
            let made = post(&controller, &on(name, tags.clone(), mac.clone())).await;
            assert_eq!(made.status, StatusCode::CREATED, "{name}: {made:?}");
            let volt = controller.get(&format!("/api/v1/tenants/{name}-volt")).await.json();
            let told = volt["spec"]["attributes"].clone();
            let expected = edited(json!({"node": "node1", "port": "access1"}), tags.clone());
            assert_eq!(edited(told, json!({"mac": null})), expected);
        }
        for (tags, mac, place, said) in [
            (
                &pair,
                &one,
                "/spec/mac",
                "Subscriber pair is behind port access1 of Node node1, tags 100.7, with",
            ),
            (
                &pair,
                &Value::Null,
                "/spec/mac",
                "Subscriber pair is behind port access1 of Node node1, tags 100.7: ",
            ),
            (
                &single,
                &one,
                "/spec/access/cVid",
                "Subscriber single is behind port access1 of Node node1, tag 7, ",
            ),
            (
                &none,
                &one,
                "/spec/access/port",
                "Subscriber port is behind port access1 of Node node1, untagged, ",
            ),
        ] {
            let refused = post(&controller, &on("late", tags.clone(), mac.clone())).await;
            assert_eq!((refused.status, refused.places()), (StatusCode::CONFLICT, vec![place.to_owned()]));
            let detail = refused.json()["errors"][0]["detail"].as_str().expect("text").to_owned();
            assert!(detail.starts_with(said), "{detail}");
        }
        // Who shares a line keeps its MAC, and who has it alone again need not.
        let path = |name: &str| format!("/api/v1/subscribers/{name}");
        let alone = json!({"spec": {"mac": null}});
        assert_eq!(controller.call(Method::PATCH, &path("pair"), &alone).await.places(), ["/spec/mac"]);
        controller.call(Method::DELETE, &path("pair-too"), &Value::Null).await;
        assert_eq!(controller.call(Method::PATCH, &path("pair"), &alone).await.status, StatusCode::OK);
        let refused = post(&controller, &on("late", pair, two)).await;
        assert_eq!(refused.places(), ["/spec/access/cVid"]);
    });
}

#[test]
fn entity_tags_guard_changes() {
    run(async {
        let controller = Controller::with_office().await;
        let first = post(&controller, &subscriber("alice", 100, 7)).await.etag().to_owned();
        let patch = |rate: &str| json!({"spec": {"bundle": {"rateUp": rate}}}).to_string();
        let mut client = controller.client().await;
        let mut call = async |method: Method, header: (&str, &str), body: String| {
            client.call(method, ALICE, &[header], body).await.expect("answers").status.as_u16()
        };
        assert_eq!(call(Method::GET, ("if-none-match", &first), String::new()).await, 304);
        assert_eq!(call(Method::PATCH, ("if-match", &first), patch("1M")).await, 200);
        assert_eq!(call(Method::PATCH, ("if-match", &first), patch("2M")).await, 412);
        assert_eq!(call(Method::DELETE, ("if-match", &first), String::new()).await, 412);
        assert_eq!(call(Method::GET, ("if-none-match", &first), String::new()).await, 200);
        assert_eq!(
            call(Method::PUT, ("if-none-match", "*"), subscriber("alice", 100, 7).to_string()).await,
            412
        );
        assert_eq!(call(Method::PATCH, ("if-match", "*"), patch("2M")).await, 200);
        assert_eq!(call(Method::PATCH, ("if-match", "2"), patch("3M")).await, 400);
        assert_eq!(call(Method::DELETE, ("if-match", "*"), String::new()).await, 200);
        assert_eq!(call(Method::DELETE, ("if-match", "*"), String::new()).await, 412);
        assert_eq!(
            call(Method::PUT, ("if-none-match", "*"), subscriber("alice", 100, 7).to_string()).await,
            201
        );
    });
}

#[test]
fn a_dry_run_tells_all_and_changes_nothing() {
    run(async {
        let controller = Controller::with_office().await;
        let revision = controller.revision().await;
        let dry = async |method, path: &str, body: &Value| {
            controller.call(method, &format!("{path}?dryRun=All"), body).await
        };
        let answer = dry(Method::POST, "/api/v1/subscribers", &subscriber("alice", 100, 7)).await;
        assert_eq!(answer.status, StatusCode::OK);
        let planned = answer.json()["objects"][0].clone();
        assert_eq!(planned["changes"][0]["value"]["status"]["address"], "100.64.0.2", "{planned}");
        let operations: Vec<_> =
            (1..=3).map(|i| json!({"op": "create", "object": subscriber(&format!("s{i}"), 1, i)})).collect();
        let answer = dry(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await;
        assert_eq!(answer.json()["summary"][0]["create"], 3, "{answer:?}");
        let answer = dry(Method::DELETE, "/api/v1/addresspools/inside", &Value::Null).await;
        assert_eq!(answer.status, 200);
        let refused = dry(Method::POST, "/api/v1/subscribers", &subscriber("alice", 0, 7)).await;
        assert_eq!(refused.places(), ["/spec/access/sVid"]);
        assert_eq!(controller.revision().await, revision);
        // Not even a hint is left: the real one gets what the dry one was shown.
        assert_eq!(
            post(&controller, &subscriber("alice", 100, 7)).await.json()["status"]["address"],
            "100.64.0.2"
        );
    });
}

#[test]
fn transactions_are_whole() {
    run(async {
        let controller = Controller::with_office().await;
        let create = |name: &str, c_vid| json!({"op": "create", "object": subscriber(name, 1, c_vid)});
        let operations = json!([create("alice", 1), create("bob", 2), create("carol", 3)]);
        let answer =
            controller.call(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await;
        let results = answer.json()["results"].clone();
        assert_eq!(results[2]["result"], "created");
        assert_eq!(answer.json()["resourceVersion"], controller.revision().await);
        // Within one, what is given up can be taken.
        let delete = json!({"op": "delete", "object": {"kind": "Subscriber", "metadata": {"name": "alice"}}});
        let operations =
            json!([delete, create("dave", 1), {"op": "apply", "object": subscriber("bob", 1, 9)}]);
        let answer =
            controller.call(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await;
        let results: Vec<_> = answer.json()["results"]
            .as_array()
            .expect("results")
            .iter()
            .map(|r| r["result"].clone())
            .collect();
        assert_eq!(results, ["deleted", "created", "configured"]);
        // One that fails at its end leaves nothing.
        let revision = controller.revision().await;
        let operations = json!([create("erin", 5), {"op": "delete", "object": {"kind": "Subscriber", "metadata": {"name": "bob"}}}, create("frank", 3)]);
        let answer =
            controller.call(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await;
        assert_eq!(
            (answer.status, answer.places()),
            (StatusCode::CONFLICT, vec!["/operations/2/object/spec/access/cVid".into()])
        );
        assert_eq!(controller.revision().await, revision);
        let names: Vec<_> = controller.get("/api/v1/subscribers").await.json()["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| item["metadata"]["name"].clone())
            .collect();
        assert_eq!(names, ["bob", "carol", "dave"]);
    });
}

#[test]
fn finalizers_hold_an_object() {
    run(async {
        let controller = Controller::with_office().await;
        post(
            &controller,
            &edited(subscriber("alice", 1, 1), json!({"metadata": {"finalizers": ["billing"]}})),
        )
        .await;
        let deleting = controller.call(Method::DELETE, ALICE, &Value::Null).await;
        assert_eq!(deleting.status, StatusCode::ACCEPTED);
        assert!(deleting.json()["metadata"]["deletedAt"].is_string());
        let refused = controller.call(Method::PATCH, ALICE, &json!({"spec": {"state": "suspended"}})).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let freed = controller.call(Method::PATCH, ALICE, &json!({"metadata": {"finalizers": null}})).await;
        assert_eq!(freed.status, StatusCode::OK);
        assert_eq!(controller.get(ALICE).await.status, StatusCode::NOT_FOUND);
        assert_eq!(tenants(&controller).await, ["vcpe-vbng", "volt-vcpe"]);
    });
}

#[test]
fn all_survives_a_clean_end() {
    run(async {
        let mut controller = Controller::with_office().await;
        let alice = post(&controller, &subscriber("alice", 100, 7)).await.json();
        let token =
            controller.call(Method::POST, "/api/v1/nodes/node1/join-token", &Value::Null).await.json();
        assert!(token["token"].as_str().expect("text").starts_with("wcjoin1.node1."), "{token}");
        assert!(controller.terminate());
        assert!(!controller.socket().exists());
        controller.start_again().await;
        assert_eq!(controller.get(ALICE).await.json(), alice);
        assert_eq!(
            controller.get("/api/v1/nodes/node1").await.json()["spec"]["loopback"],
            node()["spec"]["loopback"]
        );
        assert_eq!(controller.get("/readyz").await.status, 200);
        assert_eq!(controller.get("/healthz").await.status, 200);
        assert_eq!(controller.get("/version").await.json()["name"], "wirecenterd");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(controller.socket()).expect("is there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    });
}

#[test]
fn a_user_has_views_in_an_order_of_its_own() {
    run(async {
        let controller = Controller::start().await;
        let view = |name: &str, kind: &str| {
            let spec = json!({"type": kind, "url": format!("https://portal.example/{name}"), "title": name});
            json!({"kind": "View", "metadata": {"name": name}, "spec": spec})
        };
        for view in [view("tenant", "module"), view("operator", "iframe"), view("developer", "iframe")] {
            assert_eq!(controller.call(Method::POST, "/api/v1/views", &view).await.status, 201);
        }
        for name in ["ada", "bob"] {
            let user = json!({"kind": "User", "metadata": {"name": name}, "spec": {"email": "a@b.example"}});
            assert_eq!(controller.call(Method::POST, "/api/v1/users", &user).await.status, 201);
        }
        let order = async |name: &str, views: Value| {
            let path = format!("/api/v1/users/{name}");
            let patched = controller.call(Method::PATCH, &path, &json!({"spec": {"views": views}})).await;
            (patched.status.as_u16(), controller.get(&path).await.json()["spec"]["views"].clone())
        };
        let (one, other) = (json!(["tenant", "operator"]), json!(["operator", "developer", "tenant"]));
        assert_eq!(order("ada", one.clone()).await, (200, one.clone()));
        assert_eq!(order("bob", other.clone()).await, (200, other.clone()));
        assert_eq!(order("ada", other.clone()).await, (200, other.clone()));
        assert_eq!(order("ada", json!(["nowhere"])).await, (422, other));
        // The order is everybody's own, without any role; what there is in it, and everything else, is not.
        let ada = token(&controller, "ada").await;
        let ask = async |name: &str, spec: Value| {
            let path = format!("/api/v1/users/{name}");
            controller.call_as(&ada, Method::PATCH, &path, &json!({"spec": spec})).await.status.as_u16()
        };
        let turned = json!(["tenant", "operator", "developer"]);
        for (name, spec, status) in [
            ("ada", json!({"views": turned}), 200),
            ("ada", json!({"views": ["tenant", "operator"]}), 403),
            ("ada", json!({"views": turned, "email": "c@d.example"}), 403),
            ("bob", json!({"views": turned}), 403),
        ] {
            assert_eq!(ask(name, spec.clone()).await, status, "{name} {spec}");
        }
        assert_eq!(controller.get("/api/v1/users/ada").await.json()["spec"]["views"], turned);
    });
}
