//! Backups, from taking one to an office that comes out of it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    controller::{Controller, run, subscriber},
    fake_node::{FakeNode, token, until},
    references::{object, results, transact},
};

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

/// Requests that are answered, while the backup is being written: reads, and writes that are durable.
async fn answered_meanwhile(controller: &Controller, directory: &std::path::Path, number: u32) -> usize {
    let place = json!({"path": directory.join(number.to_string())}).to_string();
    let mut client = controller.client().await;
    let backup = tokio::spawn(async move { client.call(Method::POST, "/api/v1/backups", &[], place).await });
    let is_being_written = || {
        let mut files = fs::read_dir(directory).expect("a directory").flatten();
        files.any(|file| file.file_name().to_string_lossy().starts_with(".backup-"))
    };
    let (mut answered, mut rate) = (0, 0);
    while !backup.is_finished() {
        if is_being_written() {
            rate += 1;
            let patch = json!({"spec": {"bundle": {"rateUp": format!("{rate}M")}}});
            let house = "/api/v1/subscribers/house0";
            assert_eq!(controller.call(Method::PATCH, house, &patch).await.status, 200);
            assert_eq!(controller.get(house).await.json()["spec"]["bundle"]["rateUp"], format!("{rate}M"));
            answered += usize::from(is_being_written());
        }
        tokio::task::yield_now().await;
    }
    let made = backup.await.expect("no panic").expect("answers");
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    answered
}

/// XOS's API was down for as long as a backup took.
#[test]
fn the_api_goes_on_while_a_backup_is_taken() {
    run(async {
        let controller = Controller::with_office().await;
        let house = |i: u16| subscriber(&format!("house{i}"), 1 + i / 4000, 1 + i % 4000);
        let houses: Vec<_> = (0..8000).map(house).collect();
        assert_eq!(results(&transact(&controller, "create", &houses).await).len(), houses.len());
        let directory = tempfile::TempDir::new().expect("a directory");
        // One that is written in no time has nothing answered meanwhile: then another one.
        for number in 0..50 {
            if answered_meanwhile(&controller, directory.path(), number).await > 0 {
                let place = json!({"path": directory.path().join(number.to_string())});
                let sound = controller.call(Method::POST, "/api/v1/backups/verify", &place).await;
                assert_eq!(sound.status, StatusCode::OK, "{sound:?}");
                return;
            }
        }
        panic!("nothing is ever answered while a backup is written");
    });
}

#[test]
fn a_backup_that_is_none_is_told_so() {
    run(async {
        let controller = Controller::start().await;
        let directory = tempfile::TempDir::new().expect("a directory");
        let path = directory.path().join("broken");
        controller.call(Method::POST, "/api/v1/backups", &json!({"path": path})).await;
        let mut bytes = fs::read(&path).expect("is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("written");
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

fn secret() -> Value {
    object("Secret", "db", &json!({"data": {"password": "correct-horse-battery-staple"}}))
}

async fn backup(controller: &Controller) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::TempDir::new().expect("a directory");
    let path = directory.path().join("monday");
    let made = controller.call(Method::POST, "/api/v1/backups", &json!({"path": path})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    (directory, path)
}

async fn connected(controller: &Controller, wanted: bool) {
    until("the node is connected, or not", async || {
        let node = controller.get("/api/v1/nodes/node1").await.json();
        (node["status"]["connected"].as_bool().unwrap_or_default() == wanted).then_some(())
    })
    .await;
}

#[test]
fn what_a_restored_office_needs_is_in_the_backup() {
    run(async {
        let mut controller = Controller::with_office().await;
        let administrator = controller.first_token();
        assert_eq!(results(&transact(&controller, "create", &[secret()]).await), ["created"]);
        let node = FakeNode::with_token(&token(&controller).await);
        let link = node.start(&controller);
        connected(&controller, true).await;
        link.abort();
        connected(&controller, false).await;
        let (_directory, path) = backup(&controller).await;
        assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o7777, 0o600);
        let place = json!({"path": path});
        let sound = controller.call(Method::POST, "/api/v1/backups/verify", &place).await.json();
        assert_eq!(sound["files"], json!(["ca/office-ca-key.pem", "ca/office-ca.pem", "keys/office"]));
        controller.kill();

        let restored = Controller::restored(&path).await.expect("restores");
        for file in ["ca/office-ca-key.pem", "ca/office-ca.pem", "keys/office"] {
            let (was, is) = (controller.data().join(file), restored.data().join(file));
            assert_eq!(fs::read(was).expect("was there"), fs::read(&is).expect("is there"), "{file}");
            let mode =
                |path: &std::path::Path| fs::metadata(path).expect("is there").permissions().mode() & 0o7777;
            assert_eq!((mode(&is), mode(is.parent().expect("a directory"))), (0o600, 0o700), "{file}");
        }
        // The secret opens: the same value is recognized.
        assert_eq!(results(&transact(&restored, "apply", &[secret()]).await), ["unchanged"]);
        let whoami = restored.call_as(&administrator, Method::GET, "/api/v1/whoami", &Value::Null).await;
        assert_eq!((whoami.status, &whoami.json()["user"]), (StatusCode::OK, &json!("admin")));
        assert!(!restored.log().contains("wct_"), "no other administrator is made");
        // The node's certificate is one of this authority's, and it trusts it.
        assert!(node.forget_token(), "it has joined");
        let link = node.start(&restored);
        connected(&restored, true).await;
        link.abort();
    });
}

#[test]
fn a_backup_whose_keys_do_not_open_its_secrets_is_told_so() {
    run(async {
        let mut controller = Controller::start().await;
        transact(&controller, "create", &[secret()]).await;
        controller.kill();
        fs::remove_file(controller.data().join("keys/office")).expect("was there");
        controller.start_again().await;
        let (_directory, path) = backup(&controller).await;
        let place = json!({"path": path});
        let verified = controller.call(Method::POST, "/api/v1/backups/verify", &place).await;
        assert_eq!((verified.status.as_u16(), verified.places()), (422, vec!["/path".into()]));
        assert!(verified.json()["detail"].to_string().contains("Secret db does not open"), "{verified:?}");
    });
}

#[test]
fn a_restore_that_is_cut_off_is_all_or_nothing() {
    run(async {
        let mut controller = Controller::start().await;
        transact(&controller, "create", &[secret()]).await;
        let (_directory, path) = backup(&controller).await;
        controller.kill();

        // Before it was complete: nothing of it counts, and another attempt does it.
        let mut restored = Controller::absent();
        let half = restored.data().join(".restore/keys");
        fs::create_dir_all(&half).expect("made");
        fs::write(half.join("office"), "half a ke").expect("written");
        restored.restore(&path).expect("restores");
        let entries = || {
            let entries = fs::read_dir(restored.data()).expect("a directory");
            let mut names: Vec<_> = entries
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
                .collect();
            names.sort();
            names
        };
        assert_eq!(entries(), ["ca", "keys", "store"]);

        // After it was complete, with some of it in its place: the next start puts the rest there.
        let complete = restored.data().join(".restored");
        fs::create_dir(&complete).expect("made");
        for part in ["keys", "store"] {
            fs::rename(restored.data().join(part), complete.join(part)).expect("moved");
        }
        restored.start_again().await;
        assert!(!complete.exists());
        assert_eq!(results(&transact(&restored, "apply", &[secret()]).await), ["unchanged"]);
    });
}

#[test]
fn keys_that_are_there_are_not_written_over() {
    run(async {
        let controller = Controller::start().await;
        let (_directory, path) = backup(&controller).await;
        for (part, file) in [("ca", "office-ca.pem"), ("keys", "office"), ("store", "CURRENT")] {
            let other = Controller::absent();
            let directory = other.data().join(part);
            fs::create_dir_all(&directory).expect("made");
            fs::write(directory.join(file), "mine").expect("written");
            let refused = other.restore(&path).expect_err("something is there");
            assert!(refused.contains(&format!("{part} is not empty")), "{refused}");
            assert_eq!(fs::read(directory.join(file)).expect("is there"), b"mine");
            assert_eq!(fs::read_dir(other.data()).expect("a directory").count(), 1);
        }
    });
}
