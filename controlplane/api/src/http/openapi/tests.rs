use std::collections::BTreeSet;

use serde_json::Value;
use xos_model::KindName;

use super::document;

/// Every `$ref` of the document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                found.insert(target.clone());
            }
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(elements) => elements.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_unused() {
    let document = document();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for target in &used {
        let pointer = target.strip_prefix('#').expect("a reference into the document");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    for (kind, components) in document["components"].as_object().expect("components") {
        // Schemes of security are referred to by their names alone.
        let is_named = kind == "securitySchemes";
        for name in components.as_object().expect("by name").keys() {
            let place = format!("#/components/{kind}/{name}");
            assert!(is_named || used.contains(&place), "{place} is unused");
        }
    }
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let mut routes = BTreeSet::new();
    for (path, _) in super::super::routes() {
        if path.contains("{plural}") {
            routes.extend(KindName::ALL.iter().map(|kind| path.replace("{plural}", kind.plural())));
        } else {
            routes.insert(path.to_owned());
        }
    }
    let document = document();
    let paths: BTreeSet<_> = document["paths"].as_object().expect("paths").keys().cloned().collect();
    assert_eq!(paths, routes);
}

#[test]
fn a_secret_is_sent_with_values_and_served_without() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert!(schemas["SecretSpec"]["properties"]["data"].is_object());
    assert!(schemas["Secret"]["properties"]["spec"]["properties"]["keys"].is_object());
    for (name, schema) in schemas.as_object().expect("schemas") {
        assert!(!schema.to_string().contains("sealed"), "{name}");
    }
    let served = schemas["Secret"]["properties"]["spec"]["properties"].as_object().expect("fields");
    assert_eq!(served.keys().collect::<Vec<_>>(), ["keys"]);
}

#[test]
fn an_operation_has_a_name_of_its_own() {
    let document = document();
    let mut names = BTreeSet::new();
    for at in document["paths"].as_object().expect("paths").values() {
        for (method, operation) in at.as_object().expect("methods") {
            if method != "parameters" {
                let name = operation["operationId"].as_str().expect("a name");
                assert!(names.insert(name.to_owned()), "{name}");
            }
        }
    }
}
