//! Pages of a list, exact while everything changes.

use hyper::Method;
use serde_json::{Value, json};

use crate::controller::{Controller, edited, run, subscriber};

fn name(i: u16) -> String {
    format!("s{i:03}")
}

async fn fill(controller: &Controller, numbers: std::ops::Range<u16>) {
    let operations: Vec<_> = numbers
        .map(|i| {
            let labels = json!({"metadata": {"labels": {"third": (i % 3).to_string()}}});
            json!({"op": "create", "object": edited(subscriber(&name(i), 1, i + 1), labels)})
        })
        .collect();
    let answer =
        controller.call(Method::POST, "/api/v1/transactions", &json!({"operations": operations})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().expect("items").clone()
}

#[test]
fn pages_are_of_one_revision() {
    run(async {
        let controller = Controller::with_office().await;
        fill(&controller, 0..50).await;
        let whole = controller.get("/api/v1/subscribers?limit=1000").await.json();
        let mut seen = Vec::new();
        let mut path = "/api/v1/subscribers?limit=7".to_owned();
        for round in 0..20 {
            let page = controller.get(&path).await.json();
            assert_eq!(page["metadata"]["resourceVersion"], whole["metadata"]["resourceVersion"]);
            seen.extend(items(&page));
            let Some(token) = page["metadata"]["continue"].as_str() else { break };
            path = format!("/api/v1/subscribers?limit=7&continue={token}");
            // Ahead of the pages and behind them, objects come, go and change.
            for i in [2 * round, 49 - 2 * round] {
                let object = format!("/api/v1/subscribers/{}", name(i));
                let method = if i % 2 == 0 { Method::DELETE } else { Method::PATCH };
                controller.call(method, &object, &json!({"spec": {"state": "suspended"}})).await;
            }
            fill(&controller, 100 + round..101 + round).await;
        }
        assert_eq!(seen, items(&whole));
        let now = items(&controller.get("/api/v1/subscribers").await.json());
        assert_ne!(now, seen);
    });
}

#[test]
fn selectors_pick() {
    run(async {
        let controller = Controller::with_office().await;
        fill(&controller, 0..20).await;
        let mut found = Vec::new();
        let mut path = "/api/v1/subscribers?limit=2&labelSelector=third%3D1".to_owned();
        loop {
            let page = controller.get(&path).await.json();
            let names = items(&page)
                .iter()
                .map(|item| item["metadata"]["name"].as_str().expect("text").to_owned())
                .collect::<Vec<_>>();
            assert!((1..=2).contains(&names.len()));
            found.extend(names);
            let Some(token) = page["metadata"]["continue"].as_str() else { break };
            path = format!("/api/v1/subscribers?limit=2&labelSelector=third%3D1&continue={token}");
        }
        assert_eq!(found, (0..20).filter(|i| i % 3 == 1).map(name).collect::<Vec<_>>());
    });
}

#[test]
fn fields_pick() {
    run(async {
        let controller = Controller::with_office().await;
        fill(&controller, 0..6).await;
        let suspended = json!({"spec": {"state": "suspended"}});
        controller.call(Method::PATCH, "/api/v1/subscribers/s004", &suspended).await;
        let names = async |selectors: &str| {
            let page = controller.get(&format!("/api/v1/subscribers?limit=1000&{selectors}")).await.json();
            let names = items(&page).into_iter().map(|item| item["metadata"]["name"].clone());
            names.map(|name| name.as_str().expect("text").to_owned()).collect::<Vec<_>>()
        };
        for (selectors, expected) in [
            ("fieldSelector=spec.access.node%3Dnode1,metadata.name!%3Ds000", &[1, 2, 3, 4, 5][..]),
            ("fieldSelector=spec.access.cVid%3D%3D4", &[3]),
            ("fieldSelector=spec.state=suspended", &[4]),
            ("fieldSelector=spec.state=active&labelSelector=third%3D1", &[1]),
            ("fieldSelector=spec.access.node%3Dnode9", &[]),
        ] {
            let expected = expected.iter().map(|i| name(*i)).collect::<Vec<_>>();
            assert_eq!(names(selectors).await, expected, "{selectors}");
        }
        let tenants = "/api/v1/tenants?fieldSelector=spec.tenant.name%3Ds003-volt";
        assert_eq!(items(&controller.get(tenants).await.json()).len(), 1);
    });
}

#[test]
fn a_page_from_before_a_restart_is_gone() {
    run(async {
        let mut controller = Controller::with_office().await;
        fill(&controller, 0..5).await;
        let page = controller.get("/api/v1/subscribers?limit=2").await.json();
        let path = format!(
            "/api/v1/subscribers?continue={}",
            page["metadata"]["continue"].as_str().expect("a token")
        );
        fill(&controller, 5..6).await;
        controller.kill();
        controller.start_again().await;
        assert_eq!(controller.get(&path).await.status, 410);
    });
}
