use serde_json::json;

use super::{super::*, Sketch, name, office};
use crate::Fault;

/// `Kind name pointer` of every fault.
fn faults(sketch: &Sketch) -> Vec<String> {
    let text = |found: GraphFault| format!("{} {} {}", found.kind, found.name, found.fault.pointer);
    sketch.0.check().into_iter().map(text).collect()
}

fn pointers(faults: Vec<Fault>) -> Vec<String> {
    faults.into_iter().map(|fault| fault.pointer.as_str().to_owned()).collect()
}

#[test]
fn the_office_is_sound_and_an_empty_graph_too() {
    assert_eq!(faults(&office()), [""; 0]);
    assert_eq!(faults(&Sketch::default()), [""; 0]);
}

#[test]
fn a_cycle_is_spelled_out() {
    let around = office().tenancy("vbng>volt", "shared", json!({}));
    let found = around.0.check();
    let details: Vec<_> = found.iter().map(|found| found.fault.detail.as_str()).collect();
    assert!(details.contains(&"Service volt accepts no Service as a tenant"), "{details:?}");
    assert!(details.iter().any(|detail| detail.ends_with("vbng → volt → vcpe → vbng")), "{details:?}");
    let spelled = |tenancy: &str| around.0.admit_tenant(&name(tenancy), None).pop().expect("a fault").detail;
    assert!(spelled("vbng-volt").ends_with(": vbng → volt → vcpe → vbng"), "{}", spelled("vbng-volt"));
    assert!(spelled("volt-vcpe").ends_with(": volt → vcpe → vbng → volt"), "{}", spelled("volt-vcpe"));

    let own = Sketch::default().services(&["a"]).tenancy("a>a", "shared", json!({}));
    assert_eq!(faults(&own), ["Tenant a-a /spec/provider"]);
    assert!(own.0.check()[0].fault.detail.ends_with(": a → a"));
    assert_eq!(pointers(own.0.admit_tenant(&name("a-a"), None)), ["/spec/provider"]);

    // Two ways to one provider are none; two cycles are two.
    let diamond = Sketch::default().services(&["a", "b", "c", "d"]);
    let diamond =
        ["a>b", "a>c", "b>d", "c>d"].iter().fold(diamond, |s, edge| s.tenancy(edge, "shared", json!({})));
    assert_eq!(faults(&diamond), [""; 0]);
    let two = diamond.tenancy("d>b", "shared", json!({})).tenancy("c>a", "shared", json!({}));
    assert_eq!(faults(&two), ["Tenant d-b /spec/provider", "Tenant c-a /spec/provider"]);
}

#[test]
fn a_long_cycle_is_not_spelled_to_its_end() {
    let services: Vec<_> = (0..100).map(|i| format!("s{i:02}")).collect();
    let mut ring = Sketch::default().services(&services.iter().map(String::as_str).collect::<Vec<_>>());
    for i in 0..100 {
        ring = ring.tenancy(&format!("s{i:02}>s{:02}", (i + 1) % 100), "shared", json!({}));
    }
    let found = ring.0.check();
    assert_eq!(found.len(), 1);
    assert!(found[0].fault.detail.ends_with("s31 → … → s00"), "{}", found[0].fault.detail);
}

#[test]
fn a_tenancy_is_not_its_own_tenant() {
    let of = |tenancy: &str| json!({"tenant": {"kind": "Tenant", "name": tenancy}, "provider": "a", "connect": "shared"});
    let rings = Sketch::default()
        .services(&["a"])
        .tenant("x", of("y"))
        .tenant("y", of("z"))
        .tenant("z", of("y"))
        .tenant("own", of("own"))
        .tenant("dangling", of("nobody"));
    assert_eq!(faults(&rings), ["Tenant own /spec/tenant/name", "Tenant y /spec/tenant/name"]);
    let own = |tenancy| !rings.0.admit_tenant(&name(tenancy), None).is_empty();
    assert_eq!(["x", "y", "z", "own", "dangling"].map(own), [false, true, true, true, false]);
}

#[test]
fn a_provider_takes_whom_it_accepts() {
    let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "vcpe", "connect": "gateway"});
    let sketch = office().tenant("ada-vcpe", user);
    assert_eq!(faults(&sketch), ["Tenant ada-vcpe /spec/tenant/kind", "Tenant ada-vcpe /spec/connect"]);
    let narrower = office().service("vcpe", json!({"accepts": {"tenants": ["User"], "connect": ["public"]}}));
    let found = narrower.0.admit_service(&name("vcpe"), None);
    assert!(found[0].detail.starts_with("Tenant volt-vcpe: "), "{found:?}");
    assert_eq!(pointers(found), ["/spec/accepts/tenants", "/spec/accepts/connect"]);
    let dangling = Sketch::default().tenancy("nobody>nowhere", "shared", json!({"tenantInterface": "x"}));
    assert_eq!(faults(&dangling), [""; 0], "what dangles is for others to find");
}

#[test]
fn a_service_that_is_not_enabled_keeps_its_tenants_and_takes_no_new_ones() {
    let sketch =
        office().service("vcpe-v2", json!({"enabled": false})).service("vcpe", json!({"enabled": false}));
    assert_eq!(faults(&sketch), [""; 0]);
    let tenancy = name("volt-vcpe");
    let before = sketch.0.tenant(&tenancy).expect("it is there").clone();
    assert_eq!(pointers(sketch.0.admit_tenant(&tenancy, Some(&before))), [""; 0]);
    assert_eq!(pointers(sketch.0.admit_tenant(&tenancy, None)), ["/spec/provider"]);
    let moved = sketch.tenant(
        "volt-vcpe",
        json!({"tenant": {"kind": "Service", "name": "volt"}, "provider": "vcpe-v2",
                                                  "connect": "shared"}),
    );
    assert_eq!(pointers(moved.0.admit_tenant(&tenancy, Some(&before))), ["/spec/provider"]);
}

#[test]
fn a_tenant_moves_between_versions_of_one_service_only() {
    let sketch = office().services(&["vcpe-v2", "dns"]);
    let before = sketch.0.tenant(&name("volt-vcpe")).expect("it is there").clone();
    let to = |provider: &str| {
        let spec =
            json!({"tenant": {"kind": "Service", "name": "volt"}, "provider": provider, "connect": "shared"});
        let moved = office().services(&["vcpe-v2", "dns"]).tenant("volt-vcpe", spec);
        moved.0.admit_tenant(&name("volt-vcpe"), Some(&before))
    };
    assert_eq!(to("vcpe-v2"), []);
    let refused = to("dns");
    assert!(refused[0].detail.contains("with vcpe, a vcpe, does not move to dns, a dns"), "{refused:?}");
    let retyped = office().service("vcpe", json!({"serviceType": "dns"}));
    let service = sketch.0.service(&name("vcpe"));
    let pointers = pointers(retyped.0.admit_service(&name("vcpe"), service));
    assert!(pointers.contains(&"/spec/serviceType".into()), "{pointers:?}");
}

#[test]
fn interfaces_match() {
    let interface =
        |name: &str, kind: &str, direction: &str| json!({"name": name, "type": kind, "direction": direction});
    let provider = |list: serde_json::Value| json!({"interfaces": list});
    let (http, ip) = (interface("http", "http", "provides"), interface("ip", "ip", "provides"));
    let (up, web) = (interface("up", "ip", "requires"), interface("web", "http", "requires"));
    let cases = [
        (json!([]), json!([]), json!({}), None),
        (json!([http]), json!([]), json!({}), None),
        (json!([]), json!([up]), json!({}), None),
        (json!([http, ip]), json!([up]), json!({}), None),
        (json!([http]), json!([up]), json!({}), Some("/spec/provider")),
        (
            json!([http, ip]),
            json!([up, web]),
            json!({"providerInterface": "ip", "tenantInterface": "up"}),
            None,
        ),
        (
            json!([http, ip]),
            json!([up, web]),
            json!({"providerInterface": "ip", "tenantInterface": "web"}),
            Some("/spec/providerInterface"),
        ),
        (
            json!([http, ip]),
            json!([web]),
            json!({"providerInterface": "ip"}),
            Some("/spec/providerInterface"),
        ),
        (json!([http]), json!([web]), json!({"providerInterface": "ip"}), Some("/spec/providerInterface")),
        (json!([http]), json!([web]), json!({"providerInterface": "web"}), Some("/spec/providerInterface")),
        (json!([http]), json!([web]), json!({"tenantInterface": "up"}), Some("/spec/tenantInterface")),
        // An interface for tenants is none for providers.
        (json!([http]), json!([ip]), json!({"tenantInterface": "ip"}), Some("/spec/tenantInterface")),
    ];
    for (provided, required, tenancy, expected) in cases {
        let sketch = Sketch::default()
            .service("p", provider(provided.clone()))
            .service("t", provider(required.clone()))
            .tenancy("t>p", "shared", tenancy.clone());
        let expected: Vec<_> = expected.iter().map(|at| format!("Tenant t-p {at}")).collect();
        assert_eq!(faults(&sketch), expected, "{provided} {required} {tenancy}");
        let at_service = pointers(sketch.0.admit_service(&name("p"), None));
        assert_eq!(at_service, vec!["/spec/interfaces"; expected.len()]);
        // A tenancy of a tenancy uses the service on behalf of the provider of the latter.
        let mut of = json!({"tenant": {"kind": "Tenant", "name": "u"}, "provider": "p", "connect": "shared"});
        crate::merge_patch(&mut of, tenancy);
        let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "t", "connect": "shared"});
        let sketch = Sketch::default()
            .service("p", provider(provided))
            .service("t", provider(required))
            .tenant("u", user)
            .tenant("t-p", of);
        assert_eq!(faults(&sketch), expected);
    }
}

#[test]
fn slices_stay_within_what_is_permitted() {
    let sketch = |permitted: serde_json::Value| {
        Sketch::default()
            .slice("owner", "s", 1, json!({"networks": ["net"]}))
            .slice("guest", "s", 1, json!({"networks": ["net", "nowhere"]}))
            .network("net", "owner", permitted)
    };
    assert_eq!(faults(&sketch(json!({"permittedSlices": ["guest"]}))), [""; 0]);
    assert_eq!(faults(&sketch(json!({"permitAllSlices": true}))), [""; 0]);
    let refused = sketch(json!({}));
    assert_eq!(faults(&refused), ["Slice guest /spec/networks/0"]);
    assert_eq!(pointers(refused.0.admit_slice(&name("guest"))), ["/spec/networks/0"]);
    assert_eq!(pointers(refused.0.admit_network(&name("net"))), ["/spec/permittedSlices"]);

    let crowd = Sketch::default().slice("full", "s", 3, json!({"maxInstances": 2}));
    assert_eq!(faults(&crowd), ["Slice full /spec/maxInstances"]);
    assert_eq!(pointers(crowd.0.admit_instance(&name("full-1"))), ["/spec/slice"]);
    let nobody = name("nobody");
    assert!(crowd.0.admit_slice(&nobody).is_empty() && crowd.0.admit_network(&nobody).is_empty());
    assert!(crowd.0.admit_instance(&nobody).is_empty() && crowd.0.admit_tenant(&nobody, None).is_empty());
    assert!(crowd.0.admit_service(&nobody, None).is_empty());
}
