//! The tenancy graph: what may be a tenant of what.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    controller::{Answer, Controller, run},
    everything::{NAME, everything},
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
            let answer = controller.get(&format!("/api/v1/explain/{thing}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            answer.json()
        };
        let web = why("services/web").await;
        assert!(web["sentences"].to_string().contains("Service web is a cache of version 1"), "{web}");
        let user = json!([{"kind": "Tenant", "name": "web-uses-cache"}]);
        assert_eq!(web["referrers"], user, "{web}");
        assert_eq!(controller.get("/api/v1/explain/services/nobody").await.status, StatusCode::NOT_FOUND);
        let tenant = why("tenants/web-uses-cache").await;
        assert_eq!(tenant["references"][0]["kind"], "Service", "{tenant}");
        assert!(tenant["sentences"].to_string().contains("joins web"), "{tenant}");
        let node = why("nodes/node1").await;
        assert!(node["sentences"].to_string().contains("because somebody asked for it"), "{node}");
        assert_eq!(node["referrers"].as_array().map(Vec::len), Some(3), "its pools: {node}");
        let alice = crate::controller::subscriber("alice", 100, 7);
        controller.call(Method::POST, "/api/v1/subscribers", &alice).await;
        let follows = why("tenants/alice-vcpe").await;
        assert!(follows["sentences"].to_string().contains("It follows from Subscriber alice."), "{follows}");
        assert_eq!(follows["owners"][0]["name"], "alice");
        for (path, parameter) in [
            ("/api/v1/graph?format=png", "format"),
            ("/api/v1/graph/connectivity?format=png", "format"),
            ("/api/v1/explain/services/web?thing=1", "query"),
        ] {
            let refused = controller.get(path).await;
            assert_eq!(
                (refused.status, refused.places()),
                (StatusCode::BAD_REQUEST, vec![parameter.into()]),
                "{path}"
            );
        }
        for path in ["/api/v1/explain/things/web", "/api/v1/explain/attachment/vm1/lan/x"] {
            assert_eq!(controller.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    });
}

#[test]
fn what_follows_from_the_graph_is_served_and_says_why() {
    run(async {
        let controller = Controller::start().await;
        let open = json!(["Service"]);
        let slice =
            |name: &str, service: &str| object("Slice", name, &json!({"site": "here", "service": service}));
        let spec = json!({"slice": "front", "resources": {"cores": 1, "memoryMib": 512, "diskGib": 4}, "image": "debian"});
        let image = json!({"kind": "vm", "source": "https://images.example/d.qcow2", "sha256": "ab".repeat(32), "diskFormat": "qcow2"});
        let all = [
            object("Site", "here", &json!({})),
            object("Image", "debian", &image),
            service("web", "1", &open),
            service("cache", "1", &open),
            tenancy("web", "cache"),
            slice("front", "web"),
            slice("caches", "cache"),
            object("Instance", "front-1", &spec),
        ];
        assert_eq!(results(&transact(&controller, "create", &all).await), ["created"; 8]);
        let data = controller.get("/api/v1/graph/connectivity?format=json").await.json();
        let ids: Vec<_> =
            data["networks"].as_array().expect("networks").iter().map(|one| one["id"].clone()).collect();
        assert_eq!(ids, ["private/caches", "private/front", "shared/volt-vcpe", "shared/web-uses-cache"]);
        let attachments = data["attachments"].as_array().expect("attachments");
        assert_eq!(attachments.len(), 2, "{data}");
        assert!(attachments.iter().all(|one| !one["ownerReferences"].as_array().expect("owners").is_empty()));
        let text = controller.get("/api/v1/graph/connectivity").await.body;
        assert!(String::from_utf8_lossy(&text).contains("INSTANCE"), "{text:?}");
        // All that follows can be explained by the name that it has there, and so can all that is.
        for one in attachments {
            let thing = format!(
                "attachment/{}/{}",
                one["instance"].as_str().expect("text"),
                one["network"].as_str().expect("text")
            );
            let why = controller.get(&format!("/api/v1/explain/{thing}")).await;
            assert_eq!(why.status, StatusCode::OK, "{thing}: {why:?}");
            assert_eq!(why.json()["owners"], one["ownerReferences"], "{thing}");
            assert!(
                why.json()["sentences"].to_string().contains("Instance front-1 is of Slice front"),
                "{why:?}"
            );
        }
        let none = controller.get("/api/v1/explain/gateway/web-uses-cache").await.json();
        assert!(none["sentences"].to_string().contains("is shared, not gateway"), "{none}");
        assert_eq!(none["owners"], json!([]));
        let instance = controller.get("/api/v1/explain/instances/front-1").await.json();
        assert!(instance["sentences"].to_string().contains("joins web"), "{instance}");
    });
}

/// As S3 is one: the office has a controller for it and runs nothing of it.
#[test]
fn a_service_outside_has_a_controller_and_no_slice_and_tenants_of_all_kinds() {
    run(async {
        let controller = Controller::start().await;
        let accepts = json!({"tenants": ["Service", "User", "Root"], "connect": ["public", "gateway"]});
        let spec =
            json!({"serviceType": "store", "version": "2006-03-01", "controller": "s3", "accepts": accepts});
        let link = |name: &str, kind: &str, tenant: &str, connect: &str| {
            let tenant = json!({"kind": kind, "name": tenant});
            object("Tenant", name, &json!({"tenant": tenant, "provider": "s3", "connect": connect}))
        };
        let all = [
            object("Secret", "s3-key", &json!({"data": {"key": "value"}})),
            object(
                "Controller",
                "s3",
                &json!({"plugin": "http", "url": "https://s3.example/", "credentials": "s3-key"}),
            ),
            object("Service", "s3", &spec),
            service("web", "1", &json!(["Service"])),
            object("Site", "here", &json!({})),
            object("Slice", "front", &json!({"site": "here", "service": "web"})),
            object("User", "ada", &json!({"email": "ada@math.example"})),
            // Two tenancies of one pair, and somebody of whom the office knows a name only.
            link("web-assets", "Service", "web", "public"),
            link("web-logs", "Service", "web", "gateway"),
            link("ada-files", "User", "ada", "public"),
            link("partner", "Root", "partner-inc", "public"),
        ];
        assert_eq!(results(&transact(&controller, "create", &all).await), ["created"; 11]);
        let data = controller.get("/api/v1/graph/connectivity?format=json").await.json();
        assert!(!data["public"].as_array().expect("a list").is_empty(), "{data}");
        let why = controller.get("/api/v1/explain/gateway/web-logs").await.json();
        assert_eq!(
            why["owners"][0],
            json!({"kind": "Tenant", "name": "web-logs", "uid": why["owners"][0]["uid"]})
        );
        let held = controller.call(Method::DELETE, "/api/v1/controllers/s3", &Value::Null).await;
        refused(&held, StatusCode::CONFLICT, "/metadata/name", "Service s3");
    });
}

#[test]
fn an_object_of_every_kind_is_explained() {
    run(async {
        let controller = Controller::start().await;
        transact(&controller, "create", &everything()).await;
        for kind in xos_model::KindName::ALL {
            let why = controller.get(&format!("/api/v1/explain/{}/{NAME}", kind.plural())).await;
            assert_eq!(why.status, StatusCode::OK, "{kind}: {why:?}");
            let said = why.json()["sentences"][0].as_str().expect("a sentence").to_owned();
            assert!(said.starts_with(&format!("{kind} {NAME} is there because")), "{said}");
        }
    });
}
