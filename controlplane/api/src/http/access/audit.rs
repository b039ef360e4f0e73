//! The audit log, for who may read it.

use access_policy::Verb;
use axum::{
    Extension, Json,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        graph::blocking,
        limits::{AUDIT_PAGE_DEFAULT, PAGE_MAX},
        problem::Problem,
        query::Parameters,
    },
    Access,
};
use crate::office::{AuditItem, AuditQuery};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    since: Option<String>,
    until: Option<String>,
    user: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    limit: Option<String>,
    #[serde(rename = "continue")]
    from: Option<String>,
}

#[derive(Serialize)]
struct Page {
    kind: &'static str,
    metadata: Metadata,
    items: Vec<AuditItem>,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(in crate::http) async fn get(
    Extension(access): Extension<Access>,
    Parameters(query): Parameters<Query>,
) -> Result<Response, Problem> {
    access.check(Verb::List, "audit")?;
    let query = AuditQuery {
        since: time("since", query.since.as_deref())?,
        until: time("until", query.until.as_deref())?,
        limit: match query.limit.as_deref() {
            None => AUDIT_PAGE_DEFAULT,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                limit.ok_or_else(|| Problem::parameter("limit", format!("a number from 1 to {PAGE_MAX}")))?
            }
        },
        before: query.from.as_deref().map(place).transpose()?,
        user: query.user,
        kind: query.kind,
        name: query.name,
    };
    let store = access.office().store().clone();
    let found = blocking(move || Ok(query.run(&store))).await?;
    let (items, next) = found.map_err(Problem::internal)?;
    let next = next.map(|(record, change)| format!("{record}.{}", change.min(u32::MAX as usize)));
    Ok(Json(Page { kind: "AuditList", metadata: Metadata { next }, items }).into_response())
}

fn time(parameter: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let time = text.map(str::parse).transpose();
    time.map_err(|_| Problem::parameter(parameter, "a time, as in 2026-01-31T12:00:00Z"))
}

/// Written `RECORD.CHANGE`; to clients it is opaque.
fn place(text: &str) -> Result<(u64, usize), Problem> {
    let place =
        text.split_once('.').and_then(|(record, change)| Some((record.parse().ok()?, change.parse().ok()?)));
    place.ok_or_else(|| Problem::parameter("continue", "not a token that this list gave"))
}
