//! A provider is told of its tenants' instances (XOS paper, section 3.2): a sample service mounts a volume in each.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use synchronizer::{Config, Declaration, Item, Key, Outcome, Plugin, Relation, Runner, TenantInstances};

use crate::support::{
    BackEndInMemory, Body, INSTANCE, MemoryStore, SERVICE, SLICE, TENANT, TestPlugin, at_once, key, object,
    pass,
};

/// A volume service: what it has mounted, where.
#[derive(Clone, Default)]
struct Volumes {
    mounted: Arc<Mutex<BTreeSet<(Key, Key)>>>,
    told: Arc<Mutex<Vec<TenantInstances>>>,
    failures: Arc<Mutex<u32>>,
}

impl Plugin<Body> for Volumes {
    fn declare(&self) -> Declaration {
        Declaration { tenancies: true, ..Declaration::new([]) }
    }

    fn serves(&self, service: &Key) -> bool {
        *service == key(SERVICE, "volumes")
    }

    async fn apply(&self, _item: &Item<Body>) -> Outcome {
        Outcome::done()
    }

    async fn remove(&self, _item: &Item<Body>) -> Outcome {
        Outcome::done()
    }

    async fn tenant_instances_changed(&self, change: &TenantInstances) -> Outcome {
        let mut failures = self.failures.lock().expect("no panic");
        if *failures > 0 {
            *failures -= 1;
            return Outcome::failed("the volume server is away");
        }
        let mut mounted = self.mounted.lock().expect("no panic");
        for instance in &change.added {
            mounted.insert((change.tenant.clone(), instance.clone()));
        }
        for instance in &change.removed {
            mounted.remove(&(change.tenant.clone(), instance.clone()));
        }
        self.told.lock().expect("no panic").push(change.clone());
        Outcome::done()
    }
}

impl Volumes {
    fn instances(&self) -> Vec<String> {
        let mounted = self.mounted.lock().expect("no panic");
        mounted.iter().map(|(tenant, instance)| format!("{}: {}", tenant.name, instance.name)).collect()
    }
}

struct Office {
    store: Arc<MemoryStore>,
    cloud: Arc<BackEndInMemory>,
    volumes: Volumes,
}

impl Office {
    /// Two services; the web is a tenant of the volumes, the mail is not.
    fn new() -> Self {
        let store = MemoryStore::new();
        for service in ["volumes", "web", "mail"] {
            store.put(object(&key(SERVICE, service), &[]));
            let slice = key(SLICE, &format!("{service}-slice"));
            store.put(object(&slice, &[("service", &key(SERVICE, service))]));
        }
        let ends = [("tenant.name", &key(SERVICE, "web")), ("provider", &key(SERVICE, "volumes"))];
        store.put(object(&key(TENANT, "web-volumes"), &ends));
        Self { store, cloud: BackEndInMemory::new(), volumes: Volumes::default() }
    }

    fn instance(&self, name: &str, service: &str) {
        let slice = key(SLICE, &format!("{service}-slice"));
        self.store.put(object(&key(INSTANCE, name), &[("slice", &slice)]));
    }

    fn start(&self) -> tokio::task::JoinHandle<Result<(), synchronizer::StoreError>> {
        let declaration = Declaration {
            relations: vec![Relation::new(INSTANCE, "slice", SLICE)],
            ..Declaration::new([SLICE, INSTANCE])
        };
        let (runner, control) = Runner::new(self.store.clone(), Config::default());
        let runner = runner.with("cloud", TestPlugin::new(&self.cloud, declaration));
        let runner = runner.with("volumes", self.volumes.clone());
        tokio::spawn(async move {
            let _control = control;
            runner.run().await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_is_mounted_in_each_new_instance_of_the_tenant() {
    let office = Office::new();
    office.instance("web-1", "web");
    office.instance("mail-1", "mail");
    office.cloud.refuse(&key(INSTANCE, "web-2"), Some("no host has room"));
    office.instance("web-2", "web");
    let task = office.start();
    at_once().await;
    assert_eq!(office.volumes.instances(), ["web: web-1"], "of the tenant, and ready");
    office.cloud.refuse(&key(INSTANCE, "web-2"), None);
    pass(Duration::from_secs(2)).await;
    assert_eq!(office.volumes.instances(), ["web: web-1", "web: web-2"]);
    office.store.delete(&key(INSTANCE, "web-1"));
    at_once().await;
    assert_eq!(office.volumes.instances(), ["web: web-2"]);
    let last = office.volumes.told.lock().expect("no panic").last().cloned().expect("it was told");
    assert_eq!((last.service, last.tenant), (key(SERVICE, "volumes"), key(SERVICE, "web")));
    assert_eq!((last.added, last.removed), (vec![], vec![key(INSTANCE, "web-1")]));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_change_while_nobody_ran_is_told_and_nothing_twice() {
    let office = Office::new();
    office.instance("web-1", "web");
    office.instance("web-2", "web");
    let task = office.start();
    at_once().await;
    task.abort();
    assert!(task.await.is_err());
    let before = office.volumes.told.lock().expect("no panic").len();
    office.store.drop_object(&key(INSTANCE, "web-1"));
    office.instance("web-3", "web");
    let task = office.start();
    at_once().await;
    assert_eq!(office.volumes.instances(), ["web: web-2", "web: web-3"]);
    let told = office.volumes.told.lock().expect("no panic").split_off(before);
    let added: Vec<_> = told.iter().flat_map(|change| change.added.clone()).collect();
    let removed: Vec<_> = told.iter().flat_map(|change| change.removed.clone()).collect();
    assert_eq!((added, removed), (vec![key(INSTANCE, "web-3")], vec![key(INSTANCE, "web-1")]));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_told_again_and_a_tenancy_ends_when_it_knows() {
    let office = Office::new();
    office.instance("web-1", "web");
    *office.volumes.failures.lock().expect("no panic") = 3;
    let task = office.start();
    at_once().await;
    let tenancy = key(TENANT, "web-volumes");
    let said = office.store.condition(&tenancy, synchronizer::SYNCED).message;
    assert_eq!(said, "volumes: the volume server is away");
    pass(Duration::from_secs(10)).await;
    assert_eq!(office.volumes.instances(), ["web: web-1"]);
    assert!(office.store.synced(&tenancy));
    *office.volumes.failures.lock().expect("no panic") = 1;
    office.store.delete(&tenancy);
    at_once().await;
    assert!(office.store.get(&tenancy).is_some(), "its provider does not know yet");
    pass(Duration::from_secs(10)).await;
    assert_eq!(office.volumes.instances(), [""; 0]);
    assert!(office.store.get(&tenancy).is_none());
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_not_ready_after_a_restart_is_not_told_to_be_gone() {
    let office = Office::new();
    office.instance("web-1", "web");
    let task = office.start();
    at_once().await;
    task.abort();
    assert!(task.await.is_err());
    office.instance("web-1", "web");
    office.cloud.refuse(&key(INSTANCE, "web-1"), Some("no host has room"));
    let task = office.start();
    pass(Duration::from_secs(1)).await;
    assert_eq!(office.volumes.told.lock().expect("no panic").len(), 1, "only of the first start");
    assert_eq!(office.volumes.instances(), ["web: web-1"]);
    task.abort();
}
