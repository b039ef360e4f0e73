//! `wcctl apply`, and the transactions that it shares with `delete`.

use std::io::{self, IsTerminal as _};

use serde_json::{Value, json};

use super::{plan::Plan, report};
use crate::{
    cli::{Apply, Format},
    client::{Client, text},
    failure::{Failure, Fault, Problem},
    manifest::{self, Document},
    output, progress,
};

/// The status of a plan that is not what would be done any more.
const PLAN_IS_PAST: u16 = 412;
/// How often a plan is made anew with nobody to ask.
const ROUNDS_MAX: u32 = 5;

pub(crate) async fn run(client: &Client, apply: &Apply) -> Result<(), Failure> {
    let documents = manifest::read(&apply.files.filenames)?;
    let operations: Vec<Value> =
        documents.iter().map(|document| json!({"op": "apply", "object": document.object})).collect();
    if apply.dry_run {
        return dry_run(client, &documents, &operations, apply.shown.output).await;
    }
    let is_planned = apply.files.filenames.iter().any(|filename| filename.is_dir());
    let results = if is_planned {
        match planned(client, &documents, &operations, apply).await? {
            Some(results) => results,
            None => return output::print("Nothing to change.\n"),
        }
    } else {
        carry_out(client, &documents, &operations, None).await?
    };
    let summary = summary(&results);
    // Among the lines of a whole folder, those that tell of no change would hide the others.
    let is_told = |result: &String| apply.shown.output.is_some() || !is_planned || result != "unchanged";
    let results: Vec<_> = documents
        .into_iter()
        .zip(results)
        .filter(|(_, result)| is_told(result))
        .map(|(document, result)| (document.reference, result))
        .collect();
    report::print(client, apply.shown.output, &results).await?;
    if is_planned {
        eprintln!("{summary}");
    }
    Ok(())
}

/// Shows the plan, asks, and carries it out: what was shown, and nothing else. `None` if nothing would change.
async fn planned(
    client: &Client,
    documents: &[Document],
    operations: &[Value],
    apply: &Apply,
) -> Result<Option<Vec<String>>, Failure> {
    let is_asked = !apply.yes && io::stdin().is_terminal();
    let mut round = 0;
    loop {
        let plan = Plan::of(client, documents, operations).await?;
        eprint!("{}", plan.summary());
        if plan.is_empty() && apply.shown.output.is_none() {
            return Ok(None);
        }
        if is_asked && !progress::is_agreed("Apply this?") {
            return Err(Failure::NotMet("nothing was changed".into()));
        }
        round += 1;
        match carry_out(client, documents, operations, Some(plan.digest())).await {
            Err(Failure::Refused(problem))
                if problem.status == PLAN_IS_PAST && (is_asked || round < ROUNDS_MAX) =>
            {
                eprintln!("The office has changed meanwhile, and nothing was done. The plan is now:");
            }
            done => return done.map(Some),
        }
    }
}

async fn carry_out(
    client: &Client,
    documents: &[Document],
    operations: &[Value],
    plan: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let what = format!("applying {} objects", documents.len());
    let results = progress::during(&what, transact(client, operations, plan)).await;
    results.map_err(|failure| locate(documents, failure))
}

/// Shows all that would change; beside the differences, in short what they are.
pub(super) async fn dry_run(
    client: &Client,
    documents: &[Document],
    operations: &[Value],
    format: Option<Format>,
) -> Result<(), Failure> {
    let plan = Plan::of(client, documents, operations).await?;
    plan.print(format)?;
    if format.is_none() {
        eprint!("{}", plan.summary());
    }
    Ok(())
}

fn summary(results: &[String]) -> String {
    let count = |wanted: &str| results.iter().filter(|result| *result == wanted).count();
    format!("{} created, {} changed, {} unchanged", count("created"), count("configured"), count("unchanged"))
}

/// Does all operations or none, and none if that is not what the plan with this digest says; what became of each, in their
/// order.
pub(super) async fn transact(
    client: &Client,
    operations: &[Value],
    plan: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let mut body = json!({"operations": operations});
    if let Some(digest) = plan {
        body["plan"] = digest.into();
    }
    let answer = client.post("/api/v1/transactions", &body).await?;
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
