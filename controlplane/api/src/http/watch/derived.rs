//! What a change of a subscriber is to its tenancies.

use std::collections::{BTreeMap, BTreeSet};

use intent_store::{Change, Key, Record};
use xos_model::KindName;

use super::super::Http;
use crate::office::Chains;

/// The changes of a subscriber's tenancies in the order of its chain, those that go last; `None` if the change is of no
/// subscriber.
pub(super) fn changes(http: &Http, chains: &Chains, change: &Change) -> Option<Vec<Change>> {
    change.key.strip_prefix(KindName::Subscriber.plural())?.strip_prefix('/')?;
    let of = |record: &Option<Record>| {
        record.as_ref().map(|record| http.office().chain_by(chains, record)).unwrap_or_default()
    };
    let (before, now) = (of(&change.before), of(&change.now));
    let there: BTreeSet<&Key> = now.iter().map(|(key, _)| key).collect();
    let gone = before.iter().filter(|(key, _)| !there.contains(key)).map(|(key, _)| key);
    let keys: Vec<Key> = now.iter().map(|(key, _)| key).chain(gone).cloned().collect();
    let (mut before, mut now): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (before.into_iter().collect(), now.into_iter().collect());
    let revision = change.revision;
    let of_key = |key: Key| Change { revision, now: now.remove(&key), before: before.remove(&key), key };
    Some(keys.into_iter().map(of_key).collect())
}
