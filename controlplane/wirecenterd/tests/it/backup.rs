//! Backups, from taking one to an office that comes out of it.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::controller::{Controller, run, subscriber};

#[test]
fn an_office_comes_out_of_its_backup_as_it_was() {
    run(async {
        let controller = Controller::with_office().await;
        controller.call(Method::POST, "/api/v1/subscribers", &subscriber("alice", 100, 7)).await;
        let alice = controller.get("/api/v1/subscribers/alice").await.json();
        let directory = tempfile::TempDir::new().expect("a directory");
        let path = directory.path().join("monday");
        let place = json!({"path": path});
        let made = controller.call(Method::POST, "/api/v1/backups", &place).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(made.json()["revision"], controller.revision().await);
        let again = controller.call(Method::POST, "/api/v1/backups", &place).await;
        assert_eq!((again.status, again.places()), (StatusCode::CONFLICT, vec!["/path".into()]));
        let sound = controller.call(Method::POST, "/api/v1/backups/verify", &place).await;
        assert_eq!((sound.status, sound.json()), (StatusCode::OK, made.json()));
        // What comes later is not in it.
        controller.call(Method::POST, "/api/v1/subscribers", &subscriber("bob", 100, 8)).await;
        let restored = Controller::restored(&path).await.expect("restores");
        assert_eq!(restored.get("/api/v1/subscribers/alice").await.json(), alice);
        assert_eq!(restored.get("/api/v1/subscribers/bob").await.status, StatusCode::NOT_FOUND);
        // Allocation goes on where it was: alice's address is taken.
        let carol = restored.call(Method::POST, "/api/v1/subscribers", &subscriber("carol", 100, 9)).await;
        assert_eq!(carol.json()["status"]["address"], "100.64.0.3", "{carol:?}");
        // An office that is there is not written over.
        let refused = controller.restore(&path).expect_err("there is a store");
        assert!(refused.contains("store"), "{refused}");
    });
}

#[test]
fn a_backup_that_is_none_is_told_so() {
    run(async {
        let controller = Controller::start().await;
        let directory = tempfile::TempDir::new().expect("a directory");
        let path = directory.path().join("broken");
        controller.call(Method::POST, "/api/v1/backups", &json!({"path": path})).await;
        let mut bytes = std::fs::read(&path).expect("is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("written");
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        for (place, pointer) in [
            (json!({"path": path}), "/path"),
            (json!({"path": directory.path().join("absent")}), "/path"),
            (json!({"path": "monday"}), "/path"),
            (json!({"path": "/x", "to": 1}), "/to"),
            (json!({}), "/path"),
        ] {
            let refused = controller.call(Method::POST, "/api/v1/backups/verify", &place).await;
            assert_eq!(
                (refused.status, refused.places()),
                (unprocessable, vec![pointer.to_owned()]),
                "{place}"
            );
        }
        let nowhere = json!({"path": directory.path().join("no/such/folder")});
        let refused = controller.call(Method::POST, "/api/v1/backups", &nowhere).await;
        assert_eq!((refused.status, refused.places()), (unprocessable, vec!["/path".to_owned()]));
        assert!(Controller::restored(&path).await.is_err());
        assert_eq!(controller.call(Method::GET, "/api/v1/backups/verify", &Value::Null).await.status, 405);
    });
}
