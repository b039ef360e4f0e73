//! `wcctl wait`.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::again::Again;
use crate::{
    cli::{Wait, WaitFor},
    client::{Client, Selectors, text},
    failure::{Failure, Problem},
    kinds::{Reference, Targets},
    output,
};

/// How long to wait before asking again when a stream ended without an answer.
const RESUME_PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn run(client: &Client, wait: &Wait) -> Result<(), Failure> {
    let deadline = Instant::now() + wait.timeout;
    let references = references(client, wait).await?;
    let is_told = io::stderr().is_terminal();
    for (number, reference) in (1..).zip(&references) {
        if is_told {
            eprintln!("waiting for {reference}: {} ({number} of {})", wait.what, references.len());
        }
        let mut seen = "nothing was heard of it".to_owned();
        let met = timeout_at(deadline, wait_for(client, reference, &wait.what, &mut seen)).await;
        let Ok(met) = met else {
            let ms = wait.timeout.as_millis();
            return Err(Failure::NotMet(format!("{reference}: {seen} after {ms} ms")));
        };
        met?;
        let done = match &wait.what {
            WaitFor::Condition { .. } if wait.shown.output.is_some() => continue,
            WaitFor::Condition { .. } => "condition met",
            WaitFor::Delete => "deleted",
        };
        output::print(&format!("{reference} {done}\n"))?;
    }
    match (&wait.shown.output, &wait.what) {
        (Some(format), WaitFor::Condition { .. }) => {
            let met: Vec<_> = references.into_iter().map(|reference| (reference, String::new())).collect();
            super::report::print(client, Some(*format), &met).await
        }
        _ => Ok(()),
    }
}

async fn references(client: &Client, wait: &Wait) -> Result<Vec<Reference>, Failure> {
    let selectors = Selectors::from(&wait.selector);
    let kinds = match super::parse(&wait.targets, selectors)? {
        Targets::Objects(references) => return Ok(references),
        Targets::Kinds(kinds) => kinds,
    };
    let mut references = Vec::new();
    for kind in kinds {
        let list = client.list(kind, selectors).await?;
        references.extend(list.items.iter().filter_map(Reference::of));
    }
    if references.is_empty() && wait.what != WaitFor::Delete {
        let title = "there are no such objects".into();
        return Err(Failure::Refused(Problem { status: 404, title, ..Problem::default() }));
    }
    Ok(references)
}

/// Ends when the object is as it should be; `seen` says how it was last.
async fn wait_for(
    client: &Client,
    reference: &Reference,
    what: &WaitFor,
    seen: &mut String,
) -> Result<(), Failure> {
    let mut again = Again::default();
    loop {
        let object = match client.find(reference).await {
            Ok(object) => object,
            Err(failure) => {
                again.after(failure).await?;
                continue;
            }
        };
        again.heard();
        let Some(object) = object else {
            if *what == WaitFor::Delete {
                return Ok(());
            }
            let title = format!("{reference}: there is no such object");
            return Err(Failure::Refused(Problem { status: 404, title, ..Problem::default() }));
        };
        if is_met(what, &object, reference, seen) {
            return Ok(());
        }
        let version = text(&object["metadata"]["resourceVersion"]);
        match follow(client, reference, what, &version, seen).await {
            Ok(true) => return Ok(()),
            // The stream ended, or the controller does not remember so far back: look again.
            Ok(false) => {}
            Err(Failure::Refused(problem)) if problem.status == 410 => {}
            Err(failure) => again.after(failure).await?,
        }
        sleep(RESUME_PAUSE).await;
    }
}

/// Reads changes since `version`; true once the object is as it should be.
async fn follow(
    client: &Client,
    reference: &Reference,
    what: &WaitFor,
    version: &str,
    seen: &mut String,
) -> Result<bool, Failure> {
    let mut stream = client.watch(reference.kind, Selectors::default(), version).await?;
    while let Some(event) = stream.next().await? {
        if event.kind == "ERROR" {
            return Ok(false);
        }
        if event.object["metadata"]["name"] != reference.name.as_str() {
            continue;
        }
        if event.kind == "DELETED" {
            return Ok(*what == WaitFor::Delete);
        }
        if is_met(what, &event.object, reference, seen) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the object is as it should be; tells on standard error how it is, when that has changed.
fn is_met(what: &WaitFor, object: &Value, reference: &Reference, seen: &mut String) -> bool {
    let (met, state) = judge(what, object);
    if !met && *seen != state {
        eprintln!("{reference}: {state}");
        *seen = state;
    }
    met
}

fn judge(what: &WaitFor, object: &Value) -> (bool, String) {
    let WaitFor::Condition { name, status } = what else {
        return (false, "still there".into());
    };
    let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    let Some(condition) = conditions.iter().find(|condition| condition["type"] == name.as_str()) else {
        return (false, format!("{name} is not known yet"));
    };
    // A status about an earlier spec says nothing about this one.
    let observed = object["status"]["observedGeneration"].as_u64();
    if observed.is_some_and(|observed| Some(observed) < object["metadata"]["generation"].as_u64()) {
        return (false, "the new spec has not been acted on yet".into());
    }
    let parts = [text(&condition["reason"]), text(&condition["message"])];
    let why = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    let state = format!("{name} is {}", text(&condition["status"]));
    let state = if why.is_empty() { state } else { format!("{state} ({why})") };
    (condition["status"] == status.as_str(), state)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_about_an_earlier_spec_does_not_count() {
        let ready = |status: &str, observed: u64| {
            json!({
                "metadata": {"generation": 2},
                "status": {"observedGeneration": observed, "conditions": [{"type": "Ready", "status": status, "reason": "R"}]},
            })
        };
        let what: WaitFor = "condition=Ready".parse().expect("a condition");
        assert!(judge(&what, &ready("True", 2)).0);
        assert_eq!(judge(&what, &ready("True", 1)), (false, "the new spec has not been acted on yet".into()));
        assert_eq!(judge(&what, &ready("False", 2)), (false, "Ready is False (R)".into()));
        assert_eq!(judge(&what, &json!({})), (false, "Ready is not known yet".into()));
        assert!(!judge(&WaitFor::Delete, &ready("True", 2)).0);
    }
}
