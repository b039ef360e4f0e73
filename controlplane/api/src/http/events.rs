//! `/api/v1/events`: what has happened, the newest first; or, as a watch, what happens from now on.

use access_policy::Verb;
use axum::{
    Extension, Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use intent_store::Table;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch as signal};
use xos_model::KindName;

use super::{
    Http,
    access::Access,
    graph::blocking,
    limits::{EVENTS_PAGE_DEFAULT, PAGE_MAX, WATCH_CHUNK},
    problem::Problem,
    query::{Parameters, is_watch},
    watch::Format,
};
use crate::office::{Event, Severity, kept_events, object_key, read_event};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Query {
    kind: Option<String>,
    name: Option<String>,
    severity: Option<String>,
    limit: Option<String>,
    #[serde(rename = "continue")]
    before: Option<String>,
    watch: Option<String>,
    resource_version: Option<String>,
}

/// Which events a client wants.
#[derive(Clone, Debug, Default)]
struct Picks {
    kind: Option<KindName>,
    name: Option<String>,
    severity: Option<Severity>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    kind: &'static str,
    metadata: Metadata,
    items: Vec<Event>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// The sequence of the last event: a watch from here on misses nothing.
    resource_version: u64,
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn get(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    Parameters(query): Parameters<Query>,
) -> Result<Response, Problem> {
    let picks = query.picks()?;
    let number = |name, text: &Option<String>| {
        let number = text.as_ref().map(|text| text.parse::<u64>()).transpose();
        number.map_err(|_| Problem::parameter(name, "the sequence number of an event"))
    };
    let (before, after) =
        (number("continue", &query.before)?, number("resourceVersion", &query.resource_version)?);
    let limit = match query.limit.as_deref() {
        None => EVENTS_PAGE_DEFAULT,
        Some(text) => {
            let limit = text.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
            limit.ok_or_else(|| Problem::parameter("limit", format!("a number from 1 to {PAGE_MAX}")))?
        }
    };
    if is_watch(query.watch.as_deref())? {
        return watch(&http, access, picks, Format::wanted(&headers), after);
    }
    let page = blocking(move || Ok(picks.page(&access, before, limit)));
    Ok(Json(page.await?).into_response())
}

impl Query {
    fn picks(&self) -> Result<Picks, Problem> {
        let kind = |text: &String| {
            let kinds = KindName::ALL.iter().copied();
            let is = |kind: &KindName| kind.as_str().eq_ignore_ascii_case(text) || kind.plural() == text;
            kinds.into_iter().find(is).ok_or_else(|| Problem::parameter("kind", "a kind, such as Subscriber"))
        };
        let severity = |text: &String| match text.as_str() {
            "normal" => Ok(Severity::Normal),
            "warning" => Ok(Severity::Warning),
            _ => Err(Problem::parameter("severity", "normal or warning")),
        };
        Ok(Picks {
            kind: self.kind.as_ref().map(kind).transpose()?,
            name: self.name.clone(),
            severity: self.severity.as_ref().map(severity).transpose()?,
        })
    }
}

impl Picks {
    /// The last events before one of them. It looks at all that are kept, if few of them are wanted.
    fn page(&self, access: &Access, before: Option<u64>, limit: usize) -> Page {
        let store = access.office().store();
        let kept = kept_events(store);
        let (mut items, mut next) = (Vec::new(), None);
        for sequence in (kept.start..before.unwrap_or(kept.end).min(kept.end)).rev() {
            let Some(event) = read_event(store, sequence).filter(|event| self.picks(event, access)) else {
                continue;
            };
            if items.len() == limit {
                next = Some((sequence + 1).to_string());
                break;
            }
            items.push(event);
        }
        let metadata = Metadata { resource_version: kept.end - 1, next };
        Page { kind: "EventList", metadata, items }
    }

    /// Whether the client wants it, and may know of it: who may see the object may.
    fn picks(&self, event: &Event, access: &Access) -> bool {
        self.kind.is_none_or(|kind| kind == event.kind)
            && self.name.as_ref().is_none_or(|name| *name == event.name)
            && self.severity.is_none_or(|severity| severity == event.severity)
            && may_see(event, access)
    }
}

fn may_see(event: &Event, access: &Access) -> bool {
    let Ok(sight) = access.sight(Verb::Get, event.kind) else { return false };
    let Ok(name) = event.name.parse() else { return false };
    match access.office().store().get(Table::Objects, &object_key(event.kind, &name)) {
        Some(record) => sight.sees(&record),
        // Where it lay is not known any more.
        None => sight.sees_all(),
    }
}

/// A stream of events. It holds none: it goes through what is kept, however slowly the client reads.
struct Watch {
    access: Access,
    picks: Picks,
    format: Format,
    /// All events up to here have been sent.
    at: u64,
    news: signal::Receiver<()>,
    ending: signal::Receiver<bool>,
    over: bool,
    _permit: OwnedSemaphorePermit,
}

fn watch(
    http: &Http,
    access: Access,
    picks: Picks,
    format: Format,
    after: Option<u64>,
) -> Result<Response, Problem> {
    let permit = http.0.watchers.clone().try_acquire_owned().map_err(|_| Problem::too_many_watchers())?;
    let news = http.office().news();
    let kept = kept_events(http.office().store());
    let at = after.unwrap_or(kept.end - 1);
    if !(kept.start - 1..kept.end).contains(&at) {
        return Err(Problem::events_gone(at, &kept));
    }
    let ending = http.0.ending.subscribe();
    let watch = Watch { access, picks, format, at, news, ending, over: false, _permit: permit };
    let chunks = stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) });
    Ok(format.response(chunks))
}

impl Watch {
    /// The next events; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::new();
        while !self.over {
            self.news.mark_unchanged();
            if let Err(problem) = self.read(&mut out) {
                self.over = true;
                self.format.error(&mut out, &problem);
            }
            if !out.is_empty() {
                return Some(out.into());
            }
            tokio::select! {
                news = self.news.changed() => news.ok()?,
                _ = self.ending.wait_for(|ending| *ending) => return None,
                () = tokio::time::sleep(self.format.patience()) => {
                    let bookmark = format!(r#"{{"sequence":{}}}"#, self.at);
                    self.format.event(&mut out, "BOOKMARK", Some(self.at), bookmark.as_bytes());
                    return Some(out.into());
                }
            }
        }
        None
    }

    fn read(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        self.access.check_token()?;
        let store = self.access.office().store();
        let kept = kept_events(store);
        if self.at + 1 < kept.start {
            return Err(Problem::events_gone(self.at, &kept));
        }
        let mut sent = 0;
        while self.at + 1 < kept.end && sent < WATCH_CHUNK {
            self.at += 1;
            let event = read_event(store, self.at).filter(|event| self.picks.picks(event, &self.access));
            if let Some(event) = event {
                sent += 1;
                let event = serde_json::to_vec(&event).expect("plain fields");
                self.format.event(out, "ADDED", Some(self.at), &event);
            }
        }
        Ok(())
    }
}
