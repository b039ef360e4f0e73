//! Objects that name each other.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::controller::{Answer, Controller, run};

pub(crate) fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn site() -> Value {
    object("Site", "princeton", &json!({}))
}

fn slice() -> Value {
    object("Slice", "caches", &json!({"site": "princeton", "networks": ["backbone"]}))
}

fn network() -> Value {
    object("Network", "backbone", &json!({"slice": "caches"}))
}

fn instance(name: &str) -> Value {
    object(
        "Instance",
        name,
        &json!({"slice": "caches", "resources": {"cores": 1, "memoryMib": 512, "diskGib": 4}, "image": "debian"}),
    )
}

fn image() -> Value {
    let spec = json!({"kind": "vm", "source": "https://images.example/d.qcow2", "sha256": "ab".repeat(32), "diskFormat": "qcow2"});
    object("Image", "debian", &spec)
}

pub(crate) async fn transact(controller: &Controller, op: &str, objects: &[Value]) -> Answer {
    let operations: Vec<_> = objects.iter().map(|object| json!({"op": op, "object": object})).collect();
    controller.call(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await
}

pub(crate) fn results(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().cloned().unwrap_or_else(|| panic!("{answer:?}"));
    results.iter().map(|one| one["result"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn the_order_in_a_transaction_does_not_matter() {
    run(async {
        let controller = Controller::start().await;
        // A slice and its network name each other: neither could come first.
        let refused = controller.call(Method::POST, "/api/v1/slices", &slice()).await;
        assert_eq!((refused.status.as_u16(), refused.places()), (422, vec!["/spec/site".into()]));
        let all = [instance("one"), slice(), network(), image(), site()];
        let made = transact(&controller, "create", &all).await;
        assert_eq!(results(&made), ["created"; 5]);
        // All go together as well, in whatever order.
        let revision = controller.revision().await;
        let gone =
            transact(&controller, "delete", &[site(), slice(), network(), image(), instance("one")]).await;
        assert_eq!(results(&gone), ["deleted"; 5], "since {revision}");
        assert_eq!(controller.get("/api/v1/slices").await.json()["items"], json!([]));
    });
}

#[test]
fn what_is_named_stays() {
    run(async {
        let controller = Controller::start().await;
        transact(&controller, "create", &[site(), slice(), network(), image(), instance("one")]).await;
        for (path, user) in [
            ("/api/v1/sites/princeton", "Slice caches"),
            ("/api/v1/images/debian", "Instance one"),
            ("/api/v1/networks/backbone", "Slice caches"),
        ] {
            let refused = controller.call(Method::DELETE, path, &Value::Null).await;
            assert_eq!(
                (refused.status, refused.places()),
                (StatusCode::CONFLICT, vec!["/metadata/name".into()])
            );
            let detail = refused.json()["detail"].to_string();
            assert!(detail.contains(user), "{detail}");
        }
        // No longer named, it can go.
        let patched = controller
            .call(Method::PATCH, "/api/v1/slices/caches", &json!({"spec": {"networks": null}}))
            .await;
        assert_eq!(patched.status, StatusCode::OK, "{patched:?}");
        let gone = controller.call(Method::DELETE, "/api/v1/networks/backbone", &Value::Null).await;
        assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
    });
}

#[test]
fn what_is_deleted_goes_after_all_that_names_it() {
    run(async {
        let controller = Controller::start().await;
        let mut held = instance("one");
        held["metadata"]["finalizers"] = json!(["openstack"]);
        transact(&controller, "create", &[site(), slice(), network(), image(), held.clone()]).await;
        let deleting =
            transact(&controller, "delete", &[site(), slice(), network(), image(), held.clone()]).await;
        assert_eq!(results(&deleting), ["deleting"; 5]);
        // Nothing new may name what is on its way out.
        let late = controller.call(Method::POST, "/api/v1/instances", &instance("two")).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(late.json()["detail"].to_string().contains("is being deleted"), "{late:?}");
        for path in ["sites/princeton", "slices/caches", "images/debian", "instances/one"] {
            let there = controller.get(&format!("/api/v1/{path}")).await;
            assert!(there.json()["metadata"]["deletedAt"].is_string(), "{there:?}");
        }
        // The back end has let go of the instance: all the rest follows, the last first named.
        let freed = controller
            .call(Method::PATCH, "/api/v1/instances/one", &json!({"metadata": {"finalizers": null}}))
            .await;
        assert_eq!(freed.status, StatusCode::OK, "{freed:?}");
        for plural in ["instances", "networks", "slices", "images", "sites"] {
            assert_eq!(
                controller.get(&format!("/api/v1/{plural}")).await.json()["items"],
                json!([]),
                "{plural}"
            );
        }
    });
}
