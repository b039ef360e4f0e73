//! The schemas of bodies that are not objects.

use serde_json::{Map, Value, json};

use super::{events, schemas::reference};

/// An object of these members and no others.
pub(super) fn closed(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A schema by its name.
type Named = (&'static str, Value);

pub(super) fn all() -> Map<String, Value> {
    office()
        .into_iter()
        .chain(access())
        .chain(events::schemas())
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

/// Of the controller, its graph and its backups.
fn office() -> Vec<Named> {
    let text = || json!({"type": "string"});
    let time = || json!({"type": "string", "format": "date-time"});
    let count = || json!({"type": "integer", "minimum": 0});
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let named = closed(
        json!({"pointer": text(), "kind": reference("KindName"), "name": reference("Name")}),
        &["kind", "name"],
    );
    vec![
        (
            "Program",
            closed(json!({"name": {"const": "wirecenterd"}, "version": text()}), &["name", "version"]),
        ),
        ("JoinToken", closed(json!({"token": text(), "expiresAt": time()}), &["token", "expiresAt"])),
        (
            "Explanation",
            closed(
                json!({"sentences": texts(), "owners": {"type": "array", "items": reference("OwnerReference")},
                    "references": {"type": "array", "items": named}, "referrers": {"type": "array", "items": named}}),
                &["sentences", "owners", "references", "referrers"],
            ),
        ),
        (
            "BackupPlace",
            closed(
                json!({"path": {"type": "string", "description": "An absolute path, on the controller's machine"}}),
                &["path"],
            ),
        ),
        (
            "Backup",
            closed(
                json!({"path": text(), "format": text(), "revision": count(), "objects": count(), "claims": count(),
                    "auditRecords": count(), "files": texts(), "bytes": count(), "sha256": text()}),
                &[
                    "path",
                    "format",
                    "revision",
                    "objects",
                    "claims",
                    "auditRecords",
                    "files",
                    "bytes",
                    "sha256",
                ],
            ),
        ),
    ]
}

/// Of who one is, what one may do, and what was done.
fn access() -> Vec<Named> {
    let text = || json!({"type": "string"});
    let time = || json!({"type": "string", "format": "date-time"});
    let items = |of: Value| closed(json!({"items": {"type": "array", "items": of}}), &["items"]);
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let binding = closed(
        json!({"name": text(), "role": text(), "scope": reference("Scope"), "grantOption": {"type": "boolean"},
            "expiresAt": time()}),
        &["name", "role", "scope", "grantOption"],
    );
    let allowed = closed(json!({"verbs": texts(), "kinds": texts()}), &["verbs", "kinds"]);
    let role = closed(
        json!({"name": text(), "description": text(), "rules": {"type": "array", "items": allowed}}),
        &["name", "description", "rules"],
    );
    vec![
        (
            "Login",
            closed(
                json!({"user": text(), "password": {"type": "string", "format": "password"}}),
                &["user", "password"],
            ),
        ),
        ("NewPassword", closed(json!({"password": {"type": "string", "format": "password"}}), &["password"])),
        (
            "TokenWish",
            closed(
                json!({"name": reference("Text255"), "expiresAt": {"type": ["string", "null"], "format": "date-time"}}),
                &["name"],
            ),
        ),
        (
            "Token",
            closed(
                json!({"id": text(), "user": reference("Name"), "name": text(), "createdAt": time(), "expiresAt": time(),
                    "login": {"type": "boolean"}, "lastUsedAt": time(), "token": text()}),
                &["id", "user", "name", "createdAt", "expiresAt", "login"],
            ),
        ),
        ("TokenList", items(reference("Token"))),
        (
            "Whoami",
            closed(
                json!({"user": text(), "via": {"enum": ["socket", "token"]}, "bindings": {"type": "array", "items": binding}}),
                &["user", "via", "bindings"],
            ),
        ),
        (
            "AccessReview",
            closed(
                json!({"verb": reference("Verb"), "kind": text(), "name": {"anyOf": [reference("Name"), {"type": "null"}]}}),
                &["verb", "kind"],
            ),
        ),
        ("Verdict", closed(json!({"allowed": {"type": "boolean"}, "why": text()}), &["allowed", "why"])),
        ("BuiltInRoleList", items(role)),
        (
            "AuditList",
            closed(
                json!({"kind": {"const": "AuditList"}, "metadata": closed(json!({"continue": text()}), &[]),
                    "items": {"type": "array", "items": reference("AuditItem")}}),
                &["kind", "metadata", "items"],
            ),
        ),
    ]
}
