//! `wcctl get --watch`, the real program against the real controller: whatever happens to the controller and to the
//! stream, what it has told comes to what there is.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    time::Duration,
};

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    access::make,
    controller::{Controller, run, subscriber},
    folder::wcctl_command,
    references::{object, results, transact},
};

/// What comes about at all comes about within this.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running `wcctl get KIND --watch`; killed when dropped.
struct Follower {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// All that it has told of, as it is by what it has told.
    known: BTreeMap<String, Value>,
    told: Vec<String>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _: std::io::Result<()> = self.child.kill();
        let _: std::io::Result<_> = self.child.wait();
    }
}

impl Follower {
    fn start(controller: &Controller, plural: &str) -> Self {
        let mut command = wcctl_command(controller, &["get", plural, "--watch", "-o", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("wcctl starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            // Ends with the program, or with the test.
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, known: BTreeMap::new(), told: Vec::new() }
    }

    /// Takes in the next event: what is not there comes, what is there changes or goes.
    async fn next(&mut self) {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        let line = line.unwrap_or_else(|_| panic!("no more is told: {:?}", self.told)).expect("it runs");
        let mut event: Value = serde_json::from_str(&line).expect("JSON");
        let (kind, object) = (event["type"].as_str().expect("text").to_owned(), event["object"].take());
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        self.told.push(format!("{kind} {name}"));
        let before = if kind == "DELETED" {
            self.known.remove(&name)
        } else {
            self.known.insert(name, object.clone())
        };
        assert_eq!(before.is_some(), kind != "ADDED", "{:?}", self.told);
        assert!(kind == "DELETED" || before.as_ref() != Some(&object), "twice: {:?}", self.told);
    }

    /// Reads until what it has told is what there is; gives back what it has told since the last time.
    async fn agrees(&mut self, controller: &Controller, plural: &str) -> Vec<String> {
        loop {
            let list = controller.get(&format!("/api/v1/{plural}?limit=1000")).await.json();
            let items = list["items"].as_array().expect("items").iter();
            let name = |item: &Value| item["metadata"]["name"].as_str().expect("a name").to_owned();
            let there: BTreeMap<_, _> = items.map(|item| (name(item), item.clone())).collect();
            if self.known == there && self.lines.is_empty() {
                return std::mem::take(&mut self.told);
            }
            self.next().await;
        }
    }
}

async fn add(controller: &Controller, name: &str, c_vid: u16) {
    let answer = controller.call(Method::POST, "/api/v1/subscribers", &subscriber(name, 1, c_vid)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn delete(controller: &Controller, name: &str) {
    let path = format!("/api/v1/subscribers/{name}");
    assert_eq!(controller.call(Method::DELETE, &path, &Value::Null).await.status, 200);
}

fn of(event: &str, names: [&str; 3]) -> Vec<String> {
    names.iter().map(|name| format!("{event} {name}")).collect()
}

#[test]
fn tenancies_are_followed_through_everything() {
    run(async {
        let mut controller = Controller::with_office().await;
        add(&controller, "alice", 1).await;
        let mut follower = Follower::start(&controller, "tenants");
        follower.agrees(&controller, "tenants").await;
        // Several events of one revision.
        add(&controller, "bob", 2).await;
        let told = follower.agrees(&controller, "tenants").await;
        assert_eq!(told, of("ADDED", ["bob-volt", "bob-vcpe", "bob-vbng"]));
        delete(&controller, "bob").await;
        let told = follower.agrees(&controller, "tenants").await;
        assert_eq!(told, of("DELETED", ["bob-volt", "bob-vcpe", "bob-vbng"]));
        // The controller ends amid changes, and starts again: the history that it had is gone.
        for round in 0..3_u16 {
            add(&controller, &format!("carol-{round}"), 10 + round).await;
            controller.kill();
            controller.start_again().await;
            add(&controller, &format!("dave-{round}"), 20 + round).await;
            if round > 0 {
                delete(&controller, &format!("carol-{}", round - 1)).await;
            }
            let told = follower.agrees(&controller, "tenants").await;
            let count = |wanted: &str| told.iter().filter(|event| event.starts_with(wanted)).count();
            assert_eq!((count("ADDED"), count("DELETED")), (6, 3 * usize::from(round > 0)), "{told:?}");
        }
        // All chains go another way, at no revision of their own.
        let accepts = json!({"tenants": ["Service"], "connect": ["shared"]});
        let dns = json!({"serviceType": "dns", "version": "1", "accepts": accepts});
        let tenancy = json!({"tenant": {"kind": "Service", "name": "vbng"}, "provider": "dns", "connect": "shared",
            "perTenant": true});
        make(&controller, &[object("Service", "dns", &dns), object("Tenant", "vbng-dns", &tenancy)]).await;
        let told = follower.agrees(&controller, "tenants").await;
        assert!(told.contains(&"ADDED alice-dns".to_owned()), "{told:?}");
    });
}

#[test]
fn objects_are_followed_while_many_come_and_go() {
    run(async {
        let mut controller = Controller::with_office().await;
        let mut follower = Follower::start(&controller, "subscribers");
        for round in 0..4_u16 {
            let houses: Vec<_> =
                (0..300).map(|i| subscriber(&format!("h{i}-{round}"), 2 + round, i + 1)).collect();
            assert_eq!(results(&transact(&controller, "create", &houses).await).len(), houses.len());
            if round % 2 == 0 {
                controller.kill();
                controller.start_again().await;
            }
            assert_eq!(results(&transact(&controller, "delete", &houses[..150]).await).len(), 150);
            follower.agrees(&controller, "subscribers").await;
        }
        assert_eq!(follower.known.len(), 600);
    });
}
