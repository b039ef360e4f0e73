use hyper::Method;
use serde_json::{Value, json};

use super::{binding, make, token, user};
use crate::controller::{Answer, Controller, run};

const PASSWORD: &str = "correct horse battery";

async fn login(controller: &Controller, user: &str, password: &str) -> Answer {
    let body = json!({"user": user, "password": password});
    controller.call(Method::POST, "/api/v1/login", &body).await
}

#[test]
fn a_password_is_good_for_a_token_and_is_stored_nowhere() {
    run(async {
        let mut controller = Controller::start().await;
        make(&controller, &[user("ann"), user("bob"), binding("ann", "office-viewer", "Office")]).await;
        let (ann, bob) = (token(&controller, "ann").await, token(&controller, "bob").await);
        let path = "/api/v1/users/ann/password";
        let set = async |token: &str, password: &str| {
            controller.call_as(token, Method::PUT, path, &json!({"password": password})).await
        };
        let short = set(&ann, "too short").await;
        assert_eq!((short.status.as_u16(), short.places()), (422, vec!["/password".to_owned()]));
        assert_eq!(set(&bob, PASSWORD).await.status, 403);
        assert_eq!(set(&ann, PASSWORD).await.status, 204);
        let answer = login(&controller, "ann", PASSWORD).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let session = answer.json()["token"].as_str().expect("a token").to_owned();
        let sees = async |token: &str| {
            controller.call_as(token, Method::GET, "/api/v1/sites", &Value::Null).await.status.as_u16()
        };
        assert_eq!(sees(&session).await, 200);
        // A new password ends what the old one began, and leaves other tokens.
        assert_eq!(set(&ann, "another fine password").await.status, 204);
        assert_eq!((sees(&session).await, sees(&ann).await), (401, 200));
        assert_eq!(login(&controller, "ann", PASSWORD).await.status, 401);
        controller.kill();
        controller.start_again().await;
        assert_eq!(login(&controller, "ann", "another fine password").await.status, 201);
        let shown = controller.get("/api/v1/users/ann").await;
        assert!(!String::from_utf8_lossy(&shown.body).contains("argon2"), "{shown:?}");
        let disabled = json!({"spec": {"enabled": false}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/users/ann", &disabled).await.status, 200);
        assert_eq!(login(&controller, "ann", "another fine password").await.status, 401);
    });
}

#[test]
fn guessing_is_slowed_down_for_the_one_user_only_and_told() {
    run(async {
        let controller = Controller::start().await;
        make(&controller, &[user("ann"), user("bob")]).await;
        for name in ["ann", "bob"] {
            let path = format!("/api/v1/users/{name}/password");
            let answer = controller.call(Method::PUT, &path, &json!({"password": PASSWORD})).await;
            assert_eq!(answer.status, 204, "{answer:?}");
        }
        let mut said = Vec::new();
        for _ in 0..5 {
            let wrong = login(&controller, "ann", "not this one, surely").await;
            assert_eq!(wrong.status, 401);
            said.push(wrong.json()["detail"].as_str().expect("a detail").replace("ann", "USER"));
        }
        let beyond = login(&controller, "ann", PASSWORD).await;
        assert_eq!(beyond.status, 429, "even if it is right");
        assert!(beyond.headers.contains_key("retry-after"));
        assert_eq!(login(&controller, "bob", PASSWORD).await.status, 201);
        // Nobody learns which users there are.
        let unknown = login(&controller, "nobody", PASSWORD).await;
        assert_eq!(unknown.status, 401);
        assert_eq!(unknown.json()["detail"].as_str().expect("a detail").replace("nobody", "USER"), said[0]);
        let told = super::audit::until(&controller, "?kind=login", 6).await;
        assert!(told.iter().all(|item| item["outcome"] == "refused" && item["status"] == 401), "{told:?}");
        assert!(told.iter().all(|item| !item.to_string().contains("surely")), "no password is told");
    });
}
