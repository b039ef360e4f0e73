//! Paths and what can be done at each.

use serde_json::{Map, Value, json};
use xos_model::KindName;

use super::{
    about,
    parameters::references,
    responses::{answers, created, done_or_plan, json as answer, object, object_or_plan},
    schemas::reference,
};

/// What says how a new object is made; of a secret nothing is kept to know a request by.
const CREATE: &[&str] = &["dryRun", "ifMatch", "ifNoneMatch", "idempotencyKey"];
const SECRET: &[&str] = &["dryRun", "ifMatch", "ifNoneMatch"];

/// How a change can be refused.
const WRITE: &[u16] = &[400, 404, 409, 412, 413, 415, 422];

pub(super) fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for kind in KindName::ALL {
        paths.insert(format!("/api/v1/{}", kind.plural()), collection(*kind));
        paths.insert(format!("/api/v1/{}/{{name}}", kind.plural()), single(*kind));
        paths.insert(format!("/api/v1/explain/{}/{{name}}", kind.plural()), about::explained(*kind));
    }
    paths.insert("/api/v1/transactions".into(), transactions());
    paths.extend(about::paths());
    paths
}

/// A request's body, with an example that can be sent as it is.
pub(super) fn body(media_types: &[&str], schema: &Value, example: Option<&Value>) -> Value {
    let content: Map<_, _> = media_types
        .iter()
        .map(|media_type| {
            let mut content = json!({"schema": schema});
            if let Some(example) = example {
                content["example"] = example.clone();
            }
            ((*media_type).to_owned(), content)
        })
        .collect();
    json!({"required": true, "content": content})
}

fn collection(kind: KindName) -> Value {
    let lines =
        json!({"schema": {"type": "string", "description": "A line of JSON for each event of a watch"}});
    let events = json!({"schema": {"type": "string", "description": "The events of a watch"}});
    let list = json!({
        "description": "A page, or a watch",
        "content": {
            "application/json": {"schema": reference(&format!("{kind}List"))},
            "application/x-ndjson": lines,
            "text/event-stream": events,
        },
    });
    let mut path = json!({"get": {
        "operationId": format!("list{kind}s"),
        "summary": format!("Lists or watches objects of the kind {kind}"),
        "parameters": references(
            &["limit", "continue", "labelSelector", "fieldSelector", "watch", "resourceVersion", "lastEventId"],
        ),
        "responses": answers(json!({"200": list}), &[400, 404, 410]),
    }});
    let mut planned = answer("Plan");
    planned["description"] = json!("Of a dry run: what would change");
    path["post"] = json!({
        "operationId": format!("create{kind}"),
        "summary": format!("Makes an object of the kind {kind}"),
        "parameters": references(if kind == KindName::Secret { SECRET } else { CREATE }),
        "requestBody": body(&["application/json"], &reference(&format!("{kind}Draft")), None),
        "responses": answers(json!({"200": planned, "201": created(kind.as_str())}), WRITE),
    });
    path
}

fn single(kind: KindName) -> Value {
    let name = kind.as_str();
    let unchanged = json!({
        "description": "If-None-Match names its entity tag",
        "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
    });
    let found = json!({"200": object(name, "The object"), "304": unchanged});
    let mut path = json!({
        "parameters": references(&["name"]),
        "get": {
            "operationId": format!("get{kind}"),
            "summary": format!("Gets an object of the kind {kind}"),
            "parameters": references(&["ifMatch", "ifNoneMatch"]),
            "responses": answers(found, &[400, 404, 412]),
        },
    });
    let deleting = object(name, "It goes when its last finalizer is gone, and all that refers to it");
    let problems = WRITE;
    let write = &["dryRun", "ifMatch", "ifNoneMatch"];
    let draft = reference(&format!("{kind}Draft"));
    path["put"] = json!({
        "operationId": format!("apply{kind}"),
        "summary": format!("Replaces an object of the kind {kind}, or makes it"),
        "parameters": references(write),
        "requestBody": body(&["application/json"], &draft, None),
        "responses": answers(
            json!({"200": object_or_plan(name, "Replaced"), "201": created(name), "202": deleting}), problems,
        ),
    });
    let merge = json!({"type": "object", "description": "A merge patch (RFC 7396)"});
    let labels = json!({"metadata": {"labels": {"tier": "gold"}}});
    path["patch"] = json!({
        "operationId": format!("patch{kind}"),
        "summary": format!("Changes an object of the kind {kind}"),
        "parameters": references(write),
        "requestBody": body(&["application/merge-patch+json", "application/json"], &merge, Some(&labels)),
        "responses": answers(json!({"200": object_or_plan(name, "Changed"), "202": deleting}), problems),
    });
    path["delete"] = json!({
        "operationId": format!("delete{kind}"),
        "summary": format!("Deletes an object of the kind {kind}"),
        "parameters": references(write),
        "responses": answers(
            json!({"200": object_or_plan(name, "Gone: as it was"), "202": deleting}), &[400, 404, 409, 412, 413, 422],
        ),
    });
    path
}

fn transactions() -> Value {
    json!({"post": {
        "operationId": "transact",
        "summary": "Does many operations, all of them or none",
        "parameters": references(&["dryRun", "idempotencyKey"]),
        "requestBody": body(
            &["application/json"], &reference("Transaction"), Some(&json!({"operations": []})),
        ),
        "responses": answers(json!({"200": done_or_plan("TransactionResult")}), WRITE),
    }})
}
