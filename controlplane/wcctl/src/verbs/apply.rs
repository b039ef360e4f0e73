//! `wcctl apply`, and the transactions that it shares with `delete`.

mod plan;

use std::io::{self, IsTerminal as _};

use serde_json::{Value, json};

use super::report;
use crate::{
    cli::Apply,
    client::{Client, text},
    failure::{Failure, Fault, Problem},
    kinds::Reference,
    manifest::{self, Document},
    output, progress,
};
use plan::Plan;

pub(crate) async fn run(client: &Client, apply: &Apply) -> Result<(), Failure> {
    let documents = manifest::read(&apply.files.filenames)?;
    let operations: Vec<Value> =
        documents.iter().map(|document| json!({"op": "apply", "object": document.object})).collect();
    let is_planned = apply.files.filenames.iter().any(|filename| filename.is_dir());
    if is_planned {
        let plan = plan(client, &documents, &operations).await?;
        let text = plan.text();
        if apply.dry_run && apply.shown.output.is_none() {
            return output::print(&text);
        }
        eprint!("{text}");
        if !apply.dry_run && plan.is_empty() && apply.shown.output.is_none() {
            return output::print("Nothing to change.\n");
        }
        if !apply.dry_run && !apply.yes && io::stdin().is_terminal() && !progress::is_agreed("Apply this?") {
            return Err(Failure::NotMet("nothing was changed".into()));
        }
    }
    let what = format!("applying {} objects", documents.len());
    let results = progress::during(&what, transact(client, &operations, apply.dry_run)).await;
    let results = results.map_err(|failure| locate(&documents, failure))?;
    let dry = if apply.dry_run { " (dry run)" } else { "" };
    let summary = summary(&results);
    // Among the lines of a whole folder, those that tell of no change would hide the others.
    let is_told = |result: &String| apply.shown.output.is_some() || !is_planned || result != "unchanged";
    let results: Vec<_> = documents
        .into_iter()
        .zip(results)
        .filter(|(_, result)| is_told(result))
        .map(|(document, result)| (document.reference, result + dry))
        .collect();
    report::print(client, apply.shown.output, &results).await?;
    if is_planned {
        eprintln!("{summary}{dry}");
    }
    Ok(())
}

async fn plan(client: &Client, documents: &[Document], operations: &[Value]) -> Result<Plan, Failure> {
    let what = format!("planning for {} objects", documents.len());
    let results = progress::during(&what, transact(client, operations, true)).await;
    let results = results.map_err(|failure| locate(documents, failure))?;
    let changed = documents.iter().zip(&results).filter(|(_, result)| *result == "configured");
    let changed: Vec<Reference> = changed.map(|(document, _)| document.reference.clone()).collect();
    let live = progress::during("reading what is there", report::present(client, &changed)).await?;
    Plan::new(documents, &results, &live)
}

fn summary(results: &[String]) -> String {
    let count = |wanted: &str| results.iter().filter(|result| *result == wanted).count();
    format!("{} created, {} changed, {} unchanged", count("created"), count("configured"), count("unchanged"))
}

/// Does all operations or none; what became of each, in their order.
pub(super) async fn transact(
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
pub(super) fn locate(documents: &[Document], failure: Failure) -> Failure {
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
