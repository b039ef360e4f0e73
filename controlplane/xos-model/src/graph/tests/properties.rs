use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::{super::*, name, object};
use crate::{Attributes, Connect, Metadata, Subscriber, SubscriberSpec};

/// One object of a small random office, in which some references lead nowhere.
#[derive(Clone, Debug)]
enum Piece {
    Service(Object<ServiceSpec>),
    Tenant(Object<TenantSpec>),
    Slice(Object<SliceSpec>),
    Network(Object<NetworkSpec>),
    Instance(Object<InstanceSpec>),
}

impl Piece {
    fn id(&self) -> (KindName, Name) {
        match self {
            Self::Service(object) => (KindName::Service, object.name().clone()),
            Self::Tenant(object) => (KindName::Tenant, object.name().clone()),
            Self::Slice(object) => (KindName::Slice, object.name().clone()),
            Self::Network(object) => (KindName::Network, object.name().clone()),
            Self::Instance(object) => (KindName::Instance, object.name().clone()),
        }
    }

    fn put(&self, graph: &mut Graph) {
        match self {
            Self::Service(object) => graph.put(object),
            Self::Tenant(object) => graph.put(object),
            Self::Slice(object) => graph.put(object),
            Self::Network(object) => graph.put(object),
            Self::Instance(object) => graph.put(object),
        }
    }
}

/// A name of few, so that references meet.
fn pick(of: &'static str) -> impl Strategy<Value = String> {
    (0..5_u8).prop_map(move |i| format!("{of}{i}"))
}

fn piece() -> impl Strategy<Value = Piece> {
    let kinds =
        || prop::collection::btree_set(prop::sample::select(vec!["Service", "Subscriber", "Tenant"]), 0..3);
    let connects = || prop::sample::select(vec!["public", "shared", "gateway"]);
    let service =
        (pick("s"), pick("k"), kinds(), prop::collection::btree_set(connects(), 0..4), any::<(bool, bool)>());
    let service = service.prop_map(|(called, service_type, tenants, connect, (enabled, entry))| {
        let accepts = json!({"tenants": tenants, "connect": connect});
        let spec = json!({"serviceType": service_type, "version": "1", "enabled": enabled, "accepts": accepts,
                   "perSubscriber": entry});
        Piece::Service(object(&called, spec))
    });
    let tenant = prop_oneof![
        4 => pick("s").prop_map(|name| json!({"kind": "Service", "name": name})),
        2 => pick("t").prop_map(|name| json!({"kind": "Tenant", "name": name})),
        1 => Just(json!({"kind": "Root", "name": "r"})),
    ];
    let tenant = (pick("t"), tenant, pick("s"), connects(), any::<bool>());
    let tenant = tenant.prop_map(|(called, tenant, provider, connect, per_tenant)| {
        let spec =
            json!({"tenant": tenant, "provider": provider, "connect": connect, "perTenant": per_tenant});
        Piece::Tenant(object(&called, spec))
    });
    let networks = prop::collection::vec(pick("n"), 0..3);
    let slice = (pick("l"), prop::option::of(pick("s")), networks, any::<bool>());
    let slice = slice.prop_map(|(called, service, networks, enabled)| {
        let spec = json!({"site": "x", "service": service, "networks": networks, "enabled": enabled, "maxInstances": 2});
        Piece::Slice(object(&called, spec))
    });
    let network = (pick("n"), pick("l"), prop::collection::vec(pick("l"), 0..3), any::<bool>());
    let network = network.prop_map(|(called, slice, permitted, all)| {
        let spec = json!({"slice": slice, "permittedSlices": permitted, "permitAllSlices": all});
        Piece::Network(object(&called, spec))
    });
    let instance = (pick("i"), pick("l"));
    let instance =
        instance.prop_map(|(called, slice)| Piece::Instance(object(&called, json!({"slice": slice}))));
    prop_oneof![3 => service, 4 => tenant, 2 => slice, 2 => network, 2 => instance]
}

/// What the pieces come to when each takes the place of an earlier one of its name.
fn last(pieces: &[Piece]) -> BTreeMap<(KindName, Name), Piece> {
    pieces.iter().map(|piece| (piece.id(), piece.clone())).collect()
}

fn graph(pieces: &[Piece]) -> Graph {
    let mut graph = Graph::default();
    for piece in pieces {
        piece.put(&mut graph);
    }
    graph
}

/// The services that can be reached from each over tenancies between services that are there, by trying all.
fn reach(graph: &Graph) -> BTreeSet<(Name, Name)> {
    let there = |name: &Name| graph.services.contains_key(name);
    let tenants = graph.tenants.values().filter(|held| held.spec.tenant.kind == TenantKind::Service);
    let edges = tenants.map(|held| (held.spec.tenant.name.clone(), held.spec.provider.clone()));
    let mut reach: BTreeSet<_> = edges.filter(|(from, to)| there(from) && there(to)).collect();
    loop {
        let steps = reach
            .iter()
            .flat_map(|(a, b)| reach.iter().filter(move |(c, _)| b == c).map(move |(_, d)| (a, d)));
        let steps: Vec<_> = steps.map(|(a, d)| (a.clone(), d.clone())).collect();
        let before = reach.len();
        reach.extend(steps);
        if reach.len() == before {
            return reach;
        }
    }
}

/// Whether an instance is on a network, said again and naively.
fn is_attached(graph: &Graph, instance: &Name, network: &VnId) -> bool {
    let Some(slice_name) = graph.instances.get(instance).map(|held| &held.spec.slice) else { return false };
    let enabled = |name: &Name| graph.slices.get(name).is_some_and(|held| held.spec.enabled);
    let Some(slice) = graph.slices.get(slice_name).filter(|held| held.spec.enabled) else { return false };
    match network {
        VnId::Network(network) => graph.networks.get(network).is_some_and(|held| {
            let NetworkSpec { slice: owner, permitted_slices, permit_all_slices, .. } = &held.spec;
            let permitted = *permit_all_slices || permitted_slices.contains(slice_name);
            owner == slice_name || (enabled(owner) && permitted && slice.spec.networks.contains(network))
        }),
        VnId::Private(owner) => {
            owner == slice_name && graph.networks.values().all(|held| held.spec.slice != *owner)
        }
        VnId::Shared(tenancy) => graph.tenants.get(tenancy).is_some_and(|held| {
            let TenantSpec { tenant, provider, connect, .. } = &held.spec;
            let user = match tenant.kind {
                TenantKind::Service => Some(&tenant.name),
                TenantKind::Tenant => graph.tenants.get(&tenant.name).map(|held| &held.spec.provider),
                _ => None,
            };
            let Some(user) = user else { return false };
            let there = graph.services.contains_key(user) && graph.services.contains_key(provider);
            let service = slice.spec.service.as_ref();
            *connect == Connect::Shared && there && (service == Some(user) || service == Some(provider))
        }),
    }
}

fn every_network() -> Vec<VnId> {
    let five = |of: &'static str| (0..5).map(move |i| name(&format!("{of}{i}")));
    five("n")
        .map(VnId::Network)
        .chain(five("l").map(VnId::Private))
        .chain(five("t").map(VnId::Shared))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_graph_is_the_same_however_it_came_about(
        pieces in prop::collection::vec(piece(), 0..40),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut changed = graph(&pieces);
        let mut left = last(&pieces);
        for index in gone.iter().filter(|_| !pieces.is_empty()) {
            let id = index.get(&pieces).id();
            changed.remove(id.0, &id.1);
            left.remove(&id);
        }
        let made = graph(&left.into_values().rev().collect::<Vec<_>>());
        prop_assert_eq!(format!("{changed:?}"), format!("{made:?}"));
    }

    #[test]
    fn there_is_a_cycle_where_a_service_reaches_itself(pieces in prop::collection::vec(piece(), 0..40)) {
        let graph = graph(&pieces);
        let reach = reach(&graph);
        let found = graph.check();
        let spelled = |fault: &GraphFault| fault.fault.detail.split_once("of the next: ").map(|(_, way)| way.to_owned());
        let ways: Vec<_> = found.iter().filter_map(spelled).collect();
        prop_assert_eq!(ways.is_empty(), reach.iter().all(|(from, to)| from != to));
        for way in &ways {
            let services: Vec<_> = way.split(" → ").map(name).collect();
            prop_assert_eq!(services.first(), services.last());
            for step in services.windows(2) {
                prop_assert!(graph.providers(&step[0]).any(|(_, spec)| spec.provider == step[1]), "{}", way);
            }
        }
        for (tenancy, held) in &graph.tenants {
            let (to, from) = (&held.spec.tenant.name, &held.spec.provider);
            let between = held.spec.tenant.kind == TenantKind::Service;
            let there = graph.services.contains_key(to) && graph.services.contains_key(from);
            let closes = between && there && (from == to || reach.contains(&(from.clone(), to.clone())));
            let faults = graph.admit_tenant(tenancy, Some(&held.spec));
            let says = faults.iter().any(|fault| fault.detail.contains("a cycle of services"));
            prop_assert_eq!(says, closes, "{}", tenancy);
        }
    }

    #[test]
    fn an_instance_is_attached_where_an_edge_or_its_owner_says_so(pieces in prop::collection::vec(piece(), 0..40)) {
        let graph = graph(&pieces);
        let all = graph.connectivity();
        let attached: BTreeSet<_> = all.attachments.iter().map(|a| (a.instance.clone(), a.network.clone())).collect();
        prop_assert_eq!(attached.len(), all.attachments.len(), "none is there twice");
        let networks: BTreeSet<_> = all.networks.iter().map(|network| &network.id).collect();
        prop_assert_eq!(networks.len(), all.networks.len(), "none is there twice");
        for instance in (0..5).map(|i| name(&format!("i{i}"))) {
            for network in every_network() {
                let is = attached.contains(&(instance.clone(), network.clone()));
                prop_assert_eq!(is, is_attached(&graph, &instance, &network), "{} {}", instance, network);
                let why = graph.explain(&Thing::Attachment { instance: instance.clone(), network: network.clone() });
                let no = why[0].contains("is not attached") || why[0].starts_with("There is no");
                prop_assert_eq!(is, !no, "{:?}", why);
                prop_assert!(!is || networks.contains(&network), "{} is nowhere", network);
            }
        }
        let owners = all.attachments.iter().map(|a| &a.owner_references)
            .chain(all.networks.iter().map(|n| &n.owner_references))
            .chain(all.gateways.iter().map(|g| &g.owner_references))
            .chain(all.public.iter().map(|p| &p.owner_references));
        for owners in owners {
            // Each is an object that is there, and of which the graph knows the uid.
            prop_assert!(!owners.is_empty());
            let there = |owner: &OwnerReference| owner.uid == format!("uid-of-{}", owner.name);
            prop_assert!(owners.iter().all(|owner| there(owner) || !graph.services.contains_key(&owner.name)));
            prop_assert!(there(&owners[0]), "{:?}", owners);
        }
    }

    #[test]
    fn a_chain_leads_from_tenant_to_provider(
        pieces in prop::collection::vec(piece(), 0..40),
        stand_ins in prop::collection::btree_map(pick("k"), pick("s"), 0..3),
    ) {
        let graph = graph(&pieces);
        let access = json!({"node": "node1", "port": "access0", "sVid": 1, "cVid": 1});
        let subscriber: Subscriber = object::<SubscriberSpec>("alice", json!({"access": access, "services": stand_ins}));
        graph.admit_subscriber(&subscriber, None);
        let chain = graph.chain(&subscriber, |_| Attributes::default()).tenancies;
        let mut known = BTreeSet::from([subscriber.name().clone()]);
        for tenancy in &chain {
            prop_assert!(known.contains(&tenancy.spec.tenant.name), "a tenancy comes after its tenant");
            prop_assert!(known.insert(tenancy.name.clone()), "a service has one tenancy");
            prop_assert_eq!(tenancy.name.to_string(), format!("alice-{}", tenancy.spec.provider));
            let service = &graph.services[&tenancy.spec.provider].spec;
            let wanted = subscriber.spec.services.get(&service.service_type);
            prop_assert!(wanted.is_none_or(|wanted| *wanted == tenancy.spec.provider));
            prop_assert!(tenancy.owner_references.len() >= 2 && !tenancy.explain().is_empty());
        }
        let services: Vec<_> = chain.iter().map(|tenancy| &tenancy.spec.provider).collect();
        prop_assert_eq!(graph.services_of(&subscriber.spec.services), services);
    }

    #[test]
    fn nothing_is_too_odd_to_be_shown(pieces in prop::collection::vec(piece(), 0..40)) {
        let graph = graph(&pieces);
        let text = graph.text();
        for service in graph.services.keys() {
            let described = text.lines().filter(|line| {
                let line = line.trim_start().trim_start_matches("→ ");
                line.strip_prefix(service.as_str()).is_some_and(|rest| rest.starts_with(" 1"))
            });
            prop_assert_eq!(described.count(), 1, "{}", service);
        }
        let dot = graph.dot();
        prop_assert_eq!(dot.lines().filter(|line| line.contains("-> \"Service/")).count(), graph.tenants.len());
        prop_assert_eq!(graph.data()["services"].as_array().map(Vec::len), Some(graph.services.len()));
        for id in last(&pieces).keys() {
            for of in ["service", "tenant", "network", "private", "shared", "gateway", "public"] {
                let thing: Thing = format!("{of}/{}", id.1).parse().expect("a thing");
                prop_assert!(!graph.explain(&thing).is_empty());
            }
            graph.admit_service(&id.1, None);
            graph.admit_slice(&id.1);
            graph.admit_network(&id.1);
            graph.admit_instance(&id.1);
        }
    }
}

/// Were any of this quadratic, the test would run for minutes: 50,000 services in one line, each of which also closes a
/// cycle with the first, and each with a slice and an instance.
#[test]
fn large_graphs_are_checked_and_shown() {
    const SERVICES: usize = 50_000;
    let mut graph = Graph::default();
    let accepts = json!({"tenants": ["Service"], "connect": ["shared"]});
    let service: Object<ServiceSpec> =
        object("s", json!({"serviceType": "s", "version": "1", "accepts": accepts}));
    let slice: Object<SliceSpec> = object("l", json!({"site": "x", "service": "s"}));
    let instance: Object<InstanceSpec> = object("i", json!({"slice": "l"}));
    let tenant = json!({"tenant": {"kind": "Service", "name": "s"}, "provider": "s", "connect": "shared"});
    let tenant: Object<TenantSpec> = object("t", tenant);
    let numbered = |of: &str, i: usize| name(&format!("{of}{i:05}"));
    for i in 0..SERVICES {
        let named = |of| Metadata::named(numbered(of, i));
        graph.put(&Object { metadata: named("s"), ..service.clone() });
        let spec = SliceSpec { service: Some(numbered("s", i)), ..slice.spec.clone() };
        graph.put(&Object { metadata: named("l"), spec, ..slice.clone() });
        graph.put(&Object {
            metadata: named("i"),
            spec: InstanceSpec { slice: numbered("l", i), ..instance.spec.clone() },
            ..instance.clone()
        });
        for (of, to) in [("t", i + 1), ("u", 0)] {
            let mut spec = TenantSpec { provider: numbered("s", to), ..tenant.spec.clone() };
            spec.tenant.name = numbered("s", i);
            graph.put(&Object { metadata: named(of), spec, ..tenant.clone() });
        }
    }
    let found = graph.check();
    assert_eq!(found.len(), SERVICES, "one cycle for each tenancy with the first service");
    assert!(found.iter().all(|found| found.fault.detail.len() < 500));
    let all = graph.connectivity();
    // Each is on its own network and, but for the ends of the line, on those that it shares with its neighbours; the
    // first is on one with each.
    assert_eq!(all.networks.len(), 3 * SERVICES - 1);
    assert_eq!(all.attachments.len(), SERVICES + 2 * (SERVICES - 1) + 2 * SERVICES - 1);
    assert!(graph.text().len() < SERVICES * 400);
    assert!(graph.dot().len() < SERVICES * 600);
}
