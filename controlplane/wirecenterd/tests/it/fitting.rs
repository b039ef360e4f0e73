//! What must fit together across objects, from whichever end it changes.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::{binding, make, token, user},
    controller::{Answer, Controller, run},
    references::object,
};

fn image(name: &str, kind: &str) -> Value {
    let format = if kind == "vm" { "diskFormat" } else { "containerFormat" };
    let value = if kind == "vm" { "qcow2" } else { "docker" };
    let spec = json!({"kind": kind, format: value, "source": "https://images.example/i", "sha256": "ab".repeat(32),
        "minimumDiskGib": 4, "minimumMemoryMib": 1024});
    object("Image", name, &spec)
}

fn refused(answer: &Answer, status: StatusCode, place: &str, words: &str) {
    assert_eq!((answer.status, answer.places()), (status, vec![place.to_owned()]), "{answer:?}");
    let detail = answer.json()["errors"][0]["detail"].to_string();
    assert!(detail.contains(words), "{detail}");
}

async fn patch(controller: &Controller, path: &str, spec: Value) -> Answer {
    controller.call(Method::PATCH, &format!("/api/v1/{path}"), &json!({"spec": spec})).await
}

#[test]
fn a_machine_fits_its_image_whichever_of_them_changes() {
    run(async {
        let controller = Controller::start().await;
        let small = json!({"cores": 1, "memoryMib": 2048, "diskGib": 8});
        let all = [
            object("Site", "here", &json!({})),
            image("debian", "vm"),
            image("nginx", "container"),
            object("Flavor", "small", &small),
            object("Slice", "web", &json!({"site": "here", "image": "debian", "flavor": "small"})),
            object("Instance", "web-1", &json!({"slice": "web"})),
        ];
        make(&controller, &all).await;
        let revision = controller.revision().await;
        let invalid = StatusCode::UNPROCESSABLE_ENTITY;
        let tiny = |disk: u32| json!({"cores": 1, "memoryMib": 512, "diskGib": disk});
        for (spec, place, words) in [
            (json!({"slice": "web", "image": "nginx"}), "/spec/isolation", "virtual machine does not start"),
            (
                json!({"slice": "web", "isolation": "container"}),
                "/spec/isolation",
                "container does not start",
            ),
            (json!({"slice": "web", "resources": tiny(8)}), "/spec/resources/memoryMib", "1024 MiB"),
        ] {
            let new = object("Instance", "web-2", &spec);
            let answer = controller.call(Method::POST, "/api/v1/instances", &new).await;
            refused(&answer, invalid, place, words);
        }
        for (path, spec, place) in [
            ("slices/web", json!({"isolation": "container"}), "/spec/isolation"),
            ("slices/web", json!({"image": "nginx"}), "/spec/isolation"),
            ("flavors/small", json!({"diskGib": 3}), "/spec/diskGib"),
            ("images/debian", json!({"minimumMemoryMib": 4096}), "/spec/minimumMemoryMib"),
        ] {
            refused(&patch(&controller, path, spec).await, invalid, place, "Instance web-1: ");
        }
        assert_eq!(controller.revision().await, revision);
        // Together they can become another kind of machine, in whatever order.
        let containers =
            json!({"site": "here", "image": "nginx", "flavor": "small", "isolation": "container"});
        make(&controller, &[object("Slice", "web", &containers)]).await;
        assert_eq!(patch(&controller, "images/debian", json!({"minimumMemoryMib": 4096})).await.status, 200);
    });
}

#[test]
fn a_network_does_not_contradict_its_template() {
    run(async {
        let controller = Controller::start().await;
        let all = [
            object("Site", "here", &json!({})),
            object("Slice", "web", &json!({"site": "here"})),
            object(
                "NetworkTemplate",
                "fast",
                &json!({"guaranteedBandwidth": "1G", "maximumBandwidth": "10G"}),
            ),
            object("Network", "lan", &json!({"slice": "web", "template": "fast", "maximumBandwidth": "2G"})),
        ];
        make(&controller, &all).await;
        let invalid = StatusCode::UNPROCESSABLE_ENTITY;
        let slower = patch(&controller, "networks/lan", json!({"maximumBandwidth": "500M"})).await;
        refused(&slower, invalid, "/spec/maximumBandwidth", "less than the 1G");
        let better = patch(&controller, "networktemplates/fast", json!({"guaranteedBandwidth": "3G"})).await;
        refused(&better, invalid, "/spec/maximumBandwidth", "Network lan: ");
        let freed =
            patch(&controller, "networks/lan", json!({"template": null, "maximumBandwidth": "500M"})).await;
        assert_eq!(freed.status, StatusCode::OK, "{freed:?}");
        let better = patch(&controller, "networktemplates/fast", json!({"guaranteedBandwidth": "3G"})).await;
        assert_eq!(better.status, StatusCode::OK, "{better:?}");
    });
}

#[test]
fn machines_are_placed_by_whom_the_deployment_lets_in() {
    run(async {
        let controller = Controller::start().await;
        let of_site = |name: &str, site: &str| {
            let mut user = user(name);
            user["spec"]["site"] = site.into();
            user
        };
        let rule = |effect: &str, subject: Value| json!({"effect": effect, "subject": subject});
        let access = json!([rule("deny", json!({"user": "eve"})), rule("allow", json!({"site": "north"}))]);
        let mut all = vec![
            object("Site", "north", &json!({})),
            object("Site", "south", &json!({})),
            object("Controller", "cloud", &json!({"plugin": "http", "url": "http://127.0.0.1:9"})),
            object("Deployment", "open", &json!({"controller": "cloud", "access": access})),
            object("Deployment", "closed", &json!({"controller": "cloud"})),
            object("Slice", "web", &json!({"site": "south"})),
        ];
        for (name, site) in [("ann", "north"), ("bob", "south"), ("eve", "north")] {
            all.extend([of_site(name, site), binding(name, "slice-admin", "Slice/web")]);
        }
        all.extend([of_site("cyd", "north"), binding("cyd", "office-admin", "Office")]);
        make(&controller, &all).await;
        let place = |at: &str| json!({"placement": {"deployment": at}});
        let machine = |name: &str, at: &str| {
            let mut spec = place(at);
            spec["slice"] = "web".into();
            object("Instance", name, &spec)
        };
        let new = async |who: &str, name: &str, at: &str| {
            let path = "/api/v1/instances";
            controller.call_as(who, Method::POST, path, &machine(name, at)).await
        };
        let (ann, bob, eve) = (
            token(&controller, "ann").await,
            token(&controller, "bob").await,
            token(&controller, "eve").await,
        );
        let (at, forbidden) = ("/spec/placement/deployment", StatusCode::FORBIDDEN);
        assert_eq!(new(&ann, "web-1", "open").await.status, StatusCode::CREATED);
        refused(&new(&bob, "web-2", "open").await, forbidden, at, "none of its access rules");
        refused(&new(&eve, "web-2", "open").await, forbidden, at, "its access[0] denies it");
        refused(&new(&ann, "web-2", "closed").await, forbidden, at, "none of its access rules");
        // To move it there is to place it there; to leave it where it is is not.
        let change = async |who: &str, spec: Value| {
            let path = "/api/v1/instances/web-1";
            controller.call_as(who, Method::PATCH, path, &json!({"spec": spec})).await
        };
        let cyd = token(&controller, "cyd").await;
        refused(&change(&cyd, place("closed")).await, forbidden, at, "Deployment closed");
        assert_eq!(change(&ann, place("closed")).await.status, forbidden, "who may only change the slice's");
        assert_eq!(change(&bob, json!({"userData": "#cloud-config"})).await.status, StatusCode::OK);
        // Root could do as it likes without asking.
        let made = controller.call(Method::POST, "/api/v1/instances", &machine("web-3", "closed")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    });
}
