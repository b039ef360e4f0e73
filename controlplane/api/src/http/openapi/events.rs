//! What has happened, described.

use serde_json::{Value, json};

use super::{
    super::limits::{EVENTS_PAGE_DEFAULT, PAGE_MAX},
    about::{operation, query},
    bodies::closed,
    schemas::reference,
};

pub(super) fn path() -> Value {
    let lines =
        json!({"schema": {"type": "string", "description": "A line of JSON for each event of a watch"}});
    let stream = json!({"schema": {"type": "string", "description": "The events of a watch"}});
    let page = json!({"description": "A page, or a watch", "content": {
        "application/json": {"schema": reference("EventList")},
        "application/x-ndjson": lines,
        "text/event-stream": stream,
    }});
    let summary = "What has happened that nobody asked for, the newest first; or what happens from now on";
    let mut path = operation("get", "listEvents", summary, json!({"200": page}), &[400, 410]);
    let limit = json!({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": EVENTS_PAGE_DEFAULT});
    let sequence = || json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
    let kinds: Vec<_> =
        xos_model::KindName::ALL.iter().flat_map(|kind| [kind.as_str(), kind.plural()]).collect();
    path["get"]["parameters"] = json!([
        query("kind", json!({"enum": kinds})),
        query("name", json!({"type": "string"})),
        query("severity", json!({"enum": ["normal", "warning"]})),
        query("limit", limit),
        query("continue", sequence()),
        {"$ref": "#/components/parameters/watch"},
        query("resourceVersion", sequence()),
    ]);
    path
}

pub(super) fn schemas() -> [(&'static str, Value); 2] {
    let count = || json!({"type": "integer", "minimum": 0});
    let text = || json!({"type": "string"});
    let metadata = closed(json!({"resourceVersion": count(), "continue": text()}), &["resourceVersion"]);
    let list = closed(
        json!({"kind": {"const": "EventList"}, "metadata": metadata,
            "items": {"type": "array", "items": reference("Event")}}),
        &["kind", "metadata", "items"],
    );
    [("Event", event()), ("EventList", list)]
}

fn event() -> Value {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 1});
    closed(
        json!({
            "sequence": count(), "time": {"type": "string", "format": "date-time"},
            "severity": {"enum": ["normal", "warning"]}, "kind": reference("KindName"), "name": text(),
            "reason": text(), "message": text(), "backEnd": text(), "attempt": count(),
        }),
        &["sequence", "time", "severity", "kind", "name", "reason", "message"],
    )
}
