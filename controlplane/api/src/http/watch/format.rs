//! How a watch's events are written: lines of JSON, or server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use super::super::{
    limits::{BOOKMARK_PERIOD, HEARTBEAT_PERIOD},
    problem::Problem,
};

/// What the client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `{"type":T,"object":O}` in a line of its own.
    Lines,
    /// Server-sent events (HTML Living Standard, section 9.2).
    Events,
}

impl Format {
    /// What the client accepts: events only if it names them.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = accepted.flat_map(|value| value.split(','));
        if ranges.any(names_events) { Self::Events } else { Self::Lines }
    }

    /// An answer that goes on for as long as there are chunks.
    pub(in crate::http) fn response(self, chunks: impl Stream<Item = Bytes> + Send + 'static) -> Response {
        let media_type = match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        };
        // What is kept between the two of us would be late, and then old.
        let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")];
        (headers, Body::from_stream(chunks.map(Ok::<_, Infallible>))).into_response()
    }

    /// How long it may be quiet.
    pub(in crate::http) fn patience(self) -> Duration {
        match self {
            Self::Lines => BOOKMARK_PERIOD,
            Self::Events => HEARTBEAT_PERIOD,
        }
    }

    /// Appends an event. `seen` is where a client that has read it can resume; none, if it could not without loss.
    pub(in crate::http) fn event(self, out: &mut Vec<u8>, kind: &str, seen: Option<u64>, object: &[u8]) {
        match self {
            Self::Lines => {
                out.extend_from_slice(format!(r#"{{"type":"{kind}","object":"#).as_bytes());
                out.extend_from_slice(object);
                out.extend_from_slice(b"}\n");
            }
            Self::Events => {
                let id = seen.map(|seen| format!("id: {seen}\n")).unwrap_or_default();
                out.extend_from_slice(format!("event: {kind}\n{id}data: ").as_bytes());
                // JSON as it is served has no line breaks.
                out.extend_from_slice(object);
                out.extend_from_slice(b"\n\n");
            }
        }
    }

    /// Appends the last event: why the watch ends.
    pub(in crate::http) fn error(self, out: &mut Vec<u8>, problem: &Problem) {
        let problem = serde_json::to_vec(problem).expect("plain fields");
        let kind = match self {
            Self::Lines => "ERROR",
            Self::Events => "error",
        };
        self.event(out, kind, None, &problem);
    }

    /// Appends what says only that the connection lives.
    pub(super) fn heartbeat(self, out: &mut Vec<u8>) {
        if self == Self::Events {
            out.extend_from_slice(b": heartbeat\n\n");
        }
    }
}

/// Whether a media range is `text/event-stream` with a weight that is not 0.
fn names_events(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let is_named = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("text/event-stream"));
    let refused = parts.filter_map(|parameter| parameter.split_once('=')).any(|(name, weight)| {
        name.trim().eq_ignore_ascii_case("q")
            && weight.trim().parse::<f32>().is_ok_and(|weight| weight == 0.0)
    });
    is_named && !refused
}

/// `Last-Event-ID`: the last event that a client has seen.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let revision = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    revision.map(Some).ok_or_else(|| Problem::parameter("last-event-id", "the id of an event of a watch"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn events_are_for_those_who_ask_for_them() {
        for (accept, wanted) in [
            ("text/event-stream", Format::Events),
            ("application/json, Text/Event-Stream;q=0.5", Format::Events),
            ("text/event-stream;q=0", Format::Lines),
            ("*/*", Format::Lines),
            ("application/x-ndjson", Format::Lines),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Format::wanted(&headers), wanted, "{accept}");
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let written = |format: Format, seen| {
            let mut out = Vec::new();
            format.event(&mut out, "ADDED", seen, b"{}");
            format.heartbeat(&mut out);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(written(Format::Lines, Some(7)), "{\"type\":\"ADDED\",\"object\":{}}\n");
        assert_eq!(written(Format::Events, Some(7)), "event: ADDED\nid: 7\ndata: {}\n\n: heartbeat\n\n");
        assert_eq!(written(Format::Events, None), "event: ADDED\ndata: {}\n\n: heartbeat\n\n");
    }
}
