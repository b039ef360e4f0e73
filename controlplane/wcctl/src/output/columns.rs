//! The columns of each kind's table.

use jiff::Timestamp;
use serde_json::Value;
use xos_model::KindName;

use crate::{client::text, kinds::Kind};

type Cell = fn(&Value, Timestamp) -> String;

struct Column {
    title: &'static str,
    wide: bool,
    cell: Cell,
}

const fn column(title: &'static str, cell: Cell) -> Column {
    Column { title, wide: false, cell }
}

const fn wide(title: &'static str, cell: Cell) -> Column {
    Column { title, wide: true, cell }
}

static NODES: [Column; 11] = [
    column("NAME", object_name),
    column("LOOPBACK", |o, _| text(&o["spec"]["loopback"])),
    column("PORTS", |o, _| joined(&o["spec"]["ports"], |port| text(&port["name"]))),
    column("CONNECTED", |o, _| o["status"]["connected"].as_bool().unwrap_or_default().to_string()),
    column("GENERATION", |o, _| text(&o["status"]["generation"])),
    column("PROGRAMMED", |o, _| text(&o["status"]["programmedGeneration"])),
    column("READY", |o, _| ready(o)),
    column("AGE", object_age),
    wide("AGENT", |o, _| text(&o["status"]["agentVersion"])),
    wide("LAST-SEEN", |o, now| age(&o["status"]["lastSeen"], now)),
    wide("LABELS", |o, _| labels(o)),
];

static POOLS: [Column; 9] = [
    column("NAME", object_name),
    column("NODE", |o, _| text(&o["spec"]["node"])),
    column("PURPOSE", |o, _| text(&o["spec"]["purpose"])),
    column("PREFIX", |o, _| text(&o["spec"]["prefix"])),
    column("GATEWAY", |o, _| text(&o["spec"]["gateway"])),
    column("PORTS", |o, _| text(&o["spec"]["portsPerSubscriber"])),
    column("AGE", object_age),
    wide("LEASE", |o, _| text(&o["spec"]["leaseSeconds"])),
    wide("LABELS", |o, _| labels(o)),
];

static SUBSCRIBERS: [Column; 14] = [
    column("NAME", object_name),
    column("NODE", |o, _| text(&o["spec"]["access"]["node"])),
    column("PORT", |o, _| text(&o["spec"]["access"]["port"])),
    column("TAGS", |o, _| {
        let access = &o["spec"]["access"];
        format!("{}.{}", text(&access["sVid"]), text(&access["cVid"]))
    }),
    column("ADDRESS", |o, _| text(&o["status"]["address"])),
    column("NAT/SUBNET", |o, _| nat_or_subnet(&o["status"])),
    column("UP", |o, _| text(&o["spec"]["bundle"]["rateUp"])),
    column("DOWN", |o, _| text(&o["spec"]["bundle"]["rateDown"])),
    column("READY", |o, _| ready(o)),
    column("AGE", object_age),
    wide("GATEWAY", |o, _| text(&o["status"]["gateway"])),
    wide("MAC", |o, _| text(&o["spec"]["mac"])),
    wide("DNS", |o, _| joined(&o["spec"]["bundle"]["dns"], text)),
    wide("LABELS", |o, _| labels(o)),
];

static TENANTS: [Column; 7] = [
    column("NAME", object_name),
    column("TENANT", |o, _| {
        let tenant = &o["spec"]["tenant"];
        format!("{}/{}", text(&tenant["kind"]).to_ascii_lowercase(), text(&tenant["name"]))
    }),
    column("PROVIDER", |o, _| text(&o["spec"]["provider"])),
    column("CONNECT", |o, _| text(&o["spec"]["connect"])),
    column("AGE", object_age),
    wide("ATTRIBUTES", |o, _| attributes(&o["spec"]["attributes"])),
    wide("LABELS", |o, _| labels(o)),
];

fn columns(kind: Kind, wide: bool) -> impl Iterator<Item = &'static Column> {
    let all: &'static [Column] = match kind.0 {
        KindName::Node => &NODES,
        KindName::AddressPool => &POOLS,
        KindName::Subscriber => &SUBSCRIBERS,
        KindName::Tenant => &TENANTS,
    };
    all.iter().filter(move |column| wide || !column.wide)
}

pub(crate) fn titles(kind: Kind, wide: bool) -> Vec<&'static str> {
    columns(kind, wide).map(|column| column.title).collect()
}

pub(crate) fn row(kind: Kind, wide: bool, object: &Value, now: Timestamp) -> Vec<String> {
    columns(kind, wide).map(|column| (column.cell)(object, now)).collect()
}

fn object_name(object: &Value, _: Timestamp) -> String {
    text(&object["metadata"]["name"])
}

fn object_age(object: &Value, now: Timestamp) -> String {
    age(&object["metadata"]["createdAt"], now)
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

fn nat_or_subnet(status: &Value) -> String {
    let nat = &status["nat"];
    match (nat["address"].as_str(), nat["firstPort"].as_u64(), nat["ports"].as_u64()) {
        (Some(address), Some(first), Some(ports)) => {
            format!("{address}:{first}-{}", first.saturating_add(ports).saturating_sub(1))
        }
        _ => text(&status["subnet"]),
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

fn joined(values: &Value, of: fn(&Value) -> String) -> String {
    values.as_array().map(|all| all.iter().map(of).collect::<Vec<_>>().join(",")).unwrap_or_default()
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
