//! Streams of changes, an event each.

mod derived;
mod format;

use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use intent_store::{Change, Record};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, watch};
use xos_model::KindName;

use super::{
    Http,
    access::Sight,
    limits::{PAGE_MAX, WATCH_CHUNK},
    list::{Place, collect},
    problem::Problem,
    query::Filter,
};
use crate::office::{Chains, with_version};
pub(super) use format::{Format, last_event_id};

/// One watch. It holds no changes: it goes through the store's log, however slowly the client reads, until the log
/// no longer reaches back to where it is.
struct Watch {
    http: Http,
    kind: KindName,
    prefix: String,
    filter: Filter,
    format: Format,
    /// All changes up to here have been sent.
    at: u64,
    /// The client knows that it can resume here.
    told: Option<u64>,
    /// When something that may be seen ends by itself.
    until: Option<Timestamp>,
    /// Which state of the office's rights it was last judged by.
    judged_at: Option<u64>,
    revocations: watch::Receiver<()>,
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
    /// The rest of it, after this place.
    After(Place),
}

/// Begins a watch after a revision; without one, with all that there is.
pub(super) fn start(
    http: &Http,
    kind: KindName,
    filter: Filter,
    format: Format,
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
        until: filter.sight().and_then(Sight::until),
        judged_at: None,
        revocations: http.office().revocations(),
        prefix: format!("{}/", kind.plural()),
        filter,
        format,
        at,
        told: after,
        initial: if after.is_some() { Initial::Nothing } else { Initial::All },
        revisions,
        ending: http.0.ending.subscribe(),
        over: false,
        _permit: permit,
    };
    let chunks = stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) });
    Ok(format.response(chunks))
}

impl Watch {
    /// The next events; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        let mut out = Vec::new();
        loop {
            match self.read(&mut out) {
                Err(problem) => {
                    self.over = true;
                    self.format.error(&mut out, &problem);
                    return Some(out.into());
                }
                Ok(()) if !out.is_empty() => return Some(out.into()),
                Ok(()) => {}
            }
            if !self.wait().await? {
                if self.until.is_some_and(|until| until <= Timestamp::now()) {
                    continue;
                }
                self.idle(&mut out);
                return Some(out.into());
            }
        }
    }

    /// After a while without changes of interest: where the client can resume, if it does not know.
    fn idle(&mut self, out: &mut Vec<u8>) {
        if self.format == Format::Lines || self.told != Some(self.at) {
            self.bookmark(out);
        } else {
            self.format.heartbeat(out);
        }
    }

    /// Waits for a change, and says whether there was one in good time; `None` when all is over.
    async fn wait(&mut self) -> Option<bool> {
        let patience = match self.until {
            // A moment more, so that the right has ended then.
            Some(until) => {
                let left = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
                self.format.patience().min(left + Duration::from_millis(1))
            }
            None => self.format.patience(),
        };
        tokio::select! {
            changed = self.revisions.changed() => changed.is_ok().then_some(true),
            // The office lives as long as the store.
            revoked = self.revocations.changed() => revoked.is_ok().then_some(true),
            _ = self.ending.wait_for(|ending| *ending) => None,
            () = tokio::time::sleep(patience) => Some(false),
        }
    }

    /// Appends what there is to say; nothing, if that is all.
    fn read(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        if let Some(sight) = self.filter.sight() {
            sight.check_token()?;
            let version = sight.version();
            if self.judged_at != Some(version) || self.until.is_some_and(|until| until <= Timestamp::now()) {
                sight.check()?;
                (self.judged_at, self.until) = (Some(version), sight.until());
            }
        }
        let after = match std::mem::replace(&mut self.initial, Initial::Nothing) {
            Initial::Nothing => return self.read_changes(out),
            Initial::All => None,
            Initial::After(place) => Some(place),
        };
        let page = collect(&self.http, self.kind, &self.filter, after, Some(self.at), PAGE_MAX)?;
        for (_, record) in &page.items {
            // Whoever resumed at one of these would miss the others.
            self.format.event(out, "ADDED", None, &with_version(self.kind, record));
        }
        match page.next {
            Some(place) => self.initial = Initial::After(place),
            // So that a client knows when it has seen all.
            None => self.bookmark(out),
        }
        Ok(())
    }

    fn read_changes(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        loop {
            self.revisions.mark_unchanged();
            let changes = self.http.office().store().changes(self.at, WATCH_CHUNK)?;
            let Some(last) = changes.last() else { return Ok(()) };
            let chains = self.chains()?;
            self.at = last.revision;
            for change in &changes {
                if let Some(tenancies) =
                    chains.as_ref().and_then(|chains| derived::changes(&self.http, chains, change))
                {
                    self.derived(out, change, &tenancies);
                }
                if change.key.starts_with(&self.prefix) {
                    self.change(out, change);
                } else if self.filter.sight().is_some_and(|sight| {
                    sight.is_moved_by(&change.key, change.before.as_ref(), change.now.as_ref())
                }) {
                    return Err(Problem::rights_changed());
                }
            }
            if !out.is_empty() {
                return Ok(());
            }
        }
    }

    /// How chains have gone since where the watch is, for a watch of what follows from them.
    fn chains(&self) -> Result<Option<Chains>, Problem> {
        let of_tenants = self.kind == KindName::Tenant;
        let sees_part = self.filter.sight().is_some_and(Sight::is_narrow);
        let of_some_subscribers = self.kind == KindName::Subscriber && sees_part;
        if !(of_tenants || of_some_subscribers) {
            return Ok(None);
        }
        // After the changes were read: if these are not what they follow from, then a later one is told of here.
        let chains = self.http.office().chains();
        match (chains.since > self.at, of_tenants) {
            (true, true) => Err(Problem::chains_changed()),
            // The services in whose chains they are may see them.
            (true, false) => Err(Problem::rights_changed()),
            (false, _) => Ok(of_tenants.then_some(chains)),
        }
    }

    /// What one change of a subscriber is to its tenancies.
    fn derived(&mut self, out: &mut Vec<u8>, of: &Change, changes: &[Change]) {
        let (user_before, user_now) = (of.before.as_ref(), of.now.as_ref());
        let picks = |record: &Record, user: Option<&Record>| {
            user.is_some_and(|user| self.filter.picks_of(self.kind, record, user))
        };
        let tenancies = changes.iter().filter_map(|change| {
            let before = change.before.as_ref().filter(|before| picks(before, user_before));
            let now = change.now.as_ref().filter(|now| picks(now, user_now));
            let left = change.now.as_ref().filter(|now| {
                self.filter.sight().zip(user_now).is_none_or(|(sight, user)| sight.sees_of(now, user))
            });
            event_of(change.revision, before, now, left)
        });
        let mut seen: Vec<_> = tenancies.collect();
        let last = seen.pop();
        for (event, record) in seen {
            // All are of one revision: whoever resumed at it would miss the rest.
            self.format.event(out, event, None, &with_version(self.kind, &record));
        }
        if let Some((event, record)) = last {
            self.event(out, event, &record);
        }
    }

    fn change(&mut self, out: &mut Vec<u8>, change: &Change) {
        let picks = |record: &&Record| self.filter.picks(self.kind, record);
        let before = change.before.as_ref().filter(picks);
        let now = change.now.as_ref().filter(picks);
        let left = change.now.as_ref().filter(|now| self.filter.sees(now));
        if let Some((event, record)) = event_of(change.revision, before, now, left) {
            self.event(out, event, &record);
        }
    }

    fn event(&mut self, out: &mut Vec<u8>, event: &str, record: &Record) {
        self.told = Some(record.revision);
        self.format.event(out, event, self.told, &with_version(self.kind, record));
    }

    fn bookmark(&mut self, out: &mut Vec<u8>) {
        let (kind, at) = (self.kind, self.at);
        let object = format!(r#"{{"kind":"{kind}","metadata":{{"resourceVersion":{at}}}}}"#);
        self.told = Some(at);
        self.format.event(out, "BOOKMARK", self.told, object.as_bytes());
    }
}

/// To a client with selectors an object comes and goes with its labels and fields. What goes is shown as it now is, unless
/// that may not be seen any more: `left`.
fn event_of(
    revision: u64,
    before: Option<&Record>,
    now: Option<&Record>,
    left: Option<&Record>,
) -> Option<(&'static str, Record)> {
    match (before, now) {
        (None, Some(now)) => Some(("ADDED", now.clone())),
        (Some(_), Some(now)) => Some(("MODIFIED", now.clone())),
        (Some(before), None) => {
            let value = left.unwrap_or(before).value.clone();
            Some(("DELETED", Record { revision, value }))
        }
        (None, None) => None,
    }
}
