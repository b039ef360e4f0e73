//! A cloud behind a Deployment: machines go there, and the networks that they need, when they need them.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    cloud::Cloud,
    controller::{Controller, edited, run},
    fake_node::{ready, until, until_ready},
    references::{object, results, transact},
    volume_service::{instance, tenancy, volumes, web},
};

const BLUE: &str = "/api/v1/networks/blue";
const VM_1: &str = "/api/v1/instances/vm-1";
const NONE: [&str; 0] = [];

/// A site with a web service and its slice; the Controller and the Deployment of each cloud.
async fn office(clouds: &[(&str, &Cloud)]) -> Controller {
    let office = Controller::start().await;
    let cloud = |(name, cloud): &(&str, &Cloud)| {
        let spec = json!({"plugin": "http", "url": cloud.url()});
        [object("Controller", name, &spec), object("Deployment", name, &json!({"controller": name}))]
    };
    let all: Vec<_> = web().into_iter().chain(clouds.iter().flat_map(cloud)).collect();
    make(&office, &all).await;
    for (name, _) in clouds {
        until_ready(&office, &format!("/api/v1/controllers/{name}"), "True", "Synced").await;
    }
    office
}

async fn make(office: &Controller, objects: &[Value]) {
    let made = transact(office, "apply", objects).await;
    assert_eq!(results(&made).len(), objects.len());
}

async fn delete(office: &Controller, path: &str) {
    let deleted = office.call(Method::DELETE, path, &Value::Null).await;
    assert!(deleted.status.is_success(), "{deleted:?}");
    until(&format!("{path} gone"), async || (office.get(path).await.status == 404).then_some(())).await;
}

fn network(name: &str) -> Value {
    object("Network", name, &json!({"slice": "front"}))
}

fn machine(name: &str, deployment: &str) -> Value {
    edited(instance(name), json!({"spec": {"placement": {"deployment": deployment}}}))
}

async fn until_made(office: &Controller, machine: &str) {
    until_ready(office, &format!("/api/v1/instances/{machine}"), "True", "Synced").await;
}

async fn until_said(office: &Controller, path: &str, words: &str) {
    until(&format!("{path}: {words}"), async || {
        office.get(path).await.json()["status"].to_string().contains(words).then_some(())
    })
    .await;
}

/// Waits until a cloud has something in these places, and nowhere else.
async fn until_has(cloud: &Cloud, places: &[&str]) {
    until(&format!("{places:?} at the cloud"), async || (cloud.places() == places).then_some(())).await;
}

#[test]
fn a_network_comes_to_a_cloud_with_the_first_machine_and_goes_after_the_last() {
    run(async {
        let cloud = Cloud::start().await;
        let office = office(&[("west", &cloud)]).await;
        make(&office, &[network("blue"), instance("nowhere")]).await;
        make(&office, &[machine("vm-1", "west")]).await;
        until_made(&office, "vm-1").await;
        assert_eq!(cloud.calls(), ["PUT networks/blue", "PUT instances/vm-1"]);
        assert_eq!(cloud.thing("instances/vm-1")["networks"], json!(["blue"]));
        assert_eq!(cloud.thing("networks/blue")["spec"]["slice"], "front");
        until_ready(&office, BLUE, "True", "Synced").await;

        make(&office, &[machine("vm-2", "west")]).await;
        until_made(&office, "vm-2").await;
        assert_eq!(cloud.calls(), ["PUT instances/vm-2"], "nor is a machine told of that is not for it");

        // Another network of the slice: the machines are told again, after it.
        make(&office, &[network("green")]).await;
        for machine in ["instances/vm-1", "instances/vm-2"] {
            let both = json!(["blue", "green"]);
            until(machine, async || (cloud.thing(machine)["networks"] == both).then_some(())).await;
        }
        until_made(&office, "vm-1").await;
        until_made(&office, "vm-2").await;

        delete(&office, VM_1).await;
        until_has(&cloud, &["instances/vm-2", "networks/blue", "networks/green"]).await;
        delete(&office, "/api/v1/instances/vm-2").await;
        until_has(&cloud, &[]).await;
        let blue = until_ready(&office, BLUE, "True", "NotNeeded").await;
        assert_eq!(ready(&blue).2, "no back end needs it");
        assert_eq!(cloud.disorders(), NONE);

        // All goes, in whatever order it is said.
        let all = [
            object("Controller", "west", &json!({"plugin": "http"})),
            object("Deployment", "west", &json!({"controller": "west"})),
            network("blue"),
        ];
        assert_eq!(transact(&office, "delete", &all).await.status, 200);
        for path in ["/api/v1/controllers/west", "/api/v1/deployments/west", BLUE] {
            until(path, async || (office.get(path).await.status == 404).then_some(())).await;
        }
    });
}

#[test]
fn a_machine_that_moves_takes_its_network_along_also_over_a_crash() {
    run(async {
        let (west, east) = (Cloud::start().await, Cloud::start().await);
        let mut office = office(&[("west", &west), ("east", &east)]).await;
        make(&office, &[network("blue"), machine("vm-1", "west"), machine("vm-2", "west")]).await;
        until_made(&office, "vm-1").await;
        until_made(&office, "vm-2").await;
        assert_eq!(east.calls(), NONE);
        east.refuse("networks/blue", "no room for a network");
        make(&office, &[machine("vm-2", "east")]).await;
        until_said(&office, "/api/v1/instances/vm-2", "no room for a network").await;
        until_has(&west, &["instances/vm-1", "networks/blue"]).await;

        office.kill();
        east.refuse_nothing();
        office.start_again().await;
        until_has(&east, &["instances/vm-2", "networks/blue"]).await;
        until_made(&office, "vm-2").await;
        make(&office, &[machine("vm-1", "east")]).await;
        until_has(&east, &["instances/vm-1", "instances/vm-2", "networks/blue"]).await;
        until_has(&west, &[]).await;
        until_ready(&office, BLUE, "True", "Synced").await;
        for cloud in [&west, &east] {
            assert_eq!(cloud.disorders(), NONE);
        }
    });
}

#[test]
fn an_adopted_network_is_looked_up_at_the_cloud_and_never_changed_there() {
    run(async {
        let cloud = Cloud::start().await;
        let office = office(&[("west", &cloud)]).await;
        let adopted = edited(network("blue"), json!({"metadata": {"adopted": true}}));
        make(&office, &[adopted, machine("vm-1", "west")]).await;
        let words = "Network blue is not there to be adopted: the cloud knows none of that name";
        until_said(&office, BLUE, words).await;
        until_said(&office, VM_1, words).await;
        cloud.has_foreign("blue");
        until_made(&office, "vm-1").await;
        until_ready(&office, BLUE, "True", "Synced").await;
        delete(&office, VM_1).await;
        until_ready(&office, BLUE, "True", "NotNeeded").await;
        delete(&office, BLUE).await;
        let changes: Vec<_> = cloud.calls().into_iter().filter(|call| !call.starts_with("GET ")).collect();
        assert_eq!(changes, ["PUT instances/vm-1", "DELETE instances/vm-1"]);
        assert_eq!(cloud.disorders(), NONE);
    });
}

#[test]
fn a_provider_hears_of_a_machine_when_the_cloud_has_it() {
    run(async {
        let (cloud, storage) = (Cloud::start().await, Cloud::start().await);
        let office = office(&[("west", &cloud), ("storage", &storage)]).await;
        cloud.refuse("instances/vm-1", "no room for a machine");
        make(&office, &[volumes(Some("storage")), tenancy(&json!({}))]).await;
        make(&office, &[machine("vm-1", "west")]).await;
        until_said(&office, VM_1, "west: no room for a machine").await;
        until_ready(&office, "/api/v1/tenants/web-volumes", "True", "Synced").await;
        // Of one that is nobody's to make it hears at once: it would have heard of the other by then.
        let told = || storage.thing("tenants/web-volumes/instances")["instances"].clone();
        make(&office, &[instance("nowhere")]).await;
        until("nowhere is told of", async || (told() == json!(["nowhere"])).then_some(())).await;
        cloud.refuse_nothing();
        until("both are told of", async || (told() == json!(["nowhere", "vm-1"])).then_some(())).await;
        until_made(&office, "vm-1").await;
        delete(&office, VM_1).await;
        until("one is told of", async || (told() == json!(["nowhere"])).then_some(())).await;
        until_has(&cloud, &[]).await;
    });
}
