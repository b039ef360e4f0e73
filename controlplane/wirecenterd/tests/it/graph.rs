//! The tenancy graph: what may be a tenant of what.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    controller::{Answer, Controller, run},
    references::{object, results, transact},
};

fn service(name: &str, version: &str, tenants: &Value) -> Value {
    let accepts = json!({"tenants": tenants, "connect": ["shared", "gateway"]});
    object("Service", name, &json!({"serviceType": "cache", "version": version, "accepts": accepts}))
}

fn tenancy(tenant: &str, provider: &str) -> Value {
    let spec =
        json!({"tenant": {"kind": "Service", "name": tenant}, "provider": provider, "connect": "shared"});
    object("Tenant", &format!("{tenant}-uses-{provider}"), &spec)
}

fn refused(answer: &Answer, status: StatusCode, place: &str, words: &str) {
    assert_eq!((answer.status, answer.places()), (status, vec![place.to_owned()]), "{answer:?}");
    let detail = answer.json()["errors"][0]["detail"].to_string();
    assert!(detail.contains(words), "{detail}");
}

#[test]
fn tenancies_make_no_cycle_and_only_what_is_accepted() {
    run(async {
        let controller = Controller::start().await;
        let open = json!(["Service"]);
        let all = [
            tenancy("a", "b"),
            tenancy("b", "c"),
            service("a", "1", &open),
            service("b", "1", &open),
            service("c", "1", &open),
            object("Service", "closed", &json!({"serviceType": "cache", "version": "1"})),
        ];
        assert_eq!(results(&transact(&controller, "create", &all).await), ["created"; 6]);
        let revision = controller.revision().await;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let cycle = controller.call(Method::POST, "/api/v1/tenants", &tenancy("c", "a")).await;
        refused(&cycle, unprocessable, "/spec/provider", "a");
        let closed = controller.call(Method::POST, "/api/v1/tenants", &tenancy("a", "closed")).await;
        assert_eq!(closed.status, unprocessable, "{closed:?}");
        let gateway = json!({"spec": {"connect": "public"}});
        let gateway = controller.call(Method::PATCH, "/api/v1/tenants/a-uses-b", &gateway).await;
        refused(&gateway, unprocessable, "/spec/connect", "public");
        assert_eq!(controller.revision().await, revision);
        // What was refused has left no trace in the graph: the other way round is no cycle.
        let turned = [tenancy("a", "b"), tenancy("b", "c")];
        assert_eq!(results(&transact(&controller, "delete", &turned).await), ["deleted"; 2]);
        let back = controller.call(Method::POST, "/api/v1/tenants", &tenancy("c", "a")).await;
        assert_eq!(back.status, StatusCode::CREATED, "{back:?}");
        // A service that stops accepting what it has is refused too.
        let shut = json!({"spec": {"accepts": {"tenants": [], "connect": []}}});
        let shut = controller.call(Method::PATCH, "/api/v1/services/a", &shut).await;
        assert_eq!(shut.status, unprocessable, "{shut:?}");
    });
}

#[test]
fn a_tenant_moves_between_versions_of_one_service_only() {
    run(async {
        let controller = Controller::start().await;
        let open = json!(["Service"]);
        let mut other = service("other", "1", &open);
        other["spec"]["serviceType"] = json!("database");
        let all =
            [service("web", "1", &open), service("cache", "1", &open), service("cache-2", "2", &open), other];
        transact(&controller, "create", &all).await;
        let made = controller.call(Method::POST, "/api/v1/tenants", &tenancy("web", "cache")).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let to = |provider: &str| json!({"spec": {"provider": provider}});
        let path = "/api/v1/tenants/web-uses-cache";
        let wrong = controller.call(Method::PATCH, path, &to("other")).await;
        refused(&wrong, StatusCode::UNPROCESSABLE_ENTITY, "/spec/provider", "make another one");
        let right = controller.call(Method::PATCH, path, &to("cache-2")).await;
        assert_eq!(right.status, StatusCode::OK, "{right:?}");
        // The old version has no tenants any more.
        let gone = controller.call(Method::DELETE, "/api/v1/services/cache", &Value::Null).await;
        assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
        let kept = controller.call(Method::DELETE, "/api/v1/services/cache-2", &Value::Null).await;
        refused(&kept, StatusCode::CONFLICT, "/metadata/name", "Tenant web-uses-cache");
    });
}

#[test]
fn the_graph_is_drawn_and_explained() {
    run(async {
        let controller = Controller::with_office().await;
        let open = json!(["Service"]);
        let all = [service("web", "1", &open), service("cache", "1", &open), tenancy("web", "cache")];
        transact(&controller, "create", &all).await;
        let drawn = async |format: &str| {
            let answer = controller.get(&format!("/api/v1/graph?format={format}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            String::from_utf8(answer.body.to_vec()).expect("text")
        };
        let text = drawn("text").await;
        assert!(text.contains("web") && text.contains("cache"), "{text}");
        assert!(drawn("dot").await.starts_with("digraph"));
        let data: Value = serde_json::from_str(&drawn("json").await).expect("JSON");
        let names = |kind: &str| {
            let all = data[kind].as_array().expect("a list").iter();
            all.map(|one| one["name"].as_str().expect("a name")).collect::<Vec<_>>()
        };
        assert_eq!(names("services"), ["cache", "vbng", "vcpe", "volt", "web"]);
        assert_eq!(names("tenants"), ["vcpe-vbng", "volt-vcpe", "web-uses-cache"]);

        let why = async |thing: &str| {
            let answer = controller.get(&format!("/api/v1/graph/explanation?thing={thing}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            answer.json()["sentences"].to_string()
        };
        assert!(why("service/web").await.contains("Service web is a cache of version 1"));
        assert!(why("service/nobody").await.contains("There is no Service nobody"));
        let alice = crate::controller::subscriber("alice", 100, 7);
        controller.call(Method::POST, "/api/v1/subscribers", &alice).await;
        assert!(why("tenant/alice-vcpe").await.contains("It is of the chain of Subscriber alice."));
        for (path, parameter) in [
            ("/api/v1/graph?format=png", "format"),
            ("/api/v1/graph/explanation", "thing"),
            ("/api/v1/graph/explanation?thing=node/node1", "thing"),
        ] {
            let refused = controller.get(path).await;
            assert_eq!(
                (refused.status, refused.places()),
                (StatusCode::BAD_REQUEST, vec![parameter.into()]),
                "{path}"
            );
        }
    });
}
