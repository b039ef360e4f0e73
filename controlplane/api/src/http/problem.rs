//! The one mapping of errors to answers: problem details (RFC 9457).

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use intent_store::{Compacted, Stopped};
use serde::Serialize;
use xos_model::{Fault, ParseError, Pointer};

use super::limits::{BODIES_TIMEOUT, FAULTS_MAX};
use crate::{Rejection, RejectionKind};

#[derive(Clone, Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Flaw>,
    /// For `Retry-After`, in seconds.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One fault: in the body, or in a parameter or header.
#[derive(Clone, Debug, Serialize)]
struct Flaw {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<Pointer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'static str>,
    detail: String,
}

/// What a refusal said, for the audit log.
#[derive(Clone, Debug)]
pub(super) struct Said(pub(super) String);

impl Problem {
    fn new(status: StatusCode, slug: &str, title: &'static str, detail: impl std::fmt::Display) -> Self {
        let kind = format!("urn:wirecenter:problem:{slug}");
        let (status, detail) = (status.as_u16(), detail.to_string());
        Self { kind, title, status, detail, errors: Vec::new(), retry_after: None }
    }

    fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        let more = faults.len().saturating_sub(FAULTS_MAX);
        let flaw = |Fault { pointer, detail }| Flaw { pointer: Some(pointer), parameter: None, detail };
        self.errors = faults.into_iter().take(FAULTS_MAX).map(flaw).collect();
        if more > 0 {
            self.detail = format!("{}; {more} more are not listed", self.detail);
        }
        self
    }

    pub(super) fn parameter(parameter: &'static str, detail: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "parameter", "Bad parameter", &detail);
        problem.errors = vec![Flaw { pointer: None, parameter: Some(parameter), detail: detail.to_string() }];
        problem
    }

    pub(super) fn invalid(faults: Vec<Fault>) -> Self {
        Rejection::invalid(faults).into()
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is longer than {limit} bytes");
        let faults = vec![Fault::new(Pointer::root(), &detail)];
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail).with_faults(faults)
    }

    pub(super) fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "body", "Unreadable body", error)
    }

    pub(super) fn media_type(wanted: &str) -> Self {
        let detail = format!("the body's Content-Type must be {wanted}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Unsupported media type", detail)
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-path", "Not found", "there is nothing at this path")
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "this path does not have that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
    }

    pub(super) fn timeout() -> Self {
        let detail = "the request took too long; what it asked for may still be done";
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "Timeout", detail)
    }

    pub(super) fn too_many_watchers() -> Self {
        let detail = "there are as many watches as there may be";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "watchers", "Too many watches", detail);
        Self { retry_after: Some(1), ..problem }
    }

    pub(super) fn too_many_requests(wait: Duration) -> Self {
        // Whole seconds, and not too early (RFC 9110, section 10.2.3).
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("you ask more often than you may: try again in {seconds} s");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate", "Too many requests", detail);
        Self { retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)), ..problem }
    }

    pub(super) fn no_room() -> Self {
        let seconds = u32::try_from(BODIES_TIMEOUT.as_secs()).unwrap_or(u32::MAX);
        let detail = format!("there is no room for more requests' bodies: try again in {seconds} s");
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-room", "No room", detail);
        Self { retry_after: Some(seconds), ..problem }
    }

    pub(super) fn key_taken() -> Self {
        let detail = "this Idempotency-Key came with another request before";
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key", "Idempotency key in use", detail);
        problem.errors =
            vec![Flaw { pointer: None, parameter: Some("idempotency-key"), detail: detail.into() }];
        problem
    }

    pub(super) fn unauthorized(detail: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail)
    }

    pub(super) fn rights_changed() -> Self {
        let detail = "what you may see has changed: list again";
        Self::new(StatusCode::GONE, "rights-changed", "Rights changed", detail)
    }

    pub(super) fn events_gone(asked: u64, kept: &std::ops::Range<u64>) -> Self {
        let (first, last) = (kept.start, kept.end - 1);
        let detail = format!("event {asked} is not among those that are kept, {first} to {last}; list again");
        Self::new(StatusCode::GONE, "compacted", "Compacted", detail)
    }

    pub(super) fn chains_changed() -> Self {
        let detail = "subscribers' chains go another way since then: list again";
        Self::new(StatusCode::GONE, "chains-changed", "Chains changed", detail)
    }

    pub(super) fn internal(detail: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    pub(super) fn busy() -> Self {
        let detail = "the object changes too quickly to be patched: try again";
        Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail)
    }

    pub(super) fn not_ready(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail)
    }
}

impl From<Rejection> for Problem {
    fn from(Rejection { kind, detail, faults }: Rejection) -> Self {
        let (status, slug, title) = match kind {
            RejectionKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Invalid"),
            RejectionKind::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            RejectionKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
            RejectionKind::Conflict => (StatusCode::CONFLICT, "conflict", "Conflict"),
            RejectionKind::Precondition => {
                (StatusCode::PRECONDITION_FAILED, "precondition", "Precondition failed")
            }
            RejectionKind::Damaged => (StatusCode::INTERNAL_SERVER_ERROR, "damaged", "Damaged"),
        };
        Self::new(status, slug, title, detail).with_faults(faults)
    }
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Syntax { .. } => {
                let faults = vec![Fault::new(Pointer::root(), &error)];
                Self::new(StatusCode::BAD_REQUEST, "malformed", "Malformed JSON", error).with_faults(faults)
            }
            ParseError::Faults(faults) => Self::invalid(faults),
        }
    }
}

impl From<Compacted> for Problem {
    fn from(compacted: Compacted) -> Self {
        Self::new(StatusCode::GONE, "compacted", "Compacted", format!("{compacted}; list again"))
    }
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        Self::not_ready(&format!("{stopped}; whether the change is durable will be known after a restart"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).expect("plain fields");
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"wirecenter\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Said(self.detail));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
