//! What became of objects, as a line each or as the objects themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    cli::Format,
    client::{Client, Selectors},
    failure::Failure,
    kinds::{Kind, Reference},
    output,
};

/// From so many objects of a kind on, the whole kind is read rather than each by itself.
const LIST_FROM: usize = 50;

/// The objects that are there, of those that are named.
pub(super) async fn present(
    client: &Client,
    references: &[Reference],
) -> Result<BTreeMap<Reference, Value>, Failure> {
    let mut by_kind: BTreeMap<Kind, BTreeSet<&Reference>> = BTreeMap::new();
    for reference in references {
        by_kind.entry(reference.kind).or_default().insert(reference);
    }
    let mut found = BTreeMap::new();
    for (kind, wanted) in by_kind {
        if wanted.len() < LIST_FROM {
            for reference in wanted {
                if let Some(object) = client.find(reference).await? {
                    found.insert(reference.clone(), object);
                }
            }
            continue;
        }
        for object in client.list(kind, Selectors::default()).await?.items {
            if let Some(reference) = Reference::of(&object).filter(|reference| wanted.contains(reference)) {
                found.insert(reference, object);
            }
        }
    }
    Ok(found)
}

/// Prints the results of a change: by default a line for each object.
pub(super) async fn print(
    client: &Client,
    format: Option<Format>,
    results: &[(Reference, String)],
) -> Result<(), Failure> {
    match format {
        None => {
            let lines: Vec<String> =
                results.iter().map(|(reference, result)| format!("{reference} {result}\n")).collect();
            output::print(&lines.concat())
        }
        Some(Format::Name) => {
            let lines: Vec<String> = results.iter().map(|(reference, _)| format!("{reference}\n")).collect();
            output::print(&lines.concat())
        }
        Some(format) => {
            let references: Vec<Reference> = results.iter().map(|(reference, _)| reference.clone()).collect();
            let found = present(client, &references).await?;
            let mut groups: Vec<(Kind, Vec<Value>)> = Vec::new();
            for (reference, object) in found {
                match groups.last_mut() {
                    Some((kind, objects)) if *kind == reference.kind => objects.push(object),
                    _ => groups.push((reference.kind, vec![object])),
                }
            }
            output::print(&output::objects(format, &groups, references.len() == 1)?)
        }
    }
}
