//! `wcctl describe`.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};
use xos_model::KindName;

use super::events;
use crate::{
    cli::Describe,
    client::{Client, text},
    failure::Failure,
    kinds::{Kind, Reference},
    output::{self, Table},
};

/// The last events of an object that are shown with it.
const EVENTS: usize = 10;

pub(crate) async fn run(client: &Client, describe: &Describe) -> Result<(), Failure> {
    let groups = super::resolve(client, &describe.targets, (&describe.selector).into()).await?;
    let mut texts = Vec::new();
    for object in groups.iter().flat_map(|(_, objects)| objects) {
        let related = related(client, object).await?;
        let picks = events::picks_object(&text(&object["kind"]), &text(&object["metadata"]["name"]));
        let (events, _) = events::newest(client, &picks, EVENTS).await?;
        texts.push(text_of(object, &related, &events, Timestamp::now())?);
    }
    if texts.is_empty() {
        return output::print("There are none.\n");
    }
    output::print(&texts.join("\n\n"))
}

/// The tenancies of a subscriber's chain.
async fn related(client: &Client, object: &Value) -> Result<Vec<Value>, Failure> {
    let Some(Reference { kind: Kind(KindName::Subscriber), name }) = Reference::of(object) else {
        return Ok(vec![]);
    };
    match client.get(&format!("/api/v1/subscribers/{name}/chain")).await {
        Ok(mut chain) => Ok(chain["items"].as_array_mut().map(std::mem::take).unwrap_or_default()),
        // It has just gone, or whoever asks may not see tenancies.
        Err(Failure::Refused(problem)) if matches!(problem.status, 403 | 404) => Ok(vec![]),
        Err(failure) => Err(failure),
    }
}

fn text_of(object: &Value, related: &[Value], events: &[Value], now: Timestamp) -> Result<String, Failure> {
    let metadata = &object["metadata"];
    let mut out = String::new();
    let mut head = |title: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "{:<13}{value}", format!("{title}:"));
        }
    };
    head("Name", text(&metadata["name"]));
    head("Kind", text(&object["kind"]));
    head("Labels", output::labels(object));
    if object["metadata"]["adopted"] == true {
        head("Adopted", "yes: what its back end has of it is looked up and left alone".to_owned());
    }
    let since = |at: &Value| match (text(at), output::age(at, now)) {
        (at, age) if age.is_empty() => at,
        (at, age) => format!("{at} ({age} ago)"),
    };
    head("Created", since(&metadata["createdAt"]));
    head("Deleted", since(&metadata["deletedAt"]));
    let owners = metadata["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
    let owner =
        |owner: &Value| format!("{}/{}", text(&owner["kind"]).to_ascii_lowercase(), text(&owner["name"]));
    head("Owned by", owners.iter().map(owner).collect::<Vec<_>>().join(", "));
    head("Generation", generations(object));
    if Kind::of(object).is_some_and(output::has_readiness) {
        head("Ready", output::ready(object));
    }
    section(&mut out, "Spec", &object["spec"])?;
    let mut status = object["status"].as_object().cloned().unwrap_or_default();
    let conditions = status.remove("conditions");
    status.remove("observedGeneration");
    section(&mut out, "Status", &Value::Object(status))?;
    table(&mut out, "Conditions", conditions_table(conditions.as_ref(), now));
    table(&mut out, "Tenancies", tenancies_table(related));
    table(&mut out, "Events", events::table(events));
    Ok(out)
}

fn generations(object: &Value) -> String {
    let (generation, observed) = (&object["metadata"]["generation"], &object["status"]["observedGeneration"]);
    if generation == observed || observed.is_null() {
        text(generation)
    } else {
        format!("{} (the status is about {})", text(generation), text(observed))
    }
}

fn section(out: &mut String, title: &str, value: &Value) -> Result<(), Failure> {
    if value.as_object().is_none_or(Map::is_empty) {
        return Ok(());
    }
    let _ = writeln!(out, "{title}:");
    for line in output::yaml(value)?.lines() {
        let _ = writeln!(out, "  {line}");
    }
    Ok(())
}

fn table(out: &mut String, title: &str, table: Option<Table>) {
    if let Some(mut table) = table {
        let _ = writeln!(out, "{title}:");
        for line in table.render().lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
}

fn conditions_table(conditions: Option<&Value>, now: Timestamp) -> Option<Table> {
    let conditions = conditions?.as_array().filter(|all| !all.is_empty())?;
    let mut table = Table::new(&["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"]);
    for condition in conditions {
        table.add(vec![
            text(&condition["type"]),
            text(&condition["status"]),
            output::age(&condition["lastTransitionTime"], now),
            text(&condition["reason"]),
            text(&condition["message"]),
        ]);
    }
    Some(table)
}

fn tenancies_table(tenants: &[Value]) -> Option<Table> {
    if tenants.is_empty() {
        return None;
    }
    let kind = Kind(KindName::Tenant);
    let mut table = Table::new(&["NAME", "TENANT", "PROVIDER", "CONNECT"]);
    for tenant in tenants {
        let mut row = output::row(kind, false, tenant, Timestamp::UNIX_EPOCH);
        row.truncate(4);
        table.add(row);
    }
    Some(table)
}
