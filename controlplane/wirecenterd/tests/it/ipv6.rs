//! IPv6 of subscribers: what they are given of it, and what their node is told.

use hyper::{Method, StatusCode};
use node_state::ResourceKey;
use serde_json::{Value, json};

use crate::{
    access::make,
    controller::{Controller, edited, run, subscriber},
    fake_node::{FakeNode, ready, token, until, until_ready},
    references::object,
};

const ALICE: &str = "/api/v1/subscribers/alice";

fn with_ipv6(name: &str, c_vid: u16) -> Value {
    edited(subscriber(name, 100, c_vid), json!({"spec": {"bundle": {"ipv6": true}}}))
}

/// An office whose node has two links and as many delegated prefixes to give.
async fn office() -> Controller {
    let controller = Controller::with_office().await;
    let links =
        json!({"node": "node1", "purpose": "link6", "prefix": "2001:db8:100::/63", "leaseSeconds": 1200});
    let homes = json!({"node": "node1", "purpose": "delegated6", "prefix": "2001:db8:8000::/55"});
    make(&controller, &[object("AddressPool", "links", &links), object("AddressPool", "homes", &homes)])
        .await;
    controller
}

#[test]
fn ipv6_is_given_kept_and_given_back() {
    run(async {
        let controller = office().await;
        let post = async |object: Value| controller.call(Method::POST, "/api/v1/subscribers", &object).await;
        let claims = controller.figure("wirecenter_store_claims ").await;
        let first = json!({
            "link": "2001:db8:100::/64", "address": "2001:db8:100::1", "delegated": "2001:db8:8000::/56"
        });
        let second = json!({
            "link": "2001:db8:100:1::/64", "address": "2001:db8:100:1::1", "delegated": "2001:db8:8000:100::/56"
        });
        for (name, c_vid, expected) in [("alice", 1, &first), ("bob", 2, &second)] {
            let made = post(with_ipv6(name, c_vid)).await;
            assert_eq!(
                (made.status, &made.json()["status"]["ipv6"]),
                (StatusCode::CREATED, expected),
                "{name}"
            );
            for (service, at) in [("vcpe", "ipv6"), ("vbng", "ipv6")] {
                let tenant = controller.get(&format!("/api/v1/tenants/{name}-{service}")).await.json();
                assert_eq!(&tenant["spec"]["attributes"][at], expected, "{service}");
            }
        }
        assert_eq!(controller.figure("wirecenter_store_claims ").await, claims + 2 * (4 + 2));
        // There are two of each, and a refused one takes nothing.
        let full = post(with_ipv6("carol", 3)).await;
        assert_eq!((full.status, full.places()), (StatusCode::CONFLICT, vec!["/spec/bundle/ipv6".into()]));
        let detail = full.json()["errors"][0]["detail"].clone();
        assert_eq!(detail, "the link6 pools of node1 (links) have no room for a /64");
        assert_eq!(post(subscriber("dave", 100, 4)).await.json()["status"].get("ipv6"), None);
        // What is in use stays as it is.
        for (pool, change, place) in [
            ("links", json!({"prefix": "2001:db8:100::/62"}), "/spec/prefix"),
            ("homes", json!({"delegatedLength": 60}), "/spec/delegatedLength"),
        ] {
            let path = format!("/api/v1/addresspools/{pool}");
            let refused = controller.call(Method::PATCH, &path, &json!({"spec": change})).await;
            assert_eq!((refused.status, refused.places()), (StatusCode::CONFLICT, vec![place.to_owned()]));
            assert_eq!(
                controller.call(Method::DELETE, &path, &Value::Null).await.status,
                StatusCode::CONFLICT
            );
        }
        // Other changes leave it alone; without IPv6 it is free, for the next one.
        let routed = json!({"spec": {"bundle": {"nat": false, "rateUp": "30M"}}});
        let alice = controller.call(Method::PATCH, ALICE, &routed).await.json();
        assert_eq!((&alice["status"]["ipv6"], &alice["status"]["nat"]), (&first, &Value::Null));
        let without = json!({"spec": {"bundle": {"ipv6": null}}});
        assert_eq!(controller.call(Method::PATCH, ALICE, &without).await.json()["status"].get("ipv6"), None);
        assert_eq!(post(with_ipv6("carol", 3)).await.json()["status"]["ipv6"], first);
        controller.call(Method::DELETE, "/api/v1/subscribers/bob", &Value::Null).await;
        let again = json!({"spec": {"bundle": {"ipv6": true}}});
        let again = controller.call(Method::PATCH, ALICE, &again).await.json();
        assert_eq!(again["status"]["ipv6"], second);
    });
}

#[test]
fn a_node_is_told_of_lines_and_routes_of_ipv6() {
    run(async {
        let controller = office().await;
        let node = FakeNode::with_token(&token(&controller).await);
        let _link = node.start(&controller);
        let dns = json!({"spec": {"bundle": {"dns6": ["2001:db8::53"]}}});
        let alice = edited(with_ipv6("alice", 7), dns);
        controller.call(Method::POST, "/api/v1/subscribers", &alice).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
        let line = node.session("alice").and_then(|session| session.ipv6).expect("IPv6");
        assert_eq!(
            serde_json::to_value(line).expect("JSON"),
            json!({"link": "2001:db8:100::/64", "address": "2001:db8:100::1", "delegated": "2001:db8:8000::/56",
                   "autonomous": true, "dnsServers": ["2001:db8::53"], "preferredSeconds": 600, "validSeconds": 1200})
        );
        for prefix in ["2001:db8:100::/63", "2001:db8:8000::/55"] {
            let key = ResourceKey::from(format!("route6/{prefix}"));
            let route = node.inner().held.get(&key).cloned().expect("a route");
            assert_eq!(serde_json::to_value(route).expect("JSON")["target"], "pool");
        }
        // The way upstream, which no pool may lie under.
        let upstream = json!({"spec": {"routes6": [{"prefix": "::/0", "via": "fe80::1", "port": "core0"}]}});
        let answer = controller.call(Method::PATCH, "/api/v1/nodes/node1", &upstream).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let route = until("a default route", async || {
            node.inner().held.get(&ResourceKey::from("route6/::/0".to_owned())).cloned()
        })
        .await;
        let via = json!({"via": {"gateway": "fe80::1", "port": "core0"}});
        assert_eq!(serde_json::to_value(route).expect("JSON")["target"], via);
        let under = json!({"spec": {"routes6": [{"prefix": "2001:db8:100::/64", "via": "fe80::1", "port": "core0"}]}});
        let refused = controller.call(Method::PATCH, "/api/v1/nodes/node1", &under).await;
        let place = vec!["/spec/routes6/0/prefix".to_owned()];
        assert_eq!((refused.status, refused.places()), (StatusCode::CONFLICT, place));
        // What is said for all of a service is for those who have it.
        let for_all = json!({"spec": {"attributes": {"dns6": ["2001:db8::54"]}}});
        let answer = controller.call(Method::PATCH, "/api/v1/services/vcpe", &for_all).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let own = json!({"spec": {"bundle": {"dns6": null}}});
        let patched = controller.call(Method::PATCH, ALICE, &own).await.json();
        assert_eq!(ready(&patched).1, "Progressing");
        until("the resolver for all", async || {
            let line = node.session("alice")?.ipv6?;
            (line.dns_servers == ["2001:db8::54".parse::<std::net::Ipv6Addr>().ok()?]).then_some(())
        })
        .await;
        let without = json!({"spec": {"bundle": {"ipv6": false}}});
        controller.call(Method::PATCH, ALICE, &without).await;
        until("no IPv6 any more", async || node.session("alice")?.ipv6.is_none().then_some(())).await;
        controller.call(Method::DELETE, "/api/v1/addresspools/links", &Value::Null).await;
        until("no route any more", async || {
            let key = ResourceKey::from("route6/2001:db8:100::/63".to_owned());
            (!node.inner().held.contains_key(&key)).then_some(())
        })
        .await;
    });
}
