//! Tenancies of subscribers: read like any other object, and stored nowhere.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::{binding, make, names, token, user},
    controller::{Answer, Controller, edited, node, run, subscriber},
    references::{object, results, transact},
    watching::Watch,
};

const TENANTS: &str = "/api/v1/tenants";

/// A second version of a service of the office, as it is made at first.
pub(crate) async fn second_version(controller: &Controller, of: &str) -> Value {
    let mut service = controller.get(&format!("/api/v1/services/{of}")).await.json();
    let mut spec = service["spec"].take();
    spec["version"] = json!("2");
    object("Service", &format!("{of}-v2"), &spec)
}

/// A tenancy by which each subscriber has `provider`, too.
fn further(tenant: &str, provider: &str) -> [Value; 2] {
    let accepts = json!({"tenants": ["Service"], "connect": ["shared"]});
    let service = json!({"serviceType": provider, "version": "1", "accepts": accepts});
    let tenancy = json!({"tenant": {"kind": "Service", "name": tenant}, "provider": provider, "connect": "shared",
                         "perTenant": true});
    [object("Service", provider, &service), object("Tenant", &format!("{tenant}-{provider}"), &tenancy)]
}

async fn add(controller: &Controller, name: &str, c_vid: u16) {
    let answer = controller.call(Method::POST, "/api/v1/subscribers", &subscriber(name, 1, c_vid)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

async fn chain(controller: &Controller, name: &str) -> Vec<String> {
    names(&controller.get(&format!("/api/v1/subscribers/{name}/chain")).await)
}

fn refused(answer: &Answer, place: &str, words: &[&str]) {
    let found = (answer.status, answer.places());
    assert_eq!(found, (StatusCode::CONFLICT, vec![place.to_owned()]), "{answer:?}");
    let detail = answer.json()["errors"][0]["detail"].to_string();
    assert!(words.iter().all(|word| detail.contains(word)), "{detail}");
}

#[test]
fn a_tenancy_is_read_and_not_written() {
    run(async {
        let controller = Controller::with_office().await;
        let objects = controller.figure("wirecenter_store_objects ").await;
        add(&controller, "alice", 1).await;
        assert_eq!(controller.figure("wirecenter_store_objects ").await, objects + 1);
        let alice = controller.get("/api/v1/subscribers/alice").await.json();
        let path = "/api/v1/tenants/alice-vcpe";
        let answer = controller.get(path).await;
        let vcpe = answer.json();
        assert_eq!(vcpe["metadata"]["resourceVersion"], alice["metadata"]["resourceVersion"]);
        let owners = vcpe["metadata"]["ownerReferences"].as_array().expect("owners");
        let tenancy = controller.get("/api/v1/tenants/volt-vcpe").await.json();
        let expected = [("Subscriber", "alice", &alice), ("Tenant", "volt-vcpe", &tenancy)];
        assert_eq!(owners.len(), expected.len(), "{owners:?}");
        for (owner, (kind, name, object)) in owners.iter().zip(expected) {
            let uid = &object["metadata"]["uid"];
            assert_eq!(*owner, json!({"kind": kind, "name": name, "uid": uid}));
        }
        assert_eq!(chain(&controller, "alice").await, ["alice-volt", "alice-vcpe", "alice-vbng"]);
        assert_eq!(controller.get("/api/v1/subscribers/bob/chain").await.status, 404);
        for name in ["alice-cdn", "bob-vcpe", "alice-", "alice"] {
            assert_eq!(controller.get(&format!("{TENANTS}/{name}")).await.status, 404, "{name}");
        }
        // Its entity tag turns with what it follows from.
        let etag = answer.etag().to_owned();
        let mut client = controller.client().await;
        let known = [("if-none-match", etag.as_str())];
        let same = client.call(Method::GET, path, &known, "").await.expect("answers");
        assert_eq!(same.status, StatusCode::NOT_MODIFIED);
        let told = json!({"spec": {"attributes": {"a": 1}}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/tenants/volt-vcpe", &told).await.status, 200);
        let other = client.call(Method::GET, path, &known, "").await.expect("answers");
        assert_eq!((other.status, &other.json()["spec"]["attributes"]["a"]), (StatusCode::OK, &json!(1)));

        let revision = controller.revision().await;
        let words = ["Subscriber alice", "Tenant volt-vcpe", "/spec/services"];
        for (method, path) in
            [(Method::PUT, path), (Method::POST, TENANTS), (Method::PATCH, path), (Method::DELETE, path)]
        {
            let answer = controller.call(method, path, &vcpe_without_version(&vcpe)).await;
            refused(&answer, "/metadata/ownerReferences", &words);
        }
        assert_eq!(controller.revision().await, revision);
    });
}

fn vcpe_without_version(vcpe: &Value) -> Value {
    object("Tenant", "alice-vcpe", &vcpe["spec"])
}

#[test]
fn a_name_stands_for_one_tenancy() {
    run(async {
        let controller = Controller::with_office().await;
        let accepts = json!({"tenants": ["User"], "connect": ["public"]});
        let cdn =
            object("Service", "cdn", &json!({"serviceType": "cdn", "version": "1", "accepts": accepts}));
        let spec = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "cdn", "connect": "public"});
        make(&controller, &[cdn, user("ada"), object("Tenant", "bob-vcpe", &spec)]).await;
        let bob = controller.call(Method::POST, "/api/v1/subscribers", &subscriber("bob", 1, 1)).await;
        refused(&bob, "/metadata/name", &["Tenant bob-vcpe"]);
        // The other way round in one transaction, whichever comes first.
        let carol = [subscriber("carol", 1, 2), object("Tenant", "carol-vcpe", &spec)];
        for objects in [[carol[0].clone(), carol[1].clone()], [carol[1].clone(), carol[0].clone()]] {
            let answer = transact(&controller, "create", &objects).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
        }
        // Two subscribers whose tenancies would have one name.
        make(&controller, &further("vbng", "x-vcpe")).await;
        add(&controller, "erin", 3).await;
        let other = controller.call(Method::POST, "/api/v1/subscribers", &subscriber("erin-x", 1, 4)).await;
        refused(&other, "/metadata/name", &["erin-x-vcpe", "Subscriber erin"]);
        let long = "a".repeat(59);
        let long = controller.call(Method::POST, "/api/v1/subscribers", &subscriber(&long, 1, 5)).await;
        assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(long.places().iter().all(|place| place == "/metadata/name"), "{long:?}");
    });
}

#[test]
fn pages_are_exact_while_subscribers_and_chains_change() {
    run(async {
        let controller = Controller::with_office().await;
        // One name is the beginning of others: those tenancies lie between its own.
        let all: Vec<_> = (0..30).map(|i| subscriber(&format!("s-{i:02}"), 1, i + 1)).collect();
        transact(&controller, "create", &all).await;
        for (name, c_vid) in [("s", 100), ("s-1", 101), ("t", 102), ("r0", 103)] {
            add(&controller, name, c_vid).await;
        }
        let whole = controller.get("/api/v1/tenants?limit=1000").await;
        let expected = names(&whole);
        assert_eq!(
            (&expected[..2], expected.len()),
            (&["vcpe-vbng".into(), "volt-vcpe".into()][..], 2 + 3 * 34)
        );
        let mut sorted = expected[2..].to_vec();
        sorted.sort();
        assert_eq!(expected[2..], sorted);
        let mut seen = Vec::new();
        let mut path = "/api/v1/tenants?limit=7".to_owned();
        for round in 0..20_u16 {
            let page = controller.get(&path).await.json();
            assert_eq!(page["metadata"]["resourceVersion"], whole.json()["metadata"]["resourceVersion"]);
            seen.extend(page["items"].as_array().expect("items").clone());
            let Some(token) = page["metadata"]["continue"].as_str() else { break };
            path = format!("/api/v1/tenants?limit=7&continue={token}");
            for i in [round % 30, 29 - round] {
                controller.call(Method::DELETE, &format!("/api/v1/subscribers/s-{i:02}"), &Value::Null).await;
            }
            add(&controller, &format!("s-{}", 40 + round), 200 + round).await;
            if round == 5 {
                make(&controller, &further("vbng", "dns")).await;
            }
        }
        assert_eq!(json!(seen), whole.json()["items"]);
        let now = names(&controller.get("/api/v1/tenants?limit=1000").await);
        assert!(now.contains(&"s-dns".to_owned()) && now.contains(&"vbng-dns".to_owned()), "{now:?}");
        let picked = controller.get("/api/v1/tenants?limit=1000&fieldSelector=spec.provider%3Ddns").await;
        assert_eq!(names(&picked).iter().filter(|name| name.ends_with("-dns")).count(), names(&picked).len());
    });
}

#[test]
fn a_watch_tells_of_what_follows() {
    run(async {
        let controller = Controller::with_office().await;
        add(&controller, "alice", 1).await;
        let mut watch = Watch::of(&controller, "tenants", "", &[]).await;
        for name in ["vcpe-vbng", "volt-vcpe", "alice-vbng", "alice-vcpe", "alice-volt"] {
            let (event, found, _) = watch.event().await;
            assert_eq!((event.as_str(), found.as_str()), ("ADDED", name));
        }
        assert_eq!(watch.event().await.0, "BOOKMARK");
        // What is in no chain ends no watch.
        make(&controller, &[further("vbng", "dns")[0].clone(), second_version(&controller, "vcpe").await])
            .await;
        let tell = async |watch: &mut Watch, event: &str, names: &[&str]| {
            let mut revisions = Vec::new();
            for name in names {
                let (kind, found, revision) = watch.event().await;
                assert_eq!((kind.as_str(), found.as_str()), (event, *name));
                revisions.push(revision);
            }
            assert!(revisions.iter().all(|revision| *revision == revisions[0]), "{revisions:?}");
            revisions[0]
        };
        add(&controller, "bob", 2).await;
        let added = tell(&mut watch, "ADDED", &["bob-volt", "bob-vcpe", "bob-vbng"]).await;
        let patch = async |body: Value| {
            let answer = controller.call(Method::PATCH, "/api/v1/subscribers/bob", &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        };
        patch(json!({"spec": {"bundle": {"rateUp": "30M"}}})).await;
        tell(&mut watch, "MODIFIED", &["bob-volt", "bob-vcpe", "bob-vbng"]).await;
        patch(json!({"spec": {"services": {"vcpe": "vcpe-v2"}}})).await;
        tell(&mut watch, "MODIFIED", &["bob-volt"]).await;
        tell(&mut watch, "ADDED", &["bob-vcpe-v2"]).await;
        tell(&mut watch, "MODIFIED", &["bob-vbng"]).await;
        tell(&mut watch, "DELETED", &["bob-vcpe"]).await;
        controller.call(Method::DELETE, "/api/v1/subscribers/bob", &Value::Null).await;
        tell(&mut watch, "DELETED", &["bob-volt", "bob-vcpe-v2", "bob-vbng"]).await;

        // Who resumes hears the rest; with selectors, only what they pick.
        let query = format!("&resourceVersion={added}&fieldSelector=spec.provider%3Dvcpe-v2");
        let mut picked = Watch::of(&controller, "tenants", &query, &[]).await;
        tell(&mut picked, "ADDED", &["bob-vcpe-v2"]).await;
        tell(&mut picked, "DELETED", &["bob-vcpe-v2"]).await;

        // The chains go another way: all watches of tenancies end, and no other.
        let mut subscribers = Watch::of(&controller, "subscribers", "", &[]).await;
        make(&controller, &[further("vbng", "dns")[1].clone()]).await;
        for watch in [&mut watch, &mut picked] {
            let end = watch.next().await.expect("an event");
            assert_eq!((&end["type"], &end["object"]["status"]), (&json!("ERROR"), &json!(410)), "{end}");
            assert_eq!(watch.next().await, None);
        }
        assert_eq!(chain(&controller, "alice").await.last().map(String::as_str), Some("alice-dns"));
        add(&controller, "carol", 3).await;
        assert_eq!(subscribers.event().await.1, "alice");
        assert_eq!(subscribers.event().await.0, "BOOKMARK");
        assert_eq!(subscribers.event().await.1, "carol");
        // From before it nobody resumes.
        let query = format!("&resourceVersion={added}");
        let mut late = Watch::of(&controller, "tenants", &query, &[]).await;
        assert_eq!(late.next().await.expect("an event")["object"]["status"], 410);
    });
}

#[test]
fn a_subscriber_moves_to_another_version_and_back() {
    run(async {
        let controller = Controller::with_office().await;
        add(&controller, "alice", 1).await;
        add(&controller, "bob", 2).await;
        make(&controller, &[second_version(&controller, "vcpe").await]).await;
        let to = async |services: Value| {
            let patch = json!({"spec": {"services": services}});
            controller.call(Method::PATCH, "/api/v1/subscribers/alice", &patch).await
        };
        for (service_type, service, place) in [
            ("vcpe", "nowhere", "/spec/services/vcpe"),
            ("vcpe", "vbng", "/spec/services/vcpe"),
            ("dns", "vcpe-v2", "/spec/services/dns"),
        ] {
            let answer = to(json!({service_type: service})).await;
            assert_eq!(
                (answer.status, answer.places()),
                (StatusCode::UNPROCESSABLE_ENTITY, vec![place.into()]),
                "{answer:?}"
            );
            to(json!({service_type: null})).await;
        }
        assert_eq!(to(json!({"vcpe": "vcpe-v2"})).await.status, 200);
        assert_eq!(chain(&controller, "alice").await, ["alice-volt", "alice-vcpe-v2", "alice-vbng"]);
        assert_eq!(chain(&controller, "bob").await, ["bob-volt", "bob-vcpe", "bob-vbng"]);
        assert_eq!(controller.get("/api/v1/tenants/alice-vcpe").await.status, 404);
        let moved = controller.get("/api/v1/tenants/alice-vcpe-v2").await.json();
        assert_eq!(
            (&moved["spec"]["provider"], &moved["spec"]["attributes"]["address"]),
            (&json!("vcpe-v2"), &json!("100.64.0.2"))
        );
        let vbng = controller.get("/api/v1/tenants/alice-vbng").await.json();
        assert_eq!(vbng["spec"]["tenant"]["name"], "alice-vcpe-v2");
        let of = async |service: &str| {
            names(&controller.get(&format!("{TENANTS}?fieldSelector=spec.provider%3D{service}")).await)
        };
        assert_eq!(of("vcpe").await, ["volt-vcpe", "bob-vcpe"]);
        assert_eq!(of("vcpe-v2").await, ["alice-vcpe-v2"]);
        let graph = controller.get("/api/v1/graph").await;
        let graph = std::str::from_utf8(&graph.body).expect("text").to_owned();
        assert!(graph.contains("volt 1, each subscriber's") && graph.contains("vcpe-v2 2"), "{graph}");
        let why = controller.get("/api/v1/explain/tenants/alice-vcpe-v2").await.json();
        let why = why["sentences"].to_string();
        for words in [
            "Tenant alice-volt uses Service vcpe-v2",
            "chain of Subscriber alice",
            "Tenant volt-vcpe begets it",
        ] {
            assert!(why.contains(words), "{why}");
        }
        // What alice uses stays, and stays what it is.
        let v2 = "/api/v1/services/vcpe-v2";
        refused(
            &controller.call(Method::DELETE, v2, &Value::Null).await,
            "/metadata/name",
            &["Subscriber alice"],
        );
        let retyped = controller.call(Method::PATCH, v2, &json!({"spec": {"serviceType": "cdn"}})).await;
        refused(&retyped, "/spec/serviceType", &["Subscriber alice"]);
        assert_eq!(to(Value::Null).await.status, 200);
        assert_eq!(chain(&controller, "alice").await, ["alice-volt", "alice-vcpe", "alice-vbng"]);
        assert_eq!(of("vcpe-v2").await, [""; 0]);
        assert_eq!(controller.call(Method::DELETE, v2, &Value::Null).await.status, 200);
    });
}

#[test]
fn what_names_a_tenancy_holds_it() {
    run(async {
        let controller = Controller::with_office().await;
        add(&controller, "alice", 1).await;
        make(&controller, &[second_version(&controller, "vcpe").await, user("ann")]).await;
        let nobody = binding("ann", "tenant-admin", "Tenant/bob-vcpe");
        let answer = controller.call(Method::POST, "/api/v1/rolebindings", &nobody).await;
        assert_eq!(answer.places(), ["/spec/scope/name"], "{answer:?}");
        make(&controller, &[binding("ann", "tenant-admin", "Tenant/alice-vcpe")]).await;
        let held = "RoleBinding ann-tenant-admin";
        let gone = controller.call(Method::DELETE, "/api/v1/subscribers/alice", &Value::Null).await;
        refused(&gone, "/metadata/name", &[held]);
        let moved = json!({"spec": {"services": {"vcpe": "vcpe-v2"}}});
        let moved = controller.call(Method::PATCH, "/api/v1/subscribers/alice", &moved).await;
        refused(&moved, "/spec/services", &["Tenant alice-vcpe", held]);
        let cut = controller.call(Method::DELETE, "/api/v1/tenants/volt-vcpe", &Value::Null).await;
        assert_eq!(cut.status, StatusCode::CONFLICT, "{cut:?}");
        let both = [subscriber("alice", 1, 1), binding("ann", "tenant-admin", "Tenant/alice-vcpe")];
        assert_eq!(results(&transact(&controller, "delete", &both).await), ["deleted"; 2]);
    });
}

#[test]
fn a_role_over_a_household_or_a_tenancy_sees_only_that() {
    run(async {
        let controller = Controller::with_office().await;
        add(&controller, "alice", 1).await;
        add(&controller, "bob", 2).await;
        make(
            &controller,
            &[
                user("ann"),
                user("bea"),
                user("cid"),
                binding("ann", "subscriber-self-care", "Subscriber/alice"),
                binding("bea", "tenant-admin", "Tenant/bob-vbng"),
                binding("cid", "service-admin", "Service/vcpe"),
            ],
        )
        .await;
        let (ann, bea, cid) = (
            token(&controller, "ann").await,
            token(&controller, "bea").await,
            token(&controller, "cid").await,
        );
        for (token, path, expected) in [
            (&ann, TENANTS, &["alice-vbng", "alice-vcpe", "alice-volt"][..]),
            (&ann, "/api/v1/subscribers/alice/chain", &["alice-volt", "alice-vcpe", "alice-vbng"]),
            (&bea, TENANTS, &["bob-vbng"]),
            (&cid, TENANTS, &["vcpe-vbng", "volt-vcpe", "alice-vcpe", "bob-vcpe"]),
            (&cid, "/api/v1/subscribers", &["alice", "bob"]),
        ] {
            assert_eq!(
                names(&controller.call_as(token, Method::GET, path, &Value::Null).await),
                expected,
                "{path}"
            );
        }
        let status = async |token: &str, method: Method, path: &str| {
            let body =
                if method == Method::PATCH { json!({"spec": {"connect": "public"}}) } else { Value::Null };
            controller.call_as(token, method, path, &body).await.status.as_u16()
        };
        for (token, method, path, expected) in [
            (&ann, Method::GET, "/api/v1/tenants/alice-vcpe", 200),
            (&ann, Method::GET, "/api/v1/tenants/bob-vcpe", 403),
            (&ann, Method::GET, "/api/v1/tenants/nobody-vcpe", 403),
            (&ann, Method::GET, "/api/v1/subscribers/bob/chain", 403),
            (&ann, Method::PATCH, "/api/v1/tenants/alice-vcpe", 403),
            (&ann, Method::DELETE, "/api/v1/tenants/alice-vcpe", 403),
            (&bea, Method::GET, "/api/v1/tenants/bob-vbng", 200),
            (&bea, Method::GET, "/api/v1/tenants/bob-vcpe", 403),
            // Who may change tenancies is told what to change instead.
            (&bea, Method::PATCH, "/api/v1/tenants/bob-vbng", 409),
            (&bea, Method::PATCH, "/api/v1/tenants/bob-vcpe", 403),
            (&cid, Method::GET, "/api/v1/tenants/alice-vbng", 403),
        ] {
            assert_eq!(status(token, method.clone(), path).await, expected, "{method} {path}");
        }
        // A watch tells of the same.
        let authorization = format!("Bearer {ann}");
        let headers = [("authorization", authorization.as_str())];
        let start = controller.revision().await;
        let query = format!("&resourceVersion={start}");
        let mut watch = Watch::of(&controller, "tenants", &query, &headers).await;
        for name in ["bob", "alice"] {
            let patch = json!({"spec": {"state": "suspended"}});
            controller.call(Method::PATCH, &format!("/api/v1/subscribers/{name}"), &patch).await;
        }
        for name in ["alice-volt", "alice-vcpe", "alice-vbng"] {
            let (event, found, _) = watch.event().await;
            assert_eq!((event.as_str(), found.as_str()), ("MODIFIED", name));
        }
    });
}

#[test]
fn a_watch_tells_of_the_end_though_what_said_where_it_lay_is_gone() {
    run(async {
        let controller = Controller::with_office().await;
        let node = edited(node(), json!({"spec": {"site": "north"}}));
        make(&controller, &[object("Site", "north", &json!({})), node, user("dora")]).await;
        make(&controller, &[binding("dora", "site-admin", "Site/north")]).await;
        let dora = token(&controller, "dora").await;
        let authorization = format!("Bearer {dora}");
        let query = format!("&resourceVersion={}", controller.revision().await);
        let mut watch =
            Watch::of(&controller, "tenants", &query, &[("authorization", authorization.as_str())]).await;
        add(&controller, "alice", 1).await;
        controller.call(Method::DELETE, "/api/v1/subscribers/alice", &Value::Null).await;
        for event in ["ADDED", "DELETED"] {
            for name in ["alice-volt", "alice-vcpe", "alice-vbng"] {
                let (kind, found, _) = watch.event().await;
                assert_eq!((kind.as_str(), found.as_str()), (event, name));
            }
        }
    });
}

#[test]
fn what_was_founded_and_taken_away_does_not_come_back() {
    run(async {
        let mut controller = Controller::with_office().await;
        add(&controller, "alice", 1).await;
        let tenants = ["volt-vcpe", "vcpe-vbng"].map(|name| object("Tenant", name, &json!({})));
        let services = ["volt", "vcpe", "vbng"].map(|name| object("Service", name, &json!({})));
        let all: Vec<_> = tenants.iter().chain(&services).cloned().collect();
        let used = transact(&controller, "delete", &all).await;
        assert_eq!(used.status, StatusCode::CONFLICT);
        assert!(
            used.json()["detail"].to_string().contains("Service volt is in use by Subscriber alice"),
            "{used:?}"
        );
        controller.call(Method::DELETE, "/api/v1/subscribers/alice", &Value::Null).await;
        assert_eq!(results(&transact(&controller, "delete", &all).await), ["deleted"; 5]);
        assert!(controller.terminate());
        controller.start_again().await;
        assert_eq!(names(&controller.get("/api/v1/services").await), [""; 0]);
        // Without a service a subscriber has no tenancy, and a line all the same.
        add(&controller, "bob", 2).await;
        assert_eq!(chain(&controller, "bob").await, [""; 0]);
        make(
            &controller,
            &[{
                let accepts = json!({"tenants": ["Subscriber"], "connect": ["shared"]});
                let spec =
                    json!({"serviceType": "line", "version": "1", "accepts": accepts, "perSubscriber": true});
                object("Service", "line", &spec)
            }],
        )
        .await;
        assert_eq!(chain(&controller, "bob").await, ["bob-line"]);
        // It is the same after a restart.
        assert!(controller.terminate());
        controller.start_again().await;
        assert_eq!(chain(&controller, "bob").await, ["bob-line"]);
    });
}
