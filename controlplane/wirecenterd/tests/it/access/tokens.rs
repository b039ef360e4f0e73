use hyper::Method;
use serde_json::{Value, json};

use super::{binding, make, pass, soon, token, user};
use crate::{
    controller::{Controller, run},
    secrets::leaks,
};

#[test]
fn the_first_administrator_is_made_once_and_may_do_everything() {
    run(async {
        let mut controller = Controller::start().await;
        let admin = controller.first_token();
        let who = controller.call_as(&admin, Method::GET, "/api/v1/whoami", &Value::Null).await.json();
        assert_eq!((who["user"].as_str(), who["via"].as_str()), (Some("admin"), Some("token")));
        assert_eq!(who["bindings"][0]["role"], "office-admin");
        assert_eq!(who["bindings"][0]["scope"], json!({"kind": "Office"}));
        let site = json!({"kind": "Site", "metadata": {"name": "north"}, "spec": {}});
        assert_eq!(controller.call_as(&admin, Method::POST, "/api/v1/sites", &site).await.status, 201);
        // Neither at another start, nor when all users are gone.
        assert!(controller.terminate());
        controller.start_again().await;
        assert_eq!(controller.first_token(), admin);
        for path in ["/api/v1/rolebindings/admin", "/api/v1/users/admin"] {
            assert_eq!(controller.call(Method::DELETE, path, &Value::Null).await.status, 200);
        }
        assert_eq!(controller.call_as(&admin, Method::GET, "/api/v1/whoami", &Value::Null).await.status, 401);
        controller.kill();
        controller.start_again().await;
        assert_eq!(controller.first_token(), admin);
        assert_eq!(controller.get("/api/v1/users").await.json()["items"], json!([]));
    });
}

#[test]
fn who_does_not_say_who_it_is_gets_no_further() {
    run(async {
        let controller = Controller::start().await;
        let admin = controller.first_token();
        let twisted = admin.replace(&admin[68..], "00000000");
        for (authorization, reason) in [
            ("Bearer wct_0", "hexadecimal digits"),
            (&*format!("Bearer {twisted}"), "typing error"),
            ("Basic YWRtaW46YWRtaW4=", "of the form: Bearer"),
            ("Bearer", "of the form: Bearer"),
        ] {
            let headers = [("authorization", authorization)];
            let mut client = controller.client().await;
            let answer = client.call(Method::GET, "/api/v1/sites", &headers, "").await.expect("answers");
            assert_eq!(answer.status, 401, "{authorization}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"wirecenter\"");
            assert_eq!(answer.json()["type"], "urn:wirecenter:problem:unauthorized");
            assert!(answer.json()["detail"].as_str().is_some_and(|text| text.contains(reason)), "{answer:?}");
        }
        // What is not about the office is told to anybody.
        let headers = [("authorization", "Bearer wct_0")];
        for path in ["/healthz", "/readyz", "/version"] {
            let mut client = controller.client().await;
            assert_eq!(client.call(Method::GET, path, &headers, "").await.expect("answers").status, 200);
        }
        let mut client = controller.client().await;
        assert_eq!(client.call(Method::GET, "/metrics", &headers, "").await.expect("answers").status, 401);
    });
}

#[test]
fn another_user_of_the_machine_needs_a_token_too() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    const NOBODY: u32 = 65534;
    run(async {
        let controller = Controller::start().await;
        let socket = controller.socket();
        for (path, mode) in [(socket.parent().expect("a directory"), 0o755), (socket.as_path(), 0o666)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("can be opened");
        }
        let ask = |headers: &[&str]| {
            let mut curl = std::process::Command::new("curl");
            curl.args(["--silent", "--include", "--unix-socket"]).arg(&socket).args(headers);
            curl.arg("http://wirecenter/api/v1/users").uid(NOBODY).gid(NOBODY).current_dir("/");
            String::from_utf8(curl.output().expect("curl: apt-get install curl").stdout).expect("text")
        };
        let refused = ask(&[]);
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
        assert!(refused.contains("\r\nwww-authenticate: Bearer realm=\"wirecenter\"\r\n"), "{refused}");
        let token = format!("Authorization: Bearer {}", controller.first_token());
        assert!(ask(&["--header", &token]).starts_with("HTTP/1.1 200"));
        let told = super::audit::until(&controller, "?user=-", 1).await;
        assert_eq!(
            (told[0]["from"].as_str(), told[0]["status"].as_u64()),
            (Some("socket uid:65534"), Some(401))
        );
    });
}

#[test]
fn a_token_is_shown_once_and_ends_when_it_is_revoked_or_expires_or_its_user_ends() {
    run(async {
        let mut controller = Controller::start().await;
        make(&controller, &[user("ann"), user("bob"), binding("ann", "office-viewer", "Office")]).await;
        let tokens = "/api/v1/users/ann/tokens";
        let ann = token(&controller, "ann").await;
        let status = async |token: &str| {
            controller.call_as(token, Method::GET, "/api/v1/sites", &Value::Null).await.status.as_u16()
        };
        assert_eq!(status(&ann).await, 200);
        // By its own right, and seen afterwards without its secret.
        let in_a_moment = soon();
        let wish = json!({"name": "short", "expiresAt": in_a_moment});
        let answer = controller.call_as(&ann, Method::POST, tokens, &wish).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let short = answer.json();
        let list = controller.call_as(&ann, Method::GET, tokens, &Value::Null).await;
        assert!(!String::from_utf8_lossy(&list.body).contains("wct_"), "{list:?}");
        let items = list.json()["items"].as_array().expect("items").clone();
        assert_eq!(items.iter().map(|item| item["name"].clone()).collect::<Vec<_>>(), ["test", "short"]);
        assert!(items[0]["lastUsedAt"].is_string() && items[1]["lastUsedAt"].is_null(), "{items:?}");
        assert_eq!(status(short["token"].as_str().expect("a token")).await, 200);
        pass(in_a_moment).await;
        assert_eq!(status(short["token"].as_str().expect("a token")).await, 401);
        // What lies on the disk is no token.
        let (found, files) = leaks(&controller.data(), &[&ann[4..36], &ann[36..68]]);
        assert!(found.is_empty() && files > 0, "{found:?}");
        // Neither in the past nor for ever.
        for expires_at in ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
            let answer = controller
                .call_as(&ann, Method::POST, tokens, &json!({"name": "x", "expiresAt": expires_at}))
                .await;
            assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["/expiresAt".to_owned()]));
        }
        // Nobody makes, sees or revokes those of another.
        let bob = token(&controller, "bob").await;
        let id = items[0]["id"].as_str().expect("an id");
        for (method, path) in [
            (Method::POST, tokens.to_owned()),
            (Method::GET, tokens.to_owned()),
            (Method::DELETE, format!("{tokens}/{id}")),
        ] {
            let answer = controller.call_as(&bob, method, &path, &json!({"name": "x"})).await;
            assert_eq!(answer.status, 403, "{path}: {answer:?}");
        }
        // Durable, and revoked for good.
        controller.kill();
        controller.start_again().await;
        let status = async |token: &str| {
            controller.call_as(token, Method::GET, "/api/v1/sites", &Value::Null).await.status.as_u16()
        };
        assert_eq!(status(&ann).await, 200);
        let disabled = json!({"spec": {"enabled": false}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/users/ann", &disabled).await.status, 200);
        assert_eq!(status(&ann).await, 401, "at once");
        let enabled = json!({"spec": {"enabled": true}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/users/ann", &enabled).await.status, 200);
        assert_eq!(status(&ann).await, 200);
        assert_eq!(
            controller.call_as(&ann, Method::DELETE, &format!("{tokens}/{id}"), &Value::Null).await.status,
            204
        );
        assert_eq!(status(&ann).await, 401);
        // Also one that somebody still has to let go.
        let held = json!({"metadata": {"finalizers": ["example.net/payroll"]}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/users/bob", &held).await.status, 200);
        let whoami = "/api/v1/whoami";
        assert_eq!(controller.call_as(&bob, Method::GET, whoami, &Value::Null).await.status, 200);
        assert_eq!(controller.call(Method::DELETE, "/api/v1/users/bob", &Value::Null).await.status, 202);
        assert_eq!(controller.call_as(&bob, Method::GET, whoami, &Value::Null).await.status, 401);
        let released = json!({"metadata": {"finalizers": null}});
        assert_eq!(controller.call(Method::PATCH, "/api/v1/users/bob", &released).await.status, 200);
        make(&controller, &[user("bob")]).await;
        // Another user of the same name is another user.
        assert_eq!(controller.call(Method::DELETE, "/api/v1/users/bob", &Value::Null).await.status, 200);
        make(&controller, &[user("bob"), binding("bob", "office-viewer", "Office")]).await;
        assert_eq!(status(&bob).await, 401);
    });
}
