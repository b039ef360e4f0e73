//! HTTP/1.1 to the controller.

mod endpoint;

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::{
    failure::{Failure, Problem},
    kinds::{Kind, Reference},
};
pub(crate) use endpoint::{Endpoint, parse_url};

/// How long it may take to reach the controller.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the controller may take to begin its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Objects of a list that are asked for at a time.
const PAGE: usize = 500;

/// Longest line of a watch that is taken.
const LINE_LEN_MAX: usize = 16 << 20;

/// All objects of a kind as of one revision.
pub(crate) struct List {
    pub(crate) items: Vec<Value>,
    /// Where a watch goes on from.
    pub(crate) resource_version: String,
}

/// Which objects of a kind; the controller judges and applies them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selectors<'a> {
    pub(crate) labels: Option<&'a str>,
    pub(crate) fields: Option<&'a str>,
}

impl Selectors<'_> {
    pub(crate) const fn is_empty(self) -> bool {
        self.labels.is_none() && self.fields.is_none()
    }

    /// What follows in a query, with a leading `&`.
    fn query(self) -> String {
        let parts = [("labelSelector", self.labels), ("fieldSelector", self.fields)];
        let part = |(name, text): (&str, Option<&str>)| Some(format!("&{name}={}", escape(text?)));
        parts.into_iter().filter_map(part).collect()
    }
}

impl<'a> From<&'a Option<String>> for Selectors<'a> {
    /// By labels only.
    fn from(labels: &'a Option<String>) -> Self {
        Self { labels: labels.as_deref(), fields: None }
    }
}

pub(crate) struct Client {
    endpoint: Endpoint,
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    /// The object, or `None` if there is no such object.
    pub(crate) async fn find(&self, object: &Reference) -> Result<Option<Value>, Failure> {
        match self.get(&object.path()).await {
            Ok(object) => Ok(Some(object)),
            Err(Failure::Refused(problem)) if problem.status == StatusCode::NOT_FOUND.as_u16() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    /// As [`Self::post`], for what may take longer than other requests.
    pub(crate) async fn post_within(
        &self,
        path: &str,
        body: &Value,
        timeout: Duration,
    ) -> Result<Value, Failure> {
        let response = self.send(Method::POST, path, Some(body), timeout).await?;
        self.answer(response).await
    }

    /// A body that need not be JSON.
    pub(crate) async fn get_text(&self, path: &str) -> Result<String, Failure> {
        let response = self.send(Method::GET, path, None, ANSWER_TIMEOUT).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let bytes = self.collect(response).await?;
        String::from_utf8(bytes.into()).map_err(|error| Failure::Answer(error.to_string()))
    }

    /// The objects of a kind that the selectors pick, page by page.
    pub(crate) async fn list(&self, kind: Kind, selectors: Selectors<'_>) -> Result<List, Failure> {
        self.list_at(&format!("/api/v1/{}", kind.plural()), &selectors.query()).await
    }

    /// What a list at a path holds, page by page. `picks` follows in the query, with a leading `&`.
    pub(crate) async fn list_at(&self, at: &str, picks: &str) -> Result<List, Failure> {
        let mut list = List { items: Vec::new(), resource_version: String::new() };
        let mut next = String::new();
        loop {
            let path = format!("{at}?limit={PAGE}{picks}{next}");
            let mut page = self.get(&path).await?;
            let Value::Array(items) = page["items"].take() else {
                return Err(Failure::Answer(format!("{path} gave no list")));
            };
            list.items.extend(items);
            let metadata = &page["metadata"];
            // What changes while the pages are read is seen again by a watch from the first page on.
            if list.resource_version.is_empty() {
                list.resource_version = text(&metadata["resourceVersion"]);
            }
            let token = text(&metadata["continue"]);
            if token.is_empty() {
                return Ok(list);
            }
            next = format!("&continue={}", escape(&token));
        }
    }

    /// The changes of a kind's objects since `resource_version`.
    pub(crate) async fn watch(
        &self,
        kind: Kind,
        selectors: Selectors<'_>,
        resource_version: &str,
    ) -> Result<Watch, Failure> {
        self.watch_at(&format!("/api/v1/{}", kind.plural()), &selectors.query(), resource_version).await
    }

    /// The changes of a list at a path.
    pub(crate) async fn watch_at(
        &self,
        at: &str,
        picks: &str,
        resource_version: &str,
    ) -> Result<Watch, Failure> {
        let path = format!("{at}?watch=1&resourceVersion={}{picks}", escape(resource_version));
        let response = self.send(Method::GET, &path, None, ANSWER_TIMEOUT).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        Ok(Watch { body: response.into_body(), pending: Vec::new(), at: self.endpoint.to_string() })
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let response = self.send(method, path, body, ANSWER_TIMEOUT).await?;
        self.answer(response).await
    }

    async fn answer(&self, response: Response<Incoming>) -> Result<Value, Failure> {
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let bytes = self.collect(response).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| Failure::Answer(error.to_string()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        timeout: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let late = |time: Duration| format!("no answer within {} s", time.as_secs());
        let stream = match tokio::time::timeout(CONNECT_TIMEOUT, self.endpoint.connect()).await {
            Ok(stream) => stream.map_err(|error| self.unreachable(&error))?,
            Err(_) => return Err(self.unreachable(&late(CONNECT_TIMEOUT))),
        };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| self.unreachable(&error))?;
        // Ends by itself when the answer has been read or dropped; what went wrong is seen by its reader.
        tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, self.endpoint.host());
        if let Endpoint::Https(https) = &self.endpoint
            && let Some(authorization) = &https.authorization
        {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = request.body(Full::new(body)).map_err(|error| Failure::Usage(error.to_string()))?;
        match tokio::time::timeout(timeout, sender.send_request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unreachable(&error)),
            Err(_) => Err(self.unreachable(&late(timeout))),
        }
    }

    async fn collect(&self, response: Response<Incoming>) -> Result<Bytes, Failure> {
        let body = response.into_body().collect().await;
        Ok(body.map_err(|error| self.unreachable(&error))?.to_bytes())
    }

    async fn refusal(&self, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let mut problem: Problem = match self.collect(response).await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(failure) => return failure,
        };
        problem.status = status.as_u16();
        if problem.title.is_empty() {
            problem.title = status.canonical_reason().unwrap_or_default().into();
        }
        if status.is_server_error() { Failure::Server(problem) } else { Failure::Refused(problem) }
    }

    fn unreachable(&self, reason: &dyn std::fmt::Display) -> Failure {
        Failure::Unreachable { at: self.endpoint.to_string(), reason: reason.to_string() }
    }
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WatchEvent {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub(crate) kind: String,
    pub(crate) object: Value,
}

/// A stream of events, one line of JSON each.
pub(crate) struct Watch {
    body: Incoming,
    pending: Vec<u8>,
    at: String,
}

impl Watch {
    /// The next event; `None` when the controller ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<WatchEvent>, Failure> {
        loop {
            if let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue; // Sent to keep the connection alive.
                }
                return parse_event(&line).map(Some);
            }
            if self.pending.len() > LINE_LEN_MAX {
                return Err(Failure::Answer("a watch event is longer than 16 MiB".into()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.pending.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => {
                    let (at, reason) = (self.at.clone(), error.to_string());
                    return Err(Failure::Unreachable { at, reason });
                }
            }
        }
    }
}

fn parse_event(line: &[u8]) -> Result<WatchEvent, Failure> {
    let mut event: Value =
        serde_json::from_slice(line).map_err(|error| Failure::Answer(error.to_string()))?;
    Ok(WatchEvent { kind: text(&event["type"]), object: event["object"].take() })
}

/// A string or number as text; else nothing.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3).
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    escaped
}

fn hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escape("tier=gold,!trial a/ä"), "tier%3Dgold%2C%21trial%20a%2F%C3%A4");
    }
}
