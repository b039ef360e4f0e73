//! The tenancy graph, drawn and explained.

use access_policy::Verb;
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use xos_model::{Graph, Thing};

use super::{Http, access::Access, problem::Problem, query::Parameters};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drawing {
    format: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    thing: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Explanation {
    sentences: Vec<String>,
}

/// The graph is of the whole office, and so is an explanation that follows from it.
fn sees_all(access: &Access) -> Result<(), Problem> {
    let kinds = ["services", "tenants", "slices", "networks", "instances"];
    kinds.into_iter().try_for_each(|kind| access.check(Verb::List, kind))
}

pub(super) async fn get(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(drawing): Parameters<Drawing>,
) -> Result<Response, Problem> {
    sees_all(&access)?;
    let draw: fn(&Graph) -> (&'static str, String) = match drawing.format.as_deref() {
        None | Some("text") => |graph| ("text/plain; charset=utf-8", graph.text()),
        Some("json") => |graph| ("application/json", graph.data().to_string()),
        Some("dot") => |graph| ("text/vnd.graphviz; charset=utf-8", graph.dot()),
        Some(_) => return Err(Problem::parameter("format", "one of text, json and dot")),
    };
    let office = http.office().clone();
    let (kind, body) = blocking(move || Ok(draw(&office.graph()?))).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response())
}

pub(super) async fn explanation(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(question): Parameters<Question>,
) -> Result<Json<Explanation>, Problem> {
    sees_all(&access)?;
    let thing: Thing = match question.thing.as_deref().map(str::parse) {
        Some(Ok(thing)) => thing,
        Some(Err(error)) => return Err(Problem::parameter("thing", error)),
        None => return Err(Problem::parameter("thing", "says what to explain: service/NAME, for example")),
    };
    let office = http.office().clone();
    let sentences = blocking(move || {
        if let Thing::Tenant(name) = &thing
            && let Some(derived) = office.derived(name)
        {
            return Ok(derived.tenancy.explain());
        }
        Ok(office.graph()?.explain(&thing))
    });
    Ok(Json(Explanation { sentences: sentences.await? }))
}

/// Where it holds up nobody: much may have to be read.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::Rejection> + Send + 'static,
) -> Result<T, Problem> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(Problem::internal)??)
}
