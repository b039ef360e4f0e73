//! A service outside the controller, from its Controller to what it does for each instance of its tenant: the sample service
//! of the XOS paper's section 3.2, which mounts a volume in each.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    controller::{Controller, run},
    fake_node::{FakeNode, post, ready, token, until, until_ready},
    references::{results, transact},
    volume_service::{TOKEN, VolumeService, controller, instance, secret, tenancy, volumes, web},
};

const STORAGE: &str = "/api/v1/controllers/storage";
const SECRET: &str = "/api/v1/secrets/volumes-login";
const VOLUMES: &str = "/api/v1/services/volumes";
const TENANCY: &str = "/api/v1/tenants/web-volumes";

/// All objects, with what the Controller is to be.
async fn provision(office: &Controller, storage: Value) {
    let all: Vec<_> = [secret(TOKEN), storage, volumes(Some("storage"))].into_iter().chain(web()).collect();
    assert_eq!(results(&transact(office, "create", &all).await), ["created"; 7]);
}

async fn make(office: &Controller, object: &Value) {
    assert_eq!(results(&transact(office, "apply", std::slice::from_ref(object)).await).len(), 1);
}

async fn until_mounted(service: &VolumeService, expected: &[&str]) {
    until(&format!("{expected:?} mounted"), async || (service.mounted() == expected).then_some(())).await;
}

/// Its own account is written a moment later.
async fn until_done(service: &VolumeService, expected: &[&str]) {
    until(&format!("{expected:?} done"), async || (service.done() == expected).then_some(())).await;
}

async fn until_gone(office: &Controller, path: &str) {
    until(&format!("{path} gone"), async || (office.get(path).await.status == 404).then_some(())).await;
}

/// Waits until what an object's `Ready` says of its spec as it is has these words in it.
async fn until_said(office: &Controller, path: &str, words: &str) -> Value {
    until(&format!("{path}: {words}"), async || {
        let object = office.get(path).await.json();
        ready(&object).2.contains(words).then_some(object)
    })
    .await
}

#[test]
fn a_volume_is_mounted_in_each_instance_of_the_tenant() {
    run(async {
        let (office, mut service) = (Controller::start().await, VolumeService::start());
        provision(&office, controller(&service.url())).await;
        make(&office, &instance("web-1")).await;
        make(&office, &tenancy(&json!({"sizeMib": 64}))).await;
        until_mounted(&service, &["web-1/web-volumes"]).await;
        assert_eq!(service.read("web-1", "web-volumes/label"), "the volume of web-volumes\n");
        for path in [STORAGE, VOLUMES, TENANCY] {
            until_ready(&office, path, "True", "Synced").await;
        }

        make(&office, &instance("web-2")).await;
        until_mounted(&service, &["web-1/web-volumes", "web-2/web-volumes"]).await;
        office.call(Method::DELETE, "/api/v1/instances/web-1", &Value::Null).await;
        until_mounted(&service, &["web-2/web-volumes"]).await;
        until_done(
            &service,
            &["mount web-1/web-volumes", "mount web-2/web-volumes", "unmount web-1/web-volumes"],
        )
        .await;

        // A service that was away has its mounts again from its own journal, and is told nothing.
        service.kill();
        service.start_again();
        assert_eq!(service.mounted(), ["web-2/web-volumes"]);

        // What it will never take is said in its words, and not tried again before it changes.
        make(&office, &tenancy(&json!({"sizeMib": 4096}))).await;
        until_said(&office, TENANCY, "storage: attributes.sizeMib is 4096: a volume has 1 to 1024 MiB").await;
        make(&office, &instance("web-3")).await;
        until_mounted(&service, &["web-2/web-volumes", "web-3/web-volumes"]).await;
        make(&office, &tenancy(&json!({"sizeMib": 128}))).await;
        until_ready(&office, TENANCY, "True", "Synced").await;

        // The tenancy goes when nothing of it is mounted any more, and not before.
        service.hold();
        office.call(Method::DELETE, TENANCY, &Value::Null).await;
        until_mounted(&service, &[]).await;
        assert!(office.get(TENANCY).await.json()["metadata"]["deletedAt"].is_string());
        service.let_go();
        until_gone(&office, TENANCY).await;

        // The Controller goes last, in whatever order it is said.
        let all = [secret(TOKEN), controller("http://127.0.0.1:1"), volumes(None)];
        assert_eq!(transact(&office, "delete", &all).await.status, 200);
        for path in [VOLUMES, STORAGE, SECRET] {
            until_gone(&office, path).await;
        }
    });
}

#[test]
fn a_service_that_is_down_is_an_error_in_words_and_delays_nobody() {
    run(async {
        let mut service = VolumeService::start();
        let url = service.url();
        service.kill();
        let office = Controller::with_office().await;
        provision(&office, controller(&url)).await;
        make(&office, &instance("web-1")).await;
        make(&office, &tenancy(&json!({}))).await;
        until_ready(&office, STORAGE, "True", "Synced").await;
        until_said(&office, VOLUMES, &format!("storage: {url} cannot be reached")).await;
        let waits = until_said(&office, TENANCY, "waits for Service volumes").await;
        assert!(waits["status"]["conditions"].to_string().contains("cannot be reached"), "{waits}");
        let warnings = office.get("/api/v1/events?kind=Service&name=volumes&severity=warning").await.json();
        assert_eq!(warnings["items"][0]["backEnd"], "storage", "{warnings}");

        // Meanwhile a subscriber comes, and works.
        let node = FakeNode::with_token(&token(&office).await);
        let _link = node.start(&office);
        post(&office, "alice", 7).await;
        until_ready(&office, "/api/v1/subscribers/alice", "True", "Programmed").await;

        service.start_again();
        until_mounted(&service, &["web-1/web-volumes"]).await;
        until_ready(&office, TENANCY, "True", "Synced").await;

        // It fails while it has something: the tenancy itself says so.
        service.kill();
        make(&office, &instance("web-2")).await;
        until_said(&office, TENANCY, &format!("storage: {url} cannot be reached")).await;
        service.start_again();
        until_mounted(&service, &["web-1/web-volumes", "web-2/web-volumes"]).await;
        until_ready(&office, TENANCY, "True", "Synced").await;
        let events = office.get("/api/v1/events?kind=Tenant&name=web-volumes").await.json();
        assert_eq!(events["items"][0]["reason"], "Recovered", "{events}");
    });
}

#[test]
fn a_controller_killed_on_the_way_mounts_nothing_twice() {
    run(async {
        let (mut office, service) = (Controller::start().await, VolumeService::start());
        provision(&office, controller(&service.url())).await;
        make(&office, &tenancy(&json!({}))).await;
        until_ready(&office, TENANCY, "True", "Synced").await;
        service.hold();
        make(&office, &instance("web-1")).await;
        until_mounted(&service, &["web-1/web-volumes"]).await;
        // Done, and nobody knows.
        office.kill();
        service.let_go();
        office.start_again().await;
        until_ready(&office, TENANCY, "True", "Synced").await;
        make(&office, &instance("web-2")).await;
        until_mounted(&service, &["web-1/web-volumes", "web-2/web-volumes"]).await;
        until_done(&service, &["mount web-1/web-volumes", "mount web-2/web-volumes"]).await;

        // What nobody knows of is taken back all the same.
        service.hold();
        make(&office, &instance("web-3")).await;
        until_mounted(&service, &["web-1/web-volumes", "web-2/web-volumes", "web-3/web-volumes"]).await;
        office.kill();
        service.let_go();
        office.start_again().await;
        for gone in ["web-3", "web-2"] {
            office.call(Method::DELETE, &format!("/api/v1/instances/{gone}"), &Value::Null).await;
        }
        until_mounted(&service, &["web-1/web-volumes"]).await;

        // Killed while all goes: its Controller is needed to the end.
        service.hold();
        let all = [tenancy(&json!({})), volumes(None), controller("http://127.0.0.1:1")];
        assert_eq!(transact(&office, "delete", &all).await.status, 200);
        until_mounted(&service, &[]).await;
        office.kill();
        service.let_go();
        office.start_again().await;
        for path in [TENANCY, VOLUMES, STORAGE] {
            until_gone(&office, path).await;
        }
        let mounts = service.done().into_iter().filter(|line| line.starts_with("mount")).count();
        assert_eq!(mounts, 3, "{:?}", service.done());
    });
}

#[test]
fn what_is_wrong_with_a_controller_is_said_of_its_field_until_it_is_right() {
    run(async {
        let (office, service) = (Controller::start().await, VolumeService::start());
        let path = "/api/v1/controllers";
        let mut unknown = controller(&service.url());
        unknown["spec"]["plugin"] = json!("nfs");
        make(&office, &secret("the-wrong-token")).await;
        let refused = office.call(Method::POST, path, &unknown).await;
        assert_eq!((refused.status.as_u16(), refused.places()), (422, vec!["/spec/plugin".into()]));
        assert!(refused.json().to_string().contains("there are: http"), "{refused:?}");
        let mut taken = controller(&service.url());
        taken["metadata"]["name"] = json!("nodes");
        let refused = office.call(Method::POST, path, &taken).await;
        assert_eq!((refused.status.as_u16(), refused.places()), (422, vec!["/metadata/name".into()]));

        let mut nowhere = controller(&service.url());
        nowhere["spec"].as_object_mut().expect("a spec").remove("url");
        let all: Vec<_> = [nowhere, volumes(Some("storage"))].into_iter().chain(web()).collect();
        transact(&office, "create", &all).await;
        until_said(&office, STORAGE, "controllers: spec.url: is missing").await;
        let waits = until_said(&office, VOLUMES, "waits for Controller storage").await;
        assert!(waits["status"]["conditions"].to_string().contains("spec.url"), "{waits}");
        office.call(Method::PATCH, STORAGE, &json!({"spec": {"url": "http://192.0.2.1/"}})).await;
        until_said(&office, STORAGE, "spec.url: says everything in the clear").await;
        office.call(Method::PATCH, STORAGE, &json!({"spec": {"url": service.url()}})).await;
        until_ready(&office, STORAGE, "True", "Synced").await;

        // The service does not believe the token; a new one in the Secret is enough.
        until_said(&office, VOLUMES, "storage: the token is wrong").await;
        make(&office, &secret(TOKEN)).await;
        until_ready(&office, VOLUMES, "True", "Synced").await;
        let other =
            json!({"kind": "Secret", "metadata": {"name": "volumes-login"}, "spec": {"data": {"user": "x"}}});
        make(&office, &other).await;
        until_said(&office, STORAGE, "spec.credentials: Secret volumes-login has no key \"token\"").await;
        let metrics = office.get("/metrics").await.body;
        assert!(!String::from_utf8_lossy(&metrics).contains("back_end=\"storage\""), "it is not there");
        make(&office, &secret(TOKEN)).await;
        until_ready(&office, STORAGE, "True", "Synced").await;
        make(&office, &instance("web-1")).await;
        make(&office, &tenancy(&json!({}))).await;
        until_mounted(&service, &["web-1/web-volumes"]).await;
    });
}

#[test]
fn a_service_changes_its_controller_under_its_tenants() {
    run(async {
        let office = Controller::start().await;
        let (first, second) = (VolumeService::start(), VolumeService::start());
        let mut other = controller(&second.url());
        other["metadata"]["name"] = json!("storage-2");
        let all: Vec<_> = [secret(TOKEN), controller(&first.url()), other, volumes(None)]
            .into_iter()
            .chain(web())
            .collect();
        transact(&office, "create", &all).await;
        make(&office, &tenancy(&json!({}))).await;
        make(&office, &instance("web-1")).await;
        until_ready(&office, "/api/v1/controllers/storage-2", "True", "Synced").await;
        assert!(first.mounted().is_empty(), "nobody acts for the service yet");

        make(&office, &volumes(Some("storage"))).await;
        until_mounted(&first, &["web-1/web-volumes"]).await;
        make(&office, &volumes(Some("storage-2"))).await;
        until_mounted(&second, &["web-1/web-volumes"]).await;
        until_mounted(&first, &[]).await;
        until_ready(&office, TENANCY, "True", "Synced").await;
        // The first has nothing of it any more, so that its Controller can go.
        office.call(Method::DELETE, STORAGE, &Value::Null).await;
        until_gone(&office, STORAGE).await;
        make(&office, &volumes(None)).await;
        until_mounted(&second, &[]).await;
        until_ready(&office, TENANCY, "True", "NotNeeded").await;
    });
}
