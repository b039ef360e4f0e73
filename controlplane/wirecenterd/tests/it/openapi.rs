//! The API held against its own description.

use hyper::{Method, StatusCode};
use serde_json::Value;

use crate::controller::{Controller, run};

#[test]
fn every_operation_that_is_described_has_a_route_and_no_route_has_another() {
    run(async {
        let controller = Controller::start().await;
        let document = controller.get("/openapi.json").await.json();
        for (path, at) in document["paths"].as_object().expect("paths") {
            let path = path.replace("{name}", "example").replace("{id}", "example");
            let answer = controller.call(Method::OPTIONS, &path, &Value::Null).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            let allowed = answer.headers["allow"].to_str().expect("text").to_ascii_lowercase();
            let mut allowed: Vec<_> = allowed.split(',').filter(|method| *method != "head").collect();
            allowed.sort_unstable();
            let described = at.as_object().expect("methods").keys().map(String::as_str);
            let described: Vec<_> = described.filter(|key| *key != "parameters").collect();
            assert_eq!(allowed, described, "{path}");
        }
    });
}

#[test]
fn a_stranger_may_read_what_the_api_is_and_nothing_of_what_is_there() {
    run(async {
        let controller = Controller::start().await;
        let asked = |path| controller.call_as("nobody", Method::GET, path, &Value::Null);
        assert_eq!(asked("/openapi.json").await.status, StatusCode::OK);
        assert_eq!(asked("/api/v1/nodes").await.status, StatusCode::UNAUTHORIZED);
    });
}
