//! The tenancy graph and what follows from it, drawn.

use access_policy::Verb;
use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use xos_model::Graph;

use super::{Http, access::Access, problem::Problem, query::Parameters};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drawing {
    format: Option<String>,
}

/// The graph is of the whole office, and so is an explanation that follows from it.
pub(super) fn sees_all(access: &Access) -> Result<(), Problem> {
    let kinds = ["services", "tenants", "slices", "networks", "instances"];
    kinds.into_iter().try_for_each(|kind| access.check(Verb::List, kind))
}

/// How to write something down: its media type, and itself.
type Draw = fn(&Graph) -> (&'static str, String);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const DOT: &str = "text/vnd.graphviz; charset=utf-8";

impl Drawing {
    fn pick(&self, [text, json, dot]: [Draw; 3]) -> Result<Draw, Problem> {
        match self.format.as_deref() {
            None | Some("text") => Ok(text),
            Some("json") => Ok(json),
            Some("dot") => Ok(dot),
            Some(_) => Err(Problem::parameter("format", "one of text, json and dot")),
        }
    }
}

async fn drawn(http: &Http, access: &Access, draw: Draw) -> Result<Response, Problem> {
    sees_all(access)?;
    let office = http.office().clone();
    let (kind, body) = blocking(move || Ok(draw(&office.graph()?))).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response())
}

pub(super) async fn get(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(drawing): Parameters<Drawing>,
) -> Result<Response, Problem> {
    let draw = drawing.pick([
        |graph| (TEXT, graph.text()),
        |graph| (JSON, graph.data().to_string()),
        |graph| (DOT, graph.dot()),
    ])?;
    drawn(&http, &access, draw).await
}

/// What follows from the graph: networks, gateways, attachments, public accesses.
pub(super) async fn connectivity(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(drawing): Parameters<Drawing>,
) -> Result<Response, Problem> {
    let draw = drawing.pick([
        |graph| (TEXT, graph.connectivity().text()),
        |graph| (JSON, serde_json::to_string(&graph.connectivity()).expect("names and references")),
        |graph| (DOT, graph.connectivity().dot()),
    ])?;
    drawn(&http, &access, draw).await
}

/// Where it holds up nobody: much may have to be read.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::Rejection> + Send + 'static,
) -> Result<T, Problem> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(Problem::internal)??)
}
