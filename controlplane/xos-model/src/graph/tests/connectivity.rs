use std::collections::BTreeSet;

use serde_json::json;

use super::{super::*, Sketch, name};
use crate::GatewayDirection;

/// A web service with two slices, a data base with one, and a monitor that is let in.
fn shop(connect: &str, patch: serde_json::Value) -> Sketch {
    Sketch::default()
        .services(&["web", "db"])
        .tenancy("web>db", connect, patch)
        .slice("front", "web", 2, json!({"exposedPorts": [{"protocol": "tcp", "port": 443}]}))
        .slice("back", "web", 1, json!({}))
        .slice("data", "db", 1, json!({"exposedPorts": [{"protocol": "tcp", "port": 5432}]}))
        .network("front-net", "front", json!({"permittedSlices": ["monitor"]}))
        .slice("monitor", "web", 1, json!({"service": null, "networks": ["front-net", "data-net"]}))
        .network("data-net", "data", json!({}))
}

fn attachments(all: &Connectivity) -> BTreeSet<String> {
    all.attachments
        .iter()
        .map(|attachment| format!("{} {}", attachment.instance, attachment.network))
        .collect()
}

const OWN: [&str; 6] = [
    "back-1 private/back",
    "data-1 network/data-net",
    "front-1 network/front-net",
    "front-2 network/front-net",
    "monitor-1 network/front-net",
    "monitor-1 private/monitor",
];

#[test]
fn each_instance_is_on_the_networks_of_its_slice_and_on_those_that_permit_it() {
    let all = shop("public", json!({})).0.connectivity();
    assert_eq!(attachments(&all), OWN.map(String::from).into());
    let ids: Vec<_> = all.networks.iter().map(|network| network.id.to_string()).collect();
    assert_eq!(ids, ["network/data-net", "network/front-net", "private/back", "private/monitor"]);
    let permitted = all.attachments.iter().find(|a| a.instance == name("monitor-1")).expect("it is there");
    let owners: Vec<_> = permitted.owner_references.iter().map(|o| (o.kind, o.uid.as_str())).collect();
    let expected = [
        (KindName::Instance, "uid-of-monitor-1"),
        (KindName::Slice, "uid-of-monitor"),
        (KindName::Network, "uid-of-front-net"),
    ];
    assert_eq!(owners, expected);
}

#[test]
fn shared_joins_the_slices_of_both_services_on_one_network() {
    let all = shop("shared", json!({})).0.connectivity();
    let shared =
        ["back-1", "data-1", "front-1", "front-2"].map(|instance| format!("{instance} shared/web-db"));
    assert_eq!(attachments(&all), OWN.map(String::from).into_iter().chain(shared).collect());
    let network = all.networks.iter().find(|n| n.id == VnId::Shared(name("web-db"))).expect("it is there");
    assert_eq!(network.slices, ["back", "data", "front"].map(name));
    let owners: Vec<_> = network.owner_references.iter().map(|owner| owner.name.as_str()).collect();
    assert_eq!(owners, ["web-db", "web", "db"]);
    assert!(all.gateways.is_empty() && all.public.is_empty());
}

#[test]
fn a_gateway_keeps_the_networks_apart() {
    let all = shop("gateway", json!({"direction": "toProvider"})).0.connectivity();
    assert_eq!(attachments(&all), OWN.map(String::from).into());
    let [gateway] = &all.gateways[..] else { panic!("{:?}", all.gateways) };
    assert_eq!(gateway.direction, GatewayDirection::ToProvider);
    let ids = |side: &Side| side.networks.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(ids(&gateway.tenant), ["network/front-net", "private/back"]);
    assert_eq!(ids(&gateway.provider), ["network/data-net"]);
    assert_eq!(gateway.provider.instances, [name("data-1")]);
    assert_eq!(gateway.owner_references[0].name, name("web-db"));
    assert_eq!(shop("gateway", json!({})).0.connectivity().gateways[0].direction, GatewayDirection::Both);
}

#[test]
fn public_says_what_is_reached_and_who_needs_a_way_out() {
    let all = shop("public", json!({})).0.connectivity();
    let [public] = &all.public[..] else { panic!("{:?}", all.public) };
    assert_eq!(public.exposed.keys().collect::<Vec<_>>(), [&name("data")]);
    assert_eq!(public.exposed[&name("data")][0].to_string(), "tcp/5432");
    assert_eq!(public.tenant_slices, ["back", "front"].map(name));
    assert!(all.gateways.is_empty());
    let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "db", "connect": "public"});
    let all = shop("shared", json!({})).tenant("ada-db", user).0.connectivity();
    assert_eq!((all.public[0].tenant_slices.len(), all.public[0].exposed.len()), (0, 1));
}

#[test]
fn no_edge_no_packet() {
    let without = |connect| {
        let mut graph = shop(connect, json!({})).0;
        graph.remove(KindName::Tenant, &name("web-db"));
        graph.connectivity()
    };
    let none = without("public");
    assert_eq!(attachments(&none), OWN.map(String::from).into());
    assert!(none.gateways.is_empty() && none.public.is_empty());
    assert_eq!(without("shared"), none);
    assert_eq!(without("gateway"), none);
    // Nor of a slice that is not enabled, nor to who is no service.
    let off = shop("shared", json!({})).slice("front", "web", 2, json!({"enabled": false}));
    assert!(attachments(&off.0.connectivity()).iter().all(|line| !line.contains("front")));
    let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "db", "connect": "shared"});
    let all = shop("public", json!({})).tenant("ada-db", user).0.connectivity();
    assert_eq!(attachments(&all), OWN.map(String::from).into());
}

#[test]
fn a_tenancy_of_a_tenancy_connects_the_provider_of_the_latter() {
    let of = json!({"tenant": {"kind": "Tenant", "name": "ada-web"}, "provider": "db", "connect": "shared"});
    let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "web", "connect": "public"});
    let mut graph = shop("shared", json!({})).tenant("ada-web", user).tenant("behalf", of).0;
    graph.remove(KindName::Tenant, &name("web-db"));
    assert!(attachments(&graph.connectivity()).contains("front-1 shared/behalf"));
}

#[test]
fn explanations_name_the_cause() {
    let shared = shop("shared", json!({}));
    let gateway = shop("gateway", json!({"direction": "toTenant"}));
    let cases = [
        (&shared, "service/web", "It has slices back, front."),
        (&shared, "service/nobody", "There is no Service nobody."),
        (&shared, "tenant/web-db", "Tenant web-db: Service web uses Service db, shared."),
        (&shared, "network/front-net", "made for Slice front"),
        (&shared, "network/front-net", "It permits the instances of slice monitor, too"),
        (&shared, "network/data-net", "It does not permit slice monitor."),
        (&shared, "private/back", "no Network object"),
        (&shared, "private/front", "Slice front has network front-net, and so no other private one."),
        (
            &shared,
            "shared/web-db",
            "Tenant web-db joins web (slices back, front) and db (slice data) by one network.",
        ),
        (&shared, "gateway/web-db", "The connect of Tenant web-db is shared, not gateway."),
        (&gateway, "gateway/web-db", "talk through a gateway: only db may begin."),
        (&shared, "public/nobody", "There is no Tenant nobody."),
        (&shared, "attachment/front-1/network/front-net", "of Slice front, whose Network front-net is."),
        (
            &shared,
            "attachment/monitor-1/network/front-net",
            "which asks for Network front-net of Slice front, which permits",
        ),
        (&shared, "attachment/monitor-1/network/data-net", "which does not permit it."),
        (&shared, "attachment/front-1/network/data-net", "neither owns Network data-net nor asks for it."),
        (&shared, "attachment/front-1/shared/web-db", "Tenant web-db joins web"),
        (
            &gateway,
            "attachment/front-1/shared/web-db",
            "The connect of Tenant web-db is gateway, not shared.",
        ),
        (&shared, "attachment/monitor-1/shared/web-db", "of no service"),
    ];
    for (sketch, thing, expected) in cases {
        let parsed: Thing = thing.parse().expect("a thing");
        assert_eq!(parsed.to_string(), thing);
        let sentences = sketch.0.explain(&parsed);
        assert!(sentences.iter().any(|sentence| sentence.contains(expected)), "{thing}: {sentences:?}");
        assert!(sentences.iter().all(|sentence| sentence.ends_with('.')), "{sentences:?}");
    }
    for text in [
        "",
        "web",
        "web/db",
        "service/",
        "attachment/a",
        "attachment/a/b",
        "network/A",
        "attachment/a/gateway/b",
    ] {
        assert_eq!(text.parse::<Thing>(), Err(ThingError), "{text:?}");
    }
}
