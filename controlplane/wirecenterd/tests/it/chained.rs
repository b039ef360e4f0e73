//! A subscriber's session follows its chain: which services there are in it, and what they say for all.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::make,
    controller::{Controller, run},
    derived::second_version,
    fake_node::{FakeNode, post, ready, token, until, until_ready},
    references::object,
};

const ALICE: &str = "/api/v1/subscribers/alice";
const BOB: &str = "/api/v1/subscribers/bob";

async fn patch(controller: &Controller, object: &str, patch: Value) {
    let answer = controller.call(Method::PATCH, object, &patch).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

fn rate(node: &FakeNode, subscriber: &str) -> Option<String> {
    Some(node.session(subscriber)?.rate_down?.rate.to_string())
}

#[test]
fn another_version_of_a_service_makes_another_session() {
    run(async {
        let controller = Controller::with_office().await;
        let node = FakeNode::with_token(&token(&controller).await);
        let _link = node.start(&controller);
        for (name, c_vid) in [("alice", 1), ("bob", 2)] {
            post(&controller, name, c_vid).await;
        }
        for path in [ALICE, BOB] {
            patch(&controller, path, json!({"spec": {"bundle": {"rateDown": null, "dns": null}}})).await;
            until_ready(&controller, path, "True", "Programmed").await;
        }
        assert_eq!(rate(&node, "alice"), None);
        let mut v2 = second_version(&controller, "vcpe").await;
        v2["spec"]["attributes"] = json!({"rateDown": "5M", "dns": ["9.9.9.9"]});
        make(&controller, &[v2]).await;
        patch(&controller, ALICE, json!({"spec": {"services": {"vcpe": "vcpe-v2"}}})).await;
        until("alice has the new one's rate", async || rate(&node, "alice").filter(|rate| rate == "5M"))
            .await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
        assert_eq!(
            node.session("alice").expect("is there").dns_servers,
            [std::net::Ipv4Addr::from([9, 9, 9, 9])]
        );
        assert_eq!(rate(&node, "bob"), None);

        // What is said for all reaches all, but for whom says otherwise; and what is no rate is refused.
        patch(&controller, "/api/v1/services/vcpe-v2", json!({"spec": {"attributes": {"rateDown": "7M"}}}))
            .await;
        until("a new rate for all", async || rate(&node, "alice").filter(|rate| rate == "7M")).await;
        patch(&controller, "/api/v1/tenants/volt-vcpe", json!({"spec": {"attributes": {"rateDown": "3M"}}}))
            .await;
        until("of the tenancy", async || rate(&node, "bob").filter(|rate| rate == "3M")).await;
        until("over that of the service", async || rate(&node, "alice").filter(|rate| rate == "3M")).await;
        let own = json!({"spec": {"bundle": {"rateDown": "100M"}}});
        patch(&controller, BOB, own).await;
        until("bob's own", async || rate(&node, "bob").filter(|rate| rate == "100M")).await;
        let guaranteed = json!({"spec": {"attributes": {"committedDown": "10M", "rateDown": null}}});
        patch(&controller, "/api/v1/tenants/volt-vcpe", guaranteed).await;
        until("what is committed to all", async || {
            let session = node.session("bob")?;
            let committed = session.committed_down?.rate.to_string();
            (session.committed_up.is_none() && committed == "10M").then_some(())
        })
        .await;
        for path in ["/api/v1/services/vcpe-v2", "/api/v1/tenants/volt-vcpe"] {
            let odd = json!({"spec": {"attributes":
                {"rateDown": "fast", "rateUp": "1M", "committedUp": "2M", "dns": ["0.0.0.0"]}}});
            let answer = controller.call(Method::PATCH, path, &odd).await;
            let places = ["rateDown", "committedUp", "dns/0"].map(|name| format!("/spec/attributes/{name}"));
            assert_eq!(
                (answer.status, answer.places()),
                (StatusCode::UNPROCESSABLE_ENTITY, places.to_vec()),
                "{path}"
            );
        }
        // And back.
        patch(&controller, ALICE, json!({"spec": {"services": null}})).await;
        patch(&controller, "/api/v1/tenants/volt-vcpe", json!({"spec": {"attributes": null}})).await;
        until("alice has none again", async || rate(&node, "alice").is_none().then_some(())).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
    });
}

#[test]
fn where_no_edge_leads_no_packet_goes() {
    run(async {
        let mut controller = Controller::with_office().await;
        let node = FakeNode::with_token(&token(&controller).await);
        let link = node.start(&controller);
        post(&controller, "alice", 1).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
        let tenancy = controller.get("/api/v1/tenants/vcpe-vbng").await.json();
        controller.call(Method::DELETE, "/api/v1/tenants/vcpe-vbng", &Value::Null).await;
        until("the session has gone", async || node.session("alice").is_none().then_some(())).await;
        let alice = until_ready(&controller, ALICE, "False", "Refused").await;
        let said = ready(&alice).2;
        assert!(said.contains("its chain (volt, vcpe) provides internet-route"), "{said}");
        // It is so after a restart, too, and the line comes back with the edge.
        controller.kill();
        link.abort();
        controller.start_again().await;
        let _link = node.start(&controller);
        let alice = until_ready(&controller, ALICE, "False", "Refused").await;
        assert_eq!(ready(&alice).2, said);
        make(&controller, &[object("Tenant", "vcpe-vbng", &tenancy["spec"])]).await;
        until("the session is back", async || node.session("alice").map(drop)).await;
        until_ready(&controller, ALICE, "True", "Programmed").await;
    });
}
