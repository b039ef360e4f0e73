//! `wcctl get`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{Format, Get},
    client::{Client, Selectors, WatchEvent, text},
    failure::Failure,
    kinds::{Kind, Targets},
    output::{self, Table},
};

/// How long to wait before asking again for a stream that the controller ended.
const RESUME_PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(client: &Client, get: &Get) -> Result<(), Failure> {
    let selectors = selectors(get);
    if get.watch {
        return watch(client, get).await;
    }
    let groups = super::resolve(client, &get.targets, selectors).await?;
    let single =
        matches!(super::parse(&get.targets, selectors)?, Targets::Objects(objects) if objects.len() == 1);
    output::print(&output::objects(get.output, &groups, single)?)
}

fn selectors(get: &Get) -> Selectors<'_> {
    Selectors { labels: get.selector.as_deref(), fields: get.field_selector.as_deref() }
}

async fn watch(client: &Client, get: &Get) -> Result<(), Failure> {
    let selectors = selectors(get);
    let (kind, only) = match super::parse(&get.targets, selectors)? {
        Targets::Kinds(kinds) if kinds.len() == 1 => (kinds[0], None),
        Targets::Objects(objects) if objects.iter().all(|object| object.kind == objects[0].kind) => {
            (objects[0].kind, Some(objects.into_iter().map(|object| object.name).collect::<Vec<_>>()))
        }
        _ => return Err(Failure::Usage("objects of one kind can be watched at a time".into())),
    };
    let is_wanted = |object: &Value| {
        only.as_ref().is_none_or(|names| names.iter().any(|name| object["metadata"]["name"] == name.as_str()))
    };
    let mut printer = Printer::new(kind, get.output);
    loop {
        let list = client.list(kind, selectors).await?;
        let events = list
            .items
            .into_iter()
            .filter(is_wanted)
            .map(|object| WatchEvent { kind: "ADDED".into(), object });
        printer.print(&events.collect::<Vec<_>>())?;
        let mut version = list.resource_version;
        // Until the controller has forgotten what happened since `version`; then the list tells anew.
        loop {
            let mut stream = match client.watch(kind, selectors, &version).await {
                Ok(stream) => stream,
                Err(Failure::Refused(problem)) if problem.status == 410 => break,
                Err(failure) => return Err(failure),
            };
            let mut expired = false;
            while let Some(event) = stream.next().await? {
                if event.kind == "ERROR" {
                    expired = true;
                    break;
                }
                let seen = text(&event.object["metadata"]["resourceVersion"]);
                if !seen.is_empty() {
                    version = seen;
                }
                if event.kind != "BOOKMARK" && is_wanted(&event.object) {
                    printer.print(&[event])?;
                }
            }
            if expired {
                break;
            }
            tokio::time::sleep(RESUME_PAUSE).await;
        }
    }
}

/// Prints events as they come, in one table or as a sequence of documents.
struct Printer {
    kind: Kind,
    format: Format,
    table: Table,
}

impl Printer {
    fn new(kind: Kind, format: Format) -> Self {
        let mut titles = vec!["EVENT"];
        titles.extend(output::titles(kind, format == Format::Wide));
        Self { kind, format, table: Table::new(&titles) }
    }

    fn print(&mut self, events: &[WatchEvent]) -> Result<(), Failure> {
        let now = Timestamp::now();
        let mut out = String::new();
        for WatchEvent { kind, object } in events {
            match self.format {
                Format::Table | Format::Wide => {
                    let mut row = vec![kind.clone()];
                    row.extend(output::row(self.kind, self.format == Format::Wide, object, now));
                    self.table.add(row);
                }
                Format::Name => out += &(output::name(object) + "\n"),
                Format::Json => out += &(json!({"type": kind, "object": object}).to_string() + "\n"),
                Format::Yaml => {
                    out += "---\n";
                    out += &output::yaml(&json!({"type": kind, "object": object}))?;
                }
            }
        }
        out += &self.table_text();
        output::print(&out)
    }

    fn table_text(&mut self) -> String {
        match self.format {
            Format::Table | Format::Wide => self.table.render(),
            Format::Json | Format::Yaml | Format::Name => String::new(),
        }
    }
}
