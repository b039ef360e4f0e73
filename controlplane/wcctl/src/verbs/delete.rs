//! `wcctl delete`.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{apply::transact, report};
use crate::{
    cli::Delete,
    client::{Client, Selectors},
    failure::{Failure, Problem},
    kinds::{Reference, Targets},
    manifest, output, progress,
};

pub(crate) async fn run(client: &Client, delete: &Delete) -> Result<(), Failure> {
    let mut wanted = wanted(client, delete).await?;
    // What refers to others goes first.
    wanted.sort_by_key(|reference| Reverse(reference.kind));
    wanted.dedup();
    let found = progress::during("reading what is there", report::present(client, &wanted)).await?;
    let mut there = Vec::new();
    for reference in wanted {
        if found.contains_key(&reference) {
            there.push(reference);
        } else if !delete.ignore_not_found {
            let title = format!("{reference}: there is no such object; nothing was deleted");
            return Err(Failure::Refused(Problem { status: 404, title, ..Problem::default() }));
        }
    }
    if there.is_empty() {
        return output::print("Nothing to delete.\n");
    }
    let operation = |reference: &Reference| {
        let object = json!({"kind": reference.kind.0.as_str(), "metadata": {"name": reference.name}});
        json!({"op": "delete", "object": object})
    };
    let operations: Vec<Value> = there.iter().map(operation).collect();
    let what = format!("deleting {} objects", there.len());
    let results = progress::during(&what, transact(client, &operations, None)).await?;
    let results: Vec<_> = there.into_iter().zip(results).collect();
    report::print(client, None, &results).await
}

async fn wanted(client: &Client, delete: &Delete) -> Result<Vec<Reference>, Failure> {
    if !delete.filenames.is_empty() {
        let documents = manifest::read(&delete.filenames)?;
        return Ok(documents.into_iter().map(|document| document.reference).collect());
    }
    let selectors = Selectors::from(&delete.selector);
    match super::parse(&delete.targets, selectors)? {
        Targets::Objects(references) => Ok(references),
        Targets::Kinds(kinds) if !selectors.is_empty() => {
            let mut references = Vec::new();
            for kind in kinds {
                let list = client.list(kind, selectors).await?;
                references.extend(list.items.iter().filter_map(Reference::of));
            }
            Ok(references)
        }
        Targets::Kinds(_) => Err(Failure::Usage("name what is to be deleted, or pick it with -l".into())),
    }
}
