//! One module for each verb.

mod again;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod edit;
pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod graph;
pub(crate) mod label;
pub(crate) mod node;
mod plan;
mod report;
pub(crate) mod shell;
pub(crate) mod token;
pub(crate) mod version;
pub(crate) mod wait;

use serde_json::Value;

use crate::{
    client::{Client, Selectors},
    failure::{Failure, Problem},
    kinds::{Kind, Reference, Targets},
};

/// The objects that a command line names, kind by kind; one that is named and not there is a failure.
async fn resolve(
    client: &Client,
    targets: &[String],
    selectors: Selectors<'_>,
) -> Result<Vec<(Kind, Vec<Value>)>, Failure> {
    let mut groups: Vec<(Kind, Vec<Value>)> = Vec::new();
    match parse(targets, selectors)? {
        Targets::Kinds(kinds) => {
            for kind in kinds {
                groups.push((kind, client.list(kind, selectors).await?.items));
            }
        }
        Targets::Objects(references) => {
            for reference in references {
                let object =
                    client.get(&reference.path()).await.map_err(|failure| about(&reference, failure))?;
                match groups.iter_mut().find(|(kind, _)| *kind == reference.kind) {
                    Some((_, objects)) => objects.push(object),
                    None => groups.push((reference.kind, vec![object])),
                }
            }
        }
    }
    Ok(groups)
}

fn parse(targets: &[String], selectors: Selectors<'_>) -> Result<Targets, Failure> {
    let targets = Targets::parse(targets).map_err(Failure::Usage)?;
    if !selectors.is_empty() && matches!(targets, Targets::Objects(_)) {
        return Err(Failure::Usage(
            "a selector picks among all objects of a kind: leave the names out".into(),
        ));
    }
    Ok(targets)
}

/// Says which object a refusal is about.
fn about(reference: &Reference, failure: Failure) -> Failure {
    match failure {
        Failure::Refused(problem) => {
            Failure::Refused(Problem { title: format!("{reference}: {}", problem.title), ..problem })
        }
        other => other,
    }
}
