//! Derived tenancies in the order of their names, without all of them in hand.
//!
//! Subscribers come in the order of their names, and a tenancy's name is longer than its subscriber's: `a-vcpe` comes after
//! `a-1-vcpe`, which is of a later subscriber. So tenancies wait until no later subscriber can have one before them: those
//! of `s` and of all after it come after `s-`, as no character of a name comes before the dash.

use std::collections::BTreeMap;

use intent_store::{Compacted, Key, Page, Record};
use net_types::Name;
use xos_model::KindName;

use super::Tenancies;
use crate::office::object_key;

pub(super) fn page(view: &Tenancies<'_>, after: Option<&str>, limit: usize) -> Result<Page, Compacted> {
    let users = format!("{}/", KindName::Subscriber.plural());
    let tenants = format!("{}/", KindName::Tenant.plural());
    let after = after.and_then(|key| key.strip_prefix(tenants.as_str()));
    let mut waiting: BTreeMap<Key, Record> = BTreeMap::new();
    // Whose tenancies come partly before and partly after.
    for name in after.into_iter().flat_map(beginnings) {
        if let Some(record) = view.record(&object_key(KindName::Subscriber, &name)) {
            waiting.extend(view.of(&record));
        }
    }
    if let Some(after) = after {
        let first = format!("{tenants}{after}");
        waiting.retain(|key, _| **key > *first);
    }
    let mut from = after.map(|after| format!("{users}{after}"));
    let mut items = Vec::new();
    loop {
        let subscribers = view.store.page(&users, from.as_deref(), limit.max(1), Some(view.revision))?;
        for (key, record) in &subscribers.items {
            let bar = format!("{tenants}{}-", &key[users.len()..]);
            while let Some(next) = waiting.first_entry().filter(|next| **next.key() < *bar) {
                if items.len() == limit {
                    return Ok(Page { revision: view.revision, items, more: true });
                }
                items.push(next.remove_entry());
            }
            waiting.extend(view.of(record));
        }
        from = subscribers.items.last().map(|(key, _)| key.to_string());
        if !subscribers.more {
            break;
        }
    }
    let room = limit - items.len();
    let more = waiting.len() > room;
    items.extend(waiting.into_iter().take(room));
    Ok(Page { revision: view.revision, items, more })
}

/// The name itself, and what stands before each of its dashes.
fn beginnings(name: &str) -> impl Iterator<Item = Name> {
    let ends = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
    ends.filter_map(|end| name[..end].parse().ok())
}
