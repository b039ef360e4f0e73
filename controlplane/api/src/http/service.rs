//! What is about the controller itself.

use access_policy::Verb;
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use intent_store::Table;
use net_types::Name;
use serde::Serialize;
use xos_model::KindName;

use super::{
    Http,
    access::Access,
    idempotency::refuse_key,
    limits::OBJECT_BYTES_MAX,
    objects::read_body,
    problem::Problem,
    query::{NoQuery, Parameters},
};
use crate::{
    Rejection,
    office::{Target, object_key},
};

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Changes can be made.
pub(super) async fn readyz(State(http): State<Http>) -> Result<&'static str, Problem> {
    if http.office().store().is_stopped() {
        return Err(Problem::not_ready("the store has stopped"));
    }
    Ok("ok\n")
}

#[derive(Serialize)]
pub(super) struct Version {
    name: &'static str,
    version: &'static str,
}

pub(super) async fn version() -> Json<Version> {
    Json(Version { name: "wirecenterd", version: env!("CARGO_PKG_VERSION") })
}

pub(super) async fn metrics(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
) -> Result<Response, Problem> {
    access.check(Verb::Get, "metrics")?;
    // At the controller's end there is no synchronizer any more.
    let back_ends = http.0.synchronizer.metrics().await.unwrap_or_default();
    let figures = http.office().store().figures();
    let text = http.0.metrics.render(&figures, &back_ends, &(http.0.counted)()).map_err(Problem::internal)?;
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JoinToken {
    token: String,
    expires_at: jiff::Timestamp,
}

pub(super) async fn join_token(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path(name): Path<String>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<JoinToken>, Problem> {
    // Nothing is asked for in it; unread, it would end the connection before the answer is seen.
    read_body(body, OBJECT_BYTES_MAX).await?;
    refuse_key(&headers, "a token is a secret, and not kept: another one takes its place")?;
    let node: Name = name.parse().map_err(|_| Rejection::not_found(KindName::Node, &name))?;
    let target = Target { kind: KindName::Node, name: node.clone() };
    let record = http.office().store().get(Table::Objects, &object_key(KindName::Node, &node));
    // Whoever joins as the node is told all that the node is to know.
    access.check_object(Verb::Update, "nodes/join-token", &target, record.as_ref())?;
    let (secret, expires_at) = access.office().issue_join_secret(node.clone()).await??;
    let token = (http.0.token_text)(&node, &secret).map_err(Problem::internal)?;
    Ok(Json(JoinToken { token, expires_at }))
}
