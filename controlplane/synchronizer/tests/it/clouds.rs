//! Clouds: instances go where their deployment's Controller is, and take along, lazily, the networks that they need there.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*, sample::select};
use synchronizer::{AnyPlugin, BackOff, Declaration, Key, Kind, Limits, Object, Relation, SYNCED};

use crate::{
    histories::fault,
    support::{
        BackEndInMemory, CONTROLLER, Fault, INSTANCE, MemoryStore, NETWORK, Running, SERVICE, SLICE, TENANT,
        TestPlugin, at_once, key, object, pass, start,
    },
};

const DEPLOYMENT: Kind = Kind::new("Deployment");
const CLOUDS: [&str; 2] = ["north", "south"];
const NONE: [&str; 0] = [];

fn relations() -> Vec<Relation> {
    vec![
        Relation::new(SERVICE, "controller", CONTROLLER).leading(),
        Relation::new(TENANT, "provider", SERVICE).leading(),
        Relation::new(DEPLOYMENT, "controller", CONTROLLER).leading(),
        Relation::new(INSTANCE, "deployment", DEPLOYMENT).leading(),
        Relation::new(INSTANCE, "attached", NETWORK).lazy(),
    ]
}

fn declaration(controller: &str) -> Declaration {
    Declaration {
        relations: relations(),
        anchor: Some(key(CONTROLLER, controller)),
        tenancies: true,
        limits: Limits { concurrent: 3, timeout: Duration::from_secs(2), ..Limits::default() },
        back_off: BackOff { base: Duration::from_millis(100), cap: Duration::from_secs(5) },
        compare_every: Some(Duration::from_secs(30)),
        ..Declaration::new([SERVICE, TENANT, INSTANCE, NETWORK])
    }
}

/// Two clouds, a deployment and a Controller of each name, and networks that nobody needs yet.
struct Office {
    store: Arc<MemoryStore>,
    controllers: Arc<BackEndInMemory>,
    clouds: [Arc<BackEndInMemory>; 2],
}

impl Office {
    fn new() -> Self {
        let new = BackEndInMemory::new;
        let office = Self { store: MemoryStore::new(), controllers: new(), clouds: [new(), new()] };
        for name in CLOUDS {
            office.store.put(object(&key(CONTROLLER, name), &[]));
            office.deployment(name, name);
        }
        office.store.put(object(&key(SERVICE, "web"), &[]));
        office.store.put(object(&key(SLICE, "front"), &[("service", &key(SERVICE, "web"))]));
        for name in ["blue", "red"] {
            office.store.put(object(&key(NETWORK, name), &[]));
        }
        office
    }

    fn plugin(&self, name: &str) -> TestPlugin {
        let here = |key: &Key| key.name.as_str() != "web";
        let cloud = CLOUDS.iter().position(|cloud| *cloud == name).expect("there is such a cloud");
        TestPlugin { here, ..TestPlugin::new(&self.clouds[cloud], declaration(name)) }
    }

    fn start(&self) -> Running {
        let controllers = Declaration { relations: relations(), ..Declaration::new([CONTROLLER]) };
        let controllers = ("controllers", TestPlugin::new(&self.controllers, controllers));
        start(&self.store, [controllers].into_iter().chain(CLOUDS.map(|name| (name, self.plugin(name)))))
    }

    fn deployment(&self, name: &str, controller: &str) {
        self.store.put(object(&key(DEPLOYMENT, name), &[("controller", &key(CONTROLLER, controller))]));
    }

    fn instance(&self, name: &str, deployment: Option<&str>, networks: &[&str]) {
        let slice = key(SLICE, "front");
        let deployment = deployment.map(|name| key(DEPLOYMENT, name));
        let networks: Vec<_> = networks.iter().map(|name| key(NETWORK, name)).collect();
        let mut edges = vec![("slice", &slice)];
        edges.extend(deployment.iter().map(|deployment| ("deployment", deployment)));
        edges.extend(networks.iter().map(|network| ("attached", network)));
        self.store.put(object(&key(INSTANCE, name), &edges));
    }

    fn has(&self, cloud: usize) -> Vec<String> {
        self.clouds[cloud].keys().iter().map(ToString::to_string).collect()
    }

    /// What has really happened at a cloud since it was asked last.
    fn effects(&self, cloud: usize, seen: &mut usize) -> Vec<String> {
        let effects = self.clouds[cloud].effects().split_off(*seen);
        *seen += effects.len();
        // Without uid and generation.
        let short = |effect: &String| effect.split('/').take(2).collect::<Vec<_>>().join("/");
        effects.iter().map(short).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_is_made_at_the_cloud_whose_instance_needs_it_and_goes_after_the_last() {
    let office = Office::new();
    let running = office.start();
    at_once().await;
    office.instance("nowhere", None, &["blue"]);
    at_once().await;
    assert!(office.clouds.iter().all(|cloud| cloud.calls().is_empty()), "nobody needs anything yet");
    assert!(office.store.synced(&key(INSTANCE, "nowhere")), "it is no cloud's");

    let (mut north, mut south) = (0, 0);
    office.instance("vm-1", Some("north"), &["blue"]);
    at_once().await;
    assert_eq!(office.has(0), ["Instance vm-1", "Network blue"]);
    let verbs = |cloud: &BackEndInMemory| cloud.calls().into_iter().map(|(_, call)| call).collect::<Vec<_>>();
    assert_eq!(verbs(&office.clouds[0]), ["apply Network blue", "apply Instance vm-1"]);
    assert_eq!(office.effects(0, &mut north).len(), 2);

    office.instance("vm-2", Some("north"), &["blue"]);
    at_once().await;
    assert_eq!(office.effects(0, &mut north).len(), 1, "there is one network for both");
    assert!(office.clouds[1].calls().is_empty());

    // One moves: the network is at both, then at the other alone.
    office.instance("vm-2", Some("south"), &["blue"]);
    at_once().await;
    assert_eq!(office.has(0), ["Instance vm-1", "Network blue"]);
    assert_eq!(office.has(1), ["Instance vm-2", "Network blue"]);
    office.instance("vm-1", Some("south"), &["blue"]);
    at_once().await;
    assert_eq!(office.has(0), NONE);
    let went = office.effects(0, &mut north);
    assert_eq!(went[went.len() - 2..], ["remove Instance vm-1", "remove Network blue"]);
    assert_eq!(office.effects(1, &mut south).len(), 3);

    // Both are attached elsewhere: the one network comes before, the other goes after.
    office.instance("vm-1", Some("south"), &["red"]);
    office.instance("vm-2", Some("south"), &["red"]);
    at_once().await;
    assert_eq!(office.has(1), ["Instance vm-1", "Instance vm-2", "Network red"]);

    for name in ["vm-1", "vm-2"] {
        office.store.delete(&key(INSTANCE, name));
    }
    at_once().await;
    assert_eq!(office.has(1), NONE);
    assert_eq!(office.effects(1, &mut south).last().map(String::as_str), Some("remove Network red"));
    for name in ["blue", "red"] {
        let network = key(NETWORK, name);
        assert_eq!(office.store.condition(&network, SYNCED).message, "no back end needs it");
        assert!(office.store.get(&network).is_some_and(|network| network.records.is_empty()));
    }
    for cloud in &office.clouds {
        assert_eq!(cloud.disorders(), NONE);
    }
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_takes_its_instances_and_their_networks_to_another_controller() {
    let office = Office::new();
    office.instance("vm-1", Some("north"), &["blue", "red"]);
    let running = office.start();
    at_once().await;
    assert_eq!(office.has(0), ["Instance vm-1", "Network blue", "Network red"]);
    office.deployment("north", "south");
    at_once().await;
    assert_eq!(office.has(0), NONE);
    assert_eq!(office.has(1), ["Instance vm-1", "Network blue", "Network red"]);
    // All is asked to go at once, the Controllers too.
    for gone in office.store.keys() {
        office.store.delete(&gone);
    }
    at_once().await;
    assert_eq!((office.has(1), office.store.keys()), (vec![], vec![]));
    for cloud in &office.clouds {
        assert_eq!(cloud.disorders(), NONE);
    }
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_waits_for_its_controller_and_for_its_network_at_its_own_cloud_alone() {
    let office = Office::new();
    office.controllers.refuse(&key(CONTROLLER, "north"), Some("no such plug-in"));
    office.clouds[1].refuse(&key(NETWORK, "blue"), Some("no room"));
    office.instance("vm-1", Some("north"), &["blue"]);
    office.instance("vm-2", Some("south"), &["blue"]);
    let running = office.start();
    at_once().await;
    let waits =
        |name| office.store.condition(&key(INSTANCE, name), synchronizer::DEPENDENCY_NOT_READY).message;
    assert_eq!(waits("vm-1"), "Deployment north (because of Controller north): controllers: no such plug-in");
    assert_eq!(waits("vm-2"), "Network blue: south: no room");
    office.controllers.refuse(&key(CONTROLLER, "north"), None);
    pass(Duration::from_secs(1)).await;
    assert_eq!(office.has(0), ["Instance vm-1", "Network blue"]);
    assert_eq!(office.has(1), NONE, "and the other cloud's trouble is its own");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_hears_of_an_instance_when_the_cloud_has_it() {
    let office = Office::new();
    let (web, volumes) = (key(SERVICE, "web"), key(SERVICE, "volumes"));
    office.store.put(object(&volumes, &[("controller", &key(CONTROLLER, "south"))]));
    office.store.put(object(&key(TENANT, "web-volumes"), &[("tenant.name", &web), ("provider", &volumes)]));
    office.clouds[0].refuse(&key(INSTANCE, "vm-1"), Some("no room"));
    office.instance("vm-1", Some("north"), &["blue"]);
    let running = office.start();
    at_once().await;
    assert!(office.clouds[1].thing(&key(TENANT, "web-volumes")).is_some());
    assert!(office.clouds[1].mounts().is_empty());
    office.clouds[0].refuse(&key(INSTANCE, "vm-1"), None);
    pass(Duration::from_secs(1)).await;
    let mounts = office.clouds[1].mounts();
    assert_eq!(mounts[&key(TENANT, "web-volumes")], BTreeSet::from([key(INSTANCE, "vm-1")]));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_told_beside_the_spec_is_told_again_when_it_turns() {
    let office = Office::new();
    office.instance("vm-1", Some("north"), &["blue"]);
    let running = office.start();
    at_once().await;
    // Of what nobody acts on nothing comes of it.
    office.store.put(Object { beside: 7, ..object(&key(INSTANCE, "nowhere"), &[]) });
    at_once().await;
    assert!(office.store.synced(&key(INSTANCE, "nowhere")));
    let before = office.clouds[0].calls().len();
    let same = office.store.get(&key(INSTANCE, "vm-1")).expect("it is there");
    office.store.turn(Object { beside: 7, ..same });
    at_once().await;
    let calls = office.clouds[0].calls();
    assert_eq!(
        calls[before..].iter().map(|(_, call)| call.as_str()).collect::<Vec<_>>(),
        ["apply Instance vm-1"]
    );
    running.kill().await;
    let running = office.start();
    at_once().await;
    assert_eq!(office.clouds[0].calls().len(), before + 1, "that it was told is remembered");
    running.shutdown().await;
}

#[derive(Clone, Debug)]
enum Step {
    Deployment(&'static str, &'static str),
    Instance(u8, Option<&'static str>, Vec<&'static str>),
    Delete(u8),
    Restart,
    Remove(&'static str),
    Replace(&'static str),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let cloud = || select(CLOUDS.to_vec());
    let networks = prop::sample::subsequence(vec!["blue", "red"], 0..=2);
    prop_oneof![
        2 => (cloud(), cloud()).prop_map(|(deployment, at)| Step::Deployment(deployment, at)),
        5 => (0..3_u8, prop::option::of(cloud()), networks).prop_map(|(i, at, of)| Step::Instance(i, at, of)),
        2 => (0..3_u8).prop_map(Step::Delete),
        1 => Just(Step::Restart),
        1 => cloud().prop_map(Step::Remove),
        2 => cloud().prop_map(Step::Replace),
        2 => (0..3000_u64).prop_map(Step::Wait),
    ]
}

async fn history(steps: Vec<Step>, faults: Vec<Fault>) -> Result<(), TestCaseError> {
    let office = Office::new();
    let faults: Vec<_> =
        faults.into_iter().filter(|fault| !matches!(fault, Fault::CrashBefore | Fault::CrashAfter)).collect();
    office.clouds[0].faults(faults.clone());
    office.clouds[1].faults(faults.into_iter().rev());
    let mut running = office.start();
    for step in steps {
        match step {
            Step::Deployment(name, at) => office.deployment(name, at),
            Step::Instance(i, at, networks) => office.instance(&format!("vm-{i}"), at, &networks),
            Step::Delete(i) => office.store.delete(&key(INSTANCE, &format!("vm-{i}"))),
            Step::Restart => {
                running.kill().await;
                running = office.start();
            }
            Step::Remove(name) => running.control.remove(name).await.expect("it runs"),
            Step::Replace(name) => {
                running.control.replace(name, AnyPlugin::new(office.plugin(name))).await.expect("it runs");
            }
            Step::Wait(millis) => pass(Duration::from_millis(millis)).await,
        }
    }
    for name in CLOUDS {
        running.control.replace(name, AnyPlugin::new(office.plugin(name))).await.expect("it runs");
    }
    pass(Duration::from_mins(5)).await;
    for (name, cloud) in CLOUDS.iter().zip(&office.clouds) {
        prop_assert_eq!(cloud.disorders(), Vec::<String>::new());
        prop_assert_eq!(cloud.keys(), expected(&office, name).into_iter().collect::<Vec<_>>());
    }
    for object in office.store.keys().into_iter().filter_map(|key| office.store.get(&key)) {
        prop_assert!(!object.deleting, "{} goes when nothing is left of it", object.key);
        let synced = office.store.report(&object.key).is_none() || office.store.synced(&object.key);
        prop_assert!(synced, "{}: {:?}", object.key, office.store.report(&object.key));
        for (at, _) in &object.records {
            let here = at.as_str() == "controllers" || expected(&office, at.as_str()).contains(&object.key);
            prop_assert!(here, "{}: {:?}", object.key, object.records);
        }
    }
    running.shutdown().await;
    Ok(())
}

/// What a cloud should have: the instances of its deployments, and the networks that those are attached to.
fn expected(office: &Office, cloud: &str) -> BTreeSet<Key> {
    let to = |object: &Object, relation: &str| -> Vec<Key> {
        let named = object.edges.iter().filter(|edge| edge.relation == relation);
        named.map(|edge| edge.to.clone()).collect()
    };
    let led = |deployment: &Key| {
        let deployment = office.store.get(deployment).expect("deployments stay");
        to(&deployment, "controller") == [key(CONTROLLER, cloud)]
    };
    let objects = office.store.keys().into_iter().filter_map(|key| office.store.get(&key));
    let instances =
        objects.filter(|object| object.key.kind == INSTANCE && to(object, "deployment").iter().any(led));
    instances
        .flat_map(|instance| to(&instance, "attached").into_iter().chain([instance.key.clone()]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_instances_go_their_networks_are_there_and_nowhere_else(
        steps in vec(step(), 1..40), faults in vec(fault(), 0..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(history(steps, faults))?;
    }
}
