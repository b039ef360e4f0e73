//! Streams of changes, a line of JSON each.

use std::pin::pin;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{
    future::{Either, select},
    stream,
};
use intent_store::{Change, Record};
use tokio::sync::{OwnedSemaphorePermit, watch};
use xos_model::KindName;

use super::{
    Http,
    limits::{BOOKMARK_PERIOD, PAGE_MAX, WATCH_CHUNK},
    list::collect,
    problem::Problem,
    query::Filter,
};
use crate::office::with_version;

/// One watch. It holds no changes: it goes through the store's log, however slowly the client reads, until the log
/// no longer reaches back to where it is.
struct Watch {
    http: Http,
    kind: KindName,
    prefix: String,
    filter: Filter,
    /// All changes up to here have been sent.
    at: u64,
    initial: Initial,
    revisions: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    /// The end has been said.
    over: bool,
    _permit: OwnedSemaphorePermit,
}

/// What is to be sent before any change.
enum Initial {
    Nothing,
    /// All that there was at the watch's first revision.
    All,
    /// The rest of it, after this key.
    After(String),
}

/// Begins a watch after a revision; without one, with all that there is.
pub(super) fn start(
    http: &Http,
    kind: KindName,
    filter: Filter,
    after: Option<u64>,
) -> Result<Response, Problem> {
    let permit = http.0.watchers.clone().try_acquire_owned().map_err(|_| Problem::too_many_watchers())?;
    let store = http.office().store();
    let revisions = store.revisions();
    let at = after.unwrap_or_else(|| store.revision());
    store.changes(at, 1)?;
    let watch = Watch {
        http: http.clone(),
        kind,
        prefix: format!("{}/", kind.plural()),
        filter,
        at,
        initial: if after.is_some() { Initial::Nothing } else { Initial::All },
        revisions,
        ending: http.0.ending.subscribe(),
        over: false,
        _permit: permit,
    };
    let lines = stream::unfold(watch, |mut watch| async move {
        let lines = watch.next().await?;
        Some((Ok::<_, std::convert::Infallible>(lines), watch))
    });
    let kind = HeaderValue::from_static("application/x-ndjson");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response())
}

impl Watch {
    /// The next lines; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        let mut lines = Vec::new();
        loop {
            match self.read(&mut lines) {
                Err(problem) => {
                    self.over = true;
                    let problem = serde_json::to_string(&problem).expect("plain fields");
                    lines.extend_from_slice(
                        format!("{{\"type\":\"ERROR\",\"object\":{problem}}}\n").as_bytes(),
                    );
                    return Some(lines.into());
                }
                Ok(()) if !lines.is_empty() => return Some(lines.into()),
                Ok(()) => {}
            }
            if !self.wait().await? {
                return Some(self.bookmark().into());
            }
        }
    }

    /// Waits for a change, and says whether there was one in good time; `None` when all is over.
    async fn wait(&mut self) -> Option<bool> {
        let changed = pin!(self.revisions.changed());
        let ending = pin!(self.ending.wait_for(|ending| *ending));
        match tokio::time::timeout(BOOKMARK_PERIOD, select(changed, ending)).await {
            Ok(Either::Left((Ok(()), _))) => Some(true),
            // The store is gone, or the server ends.
            Ok(Either::Left((Err(_), _)) | Either::Right(_)) => None,
            Err(_) => Some(false),
        }
    }

    /// Appends what there is to say; nothing, if that is all.
    fn read(&mut self, lines: &mut Vec<u8>) -> Result<(), Problem> {
        let after = match std::mem::replace(&mut self.initial, Initial::Nothing) {
            Initial::Nothing => return self.read_changes(lines),
            Initial::All => None,
            Initial::After(key) => Some(key),
        };
        let page = collect(&self.http, self.kind, &self.filter, after, Some(self.at), PAGE_MAX)?;
        for (_, record) in &page.items {
            self.line(lines, "ADDED", record);
        }
        match page.items.last() {
            Some((key, _)) if page.more => self.initial = Initial::After(key.to_string()),
            // So that a client knows when it has seen all.
            _ => lines.extend_from_slice(self.bookmark().as_bytes()),
        }
        Ok(())
    }

    fn read_changes(&mut self, lines: &mut Vec<u8>) -> Result<(), Problem> {
        loop {
            self.revisions.mark_unchanged();
            let changes = self.http.office().store().changes(self.at, WATCH_CHUNK)?;
            let Some(last) = changes.last() else { return Ok(()) };
            self.at = last.revision;
            for change in changes.iter().filter(|change| change.key.starts_with(&self.prefix)) {
                self.change(lines, change);
            }
            if !lines.is_empty() {
                return Ok(());
            }
        }
    }

    /// To a client with selectors an object comes and goes with its labels and fields.
    fn change(&self, lines: &mut Vec<u8>, change: &Change) {
        let seen =
            |record: &Option<Record>| record.clone().filter(|record| self.filter.picks(self.kind, record));
        match (seen(&change.before), seen(&change.now)) {
            (None, Some(now)) => self.line(lines, "ADDED", &now),
            (Some(_), Some(now)) => self.line(lines, "MODIFIED", &now),
            (Some(before), None) => {
                let value = change.now.as_ref().map_or(before.value, |now| now.value.clone());
                self.line(lines, "DELETED", &Record { revision: change.revision, value });
            }
            (None, None) => {}
        }
    }

    fn line(&self, lines: &mut Vec<u8>, event: &str, record: &Record) {
        lines.extend_from_slice(format!(r#"{{"type":"{event}","object":"#).as_bytes());
        lines.extend_from_slice(&with_version(self.kind, record));
        lines.extend_from_slice(b"}\n");
    }

    fn bookmark(&self) -> String {
        let (kind, at) = (self.kind, self.at);
        let object = format!(r#"{{"kind":"{kind}","metadata":{{"resourceVersion":{at}}}}}"#);
        format!("{{\"type\":\"BOOKMARK\",\"object\":{object}}}\n")
    }
}
