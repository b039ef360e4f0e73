//! `wcctl apply`, and the transactions that it shares with `delete`.

use serde_json::{Value, json};

use crate::{
    cli::Apply,
    client::{Client, text},
    failure::{Failure, Fault, Problem},
    manifest::{self, Document},
    output,
};

pub(crate) async fn run(client: &Client, apply: &Apply) -> Result<(), Failure> {
    let documents = manifest::read(&apply.files.filenames)?;
    let operations: Vec<Value> =
        documents.iter().map(|document| json!({"op": "apply", "object": document.object})).collect();
    let results =
        transact(client, &operations, apply.dry_run).await.map_err(|failure| locate(&documents, failure))?;
    let dry = if apply.dry_run { " (dry run)" } else { "" };
    let line = |(document, result): (&Document, &String)| format!("{} {result}{dry}\n", document.reference);
    let lines: Vec<String> = documents.iter().zip(&results).map(line).collect();
    output::print(&lines.concat())
}

/// Does all operations or none; what became of each, in their order.
pub(crate) async fn transact(
    client: &Client,
    operations: &[Value],
    dry_run: bool,
) -> Result<Vec<String>, Failure> {
    let path = if dry_run { "/api/v1/transactions?dryRun=All" } else { "/api/v1/transactions" };
    let answer = client.post(path, &json!({"operations": operations})).await?;
    let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
    if results.len() != operations.len() {
        return Err(Failure::Answer(format!(
            "{} results for {} operations",
            results.len(),
            operations.len()
        )));
    }
    Ok(results.iter().map(|result| text(&result["result"])).collect())
}

/// Puts the file and line in place of `/operations/3/object` in what the controller refuses.
fn locate(documents: &[Document], failure: Failure) -> Failure {
    let Failure::Refused(problem) = failure else { return failure };
    let mut lines = Vec::new();
    let mut others = Vec::new();
    for fault in problem.errors {
        let inner = fault.pointer.strip_prefix("/operations/").and_then(|rest| {
            let (index, pointer) = rest.split_once('/').unwrap_or((rest, ""));
            let document = documents.get(index.parse::<usize>().ok()?)?;
            Some((document, pointer.strip_prefix("object").unwrap_or(pointer).to_owned()))
        });
        match inner {
            Some((document, pointer)) => {
                lines.push(document.explain(&Fault::new(pointer, fault.detail)));
            }
            None => others.push(fault),
        }
    }
    if lines.is_empty() {
        return Failure::Refused(Problem { errors: others, ..problem });
    }
    let detail = format!("nothing was changed\n{}", lines.join("\n"));
    Failure::Refused(Problem { detail, errors: others, ..problem })
}
