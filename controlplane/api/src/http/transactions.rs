//! Many operations, all of them or none.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xos_model::{Fault, KindName, ParseError, Pointer, Sha256};

use super::{
    Http,
    access::Access,
    idempotency::{Answer, Once},
    limits::{FAULTS_MAX, OPERATIONS_MAX, TRANSACTION_BYTES_MAX},
    objects::read_body,
    plans::plan,
    problem::Problem,
    query::{Parameters, WriteQuery, check_media_type},
};
use crate::{
    Rejection,
    office::{Admission, Done, Draft, Effect, Misplaced, Operation, Verb},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transaction {
    operations: Vec<RawOperation>,
    /// The digest of the plan that was seen: only what that says is done.
    plan: Option<Sha256>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOperation {
    op: Op,
    object: Box<RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Create,
    Update,
    Apply,
    Delete,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    resource_version: u64,
    results: Vec<OperationResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationResult {
    result: &'static str,
    kind: KindName,
    name: net_types::Name,
    resource_version: u64,
}

pub(super) async fn post(
    State(http): State<Http>,
    Parameters(query): Parameters<WriteQuery>,
    headers: HeaderMap,
    Extension(access): Extension<Access>,
    (method, uri): (Method, Uri),
    body: Body,
) -> Result<Response, Problem> {
    check_media_type(&headers, &["application/json"])?;
    let body = read_body(body, TRANSACTION_BYTES_MAX).await?;
    let (operations, seen) = parse(&body)?;
    let once = Once::of(&access.caller, &headers, (&method, &uri), &body)?;
    if once.is_some() {
        no_secrets(&operations)?;
    }
    if query.is_dry_run()? {
        if seen.is_some() {
            let detail = "a dry run gives the plan, and carries none out";
            return Err(Problem::invalid(vec![Fault::new("/plan", detail)]));
        }
        return Ok(plan(&access, operations, placed).await??);
    }
    let run = move |admission: &mut Admission<'_, '_>| {
        let done = admission.run_all(operations).map_err(placed)?;
        if let Some(seen) = &seen {
            admission.outline(&done).plan()?.is_as_seen(seen)?;
        }
        let results = done.into_iter().map(result).collect();
        Ok(Outcome { resource_version: admission.txn.revision(), results })
    };
    http.admit_once(&access, once, run, answer).await
}

/// What is kept of a request tells nothing of a secret: not a hash that guesses could be held against.
fn no_secrets(operations: &[Operation]) -> Result<(), Problem> {
    let is_secret = |operation: &Operation| matches!(operation, Operation::Put { draft, .. } if draft.kind() == KindName::Secret);
    let Some(i) = operations.iter().position(is_secret) else { return Ok(()) };
    let detail = "nothing is kept of a secret: send it without an Idempotency-Key";
    Err(Problem::invalid(vec![Fault::new(place(i), detail)]))
}

fn answer(outcome: &Outcome) -> Answer {
    let body = serde_json::to_string(outcome).expect("plain fields");
    Answer { status: StatusCode::OK.as_u16(), location: None, etag: None, body }
}

fn result(Done { effect, kind, name, record }: Done) -> OperationResult {
    let result = match effect {
        Effect::Created => "created",
        Effect::Configured => "configured",
        Effect::Unchanged => "unchanged",
        Effect::Deleted => "deleted",
        Effect::Deleting => "deleting",
    };
    OperationResult { result, kind, name, resource_version: record.revision }
}

fn placed(Misplaced { operation, rejection }: Misplaced) -> Rejection {
    rejection.under(&place(operation))
}

fn place(operation: usize) -> Pointer {
    Pointer::from("/operations").at(operation).at("object")
}

/// Parses and judges every operation by itself, so that an answer names all faults that need no state to be seen.
fn parse(body: &[u8]) -> Result<(Vec<Operation>, Option<Sha256>), Problem> {
    let transaction: Transaction = xos_model::parse(body)?;
    if transaction.operations.len() > OPERATIONS_MAX {
        let detail = format!("a transaction has at most {OPERATIONS_MAX} operations");
        return Err(Problem::invalid(vec![Fault::new("/operations", detail)]));
    }
    let (mut operations, mut faults) = (Vec::with_capacity(transaction.operations.len()), Vec::new());
    for (i, RawOperation { op, object }) in transaction.operations.into_iter().enumerate() {
        let object = object.get().as_bytes();
        let operation = match op {
            Op::Create => Draft::parse(object).map(|draft| Operation::put(Verb::Create, draft)),
            Op::Update => Draft::parse(object).map(|draft| Operation::put(Verb::Update, draft)),
            Op::Apply => Draft::parse(object).map(|draft| Operation::put(Verb::Apply, draft)),
            Op::Delete => Operation::delete(object),
        };
        match operation {
            Ok(operation) => operations.push(operation),
            Err(ParseError::Faults(found)) => {
                faults.extend(found.into_iter().map(|fault| fault.under(&place(i))));
            }
            Err(error @ ParseError::Syntax { .. }) => faults.push(Fault::new(place(i), error)),
        }
        if faults.len() > FAULTS_MAX {
            break;
        }
    }
    if faults.is_empty() { Ok((operations, transaction.plan)) } else { Err(Problem::invalid(faults)) }
}
