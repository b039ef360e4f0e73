use axum::{body::Body, http::StatusCode, response::IntoResponse as _};

use super::{Bodies, STEP};
use crate::http::limits::{BODIES_BYTES_MAX, BODIES_TIMEOUT, TRANSACTION_BYTES_MAX};

fn run<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime").block_on(test)
}

#[test]
fn a_body_holds_its_room_until_it_is_dropped_and_who_finds_none_is_told_when_to_come_back() {
    run(async {
        let bodies = Bodies::default();
        let whole = || Body::from(vec![b' '; TRANSACTION_BYTES_MAX]);
        let mut held = Vec::new();
        for _ in 0..BODIES_BYTES_MAX / TRANSACTION_BYTES_MAX {
            held.push(bodies.read(whole(), TRANSACTION_BYTES_MAX).await.expect("room"));
        }
        assert_eq!(bodies.0.available_permits(), 0);
        let refused = bodies.read(Body::from("{}"), STEP).await.expect_err("no room").into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], BODIES_TIMEOUT.as_secs().to_string());
        held.pop();
        let (bytes, _room) = bodies.read(Body::from("{}"), STEP).await.expect("room again");
        assert_eq!(bytes, b"{}");
    });
}

#[test]
fn a_body_that_is_too_long_leaves_nothing_behind() {
    run(async {
        let bodies = Bodies::default();
        let refused = bodies.read(Body::from(vec![b' '; STEP + 1]), STEP).await.expect_err("too long");
        assert_eq!(refused.into_response().status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(bodies.0.available_permits(), BODIES_BYTES_MAX / STEP);
    });
}
