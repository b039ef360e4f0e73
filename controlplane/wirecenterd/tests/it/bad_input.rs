//! Everything that is wrong gets a 4xx that says where, and changes nothing.

use hyper::Method;
use serde_json::{Value, json};

use crate::controller::{Controller, edited, node, run, subscriber};

struct Case {
    why: &'static str,
    method: Method,
    path: &'static str,
    body: String,
    status: u16,
    places: &'static [&'static str],
}

/// A body: as it is, or as JSON.
struct Text(String);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

fn case(
    why: &'static str,
    method: Method,
    path: &'static str,
    body: impl Into<Text>,
    status: u16,
    places: &'static [&'static str],
) -> Case {
    Case { why, method, path, body: body.into().0, status, places }
}

/// A new subscriber with an edit.
fn sub(why: &'static str, edit: Value, status: u16, places: &'static [&'static str]) -> Case {
    let body = edited(subscriber("carol", 100, 9), edit);
    case(why, Method::POST, "/api/v1/subscribers", body, status, places)
}

fn access(edit: &Value) -> Value {
    json!({"spec": {"access": edit}})
}

fn pool(why: &'static str, spec: &Value, status: u16, places: &'static [&'static str]) -> Case {
    let body = json!({"kind": "AddressPool", "metadata": {"name": "new"}, "spec": spec});
    case(why, Method::POST, "/api/v1/addresspools", body, status, places)
}

fn subscribers() -> Vec<Case> {
    let routed = |subnet: &str| json!({"spec": {"bundle": {"nat": false}, "subnet": subnet}});
    vec![
        sub("VLAN 0", access(&json!({"sVid": 0})), 422, &["/spec/access/sVid"]),
        sub("VLAN 4095", access(&json!({"cVid": 4095})), 422, &["/spec/access/cVid"]),
        sub(
            "both",
            access(&json!({"sVid": 0, "cVid": 4095})),
            422,
            &["/spec/access/cVid", "/spec/access/sVid"],
        ),
        sub("VLAN as text", access(&json!({"sVid": "100"})), 422, &["/spec/access/sVid"]),
        sub("an S-VLAN alone", access(&json!({"cVid": null})), 422, &["/spec/access/cVid"]),
        sub("unknown field", json!({"spec": {"bundle": {"speed": 1}}}), 422, &["/spec/bundle/speed"]),
        sub("unknown field at the top", json!({"extra": 1}), 422, &["/extra"]),
        sub("unknown node", access(&json!({"node": "node9"})), 422, &["/spec/access/node"]),
        sub("unknown port", access(&json!({"port": "access9"})), 422, &["/spec/access/port"]),
        sub("core port", access(&json!({"port": "core0"})), 422, &["/spec/access/port"]),
        sub("alice's tags", access(&json!({"cVid": 7})), 409, &["/spec/access/cVid"]),
        sub(
            "alice's tags, who has no MAC",
            json!({"spec": {"access": {"cVid": 7}, "mac": "02:00:5e:10:00:01"}}),
            409,
            &["/spec/access/cVid"],
        ),
        sub("alice's address", json!({"spec": {"address": "100.64.0.2"}}), 409, &["/spec/address"]),
        sub("address outside its pool", json!({"spec": {"address": "100.65.0.2"}}), 422, &["/spec/address"]),
        sub("the gateway's address", json!({"spec": {"address": "100.64.0.1"}}), 422, &["/spec/address"]),
        sub("subnet outside its pool", routed("192.0.2.8/29"), 422, &["/spec/subnet"]),
        sub("subnet around bob's", routed("203.0.113.0/28"), 409, &["/spec/subnet"]),
        sub("subnet within bob's", routed("203.0.113.12/30"), 409, &["/spec/subnet"]),
        sub("subnet with host bits", routed("203.0.113.9/29"), 422, &["/spec/subnet"]),
        sub("subnet and NAT", json!({"spec": {"subnet": "203.0.113.16/29"}}), 422, &["/spec/subnet"]),
        sub(
            "no room",
            json!({"spec": {"bundle": {"nat": false}, "subnetLength": 24}}),
            409,
            &["/spec/subnet"],
        ),
        sub("rate", json!({"spec": {"bundle": {"rateUp": "fast"}}}), 422, &["/spec/bundle/rateUp"]),
        sub(
            "more committed than there is",
            json!({"spec": {"bundle": {"committedUp": "30M", "committedDown": "100M"}}}),
            422,
            &["/spec/bundle/committedUp"],
        ),
        sub(
            "IPv6 where there is none",
            json!({"spec": {"bundle": {"ipv6": true}}}),
            422,
            &["/spec/bundle/ipv6"],
        ),
        sub(
            "a resolver without IPv6",
            json!({"spec": {"bundle": {"dns6": ["2001:db8::53"]}}}),
            422,
            &["/spec/bundle/dns6"],
        ),
        sub("state", json!({"spec": {"state": "asleep"}}), 422, &["/spec/state"]),
        sub("MAC", json!({"spec": {"mac": "ff:ff:ff:ff:ff:ff"}}), 422, &["/spec/mac"]),
        sub(
            "resolver",
            json!({"spec": {"bundle": {"dns": ["9.9.9.9", "0.0.0.0"]}}}),
            422,
            &["/spec/bundle/dns/1"],
        ),
        sub("name", json!({"metadata": {"name": "Carol"}}), 422, &["/metadata/name"]),
        sub("label", json!({"metadata": {"labels": {"a": "b c"}}}), 422, &["/metadata/labels/a"]),
        sub("taken name", json!({"metadata": {"name": "alice"}}), 409, &["/metadata/name"]),
        sub("kind", json!({"kind": "Node"}), 422, &["/kind"]),
        sub("unheard-of kind", json!({"kind": "Gizmo"}), 422, &["/kind"]),
        sub(
            "version of what is not",
            json!({"metadata": {"resourceVersion": 3}}),
            409,
            &["/metadata/resourceVersion"],
        ),
    ]
}

fn nodes() -> Vec<Case> {
    let put_node = |why, edit, status, places| {
        case(why, Method::PUT, "/api/v1/nodes/node1", edited(node(), edit), status, places)
    };
    let without_access =
        json!({"spec": {"ports": [{"name": "core0", "role": "core", "addresses": ["192.0.2.2/30"]}]}});
    vec![
        put_node("a port in use", without_access, 409, &["/spec/ports"]),
        put_node(
            "a loopback in a pool",
            json!({"spec": {"loopback": "203.0.113.1"}}),
            409,
            &["/spec/loopback"],
        ),
        put_node(
            "a route to nowhere",
            json!({"spec": {"routes": [{"prefix": "0.0.0.0/0", "via": "192.0.2.77"}]}}),
            422,
            &["/spec/routes/0/via"],
        ),
        put_node(
            "a route of IPv6 by a neighbour of which no port is said",
            json!({"spec": {"routes6": [{"prefix": "::/0", "via": "fe80::1"}]}}),
            422,
            &["/spec/routes6/0/port"],
        ),
        put_node(
            "a garden whose portal is not in it",
            json!({"spec": {"garden": {"portal": "http://192.0.2.80/", "allowed": ["192.0.2.66/32"]}}}),
            422,
            &["/spec/garden/portal"],
        ),
        put_node(
            "a portal that is none",
            json!({"spec": {"garden": {"portal": "javascript:alert(1)", "allowed": []}}}),
            422,
            &["/spec/garden/portal"],
        ),
        put_node(
            "a log for nobody",
            json!({"spec": {"natLog": {"collector": "collector.example:4739"}}}),
            422,
            &["/spec/natLog/collector"],
        ),
        case("a node in use", Method::DELETE, "/api/v1/nodes/node1", "", 409, &["/metadata/name"]),
        put_node(
            "a core port's check on an access port",
            json!({"spec": {"ports": [
                {"name": "access0", "role": "access", "reversePath": "strict"},
                {"name": "core0", "role": "core", "addresses": ["192.0.2.2/30"]},
            ]}}),
            422,
            &["/spec/ports/0/reversePath"],
        ),
    ]
}

fn pools() -> Vec<Case> {
    let inside =
        json!({"node": "node1", "purpose": "subscriber", "prefix": "100.70.0.0/16", "gateway": "100.70.0.1"});
    let with = |edit: Value| edited(inside.clone(), edit);
    vec![
        pool("unknown node", &with(json!({"node": "node9"})), 422, &["/spec/node"]),
        pool(
            "overlap",
            &with(json!({"prefix": "100.64.8.0/24", "gateway": "100.64.8.1"})),
            409,
            &["/spec/prefix"],
        ),
        pool(
            "overlaps a link",
            &with(json!({"prefix": "192.0.2.0/29", "gateway": "192.0.2.6"})),
            409,
            &["/spec/prefix"],
        ),
        pool("family", &with(json!({"prefix": "2001:db8::/48"})), 422, &["/spec/prefix"]),
        pool(
            "IPv6 with a gateway",
            &with(json!({"purpose": "link6", "prefix": "2001:db8::/48"})),
            422,
            &["/spec/gateway"],
        ),
        pool(
            "too little to delegate",
            &json!({"node": "node1", "purpose": "delegated6", "prefix": "2001:db8::/60", "delegatedLength": 56}),
            422,
            &["/spec/delegatedLength"],
        ),
        pool("gateway outside", &with(json!({"gateway": "100.71.0.1"})), 422, &["/spec/gateway"]),
        pool("ports", &with(json!({"portsPerSubscriber": 256})), 422, &["/spec/portsPerSubscriber"]),
        case("a pool in use", Method::DELETE, "/api/v1/addresspools/inside", "", 409, &["/metadata/name"]),
        case(
            "a NAT pool in use",
            Method::DELETE,
            "/api/v1/addresspools/public",
            "",
            409,
            &["/metadata/name"],
        ),
        case(
            "a routed pool in use",
            Method::DELETE,
            "/api/v1/addresspools/business",
            "",
            409,
            &["/metadata/name"],
        ),
        case(
            "a pool's prefix",
            Method::PATCH,
            "/api/v1/addresspools/inside",
            json!({"spec": {"prefix": "100.64.0.0/17"}}),
            409,
            &["/spec/prefix"],
        ),
        case(
            "a pool's ports",
            Method::PATCH,
            "/api/v1/addresspools/public",
            json!({"spec": {"portsPerSubscriber": 512}}),
            409,
            &["/spec/portsPerSubscriber"],
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let subscribers = "/api/v1/subscribers";
    let alice = "/api/v1/subscribers/alice";
    vec![
        case("malformed", Method::POST, subscribers, "{\"kind\":", 400, &[""]),
        case(
            "malformed in the spec",
            Method::POST,
            subscribers,
            "{\"kind\":\"Subscriber\",\n\"spec\":{,}}",
            400,
            &[""],
        ),
        case(
            "two values",
            Method::POST,
            subscribers,
            subscriber("carol", 1, 1).to_string() + "{}",
            400,
            &[""],
        ),
        case("not UTF-8 or JSON", Method::POST, subscribers, "\u{0}", 400, &[""]),
        case("nothing", Method::POST, subscribers, "", 400, &[""]),
        case("an array", Method::POST, subscribers, "[]", 422, &[""]),
        case("an array for a spec", Method::PATCH, alice, json!({"spec": []}), 422, &["/spec"]),
        case(
            "an array of an access's values",
            Method::PATCH,
            alice,
            json!({"spec": {"access": ["node1", "access0", 100, 7]}}),
            422,
            &["/spec/access"],
        ),
        case(
            "an array of metadata's values",
            Method::POST,
            subscribers,
            edited(subscriber("carol", 1, 1), json!({"metadata": ["carol"]})),
            422,
            &["/metadata"],
        ),
        case(
            "an array of a transaction's values",
            Method::POST,
            "/api/v1/transactions",
            json!([[{"op": "create", "object": subscriber("carol", 1, 1)}]]),
            422,
            &[""],
        ),
        case(
            "an array of an operation's values",
            Method::POST,
            "/api/v1/transactions",
            json!({"operations": [["create", subscriber("carol", 1, 1)]]}),
            422,
            &["/operations/0"],
        ),
        case(
            "an array of a target's values",
            Method::POST,
            "/api/v1/transactions",
            json!({"operations": [{"op": "delete", "object": ["Subscriber", ["alice"]]}]}),
            422,
            &["/operations/0/object"],
        ),
        case("10 MB", Method::POST, subscribers, "x".repeat(10 << 20), 413, &[""]),
        case("300 kB", Method::PATCH, alice, "x".repeat(300 << 10), 413, &[""]),
        case("33 MiB transaction", Method::POST, "/api/v1/transactions", "x".repeat(33 << 20), 413, &[""]),
        case("deep nesting", Method::POST, subscribers, "[".repeat(100_000), 400, &[""]),
        case(
            "twice the same field",
            Method::POST,
            subscribers,
            subscriber("carol", 1, 1).to_string().replace("\"cVid\":1", "\"cVid\":1,\"cVid\":2"),
            422,
            &["/spec/access/cVid"],
        ),
    ]
}

fn requests() -> Vec<Case> {
    let subscribers = "/api/v1/subscribers";
    let alice = "/api/v1/subscribers/alice";
    let tenant = "/api/v1/tenants/alice-volt";
    vec![
        case("another name", Method::PUT, alice, subscriber("carol", 1, 1), 422, &["/metadata/name"]),
        case(
            "patch to VLAN 0",
            Method::PATCH,
            alice,
            json!({"spec": {"access": {"sVid": 0}}}),
            422,
            &["/spec/access/sVid"],
        ),
        case(
            "patch of the name",
            Method::PATCH,
            alice,
            json!({"metadata": {"name": "carol"}}),
            422,
            &["/metadata/name"],
        ),
        case("patch of nobody", Method::PATCH, "/api/v1/subscribers/nobody", "{}", 404, &["/metadata/name"]),
        case(
            "another's uid",
            Method::PATCH,
            alice,
            json!({"metadata": {"uid": "x"}}),
            409,
            &["/metadata/uid"],
        ),
        case(
            "an old version",
            Method::PATCH,
            alice,
            json!({"metadata": {"resourceVersion": 1}}),
            409,
            &["/metadata/resourceVersion"],
        ),
        case(
            "a tenant follows",
            Method::PATCH,
            tenant,
            json!({"spec": {"attributes": {"a": 1}}}),
            409,
            &["/metadata/ownerReferences"],
        ),
        case("a tenant follows", Method::DELETE, tenant, "", 409, &["/metadata/ownerReferences"]),
        case("no such kind", Method::GET, "/api/v1/gizmos", "", 404, &[]),
        case("no such path", Method::GET, "/api/v2/nodes", "", 404, &[]),
        case("no such object", Method::GET, "/api/v1/nodes/nobody", "", 404, &["/metadata/name"]),
        case("no such name", Method::GET, "/api/v1/nodes/%2e%2e", "", 404, &["/metadata/name"]),
        case("method", Method::DELETE, subscribers, "", 405, &[]),
        case("limit 0", Method::GET, "/api/v1/nodes?limit=0", "", 400, &["limit"]),
        case("limit", Method::GET, "/api/v1/nodes?limit=1001", "", 400, &["limit"]),
        case("continue", Method::GET, "/api/v1/nodes?continue=x", "", 400, &["continue"]),
        case("the future", Method::GET, "/api/v1/nodes?watch=1&resourceVersion=999999", "", 410, &[]),
        case("the future's page", Method::GET, "/api/v1/nodes?continue=999999.a", "", 410, &[]),
        case(
            "revision",
            Method::GET,
            "/api/v1/nodes?watch=1&resourceVersion=-1",
            "",
            400,
            &["resourceVersion"],
        ),
        case("selector", Method::GET, "/api/v1/nodes?labelSelector=a%20b", "", 400, &["labelSelector"]),
        case("field", Method::GET, "/api/v1/nodes?fieldSelector=spec", "", 400, &["fieldSelector"]),
        case("no such field", Method::GET, "/api/v1/nodes?fieldSelector=name=x", "", 400, &["fieldSelector"]),
        case(
            "field of a watch",
            Method::GET,
            "/api/v1/nodes?watch=1&fieldSelector=spec..a=x",
            "",
            400,
            &["fieldSelector"],
        ),
        case("unknown parameter", Method::GET, "/api/v1/nodes?colour=red", "", 400, &["query"]),
        case("dryRun", Method::DELETE, "/api/v1/subscribers/alice?dryRun=Some", "", 400, &["dryRun"]),
        case(
            "token of nobody",
            Method::POST,
            "/api/v1/nodes/nobody/join-token",
            "",
            404,
            &["/metadata/name"],
        ),
    ]
}

fn transactions() -> Vec<Case> {
    let transaction = |why, operations: Value, status, places| {
        case(why, Method::POST, "/api/v1/transactions", json!({"operations": operations}), status, places)
    };
    let create = |object: Value| json!({"op": "create", "object": object});
    let good = create(subscriber("dave", 1, 1));
    let vlan = create(subscriber("erin", 0, 1));
    let tags = create(subscriber("erin", 1, 1));
    let tenant = create(json!({"kind": "Tenant", "metadata": {"name": "x"}, "spec": {
        "tenant": {"kind": "Service", "name": "web"}, "provider": "db", "connect": "shared"}}));
    let delete = |kind: &str, name: &str| json!({"op": "delete", "object": {"kind": kind, "metadata": {"name": name}}});
    vec![
        transaction(
            "all faults",
            json!([good, vlan, vlan]),
            422,
            &["/operations/1/object/spec/access/sVid", "/operations/2/object/spec/access/sVid"],
        ),
        transaction(
            "a conflict within",
            json!([good, tags]),
            409,
            &["/operations/1/object/spec/access/cVid"],
        ),
        transaction(
            "good, then bad",
            json!([good, delete("Node", "node1")]),
            409,
            &["/operations/1/object/metadata/name"],
        ),
        transaction(
            "nobody",
            json!([good, delete("Subscriber", "nobody")]),
            404,
            &["/operations/1/object/metadata/name"],
        ),
        transaction(
            "update of nobody",
            json!([{"op": "update", "object": subscriber("erin", 1, 1)}]),
            404,
            &["/operations/0/object/metadata/name"],
        ),
        transaction(
            "nobody to be a tenant of",
            json!([good, tenant]),
            422,
            &["/operations/1/object/spec/tenant/name"],
        ),
        transaction(
            "a tenant follows",
            json!([delete("Tenant", "alice-volt")]),
            409,
            &["/operations/0/object/metadata/ownerReferences"],
        ),
        transaction("op", json!([{"op": "upsert", "object": {}}]), 422, &["/operations/0/op"]),
        transaction("field", json!([{"op": "create", "object": {}, "x": 1}]), 422, &["/operations/0/x"]),
        transaction("no kind", json!([{"op": "create", "object": {}}]), 422, &["/operations/0/object/kind"]),
        transaction(
            "too many",
            Value::Array(vec![json!({"op": "delete", "object": 1}); 20_001]),
            422,
            &["/operations"],
        ),
        case("no operations", Method::POST, "/api/v1/transactions", "{}", 422, &["/operations"]),
    ]
}

#[test]
fn bad_input_says_where_and_changes_nothing() {
    run(async {
        let controller = Controller::with_office().await;
        let bob = json!({"spec": {"bundle": {"nat": false}, "subnet": "203.0.113.8/29"}});
        for good in [subscriber("alice", 100, 7), edited(subscriber("bob", 100, 8), bob)] {
            let answer = controller.call(Method::POST, "/api/v1/subscribers", &good).await;
            assert_eq!(answer.status, 201, "{answer:?}");
        }
        let revision = controller.revision().await;
        let claims = controller.figure("wirecenter_store_claims ").await;
        let cases = [subscribers(), nodes(), pools(), bodies(), requests(), transactions()];
        for Case { why, method, path, body, status, places } in cases.into_iter().flatten() {
            let kind =
                if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
            let mut client = controller.client().await;
            let answer = client.call(method.clone(), path, &[("content-type", kind)], body.clone()).await;
            let answer = answer.unwrap_or_else(|e| panic!("{why}: {e}"));
            let shown: String = body.chars().take(400).collect();
            assert_eq!(answer.status, status, "{why}: {method} {path} {shown}: {answer:?}");
            assert_eq!(answer.places(), places, "{why}: {method} {path} {shown}: {answer:?}");
            assert_eq!(controller.revision().await, revision, "{why} has changed something");
        }
        assert_eq!(controller.figure("wirecenter_store_claims ").await, claims);
    });
}

#[test]
fn malformed_json_has_its_position_and_conflicts_name_the_other() {
    run(async {
        let controller = Controller::with_office().await;
        let mut client = controller.client().await;
        let answer =
            client.call(Method::POST, "/api/v1/subscribers", &[], "{\n \"kind\": x}").await.expect("answers");
        let detail = answer.json()["detail"].as_str().expect("text").to_owned();
        assert!(detail.contains("line 2, column 10"), "{detail}");
        let post = async |object: &Value| controller.call(Method::POST, "/api/v1/subscribers", object).await;
        assert_eq!(post(&subscriber("alice", 1, 1)).await.status, 201);
        let answer = post(&subscriber("bob", 1, 1)).await;
        assert!(answer.json()["detail"].as_str().expect("text").contains("Subscriber alice"), "{answer:?}");
        let answer =
            client.call(Method::POST, "/api/v1/subscribers", &[("content-type", "text/plain")], "{}").await;
        assert_eq!(answer.expect("answers").status, 415);
    });
}
