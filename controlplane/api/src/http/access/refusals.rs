//! Refusals, told in the audit log: beside the requests, and no more of them than the log has room for.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    http::{Method, StatusCode, Uri},
    response::Response,
};
use tokio::sync::mpsc;

use super::super::{
    Http,
    limits::REFUSALS_MAX,
    problem::Said,
    rate::{Buckets, RateLimit},
};
use crate::office::{Origin, Refused, audit_refusal};

/// One that is to be told.
#[derive(Debug)]
pub(in crate::http) struct Refusal {
    user: String,
    from: String,
    request: String,
    refused: Refused,
}

pub(in crate::http) struct Refusals {
    sender: mpsc::Sender<Refusal>,
    receiver: Mutex<Option<mpsc::Receiver<Refusal>>>,
    left_out: AtomicU64,
}

/// Characters of a path's part, and of what was said, that are kept.
const NAME_MAX: usize = 128;
const DETAIL_MAX: usize = 512;

impl Default for Refusals {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(REFUSALS_MAX);
        Self { sender, receiver: Mutex::new(Some(receiver)), left_out: AtomicU64::new(0) }
    }
}

impl Refusals {
    pub(in crate::http) fn note(
        &self,
        (user, origin, request): (String, Origin, &str),
        (method, uri): (&Method, &Uri),
        response: &Response,
    ) {
        let status = response.status();
        let is_read = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let is_told = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => true,
            // A flood of these is what the limits are for.
            StatusCode::TOO_MANY_REQUESTS => false,
            _ => status.is_client_error() && !is_read,
        };
        if !is_told {
            return;
        }
        let detail = response.extensions().get::<Said>().map_or("", |Said(detail)| detail);
        let mut parts = uri.path().strip_prefix("/api/v1/").unwrap_or(uri.path()).splitn(2, '/');
        let mut part = || parts.next().unwrap_or_default().chars().take(NAME_MAX).collect::<String>();
        let (kind, name) = (part(), part());
        let refused = Refused {
            verb: verb(method, uri, &name).into(),
            kind,
            name,
            status: status.as_u16(),
            detail: detail.chars().take(DETAIL_MAX).collect(),
        };
        let refusal = Refusal { user, from: origin.to_string(), request: request.to_owned(), refused };
        if self.sender.try_send(refusal).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn verb(method: &Method, uri: &Uri, name: &str) -> &'static str {
    match method.as_str() {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ if !name.is_empty() => "get",
        _ if uri.query().is_some_and(|query| query.contains("watch=")) => "watch",
        _ => "list",
    }
}

/// Tells refusals for as long as the server lives. Each origin has a share, and all together have one: whoever floods
/// the log with refusals pushes nothing else out of it. How many were left out, the next one says.
pub(in crate::http) async fn tell(http: Http) {
    let receiver = http.0.refusals.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut receiver) = receiver else { return };
    let limit = |per_second: u32, burst: u32| RateLimit {
        per_second: NonZeroU32::new(per_second).expect("not zero"),
        burst: NonZeroU32::new(burst).expect("not zero"),
    };
    let of_one = Buckets::new(limit(1, 50));
    let of_all = Buckets::new(limit(5, 500));
    while let Some(refusal) = receiver.recv().await {
        let now = Instant::now();
        let Refusal { user, from, request, refused } = refusal;
        if of_one.take((user.clone(), from.clone()), now).is_err() || of_all.take((), now).is_err() {
            http.0.refusals.left_out.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let left_out = http.0.refusals.left_out.swap(0, Ordering::Relaxed);
        let record = audit_refusal(&user, &from, &request, &refused, left_out);
        if http.office().store().audit(record).await.is_err() {
            return;
        }
    }
}
