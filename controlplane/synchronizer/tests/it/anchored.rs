//! Back ends of Controllers: services name theirs, tenancies come along, at any time and in any order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*, sample::select};
use synchronizer::{AnyPlugin, BackOff, Declaration, Key, Limits, Object, Record, Relation, SYNCED};

use crate::{
    histories::fault,
    support::{
        BackEndInMemory, CONTROLLER, Fault, INSTANCE, MemoryStore, Running, SERVICE, SLICE, TENANT,
        TestPlugin, at_once, key, object, pass, start,
    },
};

fn relations() -> Vec<Relation> {
    vec![
        Relation::new(SERVICE, "controller", CONTROLLER).leading(),
        Relation::new(TENANT, "provider", SERVICE).leading(),
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
        ..Declaration::new([SERVICE, TENANT])
    }
}

/// Two Controllers and what is behind them; the controllers themselves have a back end, too.
struct Office {
    store: Arc<MemoryStore>,
    controllers: Arc<BackEndInMemory>,
    north: Arc<BackEndInMemory>,
    south: Arc<BackEndInMemory>,
}

impl Office {
    fn new() -> Self {
        let store = MemoryStore::new();
        for controller in ["north", "south"] {
            store.put(object(&key(CONTROLLER, controller), &[]));
        }
        store.put(object(&key(SERVICE, "web"), &[]));
        store.put(object(&key(SLICE, "front"), &[("service", &key(SERVICE, "web"))]));
        let new = BackEndInMemory::new;
        Self { store, controllers: new(), north: new(), south: new() }
    }

    fn plugin(&self, name: &str) -> TestPlugin {
        let back_end = if name == "north" { &self.north } else { &self.south };
        // The web service, the tenant, is nobody's.
        let here = |key: &Key| key.kind == SERVICE && key.name.as_str() != "web";
        TestPlugin { here, ..TestPlugin::new(back_end, declaration(name)) }
    }

    fn start(&self) -> Running {
        let controllers = Declaration { relations: relations(), ..Declaration::new([CONTROLLER]) };
        let controllers = TestPlugin::new(&self.controllers, controllers);
        let both = [("north", self.plugin("north")), ("south", self.plugin("south"))];
        start(&self.store, [("controllers", controllers)].into_iter().chain(both))
    }

    fn service(&self, name: &str, controller: Option<&str>) {
        self.store.put(service(name, controller));
    }

    fn instance(&self, name: &str) {
        self.store.put(object(&key(INSTANCE, name), &[("slice", &key(SLICE, "front"))]));
    }

    /// Each tenancy at a back end, with its instances.
    fn mounts(back_end: &BackEndInMemory) -> Vec<String> {
        let mounts = back_end.mounts().into_iter();
        let line = |(tenancy, of): (Key, BTreeSet<Key>)| {
            let of: Vec<_> = of.iter().map(|key| key.name.as_str()).collect();
            format!("{}: {}", tenancy.name, of.join(" "))
        };
        mounts.map(line).collect()
    }
}

fn service(name: &str, controller: Option<&str>) -> Object {
    let controller = controller.map(|name| key(CONTROLLER, name));
    let edges: Vec<_> = controller.iter().map(|controller| ("controller", controller)).collect();
    object(&key(SERVICE, name), &edges)
}

fn tenancy(name: &str, provider: &str) -> Object {
    let ends = [("tenant.name", &key(SERVICE, "web")), ("provider", &key(SERVICE, provider))];
    object(&key(TENANT, name), &ends)
}

const NONE: [&str; 0] = [];

#[tokio::test(start_paused = true)]
async fn a_service_takes_its_tenants_along_to_its_controller_and_away() {
    let office = Office::new();
    office.service("volumes", None);
    office.store.put(tenancy("web-volumes", "volumes"));
    office.instance("web-1");
    let running = office.start();
    at_once().await;
    assert_eq!((office.north.calls().len(), office.south.calls().len()), (0, 0));

    office.service("volumes", Some("north"));
    at_once().await;
    assert_eq!(office.north.keys(), [key(SERVICE, "volumes"), key(TENANT, "web-volumes")]);
    assert_eq!(Office::mounts(&office.north), ["web-volumes: web-1"]);

    office.service("volumes", Some("south"));
    at_once().await;
    assert_eq!((office.north.keys(), Office::mounts(&office.north)), (vec![], vec![]));
    assert_eq!(office.south.keys().len(), 2);
    assert_eq!(Office::mounts(&office.south), ["web-volumes: web-1"]);
    let calls =
        |back_end: &BackEndInMemory| back_end.calls().into_iter().map(|(_, call)| call).collect::<Vec<_>>();
    assert_eq!(
        calls(&office.north)[3..],
        ["tell Tenant web-volumes", "remove Tenant web-volumes", "remove Service volumes"]
    );

    office.service("volumes", None);
    office.instance("web-2");
    at_once().await;
    assert_eq!((office.south.keys(), Office::mounts(&office.south)), (vec![], vec![]));
    assert!(office.store.synced(&key(TENANT, "web-volumes")), "nobody acts on it");
    for back_end in [&office.north, &office.south] {
        assert_eq!(back_end.disorders(), NONE);
    }
    assert!(office.store.get(&key(TENANT, "web-volumes")).is_some_and(|tenancy| tenancy.records.is_empty()));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_for_a_controller_waits_for_it_and_it_goes_last() {
    let office = Office::new();
    let north = key(CONTROLLER, "north");
    office.controllers.refuse(&north, Some("no such plug-in"));
    office.service("volumes", Some("north"));
    office.store.put(tenancy("web-volumes", "volumes"));
    office.instance("web-1");
    let running = office.start();
    at_once().await;
    assert_eq!(office.north.calls().len(), 0);
    let waits = office.store.condition(&key(TENANT, "web-volumes"), synchronizer::DEPENDENCY_NOT_READY);
    assert_eq!(waits.message, "Service volumes (because of Controller north): controllers: no such plug-in");
    office.controllers.refuse(&north, None);
    pass(Duration::from_secs(2)).await;
    assert_eq!(Office::mounts(&office.north), ["web-volumes: web-1"]);
    office.north.refuse(&key(TENANT, "web-volumes"), Some("the server is away"));
    for gone in [&north, &key(SERVICE, "volumes"), &key(TENANT, "web-volumes")] {
        office.store.delete(gone);
    }
    at_once().await;
    assert!(office.controllers.thing(&north).is_some());
    office.north.refuse(&key(TENANT, "web-volumes"), None);
    pass(Duration::from_secs(2)).await;
    assert!(office.store.get(&north).is_none() && office.controllers.thing(&north).is_none());
    assert_eq!(office.north.keys(), []);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_told_in_doubt_is_taken_back_when_it_is_over() {
    let office = Office::new();
    office.service("volumes", Some("north"));
    office.store.put(tenancy("web-volumes", "volumes"));
    let running = office.start();
    at_once().await;
    office.north.faults([Fault::TimeOutAfterEffect]);
    office.instance("web-1");
    at_once().await;
    assert_eq!(Office::mounts(&office.north), ["web-volumes: web-1"]);
    running.kill().await;
    office.store.drop_object(&key(INSTANCE, "web-1"));
    let running = office.start();
    at_once().await;
    assert_eq!(Office::mounts(&office.north), NONE, "nobody had ever heard that it was told");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_a_tenancy_is_told_of_its_instances_again() {
    let office = Office::new();
    office.service("volumes", Some("north"));
    office.store.put(tenancy("web-volumes", "volumes"));
    office.instance("web-1");
    let running = office.start();
    at_once().await;
    office.north.lose_everything();
    pass(Duration::from_secs(31)).await;
    assert_eq!(Office::mounts(&office.north), ["web-volumes: web-1"]);
    assert_eq!(office.north.disorders(), NONE);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_back_end_that_goes_leaves_what_it_has_recorded_and_delays_nobody() {
    let office = Office::new();
    office.service("volumes", Some("north"));
    office.service("mail", Some("south"));
    office.store.put(tenancy("web-volumes", "volumes"));
    let running = office.start();
    at_once().await;
    office.north.faults([Fault::TimeOut]);
    office.instance("web-1");
    at_once().await;
    running.control.remove("north").await.expect("it runs");
    let names: Vec<_> = running.control.metrics().await.expect("it runs").into_iter().collect();
    assert!(names.iter().all(|(name, _)| name.as_str() != "north"), "{names:?}");
    let calls = office.north.calls().len();
    let tenancy_key = key(TENANT, "web-volumes");
    assert_eq!(
        office.store.condition(&tenancy_key, SYNCED).message,
        "north has something of it, and is not there"
    );
    office.store.delete(&tenancy_key);
    office.service("mail", Some("south"));
    office.service("news", Some("north"));
    pass(Duration::from_mins(5)).await;
    assert_eq!(office.north.calls().len(), calls, "its timers are gone with it");
    assert!(office.store.get(&tenancy_key).is_some(), "it has something of it");
    assert!(office.store.synced(&key(SERVICE, "mail")));
    // Over a restart, too: then nothing but the records tells of it.
    running.kill().await;
    let controllers = Declaration { relations: relations(), ..Declaration::new([CONTROLLER]) };
    let running = start(&office.store, [("controllers", TestPlugin::new(&office.controllers, controllers))]);
    pass(Duration::from_mins(5)).await;
    assert!(office.store.get(&tenancy_key).is_some());
    running.control.replace("north", AnyPlugin::new(office.plugin("north"))).await.expect("it runs");
    at_once().await;
    assert!(office.store.get(&tenancy_key).is_none());
    assert_eq!(office.north.keys(), [key(SERVICE, "news"), key(SERVICE, "volumes")]);
    assert_eq!((Office::mounts(&office.north), office.north.disorders()), (vec![], vec![]));
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn another_in_its_place_begins_when_the_calls_of_the_first_have_ended() {
    let office = Office::new();
    office.service("volumes", Some("north"));
    office.north.faults([Fault::TimeOutAfterEffect]);
    let running = office.start();
    at_once().await;
    running.control.replace("north", AnyPlugin::new(office.plugin("north"))).await.expect("it runs");
    at_once().await;
    assert!(office.store.synced(&key(SERVICE, "volumes")));
    assert_eq!((office.north.calls().len(), office.north.effects().len()), (2, 1));
    assert_eq!(office.north.widest().0, 1, "never two at a time");
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_lingers_is_made_again_for_those_that_stand_on_it() {
    let office = Office::new();
    let north = key(CONTROLLER, "north");
    office.service("volumes", Some("north"));
    let start = |all: bool| {
        let controllers = Declaration {
            relations: relations(),
            journal: synchronizer::Journal::Volatile,
            lingering: vec![CONTROLLER],
            ..Declaration::new([CONTROLLER])
        };
        let controllers = TestPlugin::new(&office.controllers, controllers);
        let north = all.then(|| ("north", office.plugin("north")));
        start(&office.store, [("controllers", controllers)].into_iter().chain(north))
    };
    let running = start(true);
    at_once().await;
    office.north.refuse(&key(SERVICE, "volumes"), Some("the server is away"));
    office.store.delete(&key(SERVICE, "volumes"));
    office.store.delete(&north);
    at_once().await;
    running.kill().await;
    office.controllers.lose_everything();
    let running = start(false);
    at_once().await;
    assert!(office.controllers.thing(&north).is_some(), "else its service could never be removed");
    running.control.replace("north", AnyPlugin::new(office.plugin("north"))).await.expect("it runs");
    at_once().await;
    assert!(office.store.get(&north).is_some(), "the server is still away");
    office.north.refuse(&key(SERVICE, "volumes"), None);
    pass(Duration::from_secs(10)).await;
    assert_eq!((office.north.keys(), office.controllers.thing(&north).is_none()), (vec![], true));
    assert!(office.store.get(&north).is_none());
    running.shutdown().await;
}

#[derive(Clone, Debug)]
enum Step {
    Service(u8, Option<&'static str>),
    Tenancy(u8, u8),
    Instance(u8),
    Delete(usize),
    Restart,
    Remove(&'static str),
    Replace(&'static str),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..3_u8;
    let controller = || select(vec!["north", "south"]);
    prop_oneof![
        3 => (n(), prop::option::of(controller())).prop_map(|(i, at)| Step::Service(i, at)),
        2 => (n(), n()).prop_map(|(i, provider)| Step::Tenancy(i, provider)),
        2 => n().prop_map(Step::Instance),
        2 => (0..12_usize).prop_map(Step::Delete),
        1 => Just(Step::Restart),
        1 => controller().prop_map(Step::Remove),
        2 => controller().prop_map(Step::Replace),
        2 => (0..3000_u64).prop_map(Step::Wait),
    ]
}

async fn history(steps: Vec<Step>, faults: Vec<Fault>) -> Result<(), TestCaseError> {
    let office = Office::new();
    let faults: Vec<_> =
        faults.into_iter().filter(|fault| !matches!(fault, Fault::CrashBefore | Fault::CrashAfter)).collect();
    for i in 0..3 {
        office.service(&format!("s{i}"), None);
    }
    office.north.faults(faults.clone());
    office.south.faults(faults.into_iter().rev());
    let mut running = office.start();
    for step in steps {
        match step {
            Step::Service(i, at) => office.service(&format!("s{i}"), at),
            Step::Tenancy(i, provider) => {
                office.store.put(tenancy(&format!("t{i}"), &format!("s{provider}")));
            }
            Step::Instance(i) => office.instance(&format!("web-{i}")),
            Step::Delete(i) => {
                let goes = |key: &Key| key.kind == INSTANCE || key.kind == TENANT;
                let key = office.store.keys().into_iter().filter(goes).nth(i);
                if let Some(key) = key {
                    office.store.delete(&key);
                }
            }
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
    for name in ["north", "south"] {
        running.control.replace(name, AnyPlugin::new(office.plugin(name))).await.expect("it runs");
    }
    pass(Duration::from_mins(5)).await;
    for (name, back_end) in [("north", &office.north), ("south", &office.south)] {
        check(&office, name, back_end)?;
    }
    running.shutdown().await;
    Ok(())
}

fn check(office: &Office, name: &str, back_end: &BackEndInMemory) -> Result<(), TestCaseError> {
    prop_assert_eq!(back_end.disorders(), Vec::<String>::new());
    let objects: Vec<_> = office.store.keys().into_iter().filter_map(|key| office.store.get(&key)).collect();
    let names = |object: &Object, relation: &str, to: &Key| {
        object.edges.iter().any(|edge| edge.relation == relation && edge.to == *to)
    };
    let here: BTreeSet<Key> = (objects.iter())
        .filter(|object| object.key.kind == SERVICE && names(object, "controller", &key(CONTROLLER, name)))
        .map(|object| object.key.clone())
        .collect();
    let tenancies: BTreeSet<Key> = (objects.iter())
        .filter(|object| object.key.kind == TENANT && here.iter().any(|to| names(object, "provider", to)))
        .map(|object| object.key.clone())
        .collect();
    prop_assert_eq!(back_end.keys(), here.union(&tenancies).cloned().collect::<Vec<_>>());
    let instances: BTreeSet<Key> = objects
        .iter()
        .filter(|object| object.key.kind == INSTANCE)
        .map(|object| object.key.clone())
        .collect();
    let mounts = back_end.mounts();
    for tenancy in &tenancies {
        prop_assert_eq!(mounts.get(tenancy).cloned().unwrap_or_default(), instances.clone(), "{}", tenancy);
    }
    prop_assert!(mounts.keys().all(|tenancy| tenancies.contains(tenancy)), "{:?}", mounts);
    for object in objects {
        prop_assert!(!object.deleting, "{} goes when nothing is left of it", object.key);
        // An object of which nobody ever knew has no status.
        let synced = office.store.report(&object.key).is_none() || office.store.synced(&object.key);
        prop_assert!(synced, "{}: {:?}", object.key, office.store.report(&object.key));
        let elsewhere = |(at, _): &(synchronizer::BackEnd, Record)| {
            at.as_str() == name && !here.contains(&object.key) && !tenancies.contains(&object.key)
        };
        prop_assert!(!object.records.iter().any(elsewhere), "{}: {:?}", object.key, object.records);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_comes_and_goes_all_ends_where_it_belongs(
        steps in vec(step(), 1..40), faults in vec(fault(), 0..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(history(steps, faults))?;
    }
}
