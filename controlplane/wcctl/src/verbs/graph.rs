//! `wcctl graph` and `wcctl explain`.

use serde_json::Value;

use crate::{
    cli::{Explain, Graph, GraphFormat},
    client::{Client, text},
    failure::Failure,
    kinds::{Reference, Targets},
    output, paths,
};

pub(crate) async fn graph(client: &Client, graph: &Graph) -> Result<(), Failure> {
    let format = match graph.output {
        GraphFormat::Text | GraphFormat::Table => "text",
        GraphFormat::Json | GraphFormat::Yaml => "json",
        GraphFormat::Dot => "dot",
    };
    let path = if graph.connectivity { paths::connectivity(format) } else { paths::graph(format) };
    if graph.output == GraphFormat::Yaml {
        return output::print(&output::yaml(&client.get(&path).await?)?);
    }
    let mut body = client.get_text(&path).await?;
    if !body.is_empty() && !body.ends_with('\n') {
        body.push('\n');
    }
    output::print(&body)
}

pub(crate) async fn explain(client: &Client, explain: &Explain) -> Result<(), Failure> {
    let thing = match explain.target.as_slice() {
        [thing] if is_derived(thing) => thing.clone(),
        words => one(words).map(|object| format!("{}/{}", object.kind.plural(), object.name))?,
    };
    let answer = client.get(&paths::explanation(&thing)).await?;
    let Some(sentences) = answer["sentences"].as_array() else {
        return Err(Failure::Answer("it holds no sentences".into()));
    };
    let lines = |_: &Value| sentences.iter().map(|sentence| text(sentence) + "\n").collect();
    output::print(&output::value(explain.shown.output, &answer, lines)?)
}

/// Whether it is a thing that is no object, but follows from the tenancy graph.
fn is_derived(thing: &str) -> bool {
    let derived = ["private", "shared", "gateway", "public", "attachment"];
    thing.split_once('/').is_some_and(|(of, _)| derived.contains(&of))
}

fn one(words: &[String]) -> Result<Reference, Failure> {
    match Targets::parse(words).map_err(Failure::Usage)? {
        Targets::Objects(mut objects) if objects.len() == 1 => Ok(objects.remove(0)),
        _ => Err(Failure::Usage("say which object: KIND/NAME or KIND NAME".into())),
    }
}
