use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::examples::example;
use crate::*;

/// What is to be known of a document, whatever its kind.
struct Judged {
    faults: Vec<String>,
    references: Vec<Reference>,
    /// What is written of the spec that was read, and what is written of that in turn.
    written: [Value; 2],
}

fn judge_as<K: Kind>(document: Value) -> Judged {
    let pointers = |faults: Vec<Fault>| {
        assert!(faults.iter().all(|fault| !fault.detail.is_empty()), "{faults:?}");
        faults.into_iter().map(|fault| fault.pointer.as_str().to_owned()).collect()
    };
    match parse_value::<Draft<K>>(document) {
        Ok(draft) => {
            let written = serde_json::to_value(&draft.spec).expect("a spec is JSON");
            let again: K = parse_value(written.clone()).expect("what was written is read");
            let twice = serde_json::to_value(&again).expect("a spec is JSON");
            let references = draft.spec.references();
            Judged { faults: pointers(draft.validate()), references, written: [written, twice] }
        }
        Err(faults) => {
            Judged { faults: pointers(faults), references: vec![], written: [Value::Null, Value::Null] }
        }
    }
}

macro_rules! judges {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        fn judge(kind: KindName, document: Value) -> Judged {
            match kind {
                $(KindName::$kind => judge_as::<$spec>(document),)*
            }
        }

        fn status(kind: KindName, status: Value) -> Result<Value, Vec<Fault>> {
            match kind {
                $(KindName::$kind => parse_value::<<$spec as Kind>::Status>(status)
                    .map(|status| serde_json::to_value(status).expect("a status is JSON")),)*
            }
        }
    };
}

for_each_kind!(judges);

#[test]
fn every_kind_has_a_valid_example_that_is_written_as_it_was_read() {
    for &kind in KindName::ALL {
        let judged = judge(kind, example(kind));
        assert_eq!(judged.faults, [""; 0], "{kind}");
        let [once, twice] = judged.written;
        assert_eq!(once, twice, "{kind}");
        if kind != KindName::Secret {
            assert_eq!(once, example(kind)["spec"], "{kind}");
        }
    }
}

#[test]
fn a_reference_points_to_the_name_that_it_means() {
    let count = |kind| judge(kind, example(kind)).references.len();
    assert_eq!(KindName::ALL.iter().map(|kind| count(*kind)).sum::<usize>(), 34);
    for &kind in KindName::ALL {
        let document = example(kind);
        for reference in judge(kind, document.clone()).references {
            let named = document.pointer(reference.pointer.as_str());
            assert_eq!(named, Some(&json!(reference.name.as_str())), "{kind}: {reference:?}");
            let within = [(KindName::Slice, KindName::Network)].contains(&(kind, reference.kind));
            assert!(reference.kind < kind || within, "{kind}: {} must come before", reference.kind);
        }
    }
}

#[test]
fn unknown_members_and_arrays_for_objects_are_refused_everywhere() {
    for &kind in KindName::ALL {
        let mut document = example(kind);
        document["spec"]["colour"] = json!(1);
        let judged = judge(kind, document);
        assert_eq!(judged.faults, ["/spec/colour"], "{kind}");
        let mut document = example(kind);
        document["spec"] = json!([]);
        assert_eq!(judge(kind, document).faults, ["/spec"], "{kind}");
        let mut document = example(kind);
        document["status"] = json!({"whatever": [1]});
        assert_eq!(
            judge(kind, document).faults,
            [""; 0],
            "{kind}: what a client says of the status is not read"
        );
    }
}

#[test]
fn every_status_says_of_which_generation_it_is_and_under_what_conditions() {
    for &kind in KindName::ALL {
        let mut said = status(kind, json!({"observedGeneration": 3})).or_else(|_| {
            let whole = json!({"observedGeneration": 3, "connected": false, "generation": 0, "programmedGeneration": 0});
            status(kind, whole)
        });
        assert_eq!(said.as_mut().expect("a status")["observedGeneration"], 3, "{kind}");
        let conditions = json!({"observedGeneration": 1, "connected": false, "generation": 0,
            "programmedGeneration": 0, "conditions": [{"type": "Ready", "status": "True", "reason": "Enacted",
            "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]});
        let mut conditions = conditions;
        if kind != KindName::Node {
            for field in ["connected", "generation", "programmedGeneration"] {
                conditions.as_object_mut().expect("an object").remove(field);
            }
        }
        assert_eq!(status(kind, conditions).expect("a status")["conditions"][0]["type"], "Ready", "{kind}");
    }
}

#[test]
fn names_of_kinds_are_told_apart() {
    let mut names = BTreeSet::new();
    for &kind in KindName::ALL {
        let own =
            BTreeSet::from([kind.plural().to_owned(), kind.short().into(), kind.as_str().to_lowercase()]);
        for name in own {
            assert!(names.insert(name.clone()), "{name} means two kinds");
        }
        assert_eq!(KindName::from_plural(kind.plural()), Some(kind));
    }
}

/// A kind, a merge patch of its example's spec, and the pointers of the faults that it makes.
type Case = (KindName, Value, &'static [&'static str]);

fn check(cases: Vec<Case>) {
    for (kind, patch, expected) in cases {
        let mut document = example(kind);
        merge_patch(&mut document["spec"], patch.clone());
        let short = patch.to_string().chars().take(200).collect::<String>();
        assert_eq!(judge(kind, document).faults, expected, "{kind} {short}");
    }
}

#[test]
fn the_office_is_judged() {
    use KindName::{Controller, Deployment, Flavor, Image, Node, Site};
    check(vec![
        (Site, json!({"location": {"latitude": 90.1}}), &["/spec/location/latitude"]),
        (Site, json!({"location": {"longitude": -181}}), &["/spec/location/longitude"]),
        (Site, json!({"location": {"longitude": null}}), &["/spec/location/longitude"]),
        (Site, json!({"url": "ftp://a/"}), &["/spec/url"]),
        (Site, json!({"description": "a\u{1b}[2J"}), &["/spec/description"]),
        (Controller, json!({"plugin": null}), &["/spec/plugin"]),
        (
            Controller,
            json!({"timeoutSeconds": 0, "concurrency": 65}),
            &["/spec/timeoutSeconds", "/spec/concurrency"],
        ),
        (Controller, json!({"timeoutSeconds": 601}), &["/spec/timeoutSeconds"]),
        (Controller, json!({"url": "http://a/"}), &["/spec/caBundle"]),
        (Controller, json!({"url": "https://u:p@a/"}), &["/spec/url"]),
        (Controller, json!({"caBundle": "-----BEGIN PRIVATE KEY-----"}), &["/spec/caBundle"]),
        (Controller, json!({"parameters": {"a b": 1}}), &["/spec/parameters/a b"]),
        (Controller, json!({"parameters": {"a": [[[[[[[[[1]]]]]]]]]}}), &["/spec/parameters/a"]),
        (Controller, json!({"parameters": {"a": "x".repeat(17_000)}}), &["/spec/parameters"]),
        (Image, json!({"diskFormat": null}), &["/spec/diskFormat"]),
        (Image, json!({"kind": "container"}), &["/spec/diskFormat"]),
        (Image, json!({"kind": "container", "diskFormat": null, "containerFormat": "docker"}), &[]),
        (Image, json!({"sha256": "AB"}), &["/spec/sha256"]),
        (Image, json!({"minimumDiskGib": 1_048_577}), &["/spec/minimumDiskGib"]),
        (Flavor, json!({"cores": 0, "memoryMib": 1}), &["/spec/cores", "/spec/memoryMib"]),
        (Flavor, json!({"cores": 257, "diskGib": 1_048_577}), &["/spec/cores", "/spec/diskGib"]),
        (Deployment, json!({"sites": ["a", "b", "a"]}), &["/spec/sites/2"]),
        (
            Deployment,
            json!({"access": [{"effect": "allow", "subject": "everyone"},
            {"effect": "deny", "subject": {"user": "eve"}}]}),
            &["/spec/access/1"],
        ),
        (
            Deployment,
            json!({"access": [{"effect": "allow", "subject": "nobody"}]}),
            &["/spec/access/0/subject"],
        ),
        (Node, json!({"site": "No Where"}), &["/spec/site"]),
    ]);
}

#[test]
fn services_are_judged() {
    use KindName::{Instance, Network, NetworkTemplate, Service, Slice, Subscriber, Tenant};
    check(vec![
        (Service, json!({"version": ""}), &["/spec/version"]),
        (Service, json!({"accepts": {"connect": []}}), &["/spec/accepts/connect"]),
        (Service, json!({"accepts": null, "controller": null}), &[]),
        (Service, json!({"accepts": {"tenants": ["Node"]}}), &["/spec/accepts/tenants/0"]),
        (
            Service,
            json!({"interfaces": [{"name": "a", "type": "b", "direction": "provides"},
            {"name": "a", "type": "c", "direction": "requires"}]}),
            &["/spec/interfaces/1/name"],
        ),
        (Slice, json!({"networks": ["a", "a"]}), &["/spec/networks/1"]),
        (Slice, json!({"exposedPorts": [{"protocol": "tcp", "port": 0}]}), &["/spec/exposedPorts/0/port"]),
        (
            Slice,
            json!({"exposedPorts": [{"protocol": "tcp", "port": 1}, {"protocol": "tcp", "port": 1}]}),
            &["/spec/exposedPorts/1"],
        ),
        (Slice, json!({"maxInstances": 100_001}), &["/spec/maxInstances"]),
        (NetworkTemplate, json!({"maximumBandwidth": "99M"}), &["/spec/maximumBandwidth"]),
        (Network, json!({"maximumBandwidth": "99M"}), &["/spec/maximumBandwidth"]),
        (Network, json!({"subnet": "10.0.0.0/30"}), &["/spec/subnet"]),
        (Network, json!({"subnet": "224.0.0.0/24"}), &["/spec/subnet"]),
        (Network, json!({"permitAllSlices": true}), &["/spec/permittedSlices"]),
        (Network, json!({"permitAllSlices": true, "permittedSlices": null}), &[]),
        (Instance, json!({"resources": {"cores": 1, "memoryMib": 64, "diskGib": 0}}), &["/spec/resources"]),
        (
            Instance,
            json!({"flavor": null, "resources": {"cores": 999, "memoryMib": 64, "diskGib": 0}}),
            &["/spec/resources/cores"],
        ),
        (Instance, json!({"placement": {"spread": true}}), &["/spec/placement/spread"]),
        (
            Instance,
            json!({"placement": {"nodeLabels": {"": "x", "a": "b c"}}}),
            &["/spec/placement/nodeLabels/", "/spec/placement/nodeLabels/a"],
        ),
        (Instance, json!({"userData": "x".repeat(65_537)}), &["/spec/userData"]),
        (Tenant, json!({"connect": "shared"}), &["/spec/direction"]),
        (Tenant, json!({"provider": "cdn"}), &["/spec/provider"]),
        (
            Tenant,
            json!({"tenant": {"kind": "User", "name": "ada"}}),
            &["/spec/perTenant", "/spec/tenantInterface"],
        ),
        (Tenant, json!({"tenant": {"kind": "Node"}}), &["/spec/tenant/kind"]),
        (Tenant, json!({"attributes": null, "direction": null}), &[]),
        (Subscriber, json!({"services": {"VCPE": "x"}}), &["/spec/services/VCPE"]),
    ]);
    let many: serde_json::Map<_, _> = (0..17).map(|i| (format!("s{i}"), json!("x"))).collect();
    check(vec![(Subscriber, json!({"services": many}), &["/spec/services"])]);
}

#[test]
fn people_are_judged() {
    use KindName::{Role, RoleBinding, User, View};
    check(vec![
        (User, json!({"email": "ada"}), &["/spec/email"]),
        (User, json!({"sshKeys": ["ssh-dss AAAA"]}), &["/spec/sshKeys/0"]),
        (User, json!({"views": ["a", "b", "a"]}), &["/spec/views/2"]),
        (View, json!({"title": " "}), &["/spec/title"]),
        (View, json!({"type": "page"}), &["/spec/type"]),
        (
            Role,
            json!({"rules": [{"verbs": [], "kinds": []}]}),
            &["/spec/rules/0/verbs", "/spec/rules/0/kinds"],
        ),
        (Role, json!({"rules": [{"verbs": ["*", "get"], "kinds": ["*"]}]}), &["/spec/rules/0/verbs"]),
        (Role, json!({"rules": [{"verbs": ["*"], "kinds": ["gizmos"]}]}), &["/spec/rules/0/kinds"]),
        (RoleBinding, json!({"scope": {"kind": "Office"}}), &["/spec/scope/name"]),
        (RoleBinding, json!({"scope": {"name": null}}), &["/spec/scope/name"]),
        (RoleBinding, json!({"scope": {"kind": "Office", "name": null}}), &[]),
        (RoleBinding, json!({"expiresAt": "tomorrow"}), &["/spec/expiresAt"]),
    ]);
}

#[test]
fn the_first_rule_that_speaks_of_somebody_decides() {
    let spec = |access: Value| -> DeploymentSpec {
        parse_value(json!({"controller": "c", "access": access})).expect("a deployment")
    };
    let ordered = spec(example(KindName::Deployment)["spec"]["access"].clone());
    let closed = spec(json!([{"effect": "allow", "subject": {"site": "princeton"}},
                             {"effect": "deny", "subject": {"user": "eve"}}]));
    let cases = [
        (&ordered, "eve", Some("princeton"), Effect::Deny, Some(0)),
        (&ordered, "ada", Some("princeton"), Effect::Allow, Some(1)),
        (&ordered, "ada", None, Effect::Allow, Some(2)),
        (&closed, "eve", Some("princeton"), Effect::Allow, Some(0)),
        (&closed, "eve", None, Effect::Deny, Some(1)),
        (&closed, "ada", Some("arizona"), Effect::Deny, None),
        (&spec(json!([])), "ada", None, Effect::Deny, None),
    ];
    for (spec, user, site, effect, rule) in cases {
        let (user, site) = (user.parse().expect("a name"), site.map(|site| site.parse().expect("a name")));
        let verdict = spec.judge(Seeker { user: &user, site: site.as_ref() });
        assert_eq!(verdict, Verdict { effect, rule }, "{user} of {site:?}");
    }
}

#[test]
fn a_role_allows_what_its_rules_say_and_a_binding_ends() {
    let role: RoleSpec = parse_value(example(KindName::Role)["spec"].clone()).expect("a role");
    let allowed = |kind| Verb::ALL.map(|verb| role.allows(verb, kind));
    assert_eq!(allowed(KindName::Slice), [true; 8]);
    assert_eq!(allowed(KindName::Secret), [true, true, false, false, false, false, false, false]);
    let binding: RoleBindingSpec =
        parse_value(example(KindName::RoleBinding)["spec"].clone()).expect("a binding");
    let end = binding.expires_at.expect("it ends");
    assert!(binding.holds(end - jiff::SignedDuration::from_nanos(1)));
    assert!(!binding.holds(end));
    assert!(RoleBindingSpec { expires_at: None, ..binding }.holds(jiff::Timestamp::MAX));
}

#[test]
fn a_network_has_what_its_template_says_where_it_says_nothing() {
    let network = |bandwidth: Value| -> NetworkSpec {
        let mut spec = json!({"slice": "s", "template": "t"});
        merge_patch(&mut spec, bandwidth);
        parse_value(spec).expect("a network")
    };
    let template: NetworkTemplateSpec =
        parse_value(example(KindName::NetworkTemplate)["spec"].clone()).expect("a template");
    assert_eq!(network(json!({})).with_template(Some(&template)), Ok(template));
    assert_eq!(network(json!({})).with_template(None), Ok(NetworkTemplateSpec::default()));
    let own = network(json!({"topology": "physical", "maximumBandwidth": "2G"}));
    let effective = own.with_template(Some(&template)).expect("no fault");
    assert_eq!(effective.topology, Topology::Physical);
    assert_eq!(effective.maximum_bandwidth.map(|rate| rate.to_string()).as_deref(), Some("2G"));
    let faults =
        network(json!({"guaranteedBandwidth": "2G"})).with_template(Some(&template)).expect_err("2G > 1G");
    assert_eq!(faults[0].pointer.as_str(), "/spec/maximumBandwidth");
}

#[test]
fn a_machine_fits_its_image() {
    let image: ImageSpec = parse_value(example(KindName::Image)["spec"].clone()).expect("an image");
    let slice: SliceSpec =
        parse_value(json!({"site": "s", "image": "i", "flavor": "f", "isolation": "container"}))
            .expect("a slice");
    let instance = |spec: Value| -> InstanceSpec {
        let mut whole = json!({"slice": "s"});
        merge_patch(&mut whole, spec);
        parse_value(whole).expect("an instance")
    };
    let resources = |memory_mib, disk_gib| Resources { cores: 1, memory_mib, disk_gib };
    let name = |text: &str| text.parse::<net_types::Name>().expect("a name");
    // What the instance says holds, and else what its slice says.
    let plain = instance(json!({}));
    let machine = plain.machine(&slice);
    assert_eq!(
        (machine.image, machine.flavor, machine.resources),
        (Some(&name("i")), Some(&name("f")), None)
    );
    let own =
        json!({"image": "j", "isolation": "vm", "resources": {"cores": 1, "memoryMib": 511, "diskGib": 2}});
    let own = instance(own);
    let machine = own.machine(&slice);
    let expected = (Some(&name("j")), None, Some(resources(511, 2)));
    assert_eq!((machine.image, machine.flavor, machine.resources), expected);
    assert_eq!(machine.misfits(&image, Some(resources(512, 3))), []);
    assert_eq!(machine.misfits(&image, None), []);
    let both = machine.misfits(&image, machine.resources);
    assert_eq!(both, [Misfit::DiskGib { needs: 3, has: 2 }, Misfit::MemoryMib { needs: 512, has: 511 }]);
    assert!(both[0].to_string().contains("3 GiB") && both[1].to_string().contains("512 MiB"));
    let wrong = plain.machine(&slice).misfits(&image, Some(resources(512, 3)));
    assert_eq!(wrong, [Misfit::Isolation { isolation: Isolation::Container }]);
    let pointers = |kind, has_resources| {
        [wrong[0], both[0], both[1]]
            .map(|misfit| misfit.pointer(kind, has_resources).trim_start_matches("/spec/"))
    };
    assert_eq!(pointers(KindName::Instance, true), ["isolation", "resources/diskGib", "resources/memoryMib"]);
    assert_eq!(pointers(KindName::Instance, false), ["isolation", "flavor", "flavor"]);
    assert_eq!(pointers(KindName::Slice, false), ["isolation", "flavor", "flavor"]);
    assert_eq!(pointers(KindName::Image, false), ["kind", "minimumDiskGib", "minimumMemoryMib"]);
    assert_eq!(pointers(KindName::Flavor, false)[1..], ["diskGib", "memoryMib"]);
}

#[test]
fn lists_of_names_and_who_blocks_them() {
    let control = |control: Value| json!({"bundle": {"parentalControl": control}});
    let rule = |rule: Value| json!({"bundle": {"parentalControl": {"rules": [rule]}}});
    let many: Vec<String> = (0..4097).map(|n| format!("n{n}.example")).collect();
    check(vec![
        (KindName::BlockList, json!({"domains": ["GAMES.Example."]}), &[]),
        (KindName::BlockList, json!({"domains": []}), &[]),
        (
            KindName::BlockList,
            json!({"domains": ["ok.example", "spiele\u{fc}.example"]}),
            &["/spec/domains/1"],
        ),
        (KindName::BlockList, json!({"domains": ["a..b"]}), &["/spec/domains/0"]),
        (KindName::BlockList, json!({"domains": ["1.2.3.4.5.6.7.8.9.10.11"]}), &["/spec/domains/0"]),
        (KindName::BlockList, json!({"domains": many}), &["/spec/domains"]),
        (KindName::BlockList, json!({"resolvers": ["0.0.0.0/0", "1.1.1.1/32"]}), &["/spec/resolvers/0"]),
        (KindName::BlockList, json!({"resolvers": ["1.1.1.1/24"]}), &["/spec/resolvers/0"]),
        (KindName::Subscriber, control(json!({"rules": []})), &[]),
        (
            KindName::Subscriber,
            control(json!({"utcOffset": "Z"})),
            &["/spec/bundle/parentalControl/utcOffset"],
        ),
        (KindName::Subscriber, rule(json!({"block": []})), &["/spec/bundle/parentalControl/rules/0/block"]),
        (
            KindName::Subscriber,
            rule(json!({"block": ["games", "games"], "devices": ["02:00:00:00:00:07", "02:00:00:00:00:07"]})),
            &[
                "/spec/bundle/parentalControl/rules/0/block/1",
                "/spec/bundle/parentalControl/rules/0/devices/1",
            ],
        ),
        (
            KindName::Subscriber,
            rule(json!({"block": ["games"], "devices": ["ff:ff:ff:ff:ff:ff"]})),
            &["/spec/bundle/parentalControl/rules/0/devices/0"],
        ),
        (
            KindName::Subscriber,
            rule(json!({"block": ["games"], "times": [{"from": "24:00", "to": "7:00"}]})),
            &[
                "/spec/bundle/parentalControl/rules/0/times/0/from",
                "/spec/bundle/parentalControl/rules/0/times/0/to",
            ],
        ),
        (
            KindName::Subscriber,
            rule(
                json!({"block": ["games"], "times": [{"days": ["someday"], "from": "21:00", "to": "07:00"}]}),
            ),
            &["/spec/bundle/parentalControl/rules/0/times/0/days/0"],
        ),
    ]);
}
