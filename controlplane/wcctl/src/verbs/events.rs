//! `wcctl events`.

use std::time::Duration;

use serde_json::{Value, json};

use super::again::Again;
use crate::{
    cli::{Events, Format},
    client::{Client, escape, text},
    failure::Failure,
    kinds::Targets,
    output::{self, Table},
    paths,
};

/// How long to wait before asking again for a stream that the controller ended.
const RESUME_PAUSE: Duration = Duration::from_secs(1);
/// Of a page.
const PAGE: usize = 500;

const TITLES: [&str; 5] = ["TIME", "SEVERITY", "OBJECT", "REASON", "MESSAGE"];

pub(crate) async fn run(client: &Client, events: &Events) -> Result<(), Failure> {
    let picks = picks(events)?;
    let (items, mut newest) = newest(client, &picks, events.limit as usize).await?;
    let mut table = Table::new(&TITLES);
    let format = events.shown.output;
    if !events.watch {
        let list = json!({"kind": "EventList", "items": items});
        let shown = |_: &Value| {
            if items.is_empty() { "There are no events.\n".into() } else { lines(&items, &mut table) }
        };
        return output::print(&output::value(format, &list, shown)?);
    }
    print(format, &items, &mut table)?;
    let mut again = Again::default();
    again.heard();
    loop {
        let tell = |event: &Value| print(format, std::slice::from_ref(event), &mut table);
        match follow(client, &picks, &mut newest, &mut again, tell).await {
            Ok(()) => tokio::time::sleep(RESUME_PAUSE).await,
            Err(failure) => again.after(failure).await?,
        }
    }
}

/// Tells of the events after `newest`, until the stream ends.
async fn follow(
    client: &Client,
    picks: &str,
    newest: &mut u64,
    again: &mut Again,
    mut tell: impl FnMut(&Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut stream = client.watch_at(paths::EVENTS, picks, &newest.to_string()).await?;
    again.heard();
    while let Some(event) = stream.next().await? {
        match event.kind.as_str() {
            "ADDED" => tell(&event.object)?,
            "ERROR" => return Err(Failure::Answer(text(&event.object["detail"]))),
            _ => {}
        }
        *newest = event.object["sequence"].as_u64().unwrap_or(*newest);
    }
    Ok(())
}

/// The last events, oldest first, and the sequence from which a watch goes on.
pub(crate) async fn newest(
    client: &Client,
    picks: &str,
    wanted: usize,
) -> Result<(Vec<Value>, u64), Failure> {
    let (mut items, mut next, mut sequence) = (Vec::new(), String::new(), None);
    while items.len() < wanted {
        let limit = (wanted - items.len()).min(PAGE);
        let mut page = client.get(&format!("{}?limit={limit}{picks}{next}", paths::EVENTS)).await?;
        let Value::Array(found) = page["items"].take() else {
            return Err(Failure::Answer("it holds no list".into()));
        };
        items.extend(found);
        sequence = sequence.or(page["metadata"]["resourceVersion"].as_u64());
        match text(&page["metadata"]["continue"]) {
            end if end.is_empty() => break,
            token => next = format!("&continue={}", escape(&token)),
        }
    }
    items.reverse();
    Ok((items, sequence.unwrap_or(0)))
}

/// What picks the events of one object.
pub(crate) fn picks_object(kind: &str, name: &str) -> String {
    format!("&kind={}&name={}", escape(kind), escape(name))
}

fn picks(events: &Events) -> Result<String, Failure> {
    let mut picks = match events.target.as_slice() {
        [] => String::new(),
        words => match Targets::parse(words).map_err(Failure::Usage)? {
            Targets::Objects(objects) if objects.len() == 1 => {
                picks_object(objects[0].kind.0.as_str(), objects[0].name.as_str())
            }
            Targets::Kinds(kinds) if kinds.len() == 1 => format!("&kind={}", kinds[0].0.as_str()),
            _ => return Err(Failure::Usage("events are of all, of a kind or of one object".into())),
        },
    };
    if events.warnings {
        picks += "&severity=warning";
    }
    Ok(picks)
}

fn print(format: Option<Format>, items: &[Value], table: &mut Table) -> Result<(), Failure> {
    let mut out = String::new();
    match format {
        Some(Format::Json) => out.extend(items.iter().map(|event| format!("{event}\n"))),
        Some(Format::Yaml) => {
            for event in items {
                out += "---\n";
                out += &output::yaml(event)?;
            }
        }
        _ => out = lines(items, table),
    }
    output::print(&out)
}

pub(crate) fn lines(items: &[Value], table: &mut Table) -> String {
    for event in items {
        table.add(vec![
            text(&event["time"]),
            text(&event["severity"]),
            format!("{}/{}", text(&event["kind"]).to_ascii_lowercase(), text(&event["name"])),
            text(&event["reason"]),
            text(&event["message"]),
        ]);
    }
    table.render()
}

/// A table of its own.
pub(crate) fn table(items: &[Value]) -> Option<Table> {
    if items.is_empty() {
        return None;
    }
    let mut table = Table::new(&["TIME", "SEVERITY", "REASON", "MESSAGE"]);
    for event in items {
        let of = |member: &str| text(&event[member]);
        table.add(vec![of("time"), of("severity"), of("reason"), of("message")]);
    }
    Some(table)
}
