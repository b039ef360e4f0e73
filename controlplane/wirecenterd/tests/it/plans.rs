//! What a dry run says, held against what is then done.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    controller::{Answer, Controller, edited, run, subscriber},
    everything::{NAME, everything},
    fake_node::until_ready,
    references::{object, results, transact},
};

async fn plan(controller: &Controller, operations: &Value) -> Value {
    let body = json!({"operations": operations});
    let answer = controller.call(Method::POST, "/api/v1/transactions?dryRun=All", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn planned<'a>(plan: &'a Value, kind: &str, name: &str) -> &'a Value {
    let objects = plan["objects"].as_array().expect("objects");
    let found: Vec<_> = objects.iter().filter(|one| one["kind"] == kind && one["name"] == name).collect();
    assert_eq!(found.len(), 1, "{kind} {name}: {plan}");
    found[0]
}

#[test]
fn a_plan_is_what_is_then_done() {
    run(async {
        let controller = Controller::start().await;
        let all = everything();
        let operations: Vec<_> = all.iter().map(|object| json!({"op": "apply", "object": object})).collect();
        let whole = plan(&controller, &json!(operations)).await;
        let asked: Vec<_> = whole["objects"]
            .as_array()
            .expect("objects")
            .iter()
            .filter(|one| one["operation"].is_u64())
            .collect();
        assert_eq!(asked.len(), all.len());
        assert!(asked.iter().all(|one| one["action"] == "create"), "{whole}");
        assert!(!whole.to_string().contains("s3cret-value"), "{whole}");
        assert_eq!(results(&transact(&controller, "apply", &all).await), vec!["created"; all.len()]);
        // What the server has added to what was sent was in the plan.
        for one in whole["objects"].as_array().expect("objects") {
            let (kind, name) = (one["kind"].as_str().expect("text"), one["name"].as_str().expect("text"));
            let plural = xos_model::KindName::ALL
                .iter()
                .find(|known| known.as_str() == kind)
                .expect("a kind")
                .plural();
            let made = controller.get(&format!("/api/v1/{plural}/{name}")).await.json();
            let change = &one["changes"][0];
            assert_eq!((&change["op"], &change["path"]), (&json!("add"), &json!("")), "{one}");
            // Of what back ends act on the status says at once how that goes.
            let is_told = ["Controller", "Network", "Instance", "Service", "Tenant"].contains(&kind);
            let parts = if is_told { &["kind", "spec"][..] } else { &["kind", "spec", "status"] };
            for &part in parts {
                assert_eq!(change["value"][part], without_times(&made)[part], "{kind} {name}");
            }
        }
        let again = plan(&controller, &json!(operations)).await;
        for one in again["objects"].as_array().expect("objects") {
            assert_eq!((&one["action"], &one["changes"]), (&json!("unchanged"), &json!([])), "{one}");
        }
    });
}

/// When conditions turned is not known before it is done.
fn without_times(object: &Value) -> Value {
    let mut object = object.clone();
    let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition.as_object_mut().expect("a condition").remove("lastTransitionTime");
    }
    object
}

/// Carries operations out as a plan says.
async fn carry_out(controller: &Controller, operations: &Value, plan: &Value) -> Answer {
    let body = json!({"operations": operations, "plan": plan["digest"]});
    controller.call(Method::POST, "/api/v1/transactions", &body).await
}

#[test]
fn what_was_planned_is_done_or_nothing() {
    run(async {
        let controller = Controller::with_office().await;
        let held =
            json!({"kind": "Site", "metadata": {"name": "held", "finalizers": ["example/it"]}, "spec": {}});
        assert_eq!(controller.call(Method::POST, "/api/v1/sites", &held).await.status, 201);
        let apply = |object: Value| json!({"op": "apply", "object": object});
        let operations = json!([
            apply(subscriber("alice", 1, 1)),
            apply(object("Site", "north", &json!({"description": "a hill"}))),
            {"op": "delete", "object": {"kind": "Site", "metadata": {"name": "held"}}},
        ]);
        let seen = plan(&controller, &operations).await;
        assert_eq!(plan(&controller, &operations).await["digest"], seen["digest"]);
        let change = async |path: &str, object: &Value| {
            let answer = controller.call(Method::PUT, path, object).await;
            assert!(answer.status.is_success(), "{answer:?}");
        };
        let refused = async |seen: &Value| {
            let revision = controller.revision().await;
            let answer = carry_out(&controller, &operations, seen).await;
            assert_eq!((answer.status.as_u16(), answer.places()), (412, Vec::new()), "{answer:?}");
            assert_eq!(controller.revision().await, revision);
            plan(&controller, &operations).await
        };
        // An object that is asked for has come into being, has changed, and has gone.
        let north = "/api/v1/sites/north";
        change(north, &object("Site", "north", &json!({}))).await;
        let seen = refused(&seen).await;
        change(north, &object("Site", "north", &json!({"url": "https://n.example/"}))).await;
        let seen = refused(&seen).await;
        assert_eq!(controller.call(Method::DELETE, north, &Value::Null).await.status, 200);
        let seen = refused(&seen).await;
        // So has what the controller would choose: alice's address is somebody else's by now.
        assert_eq!(
            planned(&seen, "Subscriber", "alice")["changes"][0]["value"]["status"]["address"],
            "100.64.0.2"
        );
        change("/api/v1/subscribers/bob", &subscriber("bob", 1, 2)).await;
        let seen = refused(&seen).await;
        assert_eq!(
            planned(&seen, "Subscriber", "alice")["changes"][0]["value"]["status"]["address"],
            "100.64.0.3"
        );
        // What else happens is no matter, and time neither.
        change("/api/v1/sites/south", &object("Site", "south", &json!({}))).await;
        let second = jiff::Timestamp::now().as_second();
        while jiff::Timestamp::now().as_second() == second {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let done = carry_out(&controller, &operations, &seen).await;
        assert_eq!(results(&done), ["created", "created", "deleting"]);
        // It is done once: to do it again is another plan.
        refused(&seen).await;
        for (query, digest, status) in
            [("?dryRun=All", seen["digest"].clone(), 422), ("", json!("0"), 422), ("", json!(1), 422)]
        {
            let body = json!({"operations": operations, "plan": digest});
            let answer = controller.call(Method::POST, &format!("/api/v1/transactions{query}"), &body).await;
            assert_eq!((answer.status.as_u16(), answer.places()), (status, vec!["/plan".into()]), "{digest}");
        }
    });
}

#[test]
fn a_plan_names_fields_with_both_values_and_no_secret() {
    run(async {
        let controller = Controller::start().await;
        transact(&controller, "create", &everything()).await;
        until_ready(&controller, &format!("/api/v1/controllers/{NAME}"), "True", "Synced").await;
        // Statuses may still be being written.
        let before = controller.revision().await;
        let faster = edited(
            subscriber(NAME, 100, 7),
            json!({"spec": {"bundle": {"rateUp": "50M", "dns": ["9.9.9.9"]}}}),
        );
        let secret = object("Secret", NAME, &json!({"data": {"user": "karaf", "password": "another-value"}}));
        let new = object("Site", "new", &json!({}));
        let operations = json!([
            {"op": "apply", "object": faster},
            {"op": "apply", "object": secret},
            {"op": "create", "object": new},
            {"op": "delete", "object": {"kind": "RoleBinding", "metadata": {"name": NAME}}},
            {"op": "apply", "object": object("Flavor", NAME, &json!({"cores": 1, "memoryMib": 2048, "diskGib": 10}))},
        ]);
        let plan = plan(&controller, &operations).await;
        let planned_at = plan["resourceVersion"].as_u64().expect("a revision");
        assert!((before..=controller.revision().await).contains(&planned_at), "{before}: {plan}");
        let alice = planned(&plan, "Subscriber", NAME);
        assert_eq!((&alice["action"], &alice["operation"]), (&json!("update"), &json!(0)));
        let changes = alice["changes"].as_array().expect("changes");
        let rate = json!({"op": "replace", "path": "/spec/bundle/rateUp", "old": "20M", "value": "50M"});
        assert!(changes.contains(&rate), "{alice}");
        assert!(
            changes.iter().any(|change| change["path"]
                .as_str()
                .is_some_and(|path| path.starts_with("/spec/bundle/dns"))),
            "{alice}"
        );
        let secret = planned(&plan, "Secret", NAME);
        assert_eq!(secret["action"], "update");
        for value in ["another-value", "s3cret-value", "sealed"] {
            assert!(!plan.to_string().contains(value), "{plan}");
        }
        let site = planned(&plan, "Site", "new");
        assert_eq!(
            (&site["action"], &site["changes"][0]["value"]["kind"]),
            (&json!("create"), &json!("Site"))
        );
        assert!(site["changes"][0]["value"]["metadata"].get("uid").is_none(), "{site}");
        let gone = planned(&plan, "RoleBinding", NAME);
        assert_eq!((&gone["action"], &gone["changes"][0]["op"]), (&json!("delete"), &json!("remove")));
        assert_eq!(planned(&plan, "Flavor", NAME)["action"], "unchanged");
        let count = |kind: &str| {
            plan["summary"]
                .as_array()
                .expect("counts")
                .iter()
                .find(|one| one["kind"] == kind)
                .cloned()
                .expect("a kind")
        };
        assert_eq!(
            count("Site"),
            json!({"kind": "Site", "create": 1, "update": 0, "delete": 0, "unchanged": 0})
        );
        assert_eq!(count("Flavor")["unchanged"], 1);
        let status_of =
            async |path: &str| controller.call(Method::GET, path, &Value::Null).await.status.as_u16();
        assert_eq!(status_of("/api/v1/sites/new").await, 404);
        assert_eq!(status_of(&format!("/api/v1/rolebindings/{NAME}")).await, 200);
    });
}

#[test]
fn a_single_change_has_a_plan_too_and_what_is_refused_is_refused() {
    run(async {
        let controller = Controller::start().await;
        transact(&controller, "create", &everything()).await;
        let path = format!("/api/v1/sites/{NAME}?dryRun=All");
        let patched =
            controller.call(Method::PATCH, &path, &json!({"spec": {"description": "elsewhere"}})).await;
        let expected = json!([{"op": "replace", "path": "/spec/description", "old": "A place of work", "value": "elsewhere"}]);
        assert_eq!(patched.json()["objects"][0]["changes"], expected, "{patched:?}");
        let put = controller.call(Method::PUT, &path, &object("Site", NAME, &json!({}))).await;
        assert_eq!(put.json()["objects"][0]["action"], "update", "{put:?}");
        let used = controller.call(Method::DELETE, &path, &Value::Null).await;
        assert_eq!(used.status, 409, "{used:?}");
        // With a finalizer it would wait: that is a deletion, too.
        let held =
            json!({"kind": "Site", "metadata": {"name": "held", "finalizers": ["example/it"]}, "spec": {}});
        assert_eq!(controller.call(Method::POST, "/api/v1/sites", &held).await.status, 201);
        let held = controller.call(Method::DELETE, "/api/v1/sites/held?dryRun=All", &Value::Null).await;
        let one = held.json()["objects"][0].clone();
        assert_eq!(
            (&one["action"], &one["changes"][0]["path"]),
            (&json!("delete"), &json!("/metadata/deletedAt"))
        );
    });
}
