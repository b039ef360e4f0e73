//! `wcctl create`.

use serde_json::{Value, json};

use super::{
    apply::{dry_run, locate, transact},
    report,
};
use crate::{cli::Create, client::Client, failure::Failure, manifest, progress};

pub(crate) async fn run(client: &Client, create: &Create) -> Result<(), Failure> {
    let documents = manifest::read(&create.files.filenames)?;
    let operations: Vec<Value> =
        documents.iter().map(|document| json!({"op": "create", "object": document.object})).collect();
    if create.dry_run {
        return dry_run(client, &documents, &operations, create.shown.output).await;
    }
    let what = format!("creating {} objects", documents.len());
    let results = progress::during(&what, transact(client, &operations, None)).await;
    let results = results.map_err(|failure| locate(&documents, failure))?;
    let results: Vec<_> =
        documents.into_iter().zip(results).map(|(document, result)| (document.reference, result)).collect();
    report::print(client, create.shown.output, &results).await
}
