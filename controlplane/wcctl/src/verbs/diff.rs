//! `wcctl diff`.

use serde_json::{Value, json};

use super::plan::Plan;
use crate::{cli::Diff, client::Client, failure::Failure, manifest};

pub(crate) async fn run(client: &Client, diff: &Diff) -> Result<(), Failure> {
    let documents = manifest::read(&diff.files.filenames)?;
    let operations: Vec<Value> =
        documents.iter().map(|document| json!({"op": "apply", "object": document.object})).collect();
    let plan = Plan::of(client, &documents, &operations).await?;
    plan.print(diff.output)?;
    if plan.is_empty() { Ok(()) } else { Err(Failure::Different) }
}
