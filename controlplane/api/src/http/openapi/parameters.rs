//! Parameters and request headers.

use serde_json::{Value, json};

use super::super::limits::{FIELD_SELECTOR_BYTES_MAX, IDEMPOTENCY_KEY_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX};

/// References to some of the parameters.
pub(super) fn references(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect()
}

/// Up to 16 requirements.
const SELECTOR: &str = r"^(\s*|TERM(,TERM){0,15})$";
/// A key, `!` and a key, or a key and a value.
const LABEL_TERM: &str =
    r"(\s*(!\s*)?[A-Za-z0-9_./-]+\s*|\s*[A-Za-z0-9_./-]+\s*(==?|!=)\s*[A-Za-z0-9_./-]*\s*)";
const FIELD_TERM: &str =
    r"(\s*(kind|metadata|spec|status)(\.[A-Za-z0-9_/-]+)*\s*(==?|!=)[^=!,\u0000-\u001f\u007f-\u009f]*)";
/// Tags are revisions in quotes.
const ENTITY_TAGS: &str = r#"^(\*| *((W/)?"[0-9]{1,19}")?( *, *((W/)?"[0-9]{1,19}")?)* *)$"#;

pub(super) fn all() -> Value {
    let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "description": description, "schema": schema});
    let revision = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
    let labels = SELECTOR.replace("TERM", LABEL_TERM);
    let fields = SELECTOR.replace("TERM", FIELD_TERM);
    let tags = json!({"type": "string", "pattern": ENTITY_TAGS});
    json!({
        "name": {"name": "name", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Name"}},
        "limit": query("limit", "How many objects a page has at most", json!({
            "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT,
        })),
        "continue": query("continue", "What the page before said of the next; opaque", json!({
            "type": "string", "pattern": r"^[0-9]{1,19}\.(derived\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        })),
        "labelSelector": query("labelSelector", "Which labels the objects have: tier=gold,region!=north,trial,!test",
            json!({"type": "string", "pattern": labels})),
        "fieldSelector": query("fieldSelector", "What is in the objects' fields: spec.access.node=node1,kind!=Node",
            json!({"type": "string", "pattern": fields, "maxLength": FIELD_SELECTOR_BYTES_MAX})),
        "watch": query("watch", "Whether to stay and be told of changes, in lines of JSON or, if the client accepts \
            them, as server-sent events", json!({"enum": ["0", "1", "false", "true"]})),
        "resourceVersion": query("resourceVersion", "The revision after which a watch begins; without one, with all \
            that there is", revision.clone()),
        "dryRun": query("dryRun", "Does nothing, but answers what would be done", json!({"enum": ["All"]})),
        "ifMatch": header("If-Match", "Only if the object has one of these entity tags, or is there (*)", tags.clone()),
        "ifNoneMatch": header("If-None-Match", "Only if the object has none of these entity tags, or is not there (*)",
            tags),
        "lastEventId": header("Last-Event-ID", "The last event that a client of server-sent events has seen",
            revision),
        "idempotencyKey": header("Idempotency-Key", "The same request with the same key is done once: what repeats \
            it within 24 hours gets the first answer again", json!({
            "type": "string", "pattern": format!("^[!-~]{{1,{IDEMPOTENCY_KEY_BYTES_MAX}}}$"),
        })),
    })
}
