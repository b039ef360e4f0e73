use hyper::Method;
use serde_json::{Value, json};

use super::{binding, make, names, network, object, pass, slice, soon, token, two_sites, user};
use crate::controller::{Controller, edited, run, subscriber};

/// Whoever has a role over a scope, and the status of each request in their order.
const TABLE: &[(&str, &str, [u16; 14])] = &[
    // The requests: see `requests`.
    ("office-admin", "Office", [200, 200, 200, 200, 200, 200, 200, 201, 201, 200, 200, 200, 201, 200]),
    ("office-viewer", "Office", [200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200]),
    ("catalogue-viewer", "Office", [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403]),
    ("site-admin", "Site/north", [200, 403, 200, 403, 200, 403, 403, 201, 403, 200, 403, 403, 403, 403]),
    ("site-pi", "Site/north", [200, 403, 200, 403, 200, 403, 403, 201, 403, 200, 403, 403, 403, 403]),
    ("site-admin", "Site/south", [403, 200, 403, 200, 403, 200, 403, 403, 201, 403, 200, 403, 403, 403]),
    ("slice-admin", "Slice/cdn", [200, 403, 200, 403, 200, 403, 403, 201, 403, 200, 403, 403, 403, 403]),
    ("slice-user", "Slice/cdn", [200, 403, 200, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403]),
    ("deployment-admin", "Office", [200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 403, 403, 201, 403]),
];

fn requests() -> Vec<(Method, &'static str, Value)> {
    let describe = json!({"spec": {"description": "text"}});
    let subnet = json!({"metadata": {"labels": {"a": "b"}}});
    vec![
        (Method::GET, "/api/v1/slices/cdn", Value::Null),
        (Method::GET, "/api/v1/slices/web", Value::Null),
        (Method::GET, "/api/v1/networks/cdn-lan", Value::Null),
        (Method::GET, "/api/v1/networks/web-lan", Value::Null),
        (Method::PATCH, "/api/v1/slices/cdn", describe.clone()),
        (Method::PATCH, "/api/v1/slices/web", describe),
        // It moves: both places must allow it.
        (Method::PATCH, "/api/v1/networks/cdn-lan", json!({"spec": {"slice": "web"}})),
        (Method::POST, "/api/v1/networks", network("n1", "cdn")),
        (Method::POST, "/api/v1/networks", network("n2", "web")),
        (Method::PATCH, "/api/v1/networks/cdn-dmz", subnet.clone()),
        (Method::PATCH, "/api/v1/networks/web-dmz", subnet),
        (Method::DELETE, "/api/v1/sites/west", Value::Null),
        (
            Method::POST,
            "/api/v1/flavors",
            object("Flavor", "f1", json!({"cores": 1, "memoryMib": 512, "diskGib": 1})),
        ),
        (Method::GET, "/api/v1/audit", Value::Null),
    ]
}

#[test]
fn each_role_may_do_what_the_table_says_and_no_more() {
    run(async {
        for (role, scope, expected) in TABLE {
            let controller = Controller::start().await;
            two_sites(&controller).await;
            make(
                &controller,
                &[
                    object("Site", "west", json!({})),
                    network("cdn-dmz", "cdn"),
                    network("web-dmz", "web"),
                    user("ann"),
                    binding("ann", role, scope),
                ],
            )
            .await;
            let ann = token(&controller, "ann").await;
            for ((method, path, body), expected) in requests().into_iter().zip(expected) {
                let what = format!("{role} over {scope}: {method} {path} {body}");
                let answer = controller.call_as(&ann, method.clone(), path, &body).await;
                assert_eq!(answer.status.as_u16(), *expected, "{what}: {answer:?}");
                if *expected == 403 {
                    assert_eq!(answer.json()["type"], "urn:wirecenter:problem:forbidden", "{what}");
                }
                // An access review says the same of what has a name and stays where it is.
                let words: Vec<_> = path.split('/').skip(3).collect();
                if let [kind, name] = words[..]
                    && !body.to_string().contains("slice\"")
                    && *expected != 201
                    && (method != Method::DELETE || *expected == 403)
                {
                    let verb = match method {
                        Method::GET => "get",
                        Method::PATCH => "patch",
                        _ => "delete",
                    };
                    let review = json!({"verb": verb, "kind": kind, "name": name});
                    let answer =
                        controller.call_as(&ann, Method::POST, "/api/v1/access-reviews", &review).await;
                    assert_eq!(answer.json()["allowed"], *expected == 200, "{what}: {answer:?}");
                }
            }
        }
    });
}

/// The same for roles over other scopes.
#[test]
fn households_services_and_deployments_have_their_own() {
    let requests = || {
        let dns = json!({"spec": {"bundle": {"dns": ["192.0.2.53"]}}});
        let rate = json!({"spec": {"bundle": {"dns": ["192.0.2.54"], "rateUp": "900M"}}});
        [
            (Method::GET, "/api/v1/subscribers/alice", Value::Null),
            (Method::GET, "/api/v1/subscribers/bob", Value::Null),
            (Method::PATCH, "/api/v1/subscribers/alice", dns.clone()),
            (Method::PATCH, "/api/v1/subscribers/bob", dns),
            (Method::PATCH, "/api/v1/subscribers/alice", rate),
            (Method::GET, "/api/v1/tenants/alice-vcpe", Value::Null),
            (Method::GET, "/api/v1/nodes/node1", Value::Null),
            (Method::POST, "/api/v1/nodes/node1/join-token", Value::Null),
            (Method::PATCH, "/api/v1/deployments/east", json!({"metadata": {"labels": {"a": "b"}}})),
            (Method::PATCH, "/api/v1/services/vcpe", json!({"spec": {"description": "text"}})),
            (Method::POST, "/api/v1/backups", json!({"path": "/nonexistent/file"})),
        ]
    };
    let table = [
        ("subscriber-self-care", "Subscriber/alice", [200, 403, 200, 403, 403, 200, 403, 403, 403, 403, 403]),
        ("subscriber-self-care", "Subscriber/bob", [403, 200, 403, 200, 403, 403, 403, 403, 403, 403, 403]),
        ("tenant-admin", "Subscriber/alice", [403, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403]),
        ("service-admin", "Service/vcpe", [200, 200, 403, 403, 403, 200, 403, 403, 403, 200, 403]),
        ("deployment-admin", "Deployment/east", [403, 403, 403, 403, 403, 403, 200, 200, 200, 403, 403]),
        ("site-admin", "Site/north", [200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403]),
        ("office-viewer", "Office", [200, 200, 403, 403, 403, 200, 200, 403, 403, 403, 403]),
        ("office-admin", "Office", [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 422]),
    ];
    run(async {
        for (role, scope, expected) in table {
            let controller = Controller::with_office().await;
            let accepts = json!({"tenants": ["Subscriber", "Tenant"], "connect": ["shared"]});
            let service = json!({"serviceType": "vcpe", "version": "1.0", "accepts": accepts});
            let in_site = |node: Value| edited(node, json!({"spec": {"site": "north"}}));
            let mut objects = vec![object("Site", "north", json!({})), in_site(crate::controller::node())];
            if controller.get("/api/v1/services/vcpe").await.status == 404 {
                objects.push(object("Service", "vcpe", service));
            }
            objects.extend([
                object("Controller", "cloud", json!({"plugin": "http"})),
                object("Deployment", "east", json!({"controller": "cloud", "sites": ["north"]})),
                subscriber("alice", 1, 1),
                subscriber("bob", 1, 2),
                user("ann"),
                binding("ann", role, scope),
            ]);
            make(&controller, &objects).await;
            let ann = token(&controller, "ann").await;
            for ((method, path, body), expected) in requests().into_iter().zip(expected) {
                let what = format!("{role} over {scope}: {method} {path} {body}");
                let answer = controller.call_as(&ann, method, path, &body).await;
                assert_eq!(answer.status.as_u16(), expected, "{what}: {answer:?}");
            }
        }
    });
}

#[test]
fn what_may_not_be_seen_is_refused_as_what_is_not_there() {
    run(async {
        let controller = Controller::start().await;
        two_sites(&controller).await;
        make(&controller, &[user("ann"), binding("ann", "site-admin", "Site/north")]).await;
        let ann = token(&controller, "ann").await;
        let describe = json!({"spec": {"description": "text"}});
        let put = |name: &str| slice(name, "south");
        for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
            let mut said = Vec::new();
            for name in ["web", "bew"] {
                let body = match method {
                    Method::PATCH => describe.clone(),
                    Method::PUT => put(name),
                    _ => Value::Null,
                };
                let path = format!("/api/v1/slices/{name}");
                let answer = controller.call_as(&ann, method.clone(), &path, &body).await;
                let verb_of = |text: &str| text.replace("create", "VERB").replace("update", "VERB");
                let detail =
                    answer.json()["detail"].as_str().map(|text| verb_of(&text.replace(name, "NAME")));
                said.push((answer.status.as_u16(), detail));
            }
            assert_eq!(said[0].0, 403, "{method}");
            assert_eq!(said[0].0, said[1].0, "{method}");
            // PUT of what is not there creates it, and says so.
            if method != Method::PUT {
                assert_eq!(said[0], said[1], "{method}");
                assert!(
                    said[0].1.as_ref().is_some_and(|detail| detail.contains("the office or slice NAME")),
                    "{said:?}"
                );
            }
        }
        // In its own site, what is not there is not found.
        let answer = controller.call_as(&ann, Method::GET, "/api/v1/slices", &Value::Null).await;
        assert_eq!(names(&answer), ["cdn"]);
    });
}

#[test]
fn rights_are_given_on_only_by_who_holds_them_so_and_end_when_they_expire() {
    run(async {
        let controller = Controller::start().await;
        two_sites(&controller).await;
        let mut granting = binding("ann", "site-admin", "Site/north");
        granting["spec"]["grantOption"] = true.into();
        make(&controller, &[user("ann"), user("bob"), user("cyd"), granting]).await;
        let (ann, bob) = (token(&controller, "ann").await, token(&controller, "bob").await);
        let bind = async |token: &str, object: &Value| {
            controller.call_as(token, Method::POST, "/api/v1/rolebindings", object).await.status.as_u16()
        };
        // Wider, elsewhere, for longer than held, or to be given on by who may not.
        assert_eq!(bind(&ann, &binding("bob", "office-admin", "Office")).await, 403);
        assert_eq!(bind(&ann, &binding("ann", "office-viewer", "Office")).await, 403);
        assert_eq!(bind(&ann, &binding("bob", "site-admin", "Site/south")).await, 403);
        assert_eq!(bind(&ann, &binding("bob", "slice-user", "Slice/web")).await, 403);
        assert_eq!(bind(&ann, &binding("bob", "no-such-role", "Site/north")).await, 422);
        let mut short = binding("bob", "slice-admin", "Slice/cdn");
        let end = soon();
        short["spec"]["expiresAt"] = end.to_string().into();
        assert_eq!(bind(&ann, &short).await, 201);
        let get = async |token: &str| {
            controller.call_as(token, Method::GET, "/api/v1/slices/cdn", &Value::Null).await.status.as_u16()
        };
        assert_eq!(get(&bob).await, 200);
        assert_eq!(bind(&bob, &binding("cyd", "slice-user", "Slice/cdn")).await, 403, "without grant option");
        pass(end).await;
        assert_eq!(get(&bob).await, 403);
        // Roles are for who holds all of it in the whole office, and the built-in ones for nobody.
        let rules = json!({"rules": [{"verbs": ["get"], "kinds": ["slices"]}]});
        for (name, as_ann, as_root) in [("mine", 403, 201), ("office-admin", 403, 409)] {
            let role = object("Role", name, rules.clone());
            let answer = controller.call_as(&ann, Method::POST, "/api/v1/roles", &role).await;
            assert_eq!(answer.status.as_u16(), as_ann, "{answer:?}");
            assert_eq!(controller.call(Method::POST, "/api/v1/roles", &role).await.status.as_u16(), as_root);
        }
        // One that is made here can be bound, and follows its role.
        make(&controller, &[binding("cyd", "mine", "Slice/web")]).await;
        let cyd = token(&controller, "cyd").await;
        let web = "/api/v1/slices/web";
        assert_eq!(controller.call_as(&cyd, Method::GET, web, &Value::Null).await.status, 200);
        let other = object("Role", "mine", json!({"rules": [{"verbs": ["list"], "kinds": ["slices"]}]}));
        assert_eq!(controller.call(Method::PUT, "/api/v1/roles/mine", &other).await.status, 200);
        assert_eq!(controller.call_as(&cyd, Method::GET, web, &Value::Null).await.status, 403);
    });
}

#[test]
fn nobody_comes_by_more_by_naming_it() {
    run(async {
        let controller = Controller::start().await;
        let service = |name: &str, controller: &str| {
            let accepts = json!({"tenants": ["Service"], "connect": ["shared"]});
            object(
                "Service",
                name,
                json!({"serviceType": name, "version": "1.0", "controller": controller, "accepts": accepts}),
            )
        };
        let back_end = |name: &str| object("Controller", name, json!({"plugin": "http"}));
        make(
            &controller,
            &[
                back_end("mine"),
                back_end("theirs"),
                service("cdn", "mine"),
                service("web", "theirs"),
                user("ann"),
                binding("ann", "service-admin", "Service/cdn"),
            ],
        )
        .await;
        let ann = token(&controller, "ann").await;
        let patch = async |path: &str, patch: Value| {
            controller.call_as(&ann, Method::PATCH, path, &patch).await.status.as_u16()
        };
        let slower = json!({"spec": {"timeoutSeconds": 7}});
        assert_eq!(patch("/api/v1/controllers/mine", slower.clone()).await, 200);
        assert_eq!(patch("/api/v1/controllers/theirs", slower.clone()).await, 403);
        let taken = json!({"spec": {"controller": "theirs"}});
        assert_eq!(patch("/api/v1/services/cdn", taken.clone()).await, 403);
        let operations = json!({"operations": [
            {"op": "apply", "object": service("cdn", "theirs")},
            {"op": "apply", "object": back_end("theirs")},
        ]});
        let answer = controller.call_as(&ann, Method::POST, "/api/v1/transactions", &operations).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(patch("/api/v1/controllers/theirs", slower.clone()).await, 403);
        // Who runs a deployment makes a controller for it, in one go.
        let east = |controller: &str| object("Deployment", "east", json!({"controller": controller}));
        make(
            &controller,
            &[east("mine"), user("bob"), binding("bob", "deployment-admin", "Deployment/east")],
        )
        .await;
        let bob = token(&controller, "bob").await;
        let alone = controller.call_as(&bob, Method::POST, "/api/v1/controllers", &back_end("new")).await;
        assert_eq!(alone.status, 403, "{alone:?}");
        for (controllers_name, status) in [("theirs", 403), ("new", 200)] {
            let operations = json!({"operations": [
                {"op": "apply", "object": back_end(controllers_name)},
                {"op": "apply", "object": east(controllers_name)},
            ]});
            let answer = controller.call_as(&bob, Method::POST, "/api/v1/transactions", &operations).await;
            assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        }
        let answer = controller.call_as(&bob, Method::PATCH, "/api/v1/controllers/new", &slower).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    });
}
