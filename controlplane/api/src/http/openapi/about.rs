//! What can be done that is not about objects of a kind: who asks, the graph, backups, the controller itself.

use serde_json::{Map, Value, json};
use xos_model::KindName;

use super::{
    super::limits::{AUDIT_PAGE_DEFAULT, PAGE_MAX},
    events,
    operations::body,
    parameters::references,
    responses::{answers, json as answer, text},
    schemas::reference,
};

const JSON: &[&str] = &["application/json"];

/// One method of a path.
pub(super) fn operation(method: &str, id: &str, summary: &str, done: Value, problems: &[u16]) -> Value {
    json!({method: {"operationId": id, "summary": summary, "responses": answers(done, problems)}})
}

fn get(id: &str, summary: &str, done: Value) -> Value {
    operation("get", id, summary, json!({"200": done}), &[400])
}

fn post(id: &str, summary: &str, schema: &str, done: Value, problems: &[u16]) -> Value {
    let mut path = operation("post", id, summary, done, problems);
    path["post"]["requestBody"] = body(JSON, &reference(schema), None);
    path
}

pub(super) fn query(name: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "schema": schema})
}

fn nothing() -> Value {
    json!({"204": {"description": "Done"}})
}

/// The same answer to everybody.
fn public(mut path: Value) -> Value {
    path["get"]["security"] = json!([]);
    path
}

pub(super) fn paths() -> Map<String, Value> {
    let plain = || text("text/plain; charset=utf-8");
    let metrics = text("application/openmetrics-text; version=1.0.0; charset=utf-8");
    let this =
        json!({"description": "Done", "content": {"application/json": {"schema": {"type": "object"}}}});
    let paths = [
        ("/healthz", public(get("live", "Whether the process lives", plain()))),
        ("/readyz", public(get("ready", "Whether changes can be made", plain()))),
        ("/version", public(get("version", "What this is", answer("Program")))),
        ("/openapi.json", public(get("describe", "This document", this))),
        ("/metrics", get("metrics", "What the controller counts, for Prometheus", metrics)),
        ("/api/v1/graph", graph("drawGraph", "The tenancy graph", "TenancyGraph")),
        (
            "/api/v1/graph/connectivity",
            graph("drawConnectivity", "What follows from the tenancy graph, and why", "Connectivity"),
        ),
        ("/api/v1/explain/private/{name}", derived("Private", "a slice's own network", &["name"])),
        ("/api/v1/explain/shared/{name}", derived("Shared", "the network that a tenancy shares", &["name"])),
        ("/api/v1/explain/gateway/{name}", derived("Gateway", "the gateway of a tenancy", &["name"])),
        ("/api/v1/explain/public/{name}", derived("Public", "a tenancy's public access", &["name"])),
        (
            "/api/v1/explain/attachment/{instance}/{of}/{name}",
            derived("Attachment", "an instance's attachment to a network", &["instance", "of", "name"]),
        ),
        ("/api/v1/backups", backup("createBackup", "Writes a backup on the controller's machine", "201")),
        ("/api/v1/backups/verify", backup("verifyBackup", "Reads a backup and says what is in it", "200")),
        ("/api/v1/nodes/{name}/join-token", join_token()),
        ("/api/v1/subscribers/{name}/chain", chain()),
        ("/api/v1/login", login()),
        ("/api/v1/whoami", get("whoami", "Who asks, and with what roles", answer("Whoami"))),
        ("/api/v1/access-reviews", review()),
        (
            "/api/v1/built-in-roles",
            get("listBuiltInRoles", "The roles that are no objects", answer("BuiltInRoleList")),
        ),
        ("/api/v1/audit", audit()),
        ("/api/v1/events", events::path()),
        ("/api/v1/users/{name}/tokens", tokens()),
        ("/api/v1/users/{name}/tokens/{id}", token()),
        ("/api/v1/users/{name}/password", password()),
    ];
    paths.into_iter().map(|(path, at)| (path.to_owned(), at)).collect()
}

fn graph(id: &str, summary: &str, schema: &str) -> Value {
    let drawing = json!({"description": summary, "content": {
        "text/plain; charset=utf-8": {"schema": {"type": "string"}},
        "text/vnd.graphviz; charset=utf-8": {"schema": {"type": "string"}},
        "application/json": {"schema": reference(schema)},
    }});
    let mut path = get(id, summary, drawing);
    path["get"]["parameters"] = json!([query("format", json!({"enum": ["text", "json", "dot"]}))]);
    path
}

/// Why an object is there.
pub(super) fn explained(kind: KindName) -> Value {
    let summary = format!("Why an object of the kind {kind} is there, and what follows from it");
    let done = json!({"200": answer("Explanation")});
    let mut path = operation("get", &format!("explain{kind}"), &summary, done, &[400, 404]);
    path["parameters"] = references(&["name"]);
    path
}

/// Why something is there, or not, that is no object.
fn derived(what: &str, words: &str, parts: &[&str]) -> Value {
    let done = json!({"200": answer("Explanation")});
    let summary = format!("Why {words} is there, or is not");
    let mut path = operation("get", &format!("explain{what}"), &summary, done, &[400, 404]);
    let part = |part: &&str| match *part {
        "name" => json!({"$ref": "#/components/parameters/name"}),
        "of" => json!({"name": "of", "in": "path", "required": true,
            "schema": {"enum": ["network", "private", "shared"]}}),
        other => json!({"name": other, "in": "path", "required": true, "schema": reference("Name")}),
    };
    path["parameters"] = parts.iter().map(part).collect();
    path
}

fn backup(id: &str, summary: &str, status: &str) -> Value {
    post(id, summary, "BackupPlace", json!({status: answer("Backup")}), &[400, 409, 413, 415, 422])
}

fn join_token() -> Value {
    let summary = "Makes a token with which the node can join once, in place of an earlier one";
    let done = json!({"200": answer("JoinToken")});
    let mut path = operation("post", "issueJoinToken", summary, done, &[400, 404, 413]);
    path["parameters"] = references(&["name"]);
    path
}

fn chain() -> Value {
    let summary = "The tenancies that follow from a subscriber, each after its tenant";
    let done = json!({"200": answer("TenantList")});
    let mut path = operation("get", "getChain", summary, done, &[400, 404]);
    path["parameters"] = references(&["name"]);
    path
}

fn login() -> Value {
    let done = json!({"201": answer("Token")});
    let mut path =
        post("login", "A token for a password, for 12 hours", "Login", done, &[400, 413, 415, 422]);
    path["post"]["security"] = json!([]);
    path
}

fn review() -> Value {
    let done = json!({"200": answer("Verdict")});
    post("reviewAccess", "Whether one may do something, and why", "AccessReview", done, &[400, 413, 415, 422])
}

fn audit() -> Value {
    let mut path = get("listAudit", "What was changed and refused, the newest first", answer("AuditList"));
    let limit = json!({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": AUDIT_PAGE_DEFAULT});
    let time = || json!({"type": "string", "format": "date-time"});
    let text = || json!({"type": "string"});
    path["get"]["parameters"] = json!([
        query("since", time()),
        query("until", time()),
        query("user", text()),
        query("kind", text()),
        query("name", text()),
        query("limit", limit),
        query("continue", json!({"type": "string", "pattern": r"^[0-9]{1,19}\.[0-9]{1,9}$"})),
    ]);
    path
}

fn tokens() -> Value {
    let summary = "Makes a token of the user's; it is shown this once";
    let mut path = post(
        "createToken",
        summary,
        "TokenWish",
        json!({"201": answer("Token")}),
        &[400, 404, 409, 413, 415, 422],
    );
    let list = operation(
        "get",
        "listTokens",
        "The user's tokens, without themselves",
        json!({"200": answer("TokenList")}),
        &[400, 404],
    );
    path["get"] = list["get"].clone();
    path["parameters"] = references(&["name"]);
    path
}

fn token() -> Value {
    let mut path = operation("delete", "revokeToken", "Ends a token", nothing(), &[400, 404, 413]);
    let id =
        json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
    path["parameters"] = json!([{"$ref": "#/components/parameters/name"}, id]);
    path
}

fn password() -> Value {
    let mut path = operation(
        "put",
        "setPassword",
        "Sets the user's password",
        nothing(),
        &[400, 404, 409, 413, 415, 422],
    );
    path["put"]["requestBody"] = body(JSON, &reference("NewPassword"), None);
    path["parameters"] = references(&["name"]);
    path
}
