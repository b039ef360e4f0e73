//! What a watch has told, so that nothing is left out and nothing told twice however often its stream ends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::{List, WatchEvent, text};

/// The objects as they were last told of, and how far the changes have been heard.
#[derive(Default)]
pub(super) struct Told {
    /// As JSON, by name.
    objects: BTreeMap<String, String>,
    /// All changes up to this revision have been heard.
    whole: u64,
    /// Some of this one: one revision can have several, and there may be more.
    newest: u64,
}

impl Told {
    /// Where the stream is to go on: what is heard again is not told again.
    pub(super) fn resumes_at(&self) -> String {
        self.whole.to_string()
    }

    /// What the list tells that is not known.
    pub(super) fn listed(&mut self, list: List) -> Vec<WatchEvent> {
        let names: BTreeSet<_> = list.items.iter().map(name).collect();
        let gone: Vec<_> = self.objects.keys().filter(|known| !names.contains(*known)).cloned().collect();
        let gone = gone.into_iter().filter_map(|name| self.objects.remove(&name));
        let object = |json: String| serde_json::from_str(&json).expect("it was written from an object");
        let mut news: Vec<_> = gone.map(|json| event("DELETED", object(json))).collect();
        for object in list.items {
            let is_known = self.objects.contains_key(&name(&object));
            let kind = if is_known { "MODIFIED" } else { "ADDED" };
            news.extend(self.change(event(kind, object)));
        }
        self.reached(list.resource_version.parse().unwrap_or(0));
        news
    }

    /// The event, if it is news.
    pub(super) fn heard(&mut self, event: WatchEvent) -> Option<WatchEvent> {
        let revision = text(&event.object["metadata"]["resourceVersion"]).parse().unwrap_or(self.newest);
        if event.kind == "BOOKMARK" {
            self.reached(revision);
            return None;
        }
        if revision > self.newest {
            // Changes come in the order of their revisions: those of the last one have all been heard.
            (self.whole, self.newest) = (self.newest, revision);
        }
        self.change(event)
    }

    fn reached(&mut self, revision: u64) {
        (self.whole, self.newest) = (revision, revision);
    }

    fn change(&mut self, event: WatchEvent) -> Option<WatchEvent> {
        let name = name(&event.object);
        if event.kind == "DELETED" {
            return self.objects.remove(&name).map(|_| event);
        }
        let json = event.object.to_string();
        let before = self.objects.insert(name, json.clone());
        (before != Some(json)).then_some(event)
    }
}

fn name(object: &Value) -> String {
    text(&object["metadata"]["name"])
}

fn event(kind: &str, object: Value) -> WatchEvent {
    WatchEvent { kind: kind.into(), object }
}

#[cfg(test)]
mod tests;
