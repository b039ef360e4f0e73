//! Secrets: what is served, what lies on the disk, and new keys.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    controller::{Controller, run},
    references::{object, results, transact},
};

const CANARY: &str = "correct-horse-battery-staple";
const OTHER: &str = "tr0ub4dor-and-three";
const PLACE: &str = "/api/v1/secrets/db";

fn secret(spec: &Value) -> Value {
    object("Secret", "db", spec)
}

async fn spec(controller: &Controller) -> Value {
    controller.get(PLACE).await.json()["spec"].clone()
}

/// Every file below `directory` that has one of the values in it, and how many files there are.
pub(crate) fn leaks(directory: &Path, values: &[&str]) -> (Vec<String>, usize) {
    let (mut found, mut files) = (Vec::new(), 0);
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let (below, more) = leaks(&path, values);
            found.extend(below);
            files += more;
        } else if path.is_file() {
            files += 1;
            let bytes = std::fs::read(&path).expect("a file");
            let has = |value: &str| bytes.windows(value.len()).any(|part| part == value.as_bytes());
            if values.iter().any(|value| has(value)) {
                found.push(path.display().to_string());
            }
        }
    }
    (found, files)
}

#[test]
fn a_secret_is_served_by_its_keys_and_kept_sealed() {
    run(async {
        let controller = Controller::start().await;
        let sent = secret(&json!({"data": {"user": OTHER, "password": CANARY}}));
        let keys = json!({"keys": ["password", "user"]});
        let dry = controller.call(Method::POST, "/api/v1/secrets?dryRun=All", &sent).await;
        assert_eq!(dry.json()["objects"][0]["changes"][0]["value"]["spec"], keys, "{dry:?}");
        let made = controller.call(Method::POST, "/api/v1/secrets", &sent).await;
        assert_eq!((made.status, &made.json()["spec"]), (StatusCode::CREATED, &keys), "{made:?}");
        assert_eq!(controller.get("/api/v1/secrets").await.json()["items"][0]["spec"], keys);
        assert_eq!(spec(&controller).await, keys);
        let read = controller.get(PLACE).await.json();
        assert_eq!(read["metadata"]["resourceVersion"], made.json()["metadata"]["resourceVersion"]);
        // The sealed form is the controller's own.
        let foreign = secret(&json!({"sealed": "AAAA", "keys": ["password"]}));
        let refused = controller.call(Method::PUT, PLACE, &foreign).await;
        assert_eq!((refused.status.as_u16(), refused.places()), (422, vec!["/spec/sealed".into()]));
        let backups = tempfile::TempDir::new().expect("a directory");
        let place = json!({"path": backups.path().join("monday")});
        assert_eq!(
            controller.call(Method::POST, "/api/v1/backups", &place).await.status,
            StatusCode::CREATED
        );
        let bits = std::fs::metadata(controller.data().join("keys/office"))
            .expect("a key file")
            .permissions()
            .mode();
        assert_eq!(bits & 0o7777, 0o600);
        for directory in [controller.data(), backups.path().to_owned()] {
            let (found, files) = leaks(&directory, &[CANARY, OTHER]);
            assert!(found.is_empty() && files > 0, "{found:?}, {files} files");
        }
    });
}

#[test]
fn what_was_served_changes_nothing_and_keys_come_and_go() {
    run(async {
        let controller = Controller::start().await;
        let sent = secret(&json!({"data": {"user": OTHER, "password": CANARY}}));
        controller.call(Method::POST, "/api/v1/secrets", &sent).await;
        let first = controller.get(PLACE).await.json();
        // Put back as it is, sent once more, or patched to the same: all is as it was.
        assert_eq!(controller.call(Method::PUT, PLACE, &first).await.json(), first);
        assert_eq!(results(&transact(&controller, "apply", &[sent]).await), ["unchanged"]);
        let same = json!({"spec": {"data": {"password": CANARY}}});
        assert_eq!(controller.call(Method::PATCH, PLACE, &same).await.json(), first);
        // Another value, one more, one less.
        let patch = json!({"spec": {"data": {"password": OTHER, "pin": CANARY, "user": null}}});
        let patched = controller.call(Method::PATCH, PLACE, &patch).await;
        assert_eq!(patched.json()["spec"], json!({"keys": ["password", "pin"]}), "{patched:?}");
        assert_eq!(patched.json()["metadata"]["generation"], 2);
        let less = secret(&json!({"keys": ["pin"]}));
        assert_eq!(controller.call(Method::PUT, PLACE, &less).await.json()["spec"], json!({"keys": ["pin"]}));
        let absent = secret(&json!({"keys": ["pin", "password"]}));
        let refused = controller.call(Method::PUT, PLACE, &absent).await;
        assert_eq!((refused.status.as_u16(), refused.places()), (422, vec!["/spec/keys".into()]));
        let whole = secret(&json!({"data": {"only": CANARY}}));
        assert_eq!(
            controller.call(Method::PUT, PLACE, &whole).await.json()["spec"],
            json!({"keys": ["only"]})
        );
        // There is nothing yet that could be kept.
        let kept = object("Secret", "new", &json!({"keys": ["only"]}));
        let refused = controller.call(Method::POST, "/api/v1/secrets", &kept).await;
        assert_eq!((refused.status.as_u16(), refused.places()), (422, vec!["/spec/keys".into()]));
    });
}

#[test]
fn a_new_key_opens_what_the_old_one_sealed() {
    run(async {
        let mut controller = Controller::start().await;
        let sent = secret(&json!({"data": {"password": CANARY}}));
        controller.call(Method::POST, "/api/v1/secrets", &sent).await;
        let before = controller.get(PLACE).await.json();
        assert!(controller.rotate_key().is_err(), "while the controller runs, its store is its own");
        controller.kill();
        let lines = |controller: &Controller| {
            std::fs::read_to_string(controller.data().join("keys/office")).expect("keys").lines().count()
        };
        let had = lines(&controller);
        controller.rotate_key().expect("rotates");
        assert_eq!(lines(&controller), had + 1);
        controller.start_again().await;
        // The same value is recognized: the secret opens. It was written anew, and its spec is as it was.
        let applied = transact(&controller, "apply", &[sent]).await;
        assert_eq!(results(&applied), ["unchanged"]);
        let after = controller.get(PLACE).await.json();
        assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
        assert!(
            after["metadata"]["resourceVersion"].as_u64() > before["metadata"]["resourceVersion"].as_u64()
        );
    });
}
