//! Lists of tenancies over random graphs and names: what pages say, what the whole list says and what each name says are
//! one and the same.

use std::collections::{BTreeMap, BTreeSet};

use hyper::{Method, StatusCode};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    controller::{Controller, edited, run, subscriber},
    references::object,
};

const TENANTS: &str = "/api/v1/tenants";
/// One is the beginning of others, and a service's name of what follows a subscriber's.
const SUBSCRIBERS: [&str; 7] = ["s", "s-a", "s-b", "s-a-b", "s-b-a", "s-a-a", "t"];
/// Of two types, so that a subscriber can have one of a type in place of another.
const SERVICES: [(&str, &str); 5] = [("a", "x"), ("b", "y"), ("a-b", "x"), ("b-a", "y"), ("a-a", "x")];
/// Tenants that are stored, some under names that tenancies could have.
const LINKS: [&str; 6] = ["s-a", "t-b", "link", "s-a-b-a", "a", "zz"];

#[derive(Clone, Debug)]
enum Change {
    Service { i: usize, per_subscriber: bool },
    DeleteService(usize),
    Link { i: usize, tenant: usize, provider: usize, per_tenant: bool },
    DeleteLink(usize),
    Subscriber { i: usize, choice: Option<usize> },
    DeleteSubscriber(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let service = || 0..SERVICES.len();
    prop_oneof![
        3 => (service(), any::<bool>()).prop_map(|(i, per_subscriber)| Change::Service { i, per_subscriber }),
        1 => service().prop_map(Change::DeleteService),
        4 => (0..LINKS.len(), service(), service(), prop::bool::weighted(0.8)).prop_map(
            |(i, tenant, provider, per_tenant)| Change::Link { i, tenant, provider, per_tenant }
        ),
        1 => (0..LINKS.len()).prop_map(Change::DeleteLink),
        5 => (0..SUBSCRIBERS.len(), proptest::option::of(service()))
            .prop_map(|(i, choice)| Change::Subscriber { i, choice }),
        2 => (0..SUBSCRIBERS.len()).prop_map(Change::DeleteSubscriber),
    ]
}

/// So that there is something to list.
fn beginning() -> Vec<Change> {
    let subscribers = [0, 1, 3].map(|i| Change::Subscriber { i, choice: None });
    [Change::Service { i: 0, per_subscriber: true }].into_iter().chain(subscribers).collect()
}

impl Change {
    /// The path of the object, and what it is to be.
    fn request(&self) -> (String, Option<Value>) {
        match self {
            Self::Service { i, per_subscriber } => {
                let (name, kind) = SERVICES[*i];
                let accepts = json!({"tenants": ["Service", "Subscriber", "Tenant"], "connect": ["shared"]});
                let spec = json!({"serviceType": kind, "version": "1", "accepts": accepts,
                    "perSubscriber": per_subscriber});
                (format!("/api/v1/services/{name}"), Some(object("Service", name, &spec)))
            }
            Self::DeleteService(i) => (format!("/api/v1/services/{}", SERVICES[*i].0), None),
            Self::Link { i, tenant, provider, per_tenant } => {
                let name = LINKS[*i];
                let spec = json!({"tenant": {"kind": "Service", "name": SERVICES[*tenant].0},
                    "provider": SERVICES[*provider].0, "connect": "shared", "perTenant": per_tenant});
                (format!("{TENANTS}/{name}"), Some(object("Tenant", name, &spec)))
            }
            Self::DeleteLink(i) => (format!("{TENANTS}/{}", LINKS[*i]), None),
            Self::Subscriber { i, choice } => {
                let name = SUBSCRIBERS[*i];
                let c_vid = u16::try_from(*i).expect("few") + 1;
                let services: Value =
                    choice.map(|choice| json!({SERVICES[choice].1: SERVICES[choice].0})).unwrap_or_default();
                let object = edited(subscriber(name, 1, c_vid), json!({"spec": {"services": services}}));
                (format!("/api/v1/subscribers/{name}"), Some(object))
            }
            Self::DeleteSubscriber(i) => (format!("/api/v1/subscribers/{}", SUBSCRIBERS[*i]), None),
        }
    }

    /// Says whether it was accepted: much is not.
    async fn make(&self, controller: &Controller) -> bool {
        let (path, object) = self.request();
        let answer = match &object {
            Some(object) => controller.call(Method::PUT, &path, object).await,
            None => controller.call(Method::DELETE, &path, &Value::Null).await,
        };
        assert!(answer.status.is_success() || answer.status.is_client_error(), "{self:?}: {answer:?}");
        answer.status.is_success()
    }
}

fn name(item: &Value) -> String {
    item["metadata"]["name"].as_str().expect("a name").to_owned()
}

fn items(list: &mut Value) -> Vec<Value> {
    std::mem::take(list["items"].as_array_mut().expect("a list of items"))
}

/// The whole list, held against every name that there could be.
async fn whole(controller: &Controller) -> Value {
    let mut list = controller.get(&format!("{TENANTS}?limit=1000")).await.json();
    let all = items(&mut list);
    let is_derived = |item: &Value| item["metadata"].get("ownerReferences").is_some();
    let (derived, stored): (Vec<_>, Vec<_>) = all.iter().cloned().partition(is_derived);
    let ordered: Vec<_> = [&stored, &derived].iter().flat_map(|part| part.iter().cloned()).collect();
    assert_eq!(ordered, all, "what is stored comes first");
    for part in [&stored, &derived] {
        assert!(part.iter().map(name).is_sorted_by(|a, b| a < b), "in the order of their names, each once");
    }
    let by_name: BTreeMap<_, _> = all.iter().map(|item| (name(item), item)).collect();
    assert_eq!(by_name.len(), all.len(), "a name stands for one tenancy");
    let pairs = SUBSCRIBERS.iter().flat_map(|user| {
        let services = SERVICES.iter().map(|(service, _)| *service).chain(["volt", "vcpe", "vbng"]);
        services.map(move |service| format!("{user}-{service}"))
    });
    let names: BTreeSet<_> = pairs.chain(LINKS.map(str::to_owned)).chain(by_name.keys().cloned()).collect();
    for name in names {
        let answer = controller.get(&format!("{TENANTS}/{name}")).await;
        match by_name.get(&name) {
            Some(item) => assert_eq!(answer.json(), **item, "{name}"),
            None => assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}: {answer:?}"),
        }
    }
    // What each subscriber has, all together, is what there is.
    let mut chains = BTreeMap::new();
    for user in SUBSCRIBERS {
        let answer = controller.get(&format!("/api/v1/subscribers/{user}/chain")).await;
        if answer.status == StatusCode::OK {
            for item in items(&mut answer.json()) {
                assert_eq!(item["metadata"]["ownerReferences"][0]["name"], user, "{item}");
                assert!(chains.insert(name(&item), item).is_none(), "of one subscriber only");
            }
        }
    }
    assert_eq!(chains.into_values().collect::<Vec<_>>(), derived);
    list["items"] = all.into();
    list
}

/// A first page, and those that follow with changes between them, are the whole list as it was.
async fn paged(controller: &Controller, limit: usize, between: Vec<Vec<Change>>) {
    let mut whole = whole(controller).await;
    let revision = whole["metadata"]["resourceVersion"].clone();
    let (mut seen, mut between) = (Vec::new(), between.into_iter());
    let mut path = format!("{TENANTS}?limit={limit}");
    loop {
        let mut page = controller.get(&path).await.json();
        assert_eq!(page["metadata"]["resourceVersion"], revision, "{path}");
        let some = items(&mut page);
        let token = page["metadata"]["continue"].as_str().map(str::to_owned);
        assert!(
            some.len() == limit || (some.len() < limit && token.is_none()),
            "{path} gives {}",
            some.len()
        );
        seen.extend(some);
        let Some(token) = token else { break };
        path = format!("{TENANTS}?limit={limit}&continue={token}");
        for change in between.next().into_iter().flatten() {
            change.make(controller).await;
        }
    }
    assert_eq!(seen, items(&mut whole));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_lists_and_names_say_the_same(
        first in vec(change(), 10..60),
        rounds in vec((1..12_usize, vec(vec(change(), 0..6), 0..8)), 1..4),
    ) {
        run(async {
            let controller = Controller::with_office().await;
            for change in beginning() {
                assert!(change.make(&controller).await, "{change:?}");
            }
            for change in &first {
                change.make(&controller).await;
            }
            for (limit, between) in rounds {
                paged(&controller, limit, between).await;
            }
            whole(&controller).await;
        });
    }
}
