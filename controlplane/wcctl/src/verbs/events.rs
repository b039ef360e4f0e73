//! `wcctl events`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{Events, Format},
    client::{Client, text},
    failure::Failure,
    kinds::Targets,
    output::{self, Table},
    paths,
};

/// How long to wait before asking again for a stream that the controller ended.
const RESUME_PAUSE: Duration = Duration::from_secs(1);

const TITLES: [&str; 6] = ["LAST", "COUNT", "SEVERITY", "OBJECT", "REASON", "MESSAGE"];

pub(crate) async fn run(client: &Client, events: &Events) -> Result<(), Failure> {
    let picks = match events.target.as_slice() {
        [] => String::new(),
        words => match Targets::parse(words).map_err(Failure::Usage)? {
            Targets::Objects(objects) if objects.len() == 1 => paths::picks(&objects[0]),
            Targets::Kinds(kinds) if kinds.len() == 1 => paths::picks_kind(kinds[0]),
            _ => return Err(Failure::Usage("events are of all, of a kind or of one object".into())),
        },
    };
    let is_wanted = |event: &Value| !events.warnings || event["severity"] == "warning";
    let mut table = Table::new(&TITLES);
    let mut newest = 0;
    loop {
        let list = client.list_at(paths::EVENTS, &picks).await?;
        // After a gap the list is read anew: what was printed before is not printed again.
        let is_new = |event: &Value| version(event) > newest || newest == 0;
        let items: Vec<Value> =
            list.items.into_iter().filter(|event| is_new(event) && is_wanted(event)).collect();
        if !events.watch {
            return output::print(&whole(events.output, &items, &mut table)?);
        }
        print(events.output, &items, &mut table)?;
        newest = list.resource_version.parse().unwrap_or_default();
        'streams: loop {
            let stream = client.watch_at(paths::EVENTS, &picks, &newest.to_string()).await;
            let mut stream = match stream {
                Ok(stream) => stream,
                Err(Failure::Refused(problem)) if problem.status == 410 => break,
                Err(failure) => return Err(failure),
            };
            while let Some(event) = stream.next().await? {
                if event.kind == "ERROR" {
                    break 'streams;
                }
                newest = newest.max(version(&event.object));
                if matches!(event.kind.as_str(), "ADDED" | "MODIFIED") && is_wanted(&event.object) {
                    print(events.output, &[event.object], &mut table)?;
                }
            }
            tokio::time::sleep(RESUME_PAUSE).await;
        }
    }
}

fn version(event: &Value) -> u64 {
    text(&event["metadata"]["resourceVersion"]).parse().unwrap_or_default()
}

fn whole(format: Format, items: &[Value], table: &mut Table) -> Result<String, Failure> {
    let list = || json!({"kind": "EventList", "items": items});
    match format {
        Format::Json => Ok(format!("{:#}\n", list())),
        Format::Yaml => output::yaml(&list()),
        Format::Table | Format::Wide if items.is_empty() => Ok("There are no events.\n".into()),
        Format::Table | Format::Wide | Format::Name => Ok(lines(format, items, table)),
    }
}

fn print(format: Format, items: &[Value], table: &mut Table) -> Result<(), Failure> {
    let mut out = String::new();
    match format {
        Format::Json => out.extend(items.iter().map(|event| format!("{event}\n"))),
        Format::Yaml => {
            for event in items {
                out += "---\n";
                out += &output::yaml(event)?;
            }
        }
        Format::Table | Format::Wide | Format::Name => out = lines(format, items, table),
    }
    output::print(&out)
}

fn lines(format: Format, items: &[Value], table: &mut Table) -> String {
    if format == Format::Name {
        let names = items.iter().map(|event| "event/".to_owned() + &text(&event["metadata"]["name"]) + "\n");
        return names.collect();
    }
    let now = Timestamp::now();
    for event in items {
        let last = if event["lastAt"].is_null() { &event["metadata"]["createdAt"] } else { &event["lastAt"] };
        table.add(vec![
            output::age(last, now),
            text(&event["count"]),
            text(&event["severity"]),
            output::reference(&event["object"]),
            text(&event["reason"]),
            text(&event["message"]),
        ]);
    }
    table.render()
}
