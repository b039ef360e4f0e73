//! Requests that a client may send again when it has lost the answer: done once, answered twice.
//!
//! The answer is written in the transaction that does the work, so that there is never the one without the other, not
//! after a crash either. Transactions run one after another: whoever repeats a request while the first is still going
//! on waits for it and gets its answer; nothing is ever half done. What was refused wrote nothing, and is judged anew.

use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use intent_store::Table;
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};

use super::{
    Http,
    access::Access,
    limits::{ANSWERS_BYTES_MAX, ANSWERS_MAX, IDEMPOTENCY_KEY_BYTES_MAX},
    problem::Problem,
};
use crate::{
    Rejection,
    office::{Admission, Caller},
};

/// How long an answer is kept.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const HEADER: &str = "idempotency-key";
const TOTAL: &str = "idempotency/total";
const BY_AGE: &str = "idempotency/age/";

/// A request with an `Idempotency-Key`. The key itself is nowhere, only its hash with who sent it: one client's keys
/// are nothing to another.
#[derive(Clone, Debug)]
pub(super) struct Once {
    key: String,
    /// The hash of method, path and body.
    request: String,
}

/// An answer to a change, as it can be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    request: String,
    /// Where it is in the order of age.
    place: String,
    expires_at: Timestamp,
    answer: Answer,
}

/// Of all that is kept.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Total {
    answers: usize,
    bytes: usize,
    /// How many there have ever been.
    ever: u64,
}

/// The same of one that is kept, by age.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Aged {
    key: String,
    bytes: usize,
    expires_at: Timestamp,
}

enum Outcome<T> {
    New(T),
    Again(Answer),
    /// The key was another request's.
    Taken,
}

impl Once {
    pub(super) fn of(
        caller: &Caller,
        headers: &HeaderMap,
        (method, uri): (&Method, &Uri),
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(key) = key(headers)? else { return Ok(None) };
        let path = uri.path_and_query().map_or_else(|| uri.path(), |whole| whole.as_str());
        Ok(Some(Self {
            key: format!("idempotency/key/{}", sha256(&[caller.to_string().as_bytes(), key])),
            request: sha256(&[method.as_str().as_bytes(), path.as_bytes(), body]),
        }))
    }

    fn recall<T>(&self, admission: &Admission<'_, '_>) -> Result<Option<Outcome<T>>, Rejection> {
        let Some(kept) = read::<Kept>(admission, &self.key)? else { return Ok(None) };
        Ok(match kept {
            Kept { expires_at, .. } if expires_at <= admission.now => None,
            Kept { request, answer, .. } if request == self.request => Some(Outcome::Again(answer)),
            Kept { .. } => Some(Outcome::Taken),
        })
    }

    fn keep(self, admission: &mut Admission<'_, '_>, answer: Answer) -> Result<(), Rejection> {
        let mut total = read::<Total>(admission, TOTAL)?.unwrap_or_default();
        if let Some(expired) = read::<Kept>(admission, &self.key)? {
            total.forget(admission, &expired.place)?;
        }
        let expires_at = admission.now + LIFETIME;
        let place = format!("{BY_AGE}{:016x}", total.ever);
        let kept = Kept { request: self.request, place, expires_at, answer };
        let value = serde_json::to_vec(&kept).expect("plain fields");
        total.answers += 1;
        total.bytes += value.len();
        total.ever += 1;
        write(admission, &kept.place, &Aged { key: self.key.clone(), bytes: value.len(), expires_at });
        admission.txn.put(Table::Claims, self.key, value);
        total.shrink(admission)?;
        write(admission, TOTAL, &total);
        Ok(())
    }
}

impl Total {
    /// Forgets what has expired, and the oldest while there is too much. What is new stays, whatever its size.
    fn shrink(&mut self, admission: &mut Admission<'_, '_>) -> Result<(), Rejection> {
        while self.answers > 1 {
            let Some((place, _)) = admission.txn.prefixed(Table::Claims, BY_AGE).next() else { break };
            let oldest: Option<Aged> = read(admission, &place)?;
            let is_over = self.answers > ANSWERS_MAX || self.bytes > ANSWERS_BYTES_MAX;
            if !is_over && oldest.is_some_and(|oldest| oldest.expires_at > admission.now) {
                break;
            }
            self.forget(admission, &place)?;
        }
        Ok(())
    }

    fn forget(&mut self, admission: &mut Admission<'_, '_>, place: &str) -> Result<(), Rejection> {
        if let Some(aged) = read::<Aged>(admission, place)? {
            admission.txn.delete(Table::Claims, &aged.key);
            self.answers = self.answers.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(aged.bytes);
        }
        admission.txn.delete(Table::Claims, place);
        Ok(())
    }
}

fn read<T: for<'de> Deserialize<'de>>(
    admission: &Admission<'_, '_>,
    key: &str,
) -> Result<Option<T>, Rejection> {
    let record = admission.txn.get(Table::Claims, key);
    let read = record.map(|record| serde_json::from_slice(&record.value)).transpose();
    read.map_err(|error| Rejection::damaged(key, &error))
}

fn write(admission: &mut Admission<'_, '_>, key: &str, value: &impl Serialize) {
    admission.txn.put(Table::Claims, key, serde_json::to_vec(value).expect("plain fields"));
}

fn key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.as_bytes();
    let is_legal =
        (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if is_legal && values.next().is_none() {
        return Ok(Some(key));
    }
    let rule =
        format!("one key of 1 to {IDEMPOTENCY_KEY_BYTES_MAX} characters of printable ASCII without spaces");
    Err(Problem::parameter(HEADER, rule))
}

/// For what cannot be done once: it says so, so that nobody relies on it.
pub(in crate::http) fn refuse_key(headers: &HeaderMap, why: &str) -> Result<(), Problem> {
    if headers.contains_key(HEADER) { Err(Problem::parameter(HEADER, why)) } else { Ok(()) }
}

/// The hash of all parts, none of which runs into the next.
fn sha256(parts: &[&[u8]]) -> String {
    use std::fmt::Write as _;
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut text = String::new();
    for byte in context.finish().as_ref() {
        write!(text, "{byte:02x}").expect("to memory");
    }
    text
}

impl Http {
    /// Runs `body` in a transaction and renders what comes of it; a request that was done already only gets its answer
    /// again.
    pub(super) async fn admit_once<T: Send + 'static>(
        &self,
        access: &Access,
        once: Option<Once>,
        body: impl FnOnce(&mut Admission<'_, '_>) -> Result<T, Rejection> + Send + 'static,
        render: fn(&T) -> Answer,
    ) -> Result<Response, Problem> {
        let outcome = access.office().admit(false, move |admission| {
            if let Some(known) = once.as_ref().map(|once| once.recall(admission)).transpose()?.flatten() {
                return Ok(known);
            }
            let done = body(admission)?;
            if let Some(once) = once {
                once.keep(admission, render(&done))?;
            }
            Ok(Outcome::New(done))
        });
        match outcome.await?? {
            Outcome::New(done) => Ok(render(&done).into_response()),
            Outcome::Again(answer) => Ok(answer.into_response()),
            Outcome::Taken => Err(Problem::key_taken()),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self { status, location, etag, body } = self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [(header::LOCATION, location), (header::ETAG, etag)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}
