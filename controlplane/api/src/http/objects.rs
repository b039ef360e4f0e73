//! One object at a time.

use access_policy::Verb as Right;
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt as _;
use intent_store::{Record, Table};
use net_types::Name;
use serde_json::Value;
use xos_model::{Fault, KindName, merge_patch};

use super::{
    Http,
    access::Access,
    idempotency::{Answer, Once, refuse_key},
    limits::{DRAINED_BYTES_MAX, OBJECT_BYTES_MAX},
    plans::plan,
    problem::Problem,
    query::{NoQuery, Parameters, WriteQuery, check_media_type, entity_tags},
};
use crate::{
    Rejection, RejectionKind,
    office::{
        Admission, Derived, Done, Draft, Effect, Misplaced, Operation, Preconditions, Target, Verb,
        object_key, with_version,
    },
};

/// How often a patch is tried on an object that others change meanwhile.
const PATCH_TRIES: usize = 8;

pub(super) fn kind(plural: &str) -> Result<KindName, Problem> {
    KindName::from_plural(plural).ok_or_else(Problem::no_such_path)
}

pub(super) fn target(plural: &str, name: &str) -> Result<Target, Problem> {
    let kind = kind(plural)?;
    let name = name.parse().map_err(|_| Problem::from(Rejection::not_found(kind, name)))?;
    Ok(Target { kind, name })
}

/// The whole body, of at most `limit` bytes. One that is longer is still read for a while, and thrown away: a client
/// that only looks for an answer when it has sent all would otherwise never see it.
pub(super) async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(Problem::unreadable)?;
        length += chunk.len();
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else if length > DRAINED_BYTES_MAX {
            break;
        }
    }
    if length <= limit { Ok(bytes) } else { Err(Problem::too_large(limit)) }
}

/// An object, and the revision since when it is as it is.
pub(super) struct Found {
    pub(super) record: Record,
    /// Later than the object's own, if it follows from another and from how chains go, which has changed since.
    since: u64,
}

fn served(status: StatusCode, kind: KindName, found: &Found) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", found.since)).expect("digits in quotes");
    let json = HeaderValue::from_static("application/json");
    let headers = [(header::CONTENT_TYPE, json), (header::ETAG, tag)];
    (status, headers, with_version(kind, &found.record)).into_response()
}

fn answer(done: &Done) -> Answer {
    let status = match done.effect {
        Effect::Created => StatusCode::CREATED,
        Effect::Deleting => StatusCode::ACCEPTED,
        Effect::Configured | Effect::Unchanged | Effect::Deleted => StatusCode::OK,
    };
    let is_new = done.effect == Effect::Created;
    Answer {
        status: status.as_u16(),
        location: is_new.then(|| format!("/api/v1/{}/{}", done.kind.plural(), done.name)),
        etag: Some(entity_tag(&done.record)),
        body: String::from_utf8_lossy(&with_version(done.kind, &done.record)).into_owned(),
    }
}

fn entity_tag(record: &Record) -> String {
    format!("\"{}\"", record.revision)
}

/// Does an operation, or says what it would do.
async fn run(
    access: &Access,
    query: &WriteQuery,
    operation: Operation,
) -> Result<Result<Response, Rejection>, Problem> {
    if query.is_dry_run()? {
        return plan(access, vec![operation], alone).await;
    }
    let done = access.office().run(operation).await?;
    Ok(done.map(|done| answer(&done).into_response()))
}

/// Of what is refused of the only operation.
fn alone(misplaced: Misplaced) -> Rejection {
    misplaced.rejection
}

impl Http {
    pub(super) fn find(&self, target: &Target) -> Result<Found, Problem> {
        let office = self.office();
        if let Some(record) = office.store().get(Table::Objects, &object_key(target.kind, &target.name)) {
            return Ok(Found { since: record.revision, record });
        }
        if target.kind == KindName::Tenant
            && let Some(Derived { record, since, .. }) = office.derived(&target.name)
        {
            return Ok(Found { record, since });
        }
        Err(Rejection::not_found(target.kind, target.name.as_str()).into())
    }
}

fn with_headers(operation: Operation, headers: &HeaderMap) -> Result<Operation, Problem> {
    let if_match = entity_tags(headers, "if-match")?;
    let if_none_match = entity_tags(headers, "if-none-match")?;
    Ok(match operation {
        Operation::Put { verb, draft, preconditions } => Operation::Put {
            verb,
            draft,
            preconditions: Preconditions { if_match, if_none_match, ..preconditions },
        },
        Operation::Delete { target, preconditions } => Operation::Delete {
            target,
            preconditions: Preconditions { if_match, if_none_match, ..preconditions },
        },
    })
}

/// The name in the path and in the object must be one.
fn check_name(draft: &Draft, name: &Name) -> Result<(), Problem> {
    let inside = &draft.metadata().name;
    if inside == name {
        return Ok(());
    }
    let detail = format!("the path names {name}, the object {inside}");
    Err(Problem::invalid(vec![Fault::new("/metadata/name", detail)]))
}

pub(super) async fn get(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path((plural, name)): Path<(String, String)>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let target = target(&plural, &name)?;
    let found = http.find(&target);
    let record = found.as_ref().ok().map(|found| &found.record);
    access.check_object(Right::Get, target.kind.plural(), &target, record)?;
    let found = found?;
    let (wanted, unwanted) = (entity_tags(&headers, "if-match")?, entity_tags(&headers, "if-none-match")?);
    // In this order (RFC 9110, section 13.2.2).
    if wanted.is_some_and(|wanted| !wanted.holds(found.since)) {
        let detail = format!("{} {name} has revision {}", target.kind, found.since);
        return Err(Rejection::precondition(detail).into());
    }
    if unwanted.is_some_and(|unwanted| unwanted.holds(found.since)) {
        let mut response = served(StatusCode::NOT_MODIFIED, target.kind, &found);
        *response.body_mut() = Body::empty();
        return Ok(response);
    }
    Ok(served(StatusCode::OK, target.kind, &found))
}

pub(super) async fn post(
    State(http): State<Http>,
    Path(plural): Path<String>,
    Parameters(query): Parameters<WriteQuery>,
    headers: HeaderMap,
    Extension(access): Extension<Access>,
    (method, uri): (Method, Uri),
    body: Body,
) -> Result<Response, Problem> {
    let kind = kind(&plural)?;
    check_media_type(&headers, &["application/json"])?;
    let body = read_body(body, OBJECT_BYTES_MAX).await?;
    if kind == KindName::Secret {
        refuse_key(&headers, "nothing is kept of a secret, not a hash of it either: say If-None-Match: *")?;
    }
    let once = Once::of(&access.caller, &headers, (&method, &uri), &body)?;
    let draft = Draft::parse_as(kind, &body)?;
    let operation = with_headers(Operation::put(Verb::Create, draft), &headers)?;
    if query.is_dry_run()? {
        return Ok(plan(&access, vec![operation], alone).await??);
    }
    let create = move |admission: &mut Admission<'_, '_>| {
        let done = admission.run_all(vec![operation]).map_err(alone)?;
        Ok(done.into_iter().next().expect("as many outcomes as operations"))
    };
    http.admit_once(&access, once, create, answer).await
}

pub(super) async fn put(
    Extension(access): Extension<Access>,
    Path((plural, name)): Path<(String, String)>,
    Parameters(query): Parameters<WriteQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let target = target(&plural, &name)?;
    check_media_type(&headers, &["application/json"])?;
    let draft = Draft::parse_as(target.kind, &read_body(body, OBJECT_BYTES_MAX).await?)?;
    check_name(&draft, &target.name)?;
    Ok(run(&access, &query, with_headers(Operation::put(Verb::Apply, draft), &headers)?).await??)
}

pub(super) async fn patch(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path((plural, name)): Path<(String, String)>,
    Parameters(query): Parameters<WriteQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let target = target(&plural, &name)?;
    check_media_type(&headers, &["application/merge-patch+json", "application/json"])?;
    let patch: Value = xos_model::parse(&read_body(body, OBJECT_BYTES_MAX).await?)?;
    let own_version = patch.pointer("/metadata/resourceVersion").is_some();
    for _ in 0..PATCH_TRIES {
        let record = http.find(&target).map(|found| found.record);
        if record.is_err() {
            access.check_object(Right::Patch, target.kind.plural(), &target, None)?;
        }
        let record = record?;
        let mut value: Value =
            serde_json::from_slice(&with_version(target.kind, &record)).map_err(|error| {
                Problem::from(Rejection::damaged(&object_key(target.kind, &target.name), &error))
            })?;
        forget_removed(target.kind, &mut value, &patch);
        merge_patch(&mut value, patch.clone());
        let draft = Draft::from_value(target.kind, value).map_err(Problem::invalid)?;
        check_name(&draft, &target.name)?;
        let operation = with_headers(Operation::put(Verb::Patch, draft), &headers)?;
        match run(&access, &query, operation).await? {
            Ok(response) => return Ok(response),
            Err(rejection) if !own_version && overtaken(&rejection) => {}
            Err(rejection) => return Err(rejection.into()),
        }
    }
    Err(Problem::busy())
}

/// The values of a secret are not in what a patch is merged into, only their names: a null takes away the name.
fn forget_removed(kind: KindName, served: &mut Value, patch: &Value) {
    if kind == KindName::Secret
        && let Some(data) = patch.pointer("/spec/data").and_then(Value::as_object)
        && let Some(keys) = served.pointer_mut("/spec/keys").and_then(Value::as_array_mut)
    {
        keys.retain(|key| !key.as_str().and_then(|key| data.get(key)).is_some_and(Value::is_null));
    }
}

/// Whether the object has changed since it was read.
fn overtaken(rejection: &Rejection) -> bool {
    rejection.kind == RejectionKind::Conflict
        && rejection.faults.iter().any(|fault| fault.pointer.as_str() == "/metadata/resourceVersion")
}

pub(super) async fn delete(
    Extension(access): Extension<Access>,
    Path((plural, name)): Path<(String, String)>,
    Parameters(query): Parameters<WriteQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let target = target(&plural, &name)?;
    let operation = Operation::Delete { target, preconditions: Preconditions::default() };
    Ok(run(&access, &query, with_headers(operation, &headers)?).await??)
}
