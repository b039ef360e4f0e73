//! `wcctl audit`.

use serde_json::{Value, json};

use crate::{
    cli::{Audit, Format},
    client::{Client, escape, text},
    failure::Failure,
    output::{self, Table},
    paths,
};

/// Of a page.
const PAGE: usize = 500;

pub(crate) async fn run(client: &Client, audit: &Audit) -> Result<(), Failure> {
    let parts = [
        ("since", &audit.since),
        ("until", &audit.until),
        ("user", &audit.user),
        ("kind", &audit.kind),
        ("name", &audit.name),
    ];
    let part = |(name, value): (&str, &Option<String>)| Some(format!("&{name}={}", escape(value.as_ref()?)));
    let picks: String = parts.into_iter().filter_map(part).collect();
    let wanted = audit.limit as usize;
    let (mut items, mut next) = (Vec::new(), String::new());
    while items.len() < wanted {
        let limit = (wanted - items.len()).min(PAGE);
        let mut page = client.get(&format!("{}?limit={limit}{picks}{next}", paths::AUDIT)).await?;
        let Value::Array(found) = page["items"].take() else {
            return Err(Failure::Answer("it holds no list".into()));
        };
        items.extend(found);
        match text(&page["metadata"]["continue"]) {
            end if end.is_empty() => break,
            token => next = format!("&continue={}", escape(&token)),
        }
    }
    let wide = audit.shown.output == Some(Format::Wide);
    let list = json!({"kind": "AuditList", "items": items});
    output::print(&output::value(audit.shown.output, &list, |list| table(list, wide))?)
}

fn table(list: &Value, wide: bool) -> String {
    let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        return "Nothing is told of that.\n".into();
    }
    let mut titles = vec!["TIME", "USER", "FROM", "VERB", "OBJECT", "OUTCOME"];
    if wide {
        titles.push("DETAIL");
    }
    let mut table = Table::new(&titles);
    for item in items {
        let (kind, name) = (text(&item["kind"]), text(&item["name"]));
        let object = if name.is_empty() { kind } else { format!("{}/{name}", kind.to_ascii_lowercase()) };
        let outcome = match (text(&item["status"]), item["leftOut"].as_u64()) {
            (status, _) if status.is_empty() => text(&item["outcome"]),
            (status, None) => format!("refused:{status}"),
            (status, Some(others)) => format!("refused:{status}(+{others})"),
        };
        // Each cell is one word.
        let from = text(&item["from"]).replace(' ', ":");
        let mut row =
            vec![text(&item["time"]), text(&item["user"]), from, text(&item["verb"]), object, outcome];
        if wide {
            let patch = item.get("patch").map(ToString::to_string);
            row.push(patch.unwrap_or_else(|| text(&item["detail"])));
        }
        table.add(row);
    }
    table.render()
}
