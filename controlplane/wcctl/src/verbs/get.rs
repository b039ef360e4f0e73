//! `wcctl get`.

mod told;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::again::Again;
use crate::{
    cli::{Format, Get},
    client::{Client, Selectors, WatchEvent},
    failure::Failure,
    kinds::{Kind, Targets},
    output::{self, Table},
};
use told::Told;

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
    let mut following = Following {
        client,
        kind,
        selectors,
        only,
        told: Told::default(),
        is_listed: false,
        again: Again::default(),
        printer: Printer::new(kind, get.output),
    };
    loop {
        if let Err(failure) = following.on().await {
            following.again.after(failure).await?;
        }
    }
}

/// Objects of one kind, and what happens to them.
struct Following<'a> {
    client: &'a Client,
    kind: Kind,
    selectors: Selectors<'a>,
    /// Only objects with these names.
    only: Option<Vec<String>>,
    told: Told,
    /// What has happened since is still known to the controller.
    is_listed: bool,
    again: Again,
    printer: Printer,
}

impl Following<'_> {
    /// Tells what there is to tell, until the stream ends.
    async fn on(&mut self) -> Result<(), Failure> {
        if !self.is_listed {
            let mut list = self.client.list(self.kind, self.selectors).await?;
            self.again.heard();
            list.items.retain(|object| self.is_wanted(object));
            self.printer.print(&self.told.listed(list))?;
            self.is_listed = true;
        }
        let after = self.told.resumes_at();
        let mut stream = match self.client.watch(self.kind, self.selectors, &after).await {
            Ok(stream) => stream,
            Err(Failure::Refused(problem)) if problem.status == 410 => {
                // Too much has happened: the list tells what it comes to.
                self.is_listed = false;
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        self.again.heard();
        while let Some(event) = stream.next().await? {
            if event.kind == "ERROR" {
                self.is_listed = false;
                return Ok(());
            }
            if event.kind == "BOOKMARK" || self.is_wanted(&event.object) {
                let news = self.told.heard(event);
                self.printer.print(news.as_slice())?;
            }
        }
        tokio::time::sleep(RESUME_PAUSE).await;
        Ok(())
    }

    fn is_wanted(&self, object: &Value) -> bool {
        let is = |name: &String| object["metadata"]["name"] == name.as_str();
        self.only.as_ref().is_none_or(|names| names.iter().any(is))
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
