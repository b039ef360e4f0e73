use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use super::{binding, make, object, token, two_sites, user};
use crate::controller::{Controller, run};

async fn items(controller: &Controller, query: &str) -> Vec<Value> {
    let answer = controller.get(&format!("/api/v1/audit{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().expect("items").clone()
}

/// What is told, once so much of it is: refusals are written beside the requests.
pub(super) async fn until(controller: &Controller, query: &str, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let found = items(controller, query).await;
        if found.len() >= count {
            assert_eq!(found.len(), count, "{found:?}");
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not told: {query}");
}

#[test]
fn every_change_is_told_with_what_it_was_before() {
    run(async {
        let mut controller = Controller::start().await;
        two_sites(&controller).await;
        make(&controller, &[user("ann"), binding("ann", "site-admin", "Site/north")]).await;
        let ann = token(&controller, "ann").await;
        let patch = json!({"spec": {"description": "Films"}});
        let answer = controller.call_as(&ann, Method::PATCH, "/api/v1/slices/cdn", &patch).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = controller.call_as(&ann, Method::DELETE, "/api/v1/networks/cdn-lan", &Value::Null).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        // Neither a dry run nor what changes nothing.
        let dry = "/api/v1/slices/cdn?dryRun=All";
        assert_eq!(controller.call_as(&ann, Method::DELETE, dry, &Value::Null).await.status, 200);
        assert_eq!(controller.call_as(&ann, Method::PATCH, "/api/v1/slices/cdn", &patch).await.status, 200);
        controller.kill();
        controller.start_again().await;

        let told = items(&controller, "?user=ann").await;
        let seen: Vec<_> =
            told.iter().map(|item| format!("{} {} {}", item["verb"], item["kind"], item["name"])).collect();
        assert_eq!(
            seen,
            [r#""delete" "Network" "cdn-lan""#, r#""update" "Slice" "cdn""#],
            "the newest first"
        );
        assert_eq!(told[0]["object"]["spec"]["slice"], "cdn");
        let change = &told[1];
        assert_eq!(change["patch"]["spec"], json!({"description": "Films"}));
        assert!(
            change["before"].as_u64() < change["after"].as_u64() && change["before"].is_u64(),
            "{change}"
        );
        assert_eq!(change["from"], "socket uid:0");
        assert!(change["request"].is_string() && change["time"].is_string());
        // Root's, and what is no object.
        let token_made = items(&controller, "?kind=users/tokens").await;
        assert_eq!((token_made.len(), token_made[0]["user"].as_str()), (1, Some("uid:0")));
        let made = items(&controller, "?kind=Slice&name=web").await;
        assert_eq!((made.len(), made[0]["verb"].as_str()), (1, Some("create")));
        assert_eq!(made[0]["object"]["spec"]["site"], "south");
        assert!(controller.figure("wirecenter_audit_records ").await >= 5);
        // By pages, all of it once.
        let whole = items(&controller, "?limit=1000").await;
        let (mut pages, mut next) = (Vec::new(), String::new());
        loop {
            let page = controller.get(&format!("/api/v1/audit?limit=3{next}")).await.json();
            pages.extend(page["items"].as_array().expect("items").clone());
            match page["metadata"]["continue"].as_str() {
                Some(token) => next = format!("&continue={token}"),
                None => break,
            }
        }
        assert_eq!(pages, whole);
        let since = change["time"].as_str().expect("a time");
        assert!(items(&controller, &format!("?since={since}")).await.contains(change));
        assert!(!items(&controller, &format!("?until={since}")).await.contains(change));
        assert_eq!(controller.get("/api/v1/audit?since=monday").await.places(), ["since"]);
        assert_eq!(controller.get("/api/v1/audit?continue=x").await.places(), ["continue"]);
    });
}

#[test]
fn refusals_are_told_and_a_flood_of_them_is_only_counted() {
    run(async {
        let controller = Controller::start().await;
        two_sites(&controller).await;
        make(&controller, &[user("ann"), binding("ann", "slice-user", "Slice/cdn")]).await;
        let ann = token(&controller, "ann").await;
        let mut client = controller.client().await;
        let authorization = format!("Bearer {ann}");
        let headers = [("authorization", authorization.as_str())];
        let answer = client.call(Method::DELETE, "/api/v1/slices/cdn", &headers, "").await.expect("answers");
        assert_eq!(answer.status, 403);
        let told = until(&controller, "?user=ann", 1).await;
        assert_eq!((told[0]["outcome"].as_str(), told[0]["status"].as_u64()), (Some("refused"), Some(403)));
        assert_eq!((told[0]["verb"].as_str(), told[0]["kind"].as_str()), (Some("delete"), Some("slices")));
        assert_eq!(told[0]["request"].as_str(), answer.headers["x-request-id"].to_str().ok());
        // What admission refuses is told too, of root as well.
        let bad = object("Slice", "x", json!({"site": "nowhere"}));
        assert_eq!(controller.call(Method::POST, "/api/v1/slices", &bad).await.status, 422);
        let told = until(&controller, "?user=uid:0&kind=slices", 1).await;
        assert_eq!((told[0]["status"].as_u64(), told[0]["outcome"].as_str()), (Some(422), Some("refused")));
        // Who may not read the log does not.
        assert_eq!(
            client.call(Method::GET, "/api/v1/audit", &headers, "").await.expect("answers").status,
            403
        );
        for _ in 0..500 {
            let answer = client.call(Method::GET, "/api/v1/sites", &headers, "").await.expect("answers");
            assert_eq!(answer.status, 403);
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let answer = client.call(Method::GET, "/api/v1/flavors", &headers, "").await.expect("answers");
        assert_eq!(answer.status, 403);
        for _ in 0..500 {
            let told = items(&controller, "?user=ann&limit=1000").await;
            if told[0]["kind"] == "flavors" {
                let left_out: u64 = told.iter().filter_map(|item| item["leftOut"].as_u64()).sum();
                assert!(told.len() < 100 && left_out > 300, "{} told, {left_out} left out", told.len());
                assert_eq!(told.len() as u64 + left_out, 503, "each is told or counted");
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the last one is not told");
    });
}
