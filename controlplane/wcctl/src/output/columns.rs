//! The columns of each kind's table.

use jiff::Timestamp;
use serde_json::Value;

use crate::{client::text, kinds::Kind};

mod tables;

use tables::table;

enum Cell {
    /// What stands at a JSON pointer, as it is.
    At(&'static str),
    /// What a function makes of the object.
    Of(fn(&Value, Timestamp) -> String),
}

type Column = (&'static str, Cell);

/// What a kind's table has beside the object's name, age and labels, which all have.
struct Layout {
    columns: &'static [Column],
    /// Whether the kind has a `Ready` condition.
    ready: bool,
    /// Shown by `-o wide`.
    wide: &'static [Column],
}

static NAME: Column = ("NAME", Cell::At("/metadata/name"));
static READY: Column = ("READY", Cell::Of(|object, _| ready(object)));
static AGE: Column = ("AGE", Cell::Of(|object, now| age(&object["metadata"]["createdAt"], now)));
static LABELS: Column = ("LABELS", Cell::At("/metadata/labels"));

fn columns(kind: Kind, wide: bool) -> impl Iterator<Item = &'static Column> {
    let layout = table(kind.0.as_str());
    let extra = wide.then(|| layout.wide.iter().chain([&LABELS])).into_iter().flatten();
    [&NAME].into_iter().chain(layout.columns).chain(layout.ready.then_some(&READY)).chain([&AGE]).chain(extra)
}

/// Whether objects of the kind become ready.
pub(crate) fn has_readiness(kind: Kind) -> bool {
    table(kind.0.as_str()).ready
}

pub(crate) fn titles(kind: Kind, wide: bool) -> Vec<&'static str> {
    columns(kind, wide).map(|(title, _)| *title).collect()
}

pub(crate) fn row(kind: Kind, wide: bool, object: &Value, now: Timestamp) -> Vec<String> {
    let cell = |(_, cell): &Column| match cell {
        Cell::At(pointer) => object.pointer(pointer).map_or_else(String::new, plain),
        Cell::Of(make) => make(object, now),
    };
    columns(kind, wide).map(cell).collect()
}

/// A value in one cell: lists by their members, a reference as `kind/name`, other objects as `key=value`.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(is) => is.to_string(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Object(members) => match (&value["kind"], &value["name"]) {
            (Value::String(kind), Value::String(name)) => format!("{}/{name}", kind.to_ascii_lowercase()),
            _ if members.values().all(Value::is_array) => {
                members.values().map(plain).collect::<Vec<_>>().join("/")
            }
            _ => attributes(value),
        },
        other => text(other),
    }
}

/// The Ready condition, with its reason while it is not true.
pub(crate) fn ready(object: &Value) -> String {
    if !object["metadata"]["deletedAt"].is_null() {
        return "Deleting".into();
    }
    let conditions = object["status"]["conditions"].as_array();
    let Some(ready) =
        conditions.and_then(|all| all.iter().find(|condition| condition["type"] == xos_model::READY))
    else {
        return "Unknown".into();
    };
    match (text(&ready["status"]), text(&ready["reason"])) {
        (status, _) if status == "True" => status,
        (status, reason) if reason.is_empty() => status,
        (status, reason) => format!("{status}({reason})"),
    }
}

pub(crate) fn labels(object: &Value) -> String {
    attributes(&object["metadata"]["labels"])
}

fn attributes(value: &Value) -> String {
    let Some(members) = value.as_object() else { return String::new() };
    let pair = |(key, value): (&String, &Value)| match value {
        Value::String(value) => format!("{key}={value}"),
        value => format!("{key}={value}"),
    };
    members.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// How long ago, in the two largest units that matter: `45s`, `12m`, `3h20m`, `5d`.
pub(crate) fn age(at: &Value, now: Timestamp) -> String {
    let Some(at) = at.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else { return String::new() };
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0..2) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, 1..8, _) if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        (0, _, _) => format!("{hours}h"),
        (1..4, _, _) if hours % 24 != 0 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ages_are_short() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a time");
        for (at, expected) in [
            ("2026-03-10T11:59:15Z", "45s"),
            ("2026-03-10T11:58:01Z", "119s"),
            ("2026-03-10T11:48:00Z", "12m"),
            ("2026-03-10T08:40:00Z", "3h20m"),
            ("2026-03-10T02:00:00Z", "10h"),
            ("2026-03-08T11:00:00Z", "2d1h"),
            ("2026-03-05T12:00:00Z", "5d"),
            ("2026-03-10T12:00:09Z", "0s"),
            ("once", ""),
        ] {
            assert_eq!(age(&json!(at), now), expected, "{at}");
        }
    }

    #[test]
    fn every_kind_has_a_table_and_an_unknown_one_the_default() {
        for kind in xos_model::KindName::ALL {
            let (narrow, wide) = (titles(Kind(*kind), false), titles(Kind(*kind), true));
            assert!(narrow[0] == "NAME" && narrow.contains(&"AGE") && wide.len() > narrow.len(), "{kind}");
            assert_eq!(row(Kind(*kind), true, &json!({}), Timestamp::UNIX_EPOCH).len(), wide.len(), "{kind}");
        }
        let unknown = table("Spaceship");
        assert!(unknown.ready && unknown.columns.is_empty() && unknown.wide.is_empty());
    }

    #[test]
    fn cells_are_plain() {
        for (value, expected) in [
            (json!("x"), "x"),
            (json!(7), "7"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!(["a", "b"]), "a,b"),
            (json!({"kind": "Site", "name": "east"}), "site/east"),
            (json!({"a": 1, "b": "c"}), "a=1,b=c"),
            (json!({"connect": ["shared", "public"], "tenants": ["service"]}), "shared,public/service"),
        ] {
            assert_eq!(plain(&value), expected, "{value}");
        }
    }

    #[test]
    fn readiness_says_why_not() {
        let object = |condition: Value| json!({"metadata": {}, "status": {"conditions": [condition]}});
        let condition =
            |status: &str, reason: &str| object(json!({"type": "Ready", "status": status, "reason": reason}));
        assert_eq!(ready(&condition("True", "Programmed")), "True");
        assert_eq!(ready(&condition("False", "NodeUnreachable")), "False(NodeUnreachable)");
        assert_eq!(ready(&json!({"metadata": {}})), "Unknown");
        assert_eq!(ready(&json!({"metadata": {"deletedAt": "2026-03-10T12:00:00Z"}})), "Deleting");
    }
}
