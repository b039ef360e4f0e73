use serde_json::{Value, json};

use super::{super::*, Sketch, name, object, office};
use crate::{Attributes, Fault, Subscriber, SubscriberSpec};

#[expect(clippy::needless_pass_by_value, reason = "given what json! makes")]
fn alice(services: Value) -> Subscriber {
    subscriber("alice", &services)
}

fn subscriber(called: &str, services: &Value) -> Subscriber {
    let access = json!({"node": "node1", "port": "access0", "sVid": 1, "cVid": 1});
    object::<SubscriberSpec>(called, json!({"access": access, "services": services}))
}

/// `tenant > name (connect)` of each tenancy.
fn derive(sketch: &Sketch, subscriber: &Subscriber) -> Result<Vec<String>, Vec<Fault>> {
    let Chain { tenancies: chain, faults } = sketch.0.chain(subscriber, |_| Attributes::default());
    if !faults.is_empty() {
        return Err(faults);
    }
    let line = |tenancy: DerivedTenancy| {
        format!("{} > {} ({})", tenancy.spec.tenant.name, tenancy.name, tenancy.spec.connect)
    };
    Ok(chain.into_iter().map(line).collect())
}

fn faults_of(sketch: &Sketch, subscriber: &Subscriber) -> Vec<String> {
    let faults = derive(sketch, subscriber).expect_err("a fault");
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn the_office_has_a_chain_of_three() {
    let office = office();
    assert_eq!(office.0.entries().collect::<Vec<_>>(), [&name("volt")]);
    let stage = |link: Link<'_>| {
        let own = json!({"stage": link.service, "under": link.tenancy.map(|tenancy| &tenancy.tenant.name)});
        let Value::Object(members) = own else { panic!("an object") };
        Attributes(members)
    };
    let chain = office.0.chain(&alice(json!({})), stage).tenancies;
    let links: Vec<_> = chain.iter().map(|t| (t.spec.tenant.name.as_str(), t.name.as_str())).collect();
    assert_eq!(links, [("alice", "alice-volt"), ("alice-volt", "alice-vcpe"), ("alice-vcpe", "alice-vbng")]);
    let kinds: Vec<_> = chain.iter().map(|t| t.spec.tenant.kind.as_str()).collect();
    assert_eq!(kinds, ["Subscriber", "Tenant", "Tenant"]);
    assert!(
        chain
            .iter()
            .all(|tenancy| !tenancy.spec.per_tenant && crate::Kind::validate(&tenancy.spec).is_empty())
    );
    assert_eq!(Value::Object(chain[1].spec.attributes.0.clone()), json!({"stage": "vcpe", "under": "volt"}));
    let owners = |tenancy: &DerivedTenancy| {
        let owners = tenancy.owner_references.iter();
        owners.map(|owner| format!("{} {} {}", owner.kind, owner.name, owner.uid)).collect::<Vec<_>>()
    };
    assert_eq!(owners(&chain[0]), ["Subscriber alice uid-of-alice", "Service volt uid-of-volt"]);
    assert_eq!(owners(&chain[2]), ["Subscriber alice uid-of-alice", "Tenant vcpe-vbng uid-of-vcpe-vbng"]);
    let why = chain[2].explain().join(" ");
    let expected = "Tenant alice-vbng: Tenant alice-vcpe uses Service vbng, public. It is of the chain of Subscriber \
                    alice. Tenant vcpe-vbng begets it: it is per tenant.";
    assert_eq!(why, expected);
    assert!(chain[0].explain().join(" ").contains("Each subscriber is a tenant of Service volt"));
}

#[test]
fn attributes_of_a_tenancy_between_services_hold_for_each_unless_said_otherwise() {
    let sketch =
        office().tenancy("volt>vcpe", "shared", json!({"perTenant": true, "attributes": {"a": 1, "b": 2}}));
    let said = |_: Link<'_>| Attributes([("b".to_owned(), json!(3))].into_iter().collect());
    let chain = sketch.0.chain(&alice(json!({})), said).tenancies;
    assert_eq!(Value::Object(chain[1].spec.attributes.0.clone()), json!({"a": 1, "b": 3}));
    assert_eq!(Value::Object(chain[0].spec.attributes.0.clone()), json!({"b": 3}));
}

#[test]
fn another_version_stands_in_and_leads_on() {
    let v2 = office().services(&["vcpe-v2", "volt-v2"]);
    let subscriber = alice(json!({"vcpe": "vcpe-v2", "volt": "volt-v2"}));
    let expected = [
        "alice > alice-volt-v2 (shared)",
        "alice-volt-v2 > alice-vcpe-v2 (shared)",
        "alice-vcpe-v2 > alice-vbng (public)",
    ];
    assert_eq!(derive(&v2, &subscriber), Ok(expected.map(String::from).to_vec()));
    // Its own tenancies, where it has some, take the place of those of the ordinary one.
    let own = v2.services(&["dns"]).tenancy("vcpe-v2>dns", "gateway", json!({"perTenant": true}));
    let expected = [
        "alice > alice-volt-v2 (shared)",
        "alice-volt-v2 > alice-vcpe-v2 (shared)",
        "alice-vcpe-v2 > alice-dns (gateway)",
    ];
    assert_eq!(derive(&own, &subscriber), Ok(expected.map(String::from).to_vec()));
    let ordinary = derive(&own, &alice(json!({"vcpe": "vcpe"}))).expect("a chain");
    assert_eq!(ordinary.len(), 3);
}

#[test]
fn what_cannot_stand_in_is_refused() {
    let picky = |accepts: Value| office().service("vcpe-v2", json!({"accepts": accepts}));
    let cases = [
        (office(), "vcpe-v2", "there is no Service vcpe-v2"),
        (office().services(&["dns"]), "dns", "Service dns is a dns, not a vcpe"),
        (picky(json!({"tenants": ["User"]})), "vcpe-v2", "Service vcpe-v2 accepts no Service as a tenant"),
        (
            picky(json!({"connect": ["public"]})),
            "vcpe-v2",
            "Service vcpe-v2 accepts no tenants with the connect \"shared\"",
        ),
    ];
    for (sketch, stand_in, detail) in cases {
        let subscriber = alice(json!({"vcpe": stand_in}));
        assert_eq!(faults_of(&sketch, &subscriber), [format!("/spec/services/vcpe: {detail}")]);
    }
    let closed = office().service("volt-v2", json!({"accepts": {"tenants": ["User"]}}));
    let expected = "/spec/services/volt: Service volt-v2 accepts no Subscriber as a tenant";
    assert_eq!(faults_of(&closed, &alice(json!({"volt": "volt-v2"}))), [expected]);
    assert_eq!(derive(&Sketch::default(), &alice(json!({}))), Ok(Vec::new()), "no service, no tenancy");
    let long = "a".repeat(59);
    assert!(faults_of(&office(), &subscriber(&long, &json!({})))[0].starts_with("/metadata/name: "));
}

#[test]
fn a_new_subscriber_needs_services_that_take_tenants() {
    let admit = |sketch: &Sketch, subscriber: &Subscriber, before: Option<&Subscriber>| {
        let faults = sketch.0.admit_subscriber(subscriber, before.map(|before| &before.spec));
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (plain, moved) = (alice(json!({})), alice(json!({"vcpe": "vcpe-v2"})));
    let off = json!({"enabled": false});
    assert_eq!(admit(&office(), &plain, None), [""; 0]);
    assert_eq!(
        admit(&office(), &alice(json!({"cdn": "vcpe"})), None),
        ["/spec/services/cdn: no service of the chain is a cdn"]
    );
    let mut accepts = json!({"accepts": {"tenants": ["Service"], "connect": ["shared"]}});
    crate::merge_patch(&mut accepts, off.clone());
    let old = office().service("vcpe", accepts.clone()).services(&["vcpe-v2"]);
    let no = |service: &str| format!("Service {service} is not enabled: it takes no new tenants");
    assert_eq!(admit(&old, &plain, None), [format!("/spec: {}", no("vcpe"))]);
    assert_eq!(admit(&old, &plain, Some(&plain)), [""; 0], "who is there stays");
    assert_eq!(admit(&old, &moved, None), [""; 0]);
    let new = office().service("vcpe-v2", accepts);
    assert_eq!(admit(&new, &moved, Some(&plain)), [format!("/spec/services/vcpe: {}", no("vcpe-v2"))]);
    assert_eq!(admit(&new, &moved, Some(&moved)), [""; 0]);
    assert_eq!(admit(&Sketch::default(), &plain, None), [""; 0]);
    let long = subscriber(&"a".repeat(59), &json!({}));
    assert_eq!(admit(&office(), &long, None).len(), 3, "none of its tenancies can have a name");
}

#[test]
fn what_holds_of_a_chain_is_there_also_when_the_rest_does_not() {
    let odd = office().service("vcpe-v2", json!({"accepts": {"tenants": ["User"]}}));
    let chain = odd.0.chain(&alice(json!({"vcpe": "vcpe-v2"})), |_| Attributes::default());
    let names: Vec<_> = chain.tenancies.iter().map(|tenancy| tenancy.name.as_str()).collect();
    assert_eq!((names, chain.faults.len()), (vec!["alice-volt"], 1));
    // A name that is too long takes those with it that would follow from its tenancy.
    let long = subscriber(&"a".repeat(58), &json!({}));
    let sketch = office().services(&["middle"]).tenancy("volt>middle", "shared", json!({"perTenant": true}));
    let sketch = sketch.services(&["end"]).tenancy("middle>end", "shared", json!({"perTenant": true}));
    let chain = sketch.0.chain(&long, |_| Attributes::default());
    let services: Vec<_> = chain.tenancies.iter().map(|tenancy| tenancy.spec.provider.as_str()).collect();
    assert_eq!((services, chain.faults.len()), (vec!["volt", "vcpe", "vbng"], 1));
    assert_eq!(sketch.0.services_of(&long.spec.services).len(), 5);
}

#[test]
fn chains_begin_wherever_each_subscriber_is_a_tenant() {
    let both = office().service("cdn", json!({"perSubscriber": true})).services(&["other"]);
    let expected = [
        "alice > alice-cdn (shared)",
        "alice > alice-volt (shared)",
        "alice-volt > alice-vcpe (shared)",
        "alice-vcpe > alice-vbng (public)",
    ];
    assert_eq!(derive(&both, &alice(json!({}))), Ok(expected.map(String::from).to_vec()));
    let only: ServiceSpec =
        serde_json::from_value(json!({"serviceType": "x", "version": "1", "perSubscriber": true}))
            .expect("a spec");
    let faults = crate::Kind::validate(&only);
    assert_eq!(
        faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
        ["/spec/perSubscriber"]
    );
}

#[test]
fn a_service_is_told_what_its_interfaces_are_about() {
    let provides =
        |kind: &str| json!({"interfaces": [{"name": "down", "type": kind, "direction": "provides"}]});
    let sketch = Sketch::default()
        .service("a", json!({"perSubscriber": true}))
        .service("b", provides(crate::ACCESS_LINE))
        .service("c", provides(crate::HOME_NETWORK))
        .service("d", provides(crate::INTERNET_ROUTE));
    let sketch = ["b", "c", "d"]
        .into_iter()
        .fold(sketch, |sketch, to| sketch.tenancy(&format!("a>{to}"), "shared", json!({"perTenant": true})));
    let mut alice = alice(json!({}));
    alice.spec.bundle.dns.push([9, 9, 9, 9].into());
    alice.status.address = Some([100, 64, 0, 2].into());
    let chain = sketch.0.chain(&alice, crate::subscriber_attributes);
    let told: Vec<_> =
        chain.tenancies.into_iter().map(|tenancy| Value::Object(tenancy.spec.attributes.0)).collect();
    let line = json!({"node": "node1", "port": "access0", "sVid": 1, "cVid": 1});
    assert_eq!(
        told,
        [json!({}), line, json!({"address": "100.64.0.2", "dns": ["9.9.9.9"]}), json!({"node": "node1"})]
    );
}

#[test]
fn a_service_has_one_place_in_a_chain() {
    let per_tenant = json!({"perTenant": true});
    let diamond = office().services(&["dns"]).tenancy("volt>dns", "gateway", per_tenant.clone()).tenancy(
        "vcpe>dns",
        "public",
        per_tenant.clone(),
    );
    let chain = diamond.0.chain(&alice(json!({})), |_| Attributes::default()).tenancies;
    let dns = chain.into_iter().find(|t| t.name == name("alice-dns")).expect("it is there");
    assert_eq!((dns.spec.tenant.name.as_str(), dns.spec.connect.as_str()), ("alice-volt", "gateway"));
    let owners: Vec<_> = dns.owner_references.iter().map(|owner| owner.name.as_str()).collect();
    assert_eq!(owners, ["alice", "volt-dns", "vcpe-dns"]);
    // Also where a cycle has come into being, and where a tenancy is not per tenant or leads nowhere.
    let odd = office()
        .services(&["dns"])
        .tenancy("vbng>volt", "shared", per_tenant.clone())
        .tenancy("vbng>dns", "shared", json!({}))
        .tenancy("vbng>nowhere", "shared", per_tenant.clone());
    assert_eq!(derive(&odd, &alice(json!({}))).expect("a chain").len(), 3);
    // Twenty levels of two services each: a million ways, forty-one places.
    let mut wide = Sketch::default().service("volt", json!({"perSubscriber": true}));
    let mut above = vec!["volt".to_owned()];
    for level in 0..20 {
        let here = ["a", "b"].map(|side| format!("{side}{level}"));
        wide = wide.services(&[&here[0], &here[1]]);
        for (tenant, provider) in above.iter().flat_map(|t| here.iter().map(move |p| (t, p))) {
            wide = wide.tenancy(&format!("{tenant}>{provider}"), "shared", per_tenant.clone());
        }
        above = here.to_vec();
    }
    assert_eq!(derive(&wide, &alice(json!({}))).expect("a chain").len(), 41);
}

#[test]
fn a_chain_has_an_end() {
    let mut long = Sketch::default().service("volt", json!({"perSubscriber": true}));
    let mut above = "volt".to_owned();
    for i in 1..=Graph::CHAIN_MAX {
        let here = format!("s{i}");
        long =
            long.services(&[&here]).tenancy(&format!("{above}>{here}"), "shared", json!({"perTenant": true}));
        above = here;
    }
    assert_eq!(faults_of(&long, &alice(json!({}))), ["/spec: a chain of more than 64 services"]);
}
