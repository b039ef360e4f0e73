//! In which scopes an object of each kind lies.

use std::collections::{BTreeMap, BTreeSet};

use intent_store::Record;
use net_types::Name;
use serde_json::{Value, json};
use xos_model::{KindName, Scope};

use super::*;
use crate::office::Target;

/// An office in a table.
struct Office(BTreeMap<Target, Subject>);

impl Known for Office {
    fn subject(&self, target: &Target) -> Option<Subject> {
        self.0.get(target).cloned()
    }

    fn chain(&self, stand_ins: &BTreeMap<Name, Name>) -> Vec<Name> {
        let ordinary = ["volt", "vcpe", "vbng"].map(|text| text.parse::<Name>().expect("a name"));
        ordinary.map(|name| stand_ins.get(&name).unwrap_or(&name).clone()).into()
    }

    fn brought_by(&self, target: &Target) -> Vec<Target> {
        let brings = |by: &&Subject| by.brings().any(|brought| brought == *target);
        self.0.values().filter(brings).map(|by| by.target.clone()).collect()
    }
}

fn read(kind: KindName, name: &str, owner: Option<(&str, &str)>, spec: &Value) -> Subject {
    let owners: Vec<_> =
        owner.iter().map(|(kind, name)| json!({"kind": kind, "name": name, "uid": "1"})).collect();
    let object = json!({"kind": kind, "metadata": {"name": name, "ownerReferences": owners}, "spec": spec});
    let record = Record { revision: 1, value: object.to_string().into_bytes().into() };
    subject(kind, &record).unwrap_or_else(|| panic!("not of its kind: {object}"))
}

fn office() -> Office {
    let service = |controller| {
        json!({"serviceType": "x", "version": "1.0", "controller": controller,
        "accepts": {"tenants": ["Service"], "connect": ["shared"]}})
    };
    let objects = [
        (KindName::Site, "north", json!({})),
        (KindName::Secret, "key", json!({"keys": []})),
        (KindName::Controller, "cloud", json!({"plugin": "x", "credentials": "key"})),
        (
            KindName::Image,
            "img",
            json!({"kind": "container", "source": "https://x.example/i", "sha256": "0".repeat(64)}),
        ),
        (KindName::Flavor, "small", json!({"cores": 1, "memoryMib": 1, "diskGib": 1})),
        (KindName::View, "map", json!({"type": "iframe", "url": "https://x.example/", "title": "Map"})),
        (KindName::User, "ann", json!({"email": "ann@x.example", "site": "north"})),
        (KindName::Role, "mine", json!({"rules": []})),
        (KindName::Deployment, "east", json!({"controller": "cloud", "sites": ["north"]})),
        (KindName::BlockList, "games", json!({"domains": ["games.example"]})),
        (KindName::Node, "n1", json!({"loopback": "192.0.2.1", "ports": [], "site": "north"})),
        (KindName::AddressPool, "pool", json!({"node": "n1", "purpose": "nat", "prefix": "192.0.2.0/24"})),
        (KindName::NetworkTemplate, "lan", json!({})),
        (KindName::Service, "cdn", service("cloud")),
        (KindName::Slice, "web", json!({"site": "north", "service": "cdn", "isolation": "vm"})),
        (KindName::Network, "net", json!({"slice": "web"})),
        (KindName::Instance, "vm", json!({"slice": "web", "placement": {"deployment": "west"}})),
        (
            KindName::Subscriber,
            "alice",
            json!({"access": {"node": "n1", "port": "a0", "sVid": 1, "cVid": 2}, "bundle": {},
                "services": {"vcpe": "vcpe-2"}}),
        ),
        (
            KindName::Tenant,
            "ten",
            json!({"tenant": {"kind": "Subscriber", "name": "alice"}, "provider": "cdn", "connect": "shared"}),
        ),
        (
            KindName::RoleBinding,
            "bind",
            json!({"user": "ann", "role": "mine", "scope": {"kind": "Slice", "name": "web"}}),
        ),
    ];
    let subjects = objects.map(|(kind, name, spec)| read(kind, name, None, &spec));
    Office(subjects.into_iter().map(|subject| (subject.target.clone(), subject)).collect())
}

fn lies_in(subject: &Subject) -> Vec<String> {
    let scopes = scopes_of(subject, &office());
    assert_eq!(scopes.iter().collect::<BTreeSet<_>>().len(), scopes.len(), "each once");
    scopes.iter().map(Scope::to_string).collect()
}

#[test]
fn each_kind_lies_where_the_table_says() {
    let table: &[(KindName, &[&str])] = &[
        (KindName::Site, &["the office", "site north", "deployment east"]),
        (KindName::Secret, &["the office", "service cdn", "deployment east"]),
        (KindName::Controller, &["the office", "service cdn", "deployment east"]),
        (KindName::Image, &["the office"]),
        (KindName::Flavor, &["the office"]),
        (KindName::View, &["the office"]),
        (KindName::User, &["the office", "site north"]),
        (KindName::Role, &["the office"]),
        (KindName::Deployment, &["the office", "deployment east", "site north"]),
        (KindName::BlockList, &["the office"]),
        (KindName::Node, &["the office", "site north", "deployment east"]),
        (KindName::AddressPool, &["the office", "site north", "deployment east"]),
        (KindName::NetworkTemplate, &["the office"]),
        (KindName::Service, &["the office", "service cdn"]),
        (KindName::Slice, &["the office", "slice web", "site north", "service cdn"]),
        (KindName::Network, &["the office", "slice web", "site north", "service cdn"]),
        (KindName::Instance, &["the office", "slice web", "site north", "service cdn", "deployment west"]),
        (
            KindName::Subscriber,
            &[
                "the office",
                "subscriber alice",
                "site north",
                "service vcpe-2",
                "service volt",
                "service vbng",
            ],
        ),
        // Of the subscriber's services only its own: the others have tenancies of theirs.
        (KindName::Tenant, &["the office", "tenant ten", "subscriber alice", "site north", "service cdn"]),
        (KindName::RoleBinding, &["the office", "slice web", "site north", "service cdn"]),
    ];
    assert_eq!(table.len(), KindName::ALL.len(), "every kind is in the table");
    let office = office();
    for (kind, expected) in table {
        let subject = office.0.values().find(|subject| subject.target.kind == *kind).expect("one of each");
        let found: BTreeSet<_> = lies_in(subject).into_iter().collect();
        assert_eq!(found, expected.iter().map(ToString::to_string).collect(), "{kind}");
        assert_eq!(lies_in(subject)[0], "the office", "{kind}");
    }
}

#[test]
fn what_follows_from_a_subscriber_is_the_subscribers() {
    let spec = json!({"tenant": {"kind": "Tenant", "name": "alice-volt"}, "provider": "vcpe-2", "connect": "shared"});
    let derived = read(KindName::Tenant, "alice-vcpe", Some(("Subscriber", "alice")), &spec);
    let expected = [
        "the office",
        "tenant alice-vcpe",
        "tenant alice-volt",
        "service vcpe-2",
        "subscriber alice",
        "site north",
    ];
    assert_eq!(lies_in(&derived), expected);
}

#[test]
fn who_moves_leaves_its_home_and_what_is_brought_does_not() {
    let slice = |site: &str| read(KindName::Slice, "web", None, &json!({"site": site, "isolation": "vm"}));
    assert_ne!(slice("north").homes(), slice("south").homes());
    let deployment = |site: &str| {
        read(KindName::Deployment, "east", None, &json!({"controller": "cloud", "sites": [site]}))
    };
    assert_eq!(deployment("north").homes(), deployment("south").homes());
    let brought =
        |subject: &Subject| subject.brings().map(|target| target.name.to_string()).collect::<Vec<_>>();
    assert_eq!(brought(&deployment("north")), ["cloud", "north"]);
    // A rule about a site does not bring it in.
    let spec = json!({"controller": "cloud", "access": [{"effect": "deny", "subject": {"site": "north"}}]});
    assert_eq!(brought(&read(KindName::Deployment, "east", None, &spec)), ["cloud"]);
}
