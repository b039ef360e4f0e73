//! How objects are shown.

mod columns;
mod table;

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::Format,
    failure::Failure,
    kinds::{Kind, Reference},
};
pub(crate) use columns::{age, has_readiness, labels, ready, row, titles};
pub(crate) use table::Table;

/// Writes to standard output. When nobody reads it any more (`| head`), the program is done.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written.map_err(Failure::Output),
    }
}

/// Objects in groups of a kind. `single`: one object was asked for by name, so it is shown as it is, not in a list.
pub(crate) fn objects(
    format: Format,
    groups: &[(Kind, Vec<Value>)],
    single: bool,
) -> Result<String, Failure> {
    let all = || groups.iter().flat_map(|(_, objects)| objects);
    match format {
        Format::Table | Format::Wide => Ok(tables(format == Format::Wide, groups)),
        Format::Name => Ok(all().map(|object| name(object) + "\n").collect()),
        Format::Json => Ok(format!("{:#}\n", whole(groups, single))),
        Format::Yaml => yaml(&whole(groups, single)),
    }
}

fn tables(wide: bool, groups: &[(Kind, Vec<Value>)]) -> String {
    let now = Timestamp::now();
    let mut tables = Vec::new();
    for (kind, objects) in groups {
        let mut table = Table::new(&titles(*kind, wide));
        for object in objects {
            let mut row = row(*kind, wide, object, now);
            if groups.len() > 1 {
                row[0] = name(object);
            }
            table.add(row);
        }
        if objects.is_empty() {
            tables.push(format!("There are no {}.\n", kind.plural()));
        } else {
            tables.push(table.render());
        }
    }
    tables.join("\n")
}

fn whole(groups: &[(Kind, Vec<Value>)], single: bool) -> Value {
    let items: Vec<&Value> = groups.iter().flat_map(|(_, objects)| objects).collect();
    match (items.as_slice(), groups) {
        ([object], _) if single => (*object).clone(),
        (items, [(kind, _)]) => json!({"kind": format!("{}List", kind.0), "items": items}),
        (items, _) => json!({"kind": "List", "items": items}),
    }
}

/// An answer that is no object: as text for reading, or as it is. It has no name, so that `name` is text, too.
pub(crate) fn value(
    format: Option<Format>,
    value: &Value,
    text: impl FnOnce(&Value) -> String,
) -> Result<String, Failure> {
    match format {
        Some(Format::Json) => Ok(format!("{value:#}\n")),
        Some(Format::Yaml) => yaml(value),
        None | Some(Format::Table | Format::Wide | Format::Name) => Ok(text(value)),
    }
}
pub(crate) fn yaml(value: &Value) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::Answer(error.to_string()))
}

/// `kind/name`.
pub(crate) fn name(object: &Value) -> String {
    Reference::of(object).map_or_else(String::new, |reference| reference.to_string())
}
