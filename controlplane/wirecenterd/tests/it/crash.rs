//! `kill -9` in the middle of provisioning: what was acknowledged is there, and nothing is half there.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    campaign::from_environment,
    controller::{Client, Controller, edited, run, subscriber},
};

const WORKERS: u16 = 6;
const NAMES: u64 = 40;

/// What is drawn from a seed: xorshift64* (Vigna, 2016).
struct Draw(u64);

impl Draw {
    fn new(seed: u64, stream: u64) -> Self {
        Self((seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.wrapping_mul(0xbf58_476d_1ce4_e5b9)) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// A subscriber as far as it was asked for: its rate, and whether it has a subnet.
type Wanted = Option<(u64, bool)>;
/// Everything that one worker has asked for, by name. Workers do not touch each other's.
type World = BTreeMap<String, Wanted>;

/// What a worker knows when its controller is gone.
struct Ending {
    /// All of this was acknowledged.
    acknowledged: World,
    /// This was asked for and not answered: all of it is there, or none.
    open: World,
}

struct Worker {
    number: u16,
    draw: Draw,
    world: World,
}

impl Worker {
    fn object(&self, name: &str, (rate, routed): (u64, bool)) -> Value {
        let c_vid: u16 = name.rsplit('x').next().and_then(|number| number.parse().ok()).expect("a number");
        let rates =
            json!({"spec": {"bundle": {"rateUp": rate, "rateDown": format!("{rate}"), "nat": !routed}}});
        let rates = edited(rates, json!({"spec": {"bundle": {"rateUp": rate.to_string()}}}));
        edited(subscriber(name, 100 + self.number, c_vid + 1), rates)
    }

    /// Draws one operation or a transaction of some: what there will be then.
    fn plan(&mut self) -> World {
        let operations = if self.draw.below(4) == 0 { 2 + self.draw.below(8) } else { 1 };
        let mut next = World::new();
        for _ in 0..operations {
            let name = format!("w{}x{}", self.number, self.draw.below(NAMES));
            let there = self.world.get(&name).is_some_and(Option::is_some);
            let gone = there && self.draw.below(3) == 0;
            let rate = 1_000_000 + self.draw.below(1000) * 1000;
            next.insert(name, (!gone).then(|| (rate, self.draw.below(8) == 0)));
        }
        next
    }

    async fn perform(&self, client: &mut Client, next: &World) -> Result<(), String> {
        let answer = if let (1, Some((name, wanted))) = (next.len(), next.first_key_value()) {
            let path = format!("/api/v1/subscribers/{name}");
            match wanted {
                Some(wanted) => {
                    client.call(Method::PUT, &path, &[], self.object(name, *wanted).to_string()).await?
                }
                None => client.call(Method::DELETE, &path, &[], "").await?,
            }
        } else {
            let operation = |(name, wanted): (&String, &Wanted)| match wanted {
                Some(wanted) => json!({"op": "apply", "object": self.object(name, *wanted)}),
                None => json!({"op": "delete", "object": {"kind": "Subscriber", "metadata": {"name": name}}}),
            };
            let operations: Vec<_> = next.iter().map(operation).collect();
            let body = json!({"operations": operations}).to_string();
            client.call(Method::POST, "/api/v1/transactions", &[], body).await?
        };
        assert!(answer.status.is_success(), "{next:?}: {answer:?}");
        Ok(())
    }

    /// Asks for one thing after another until the controller is gone.
    async fn work(mut self, mut client: Client) -> Ending {
        loop {
            let next = self.plan();
            match self.perform(&mut client, &next).await {
                Ok(()) => self.world.extend(next),
                Err(_) => return Ending { acknowledged: self.world, open: next },
            }
        }
    }
}

/// All objects of a kind by name.
async fn all(controller: &Controller, plural: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut path = format!("/api/v1/{plural}?limit=1000");
    loop {
        let page = controller.get(&path).await.json();
        for item in page["items"].as_array().expect("items") {
            found.insert(item["metadata"]["name"].as_str().expect("a name").to_owned(), item.clone());
        }
        let Some(token) = page["metadata"]["continue"].as_str() else { return found };
        path = format!("/api/v1/{plural}?limit=1000&continue={token}");
    }
}

fn as_wanted(object: &Value) -> (u64, bool) {
    let rate: net_types::BitRate =
        serde_json::from_value(object["spec"]["bundle"]["rateUp"].clone()).expect("a rate");
    (rate.bits_per_second(), object["spec"]["bundle"]["nat"] == false)
}

/// Nothing is half there: every subscriber has its tenancies, its addresses and its claims, alone.
async fn check_whole(controller: &Controller, subscribers: &BTreeMap<String, Value>) {
    let tenants = all(controller, "tenants").await;
    let mut expected = BTreeSet::new();
    let (mut held, mut claims) = (HashSet::new(), 0);
    for (name, subscriber) in subscribers {
        let status = &subscriber["status"];
        for (suffix, field) in [("volt", "sVid"), ("vcpe", "address"), ("vbng", "node")] {
            let tenant = format!("{name}-{suffix}");
            let found = tenants.get(&tenant).unwrap_or_else(|| panic!("{tenant} is missing"));
            assert_eq!(found["metadata"]["ownerReferences"][0]["uid"], subscriber["metadata"]["uid"]);
            assert!(found["spec"]["attributes"].get(field).is_some(), "{found}");
            expected.insert(tenant);
        }
        assert_eq!(tenants[&format!("{name}-vcpe")]["spec"]["attributes"]["address"], status["address"]);
        assert_eq!(tenants[&format!("{name}-vcpe")]["spec"]["attributes"].get("nat"), status.get("nat"));
        assert_eq!(status["observedGeneration"], subscriber["metadata"]["generation"]);
        for what in [&status["address"], &status["nat"], &status["subnet"]] {
            assert!(what.is_null() || held.insert(what.to_string()), "{what} is held twice");
        }
        assert!(status["address"].is_string() && (status["nat"].is_object() != status["subnet"].is_string()));
        claims += if status["nat"].is_object() { 4 } else { 3 };
    }
    expected.extend(["volt-vcpe", "vcpe-vbng"].map(String::from));
    assert_eq!(tenants.keys().cloned().collect::<BTreeSet<_>>(), expected);
    let pools = 3;
    // Its token twice, its binding's two references, and that it has been made.
    let administrator = 5;
    // What two tenancies between services name, and that these have been made.
    let services = 5;
    assert_eq!(
        controller.figure("wirecenter_store_claims ").await,
        claims + pools + administrator + services
    );
}

/// What was acknowledged is there; what was not answered is there wholly or not at all.
fn settle(ending: Ending, subscribers: &BTreeMap<String, Value>) -> World {
    let Ending { acknowledged, open } = ending;
    let found = |name: &String| subscribers.get(name).map(as_wanted);
    for (name, wanted) in acknowledged.iter().filter(|(name, _)| !open.contains_key(*name)) {
        assert_eq!(found(name), *wanted, "{name}");
    }
    let done = open.iter().all(|(name, wanted)| found(name) == *wanted);
    let undone = open.keys().all(|name| found(name) == acknowledged.get(name).copied().flatten());
    assert!(done || undone, "half of {open:?} is there");
    let mut world = acknowledged;
    if done {
        world.extend(open);
    }
    world
}

/// Kills a controller `rounds` times in the middle of provisioning, always on the same disk.
async fn campaign(seed: u64, rounds: u64) {
    let mut controller = Controller::with_office().await;
    let mut worlds: Vec<World> = (0..WORKERS).map(|_| World::new()).collect();
    let mut draw = Draw::new(seed, 0);
    for round in 1..=rounds {
        let mut workers = Vec::new();
        for (number, world) in (0..WORKERS).zip(worlds.drain(..)) {
            let draw = Draw::new(seed, round * 1000 + u64::from(number) + 1);
            let worker = Worker { number, draw, world };
            workers.push(tokio::spawn(worker.work(controller.client().await)));
        }
        tokio::time::sleep(Duration::from_micros(1000 + draw.below(60_000))).await;
        controller.kill();
        controller.start_again().await;
        let subscribers = all(&controller, "subscribers").await;
        for worker in workers {
            worlds.push(settle(worker.await.expect("a worker"), &subscribers));
        }
        check_whole(&controller, &subscribers).await;
        if round % 100 == 0 {
            println!("{round} kills, {} subscribers", subscribers.len());
        }
    }
    let known: usize = worlds.iter().map(|world| world.values().flatten().count()).sum();
    assert!(known > 0, "nothing was ever provisioned");
    assert_eq!(all(&controller, "subscribers").await.len(), known);
}

/// A slice of the campaign `cargo xtask campaign controller-crash`.
#[test]
fn crash_leaves_what_was_acknowledged_and_nothing_half() {
    let rounds = from_environment("WIRECENTER_CAMPAIGN_COUNT", 10);
    let seed = from_environment("WIRECENTER_CAMPAIGN_SEED", 1);
    run(campaign(seed, rounds));
}
