//! `wcctl create`.

use serde_json::{Value, json};

use super::{
    apply::{locate, transact},
    report,
};
use crate::{cli::Create, client::Client, failure::Failure, manifest, progress};

pub(crate) async fn run(client: &Client, create: &Create) -> Result<(), Failure> {
    let documents = manifest::read(&create.files.filenames)?;
    let operations: Vec<Value> =
        documents.iter().map(|document| json!({"op": "create", "object": document.object})).collect();
    let what = format!("creating {} objects", documents.len());
    let results = progress::during(&what, transact(client, &operations, create.dry_run)).await;
    let results = results.map_err(|failure| locate(&documents, failure))?;
    let dry = if create.dry_run { " (dry run)" } else { "" };
    let results: Vec<_> = documents
        .into_iter()
        .zip(results)
        .map(|(document, result)| (document.reference, result + dry))
        .collect();
    report::print(client, create.shown.output, &results).await
}
