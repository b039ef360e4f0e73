//! `wcctl graph` and `wcctl explain`.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    cli::{Explain, Graph, GraphFormat},
    client::{Client, text},
    failure::Failure,
    kinds::{Reference, Targets},
    output, paths,
};

/// How deep reasons are followed.
const DEPTH_MAX: usize = 64;

pub(crate) async fn graph(client: &Client, graph: &Graph) -> Result<(), Failure> {
    let about = if graph.target.is_empty() { None } else { Some(one(&graph.target)?) };
    let format = match graph.output {
        GraphFormat::Text => "text",
        GraphFormat::Json => "json",
        GraphFormat::Dot => "dot",
    };
    let mut body = client.get_text(&paths::graph(format, about.as_ref())).await?;
    if !body.is_empty() && !body.ends_with('\n') {
        body.push('\n');
    }
    output::print(&body)
}

pub(crate) async fn explain(client: &Client, explain: &Explain) -> Result<(), Failure> {
    let reference = one(&explain.target)?;
    let answer = client.get(&paths::explanation(&reference)).await;
    let answer = answer.map_err(|failure| super::about(&reference, failure))?;
    output::print(&output::value(explain.shown.output, &answer, |answer| {
        let mut out = String::new();
        tell(answer, 0, &mut out);
        out
    })?)
}

fn one(words: &[String]) -> Result<Reference, Failure> {
    match Targets::parse(words).map_err(Failure::Usage)? {
        Targets::Objects(mut objects) if objects.len() == 1 => Ok(objects.remove(0)),
        _ => Err(Failure::Usage("say which object: KIND/NAME or KIND NAME".into())),
    }
}

/// A line for each reason, the reasons of a reason below it and further in.
fn tell(reason: &Value, depth: usize, out: &mut String) {
    let object = output::reference(&reason["object"]);
    let gap = if object.is_empty() { "" } else { ": " };
    let _ = writeln!(out, "{:indent$}{object}{gap}{}", "", text(&reason["why"]), indent = 2 * depth);
    let reasons = reason["because"].as_array().map_or(&[][..], Vec::as_slice);
    for reason in reasons.iter().filter(|_| depth < DEPTH_MAX) {
        tell(reason, depth + 1, out);
    }
}
